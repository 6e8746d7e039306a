"""What a file of PyTorch is and holds, read as the ZIP archive that it is, without torch."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["program", "old program", "script", "pickle"]

_ZIP = b"PK\x03\x04"
_LOCAL_HEADER = 30
# How `torch.save` began up to 1.5: a pickled number that stands for its format.
_LEGACY_PICKLE = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_OLD_PROGRAM = "serialized_exported_program.json"
_MARKS: tuple[tuple[str, Kind], ...] = (
    ("models/", "program"), ("archive_format", "program"), ("constants.pkl", "script"), ("code/", "script"),
    ("data.pkl", "pickle"),
)  # fmt: skip
# What other members of an archive of torch are called; they do not tell which kind it is.
_OTHERS = ("data/", ".data/", ".format_version", "byteorder", "version", "archive_version", "extra/")
_COMPILED = "data/aotinductor/"
_PROGRAM, _EXTRA = "models/model.json", "extra/"
_LONGEST_PROGRAM = 64 * 2**20
_LARGEST = 4 * 2**30
_MOST_OPERATIONS = 100_000
# What the parsers of ZIP and JSON raise; RecursionError is a RuntimeError.
DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, EOFError, OSError, RuntimeError)


@dataclass(frozen=True)
class ProgramFile:
    """What a `torch.export` program says of itself.

    Attributes:
        operations: Names of what it calculates with, in order, e.g. `torch.ops.aten.conv2d.default`.
        version: Of the torch that wrote it.
        extra: Other files in it, by name; text.
    """

    operations: tuple[str, ...]
    version: str
    extra: dict[str, str]


def kind_of(path: Path, start: bytes) -> Kind | None:
    """Tell what of PyTorch a file is, damaged ones too; None where it is nothing of it.

    Args:
        path: It exists.
        start: Its first bytes.
    """
    if start.startswith(_LEGACY_PICKLE):
        return "pickle"
    if not start.startswith(_ZIP):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = [each.filename for each in _listed(archive)]
    except DAMAGE:
        # The list of members is at the end; the first one's name is at the start, too.
        names = [start[_LOCAL_HEADER:].decode("latin-1")]
        if _inside(names[0]).startswith(_OTHERS):
            return "program"
    if _OLD_PROGRAM in names:
        return "old program"
    inside = {_inside(name) for name in names}
    return next((kind for mark, kind in _MARKS if any(name.startswith(mark) for name in inside)), None)


def read_program(path: Path) -> ProgramFile:
    """Read what a program calculates with, after its archive was looked at whole.

    Raises:
        BadInputError: It is damaged, holds more than one program or compiled code, or is too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {_inside(each.filename): each for each in _listed(archive)}
            _require_sound(members, path)
            if (damaged := archive.testzip()) is not None:
                raise ValueError(f"{damaged} is damaged")
            program = json.loads(archive.read(members[_PROGRAM]))
            extra = {
                name.removeprefix(_EXTRA): archive.read(each).decode()
                for name, each in members.items()
                if name.startswith(_EXTRA) and each.file_size <= _LONGEST_PROGRAM
            }
            operations = tuple(str(each["target"]) for each in program["graph_module"]["graph"]["nodes"])
    except DAMAGE as error:
        reason = " ".join(str(error.args[0] if error.args else error).split()) or type(error).__name__
        raise BadInputError.of(
            str(path), rule="must be a whole torch.export program", got=f"{path.stat().st_size} bytes: {reason}",
            hint="it may be truncated; copy it or save it again",
        ) from error  # fmt: skip
    if len(operations) > _MOST_OPERATIONS:
        raise BadInputError.of(
            str(path), rule=f"must have at most {_MOST_OPERATIONS:,} operations", got=len(operations)
        )
    return ProgramFile(operations, str(program.get("torch_version", "unknown")), extra)


def _listed(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members of an archive, not those of one inside it, whose list comes last where its own is cut off."""
    members = archive.infolist()
    if min((each.header_offset for each in members), default=1) != 0:
        raise ValueError("its list of members is missing")
    return members


def _inside(name: str) -> str:
    """Return a member's name without the folder that all of them are in."""
    return name.partition("/")[2]


def _require_sound(members: dict[str, Any], path: Path) -> None:
    programs = sorted(name for name in members if name.startswith("models/"))
    if programs != [_PROGRAM]:
        raise BadInputError.of(
            str(path), rule="must hold one torch.export program", got=programs,
            hint="save it with torch.export.save(program, 'model.pt2')",
        )  # fmt: skip
    if any(name.startswith(_COMPILED) for name in members):
        raise BadInputError.of(
            str(path), rule="must hold a program that can be read", got="code that was compiled for one machine",
            hint="save the exported program instead",
        )  # fmt: skip
    # Torch stores all as it is: what is compressed was not written by it, and may be anything once it is unpacked.
    packed = next((name for name, each in members.items() if each.compress_type != zipfile.ZIP_STORED), None)
    total = sum(each.file_size for each in members.values())
    if packed is not None or total > _LARGEST or members[_PROGRAM].file_size > _LONGEST_PROGRAM:
        got = f"{packed}, which is compressed" if packed is not None else f"{total:,} bytes"
        raise BadInputError.of(str(path), rule="must be an archive as torch writes it", got=got)
