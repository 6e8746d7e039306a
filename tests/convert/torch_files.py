"""Archives as torch writes them, made without torch: what is refused is refused before torch is loaded."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
PICKLE = {"archive/data.pkl": b"\x80\x02}q\x00.", "archive/version": b"3"}
SCRIPT = {"net/data.pkl": b"\x80\x02}q\x00.", "net/code/__torch__.py": b"", "net/constants.pkl": b"\x80\x02)."}
OLD_PROGRAM = {"serialized_exported_program.json": b"{}", "version": b"8.2"}


def program(operations: int = 2, extra: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the members of a program, as far as they are read without torch."""
    nodes = [{"target": "torch.ops.aten.relu.default"} for _ in range(operations)]
    described = {"graph_module": {"graph": {"nodes": nodes}}, "torch_version": "2.13.0"}
    return {
        "m/data/weights/weight_0": bytes(64),
        "m/models/model.json": json.dumps(described).encode(),
        "m/data/sample_inputs/model.pt": b"PK\x05\x06" + bytes(18),
        "m/archive_format": b"pt2",
        **{f"m/{name}": content for name, content in (extra or {}).items()},
    }


def written(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """Write an archive and return its path."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
