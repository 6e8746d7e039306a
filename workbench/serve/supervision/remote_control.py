"""Admin requests that reach a worker, done by its supervisor, which alone knows all workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.serve.control import Indexed, Reload, index_of
from workbench.serve.security import caller
from workbench.serve.status import Code, RequestError
from workbench.serve.supervision.channel import ChannelClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.models import Models
    from workbench.serve.supervision.channel import Channel


class RemoteControl:
    """Implements `Control` over the channel to the supervisor.

    Attributes:
        channel: Whom it asks.
    """

    def __init__(self, channel: Channel, models: Models) -> None:
        self.channel = channel
        self._models = models

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        """Replace the whole configuration."""
        done = await self._ask("control_reload", configs=[config.model_dump(mode="json") for config in configs])
        return Reload.from_json(done)

    async def load(self, name: str) -> None:
        """Serve a model again, or what lies in its folder now."""
        await self._ask("control_load", name=name)

    async def unload(self, name: str) -> None:
        """Unload all versions of a model until it is loaded again."""
        await self._ask("control_unload", name=name)

    def index(self) -> list[Indexed]:
        """Return every version of every model, as this worker shows them."""
        return index_of(self._models)

    async def _ask(self, ask: str, **arguments: Any) -> Any:
        try:
            return await self.channel.call(ask, caller=[*caller()], **arguments)
        except ChannelClosedError:
            raise RequestError(Code.UNAVAILABLE, "The server is stopping") from None
