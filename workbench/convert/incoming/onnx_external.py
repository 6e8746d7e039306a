"""External data of an ONNX model, brought into the model's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.incoming.onnx_model import LARGEST, tensors_in
from workbench.convert.incoming.onnx_wire import external_locations
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path


def merge(model: Any, path: Path) -> bool:
    """Put the values that lie in other files into the model; returns whether there were any.

    Args:
        model: A `ModelProto`, changed in place.
        path: Its file; the others lie below its folder.

    Raises:
        BadInputError: One of them is outside, a link, missing or too short.
    """
    import onnx

    allowed = set(external_locations(path))
    total, found = 0, False
    for name, tensor in tensors_in(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        found = True
        entries = {each.key: each.value for each in tensor.external_data}
        location = entries.get("location", "")
        if location not in allowed:
            raise _wrong(path, name, f"a place that is not known: {location}")
        content = _read(path, name, path.parent / location, entries)
        total += len(content)
        if total > LARGEST:
            raise BadInputError.of(
                str(path), rule="must be smaller than 2 GiB, its external data too", got=f"{total} bytes"
            )
        tensor.raw_data = content
        del tensor.external_data[:]
        tensor.ClearField("data_location")
    return found


def _read(path: Path, name: str, file: Path, entries: dict[str, str]) -> bytes:
    size = file.stat().st_size
    try:
        offset = int(entries.get("offset") or 0)
        length = int(entries.get("length") or size - offset)
    except ValueError as error:
        raise _wrong(path, name, str(error)) from error
    if offset < 0 or length < 0 or offset + length > size:
        raise _wrong(path, name, f"{length} bytes from {offset} on in {file.name} of {size} bytes")
    with file.open("rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def _wrong(path: Path, name: str, got: str) -> BadInputError:
    return BadInputError.of(
        str(path), rule="must have all of its external data", got=f"{name}: {got}", hint="copy it here again as a whole"
    )
