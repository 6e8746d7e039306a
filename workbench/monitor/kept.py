"""What a monitor knows, kept over its end: how far it has read, and which alarms are raised."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.errors import WorkbenchError
from workbench.core.records import Record
from workbench.core.records.base import read_record
from workbench.core.workspace import write_json
from workbench.monitor.request_log import Cursor

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger("workbench.monitor")

NAME = "monitor.json"
"""The file in a server's run folder."""


class Kept(Record):
    """What lies in the file.

    Attributes:
        cursor: How far the request log was read.
        raised: Rules, by title: whether they are raised.
        in_a_row: Looks in a row that were on the way to the other state.
    """

    cursor: Cursor = Field(default_factory=Cursor)
    raised: dict[str, bool] = Field(default_factory=dict)
    in_a_row: dict[str, int] = Field(default_factory=dict)


def read_kept(path: Path | None) -> Kept:
    """Return what was kept; nothing where there is no file, or a damaged one, which the log says."""
    if path is None or not path.exists():
        return Kept()
    try:
        return read_record(path, Kept)
    except WorkbenchError as error:
        _LOG.warning("The monitor begins anew: %s", error)
        return Kept()


def write_kept(path: Path, kept: Kept) -> None:
    """Keep it; a disk that refuses does not end the watch, and the log says it."""
    try:
        write_json(path, kept.to_json())
    except WorkbenchError as error:
        _LOG.warning("The monitor's state is not kept: %s", error)
