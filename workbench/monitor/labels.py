"""Labels that come after the answers: what the truth was, by the request's name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from pydantic import ValidationError

from workbench.core.errors import BadInputError
from workbench.core.records.base import Record
from workbench.core.workspace import writing
from workbench.monitor.request_log import log_folder

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.serve.handle import Sandbox

NAME = "labels.jsonl"


class LateLabel(Record):
    """What one request should have been answered with.

    Attributes:
        id: The request's, as it is in the log.
        label: The class of each of its samples, in their order.
    """

    id: str
    label: tuple[int, ...]


def label(server: Sandbox | str | Path, labels: Mapping[str, int | tuple[int, ...]]) -> None:
    """Tell what the truth was; the last word on a request counts.

    They are appended to one file beside the request log in one piece, so that several may do it at once.

    Args:
        server: The server, its run folder, or the folder of its log.
        labels: By the request's id, its class, or one for each of its samples.

    Raises:
        BadInputError: A label is no class.
        WorkspaceError: There is no such folder, or it cannot be written.
    """
    if not isinstance(labels, Mapping):
        raise BadInputError.of("labels", rule="must be classes by the request's id, {'id': 3}", got=labels)
    if not labels:
        return
    path = log_folder(server) / NAME
    data = b"".join(orjson.dumps(_late(name, given).to_json()) + b"\n" for name, given in labels.items())
    with writing(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, _mended(file) + data)
            os.fsync(file)
        finally:
            os.close(file)


def read_labels(server: Sandbox | str | Path) -> dict[str, tuple[int, ...]]:
    """Return the labels that were told, by the request's id; one for each sample.

    Args:
        server: As of `label`.
    """
    try:
        lines = (log_folder(server) / NAME).read_bytes().split(b"\n")
    except OSError:
        return {}
    found = {}
    for line in lines:
        try:
            late = LateLabel.from_json(orjson.loads(line))
        except (ValueError, ValidationError):  # torn by a crash
            continue
        found[late.id] = late.label
    return found


def _late(name: str, given: int | tuple[int, ...]) -> LateLabel:
    many: tuple[Any, ...] = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if not many or any(isinstance(one, bool) or not isinstance(one, (int, np.integer)) or one < 0 for one in many):
        raise BadInputError.of("labels", rule="must be classes, whole numbers from 0", got={name: given})
    return LateLabel(id=str(name), label=tuple(int(one) for one in many))


def _mended(file: int) -> bytes:
    """Return what ends a line that a crash tore."""
    size = os.fstat(file).st_size
    return b"" if not size or os.pread(file, 1, size - 1) == b"\n" else b"\n"
