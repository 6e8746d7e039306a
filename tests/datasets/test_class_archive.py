"""A zip of class folders that nobody vouches for: what is harmless is unpacked, all else is one sentence."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from workbench.core.errors import BadInputError
from workbench.datasets import class_archive, load_dataset
from workbench.datasets.class_archive import unpack_class_folders

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace


def png(grey: int = 0) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((8, 8), grey, np.uint8)).save(out, "PNG")
    return out.getvalue()


def zipped(path: Path, names: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in names.items():
            file.writestr(name, data)
    return path


def refused(archive: Path, folder: Path, rule: str) -> None:
    with pytest.raises(BadInputError, match=rule) as told:
        unpack_class_folders(archive, folder)
    assert "\n" not in str(told.value)
    assert not folder.exists()


def test_images_come_out_and_nothing_else_does(tmp_path: Path, workspace: Workspace) -> None:
    names = {f"letters/{c}/{n}.png": png(20 * n + 100 * (c == "b")) for c in "ab" for n in range(5)}
    rubbish = {"letters/read me.txt": b"x", "__MACOSX/letters/a/._0.png": b"x", "letters/.hidden.png": b"x"}
    archive = zipped(tmp_path / "letters.zip", {**names, **rubbish})
    assert unpack_class_folders(archive, tmp_path / "letters") == 10
    found = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "letters").rglob("*") if p.is_file())
    assert found == sorted(names)
    data = load_dataset(tmp_path / "letters", workspace=workspace)
    assert (data.classes, data.train_size, data.test_size) == (("a", "b"), 8, 2)


def test_a_split_of_its_own_is_kept(tmp_path: Path) -> None:
    names = {f"{split}/{c}/0.png": png() for split in ("train", "test") for c in "ab"}
    unpack_class_folders(zipped(tmp_path / "x.zip", names), tmp_path / "x")
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["test", "train"]


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "a/../b/x.png"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "x.zip", {"a/0.png": png(), name: png()}), tmp_path / "x", "must lie inside the archive")
    assert not (tmp_path / "evil.png").exists()


@pytest.mark.parametrize(
    "name", ["a/<img src=x onerror=alert(1)>.png", "a\\..\\evil.png", "C:evil/0.png", "a/\x1b[31m.png", "a/x\u202e.png"]
)
def test_a_name_that_is_more_than_a_name_is_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "x.zip", {"a/0.png": png(), name: png()}), tmp_path / "x", "must have a name without")


def test_a_link_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        link = zipfile.ZipInfo("a/passwd.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    refused(archive, tmp_path / "x", "must be a file, got 'a link'")


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_archive, "ALWAYS_ALLOWED", 1_000_000)
    archive = zipped(tmp_path / "x.zip", {"a/0.png": b"\0" * 5_000_000, "b/0.png": png()})
    refused(archive, tmp_path / "x", "must unpack to at most 1 MB, got '5 MB'")


def test_a_bomb_that_declares_little_gives_no_more_than_that(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"a/0.png": b"\0" * 3_000_000})
    honest = (3_000_000).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(honest, (1000).to_bytes(4, "little")))
    refused(archive, tmp_path / "x", "must be readable")


def test_two_gigabytes_are_not_believed_and_not_reserved(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"a/0.png": b"abc"})
    claim = (2_100_000_000).to_bytes(4, "little")
    data = archive.read_bytes()
    at = data.index(b"PK\1\2")
    archive.write_bytes(data[: at + 24] + claim + data[at + 28 :])
    refused(archive, tmp_path / "x", "must unpack to at most 200 MB, got '2,100 MB'")


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        ({"a/0.txt": b"x"}, "must hold images"),
        ({"a/0.png": b"x", "A/0.PNG": b"y"}, "must be there once"),
        ({"a/b/c/d/e/0.png": b"x"}, "must lie at most 4 deep"),
        ({}, "must hold images"),
    ],
)
def test_what_is_no_folder_of_class_folders_is_refused(tmp_path: Path, names: dict[str, bytes], rule: str) -> None:
    refused(zipped(tmp_path / "x.zip", names), tmp_path / "x", rule)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(b"not a zip")
    refused(archive, tmp_path / "x", "must be a zip file")
    whole = zipped(archive, {"a/0.png": png()}).read_bytes()
    archive.write_bytes(whole.replace(b"IHDR", b"IHDX").replace(whole[40:60], b"\xff" * 20))
    refused(archive, tmp_path / "x", "must")


def test_a_locked_zip_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", {"a/0.png": png()})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(data)
    refused(archive, tmp_path / "x", "must not be encrypted")
