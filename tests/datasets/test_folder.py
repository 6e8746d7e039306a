from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from workbench.core.errors import BadInputError
from workbench.datasets import class_folders, load_dataset
from workbench.datasets.content import Content
from workbench.datasets.folder import read_folder
from workbench.jobs import jobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.workspace import Workspace


def image(path: Path, level: int, size: tuple[int, int] = (9, 8), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(10):
        image(tmp_path / "pets" / "cat" / f"{number}.png", number)
        image(tmp_path / "pets" / "dog" / f"{number}.png", 100 + number)
    return tmp_path / "pets"


def test_class_folders_become_classes_in_alphabetical_order(root: Path) -> None:
    data = Content.checked(read_folder(root))
    assert data.classes == ("cat", "dog")
    assert data.x_train.shape == (16, 8, 9, 1)
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert np.array_equal(data.x_test[:, 0, 0, 0] >= 100, data.y_test == 1)


def test_folders_train_and_test_are_the_split(root: Path) -> None:
    for split in ("train", "test"):
        (root.parent / "split" / split).mkdir(parents=True)
    (root / "cat").rename(root.parent / "split" / "train" / "cat")
    (root / "dog").rename(root.parent / "split" / "train" / "dog")
    for name in ("cat", "dog"):
        image(root.parent / "split" / "test" / name / "a.png", 50)
    data = Content.checked(read_folder(root.parent / "split"))
    assert (len(data.x_train), len(data.x_test), data.note) == (20, 2, "")


def test_one_colour_image_makes_all_rgb(root: Path) -> None:
    image(root / "dog" / "0.png", 7, mode="RGB")
    data = Content.checked(read_folder(root))
    assert data.x_train.shape[-1] == 3


def test_it_loads_through_a_job_and_is_found_again(root: Path, workspace: Workspace) -> None:
    data = load_dataset(root, workspace=workspace)
    assert data.name == "pets"
    assert load_dataset(str(root), workspace=workspace) == data
    image(root / "cat" / "new.png", 3)
    assert load_dataset(root, workspace=workspace).checksum != data.checksum


def test_an_empty_class_folder_is_named(root: Path) -> None:
    (root / "emu").mkdir()
    with pytest.raises(BadInputError, match=r"emu must hold images"):
        read_folder(root)


def test_too_few_folders_are_refused(root: Path) -> None:
    with pytest.raises(BadInputError, match=r"cat must hold 2 to 1000 class folders of images, got '0 folders'"):
        read_folder(root / "cat")


def test_an_unreadable_image_is_named(root: Path) -> None:
    (root / "dog" / "5.png").write_bytes(b"\x89PNG no")
    with pytest.raises(BadInputError, match=r"dog/5\.png must be a readable"):
        read_folder(root)


def test_a_truncated_image_is_named(root: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 9), np.uint8)
    Image.fromarray(noise).save(root / "dog" / "5.png")
    file = root / "dog" / "5.png"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(BadInputError, match=r"dog/5\.png must be a readable"):
        read_folder(root)


def test_an_image_of_another_size_is_named(root: Path) -> None:
    image(root / "dog" / "3.png", 1, size=(9, 9))
    with pytest.raises(BadInputError, match=r"dog/3\.png must be 9x8 pixels like 0\.png, got '9x9'"):
        read_folder(root)


def test_a_decompression_bomb_is_refused_by_its_size_before_a_pixel_is_unpacked(root: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (5_000, 100_000):  # below and above what Pillow itself refuses
        head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000)))
        (root / "cat" / "4.png").write_bytes(bomb + chunk(b"IEND", b""))
        with pytest.raises(BadInputError, match=r"cat/4\.png must"):
            read_folder(root)


def test_sixteen_bits_a_channel_are_refused(root: Path) -> None:
    Image.fromarray(np.full((8, 9), 40_000, np.uint16)).save(root / "cat" / "1.png")
    with pytest.raises(BadInputError, match=r"cat/1\.png must be grey or RGB with 8 bits"):
        read_folder(root)


def test_files_that_are_no_images_are_skipped_and_said(root: Path) -> None:
    (root / "cat" / "readme.txt").write_text("cats")
    data = read_folder(root)
    assert "Skipped 1 file(s) that are no images: readme.txt" in data.note


def test_class_folders_behind_links_are_read_anew_when_they_change(
    root: Path, tmp_path: Path, workspace: Workspace
) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for name in ("cat", "dog"):
        (linked / name).symlink_to(root / name)
    first = load_dataset(linked, workspace=workspace)
    assert load_dataset(linked, workspace=workspace) == first
    image(root / "cat" / "new.png", 3)
    assert load_dataset(linked, workspace=workspace).checksum != first.checksum


def named_pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.parent / "gone")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (named_pipe, "a named pipe"),
        (folder, "a folder"),
        (link_to_nothing, "a link to nothing"),
        (link_to_itself, "a link to nothing"),
    ],
)
def test_what_is_called_an_image_and_is_no_file_is_named(root: Path, make: Callable[[Path], None], said: str) -> None:
    make(root / "cat" / "z.png")
    with pytest.raises(BadInputError, match=rf"cat/z\.png must be an image file, got '{said}'; remove or rename it"):
        read_folder(root)


def test_a_class_that_links_to_nothing_is_named(root: Path) -> None:
    link_to_nothing(root / "emu")
    with pytest.raises(BadInputError, match="emu must be a class folder or a file, got 'a link to nothing'"):
        read_folder(root)


def test_names_that_are_no_utf8_are_refused_and_shown_escaped(root: Path) -> None:
    odd = os.fsdecode(b"\xff")
    image(root / "cat" / f"{odd}.png", 3)
    with pytest.raises(BadInputError, match=r"cat/\\udcff\.png must have a name in UTF-8, got .*; rename it") as caught:
        read_folder(root)
    assert str(caught.value).encode()
    (root / "cat").rename(root / odd)
    with pytest.raises(BadInputError, match=r"pets/\\udcff must have a name in UTF-8"):
        read_folder(root)
    with pytest.raises(BadInputError, match=r"\\udcff must have a name in UTF-8"):
        load_dataset(root / odd)


def test_what_is_skipped_is_shown_escaped(root: Path) -> None:
    (root / "cat" / os.fsdecode(b"a\n\xff.txt")).touch()
    assert r"no images: a\n\udcff.txt." in read_folder(root).note


def test_too_many_files_are_not_listed_to_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_folders, "MOST_FILES", 19)
    with pytest.raises(BadInputError, match=r"pets must hold at most 19 files, got 'more'"):
        read_folder(root)


def test_a_folder_of_anything_is_refused_without_a_job_or_a_look_into_its_depths(workspace: Workspace) -> None:
    before = len(jobs(workspace, "prepare"))
    with pytest.raises(BadInputError, match=r"/usr/\w+ must hold images"):
        load_dataset("/usr", workspace=workspace)
    assert len(jobs(workspace, "prepare")) == before
