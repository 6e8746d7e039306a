"""Logging of serving processes: standard error, one line a message."""

from __future__ import annotations

import logging
import sys

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x85, 0x2028, 0x2029)}


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Log to standard error; what clients named cannot begin a line of its own.

    Args:
        level: The least that is logged.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter(_FORMAT))
    logging.basicConfig(level=level, handlers=[handler])


class OneLineFormatter(logging.Formatter):
    """Escapes line breaks and control characters in what is logged; a traceback below it keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Return the line."""
        record.message = record.message.translate(_ESCAPES)
        return super().formatMessage(record)
