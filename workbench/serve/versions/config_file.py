"""A configuration file that is read again and again while the server runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.serve.config.model_server import TYPE, read_models

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from workbench.serve.config.model_config import ModelConfig

_log = logging.getLogger(__name__)


class ConfigFile:
    """A ModelServerConfig on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: bytes | None = None
        self._error = ""

    def models(self) -> list[ModelConfig]:
        """Return the models that it names now.

        Raises:
            BadInputError: It cannot be read, or asks for what cannot be.
        """
        self._seen = self._content()
        return read_models(_text(self._seen))

    async def watch(self, seconds: float, reload: Callable[[], Awaitable[str]]) -> None:
        """Ask for a reload whenever the file has changed, and while the last one was not done whole; never returns.

        A file that cannot be read changes nothing; each error is logged once.

        Args:
            seconds: Time between two looks.
            reload: Reads the file (`models`), does what it says, and returns why that could not be done; else nothing.
        """
        while True:
            await asyncio.sleep(seconds)
            try:
                content = await asyncio.to_thread(self._content)
            except BadInputError as error:
                self._say(f"Failed to read ModelServerConfig file: {error}")
                continue
            if content != self._seen or self._error:
                error_now = await reload()
                self._seen = content
                self._say(f"failed to reload {TYPE}: {error_now}" if error_now else "")

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise BadInputError(f"{self._path}; {error.strerror or error}") from None

    def _say(self, error: str) -> None:
        if error and error != self._error:
            _log.error("%s", error)
        self._error = error


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadInputError("the file must be UTF-8 text") from None
