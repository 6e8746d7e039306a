"""A model file as an array in C++ source, and back: what a microcontroller is given in place of a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "model.cc"
_BYTES_A_LINE = 12
_LARGEST = 256 * 2**20
_HEAD, _TAIL = 4096, 256
_BEGIN = re.compile(rb"alignas\(16\) const unsigned char ([A-Za-z_]\w{0,62})\[\] = \{\n")
_END = re.compile(rb"\n\};\nconst unsigned int ([A-Za-z_]\w{0,62})_len = (\d{1,10});\n\Z")


def array_of(content: bytes, name: str) -> str:
    """Return the lines that define an array and its length.

    Args:
        content: The model file.
        name: An identifier.
    """
    rows = (content[at : at + _BYTES_A_LINE] for at in range(0, len(content), _BYTES_A_LINE))
    lines = ",\n".join("  " + ", ".join(f"0x{byte:02x}" for byte in row) for row in rows)
    # Interpreters read the file where it lies, and their structures begin at multiples of 16.
    return (
        f"alignas(16) const unsigned char {name}[] = {{\n{lines}\n}};\n"
        f"const unsigned int {name}_len = {len(content)};\n"
    )


def array_in(folder: Path) -> bytes:
    """Return the model file in the folder's `model.cc`, as the compiler would read it.

    Only what `array_of` writes is understood: nothing is compiled, and nothing is made before its length is known.

    Raises:
        BadInputError: It is missing, too large, or anything else.
    """
    path = folder / SOURCE
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise BadInputError.of(str(path), rule=f"must be a file of at most {_LARGEST >> 20} MiB", got=_size(path))
    text = path.read_bytes()
    begin, end = _BEGIN.search(text, 0, _HEAD), _END.search(text, max(0, len(text) - _TAIL))
    if begin is None or end is None or begin[1] != end[1]:
        raise _broken(path, "no such array")
    body = text[begin.end() : end.start()]
    digits = body.replace(b"0x", b"").translate(None, b", \n")
    try:
        found = bytes.fromhex(digits.decode("ascii"))
    except ValueError as error:
        raise _broken(path, "bytes that are not two hexadecimal digits") from error
    if not body.count(b"0x") == len(found) == int(end[2]):
        raise _broken(path, f"{len(found)} bytes where it says {int(end[2])}")
    return found


def _broken(path: Path, reason: str) -> BadInputError:
    return BadInputError.of(
        str(path), rule="must hold one array of hexadecimal bytes and its length", got=reason,
        hint="convert the .tflite file to c_array again",
    )  # fmt: skip


def _size(path: Path) -> str:
    return f"{path.stat().st_size} bytes" if path.is_file() else "nothing"
