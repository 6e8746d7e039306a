"""Packages as one file: written whole or not at all, read member by member without unpacking."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import writing
from workbench.package.gzip_frame import GzipWriter
from workbench.package.tar_stream import TarStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Content = bytes | Path

_CHUNK = 1 << 20


def write_archive(path: Path, top: str, files: Mapping[str, Content], sums: Mapping[str, str]) -> Path:
    """Write files into a `.tar.gz` whose bytes follow from them alone.

    Args:
        path: The archive; an old one is replaced when the new one is there as a whole.
        top: Folder that all files lie in.
        files: Contents by path, or files that hold them.
        sums: sha256 by path of those that must not have changed since.

    Raises:
        WorkspaceError: It cannot be written, or a file was changed meanwhile.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as stream:
                packed = GzipWriter(stream)
                tar = TarStream(packed.write)
                for name in sorted(files):
                    _add(tar, f"{top}/{name}", files[name], sums.get(name))
                tar.close()
                packed.close()
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return path


def _add(tar: TarStream, name: str, content: Content, expected: str | None) -> None:
    total = hashlib.sha256()
    for chunk in tar.passing(name, size_of(content), chunks_of(content)):
        total.update(chunk)
    if expected is not None and total.hexdigest() != expected:
        where = content if isinstance(content, Path) else name
        raise WorkspaceError(f"{where} was changed while it was packed; pack it again.")


def size_of(content: Content) -> int:
    """Return how many bytes a file has."""
    return content.stat().st_size if isinstance(content, Path) else len(content)


def chunks_of(content: Content) -> Iterator[bytes]:
    """Return a file's bytes, part by part."""
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
