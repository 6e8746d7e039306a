"""Damage for files, seeded: what disks, networks and malice do to them."""

import io
import random
import zipfile
from collections.abc import Callable

from workbench.evaluate.packing import format_of, pack, unpack
from workbench.evaluate.packing.coder import varint
from workbench.evaluate.packing.protobuf import Field, fields

_LENGTHS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000000)
_BYTES = 2  # the wire type of what has a length


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a damaged copy with one to three kinds of damage.

    Half of the time what is around the damage stays whole: checksums of an archive, lengths of a protocol buffer, the
    frame of a packed file.
    """
    if draw.random() < 0.5:
        if content.startswith(b"PK\x03\x04"):
            return _in_archive(content, draw)
        if content.startswith(b"LWP"):
            return pack(mutated(unpack(content), draw), format_of(content))
        if content.startswith(b"\x08") and (changed := _in_message(content, draw)):
            return changed
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        # Nothing can only be damaged by something.
        content = draw.choice(_KINDS)(content, draw) or content[:1] if content else draw.randbytes(draw.randrange(1, 9))
    return content


def _truncated(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(1, len(content) + 1)]


def _flipped(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwritten(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    start = draw.randrange(len(changed))
    length = min(draw.choice((1, 2, 4, 16, 64)), len(changed) - start)
    fill = draw.choice((bytes(length), b"\xff" * length, draw.randbytes(length)))
    changed[start : start + length] = fill
    return bytes(changed)


def _length_changed(content: bytes, draw: random.Random) -> bytes:
    """Write a number over four or eight bytes, aligned as lengths and offsets are, or nudge the one that is there."""
    changed, size = bytearray(content), draw.choice((2, 4, 4, 4, 8))
    if len(changed) < size:
        return content
    start = draw.randrange(0, len(changed) - size + 1, draw.choice((1, size)))
    there = int.from_bytes(changed[start : start + size], "little")
    number = draw.choice((*_LENGTHS, there + 1, there - 1, there * 2, -there, there + 4, len(changed)))
    changed[start : start + size] = (number % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(changed)


def _varint_changed(content: bytes, draw: random.Random) -> bytes:
    """Put a number of many bytes where one was, as in protocol buffers, or change one's last byte."""
    start = draw.randrange(len(content))
    long = draw.choice((b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"))
    short = bytes([draw.randrange(128)])
    return content[:start] + draw.choice((long, short)) + content[start + 1 :]


def _spliced(content: bytes, draw: random.Random) -> bytes:
    """Copy, insert or cut out a piece."""
    first, second = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    piece = content[first : min(second, first + 512)]
    at = draw.randrange(len(content) + 1)
    without, inserted = content[:first] + content[second:], content[:at] + piece + content[at:]
    return draw.choice((without, inserted, content[:at] + piece + content[at + len(piece) :]))


def _in_archive(content: bytes, draw: random.Random) -> bytes:
    """Damage one member of a ZIP archive and write the archive anew, so that its checksums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(sorted(members))
    members[name] = mutated(members[name], draw)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for each, data in members.items():
            archive.writestr(each, data)
    return buffer.getvalue()


def _in_message(content: bytes, draw: random.Random) -> bytes | None:
    """Damage one field of a protocol buffer, somewhere in its tree, and write the lengths around it anew."""
    try:
        found = list(fields(content, 0, len(content)))
    except ValueError:
        return None
    if not found or not all(0 < field.number < 64 for field in found):
        return None
    chosen, parts, start = draw.choice(found), [], 0
    for field in found:
        whole, start = content[start : field.end], field.end
        parts.append(whole if field is not chosen else _other_field(field, whole, draw))
    return b"".join(parts)


def _other_field(field: Field, whole: bytes, draw: random.Random) -> bytes:
    if field.kind != _BYTES:
        return draw.choice((whole[:1] + varint(draw.choice(_LENGTHS)), b"", whole * 2))
    held = whole[len(whole) - (field.end - field.start) :]
    inner = _in_message(held, draw) if draw.random() < 0.9 else None
    if inner is None:
        inner = draw.choice((*_KINDS, lambda *_: b""))(held, draw) if held else b"x"
    return varint(field.number << 3 | _BYTES) + varint(len(inner)) + inner


_KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _truncated, _flipped, _flipped, _overwritten, _length_changed, _length_changed, _varint_changed, _spliced,
)  # fmt: skip
