"""What handles ask of a rollout over the control door, plain JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import ServingError
from workbench.core.records.store import Override
from workbench.serve.rollout.settings import RolloutSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.serve.rollout.director import Director


def rollout_handlers(director: Director) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return what can be asked, by name."""

    async def rollout(version: int, settings: dict[str, Any], by: str = "") -> dict[str, Any]:
        return (await director.begin(version, RolloutSettings.parse(settings), by)).to_json()

    async def comparison() -> dict[str, Any]:
        return (await director.report()).to_json()

    async def promote(why: str = "", by: str = "", override: dict[str, Any] | None = None) -> dict[str, Any]:
        answers = None if override is None else Override.from_json(override)
        return (await director.promote(why, by, answers)).to_json()

    async def abort(why: str = "", by: str = "") -> dict[str, Any]:
        return (await director.abort(why, by)).to_json()

    async def rollback(to: int | None = None, why: str = "", by: str = "") -> int:
        return await director.rollback(to, why, by)

    async def answering() -> int:
        return director.answering

    return {each.__name__: each for each in (rollout, comparison, promote, abort, rollback, answering)}


def refused_rollouts(reason: str) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the same for a server that has no rollouts: each says why."""

    async def refuse(**_: Any) -> None:
        raise ServingError(reason)

    return dict.fromkeys(("rollout", "comparison", "promote", "abort", "rollback", "answering"), refuse)
