from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.datasets.npz import read_npz

if TYPE_CHECKING:
    from pathlib import Path

X, Y = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "own.npz"


def test_x_and_y_are_split_the_same_way_every_time(file: Path) -> None:
    np.savez(file, x=np.arange(20, dtype=np.uint8)[:, None, None] + X, y=Y, classes=np.array(["even", "odd"]))
    first, second = read_npz(file), read_npz(file)
    assert np.array_equal(first.x_test, second.x_test)
    assert (len(first.x_train), len(first.x_test)) == (16, 4)
    assert {*first.x_train[:, 0, 0, 0], *first.x_test[:, 0, 0, 0]} == set(range(20))
    assert np.bincount(first.y_test).tolist() == [2, 2]
    assert first.classes == ("even", "odd")
    assert "no split of its own" in first.note


@pytest.mark.parametrize("missing", ["x_train", "y_train", "x_test", "y_test"])
def test_a_missing_key_is_named(file: Path, missing: str) -> None:
    keys = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
    del keys[missing]
    np.savez(file, **keys)
    with pytest.raises(BadInputError, match=rf"^{missing} in own\.npz must be there"):
        read_npz(file)


def test_pickled_objects_are_never_unpacked(file: Path) -> None:
    np.savez(file, x=np.array([{"a": 1}, None], dtype=object), y=np.array([0, 1]))
    with pytest.raises(BadInputError, match=r"^x in own\.npz must be a plain numeric array"):
        read_npz(file)


def test_other_lengths_are_named(file: Path) -> None:
    np.savez(file, x=X, y=Y[:-1])
    with pytest.raises(BadInputError, match="y must have one label for each of x's 20 samples, got '19 labels'"):
        read_npz(file)


def test_what_is_no_archive_is_refused(file: Path) -> None:
    file.write_bytes(b"no archive")
    with pytest.raises(BadInputError, match=r"own\.npz must be an \.npz file"):
        read_npz(file)


def test_a_truncated_file_is_refused(file: Path) -> None:
    np.savez(file, x=X, y=Y)
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(BadInputError, match=r"own\.npz"):
        read_npz(file)


def test_damaged_bytes_inside_are_refused(file: Path) -> None:
    np.savez_compressed(file, x=np.random.default_rng(0).integers(0, 255, (20, 8, 8), np.uint8), y=Y)
    raw = bytearray(file.read_bytes())
    raw[400:500] = bytes(100)
    file.write_bytes(raw)
    with pytest.raises(BadInputError, match=r"x in own\.npz"):
        read_npz(file)


def member(shape: str) -> bytes:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': " + shape.encode() + b", }"
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def labels() -> bytes:
    written = io.BytesIO()
    np.save(written, Y)
    return written.getvalue()


@pytest.mark.parametrize(
    "shape", ["((((", "(True, 8, 8)", "('a', 8)", "(-1, 8, 8)", "None", "(" * 300 + "1" + ")" * 300]
)
def test_a_header_that_makes_no_sense_is_refused(file: Path, shape: str) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", member(shape) + bytes(64))
        archive.writestr("y.npy", labels())
    with pytest.raises(BadInputError, match=r"^x in own\.npz must be"):
        read_npz(file)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_corrupt_stream_of_any_compression_is_refused(file: Path, method: int) -> None:
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x.npy", member("(20, 8, 8)") + np.random.default_rng(0).bytes(1280))
        archive.writestr("y.npy", labels())
        start = archive.getinfo("x.npy").header_offset + 30 + len("x.npy")
    whole = file.read_bytes()
    for at in (start, start + 2, start + 6, start + 100, start + 900):
        file.write_bytes(whole[:at] + b"\xff" * 60 + whole[at + 60 :])
        with pytest.raises(BadInputError, match=r"^x in own\.npz must be") as caught:
            read_npz(file)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [(6, b"\x01\x00", "encrypted"), (8, b"\x63\x00", "compression")],  # the flags, the method of compression
)
def test_what_no_reader_of_ours_unpacks_is_refused(file: Path, field: int, value: bytes, said: str) -> None:
    np.savez(file, x=X, y=Y)
    raw = bytearray(file.read_bytes())
    local, central = raw.index(b"PK\x03\x04"), raw.index(b"PK\x01\x02")
    for at in (local + field, central + field + 2):
        raw[at : at + 2] = value
    file.write_bytes(raw)
    with pytest.raises(BadInputError, match=rf"^x in own\.npz must be an \.npy array, got .*{said}.*; write it with"):
        read_npz(file)


@pytest.mark.parametrize("classes", [np.array("even"), np.array([["even", "odd"]]), np.array([0.5, 1.5])])
def test_class_names_are_a_row_of_texts(file: Path, classes: np.ndarray) -> None:
    np.savez(file, x=X, y=Y, classes=classes)
    with pytest.raises(BadInputError, match=r"^classes in own\.npz must be a row of texts, one name a class, got 'sh"):
        read_npz(file)


def test_class_names_may_be_bytes_or_numbers(file: Path) -> None:
    np.savez(file, x=X, y=Y, classes=np.array([b"even", b"odd"]))
    assert read_npz(file).classes == ("even", "odd")
    np.savez(file, x=X, y=Y, classes=np.array([0, 1]))
    assert read_npz(file).classes == ("0", "1")


def test_a_header_that_asks_for_terabytes_is_refused_before_memory_is_taken(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", member("(1099511627776, 8, 8)"))
        archive.writestr("y.npy", labels())
    with pytest.raises(BadInputError, match=r"x in own\.npz must be at most 2 GiB"):
        read_npz(file)


@pytest.mark.parametrize("x", [np.uint8(3), np.zeros(20, np.uint8), np.zeros((20, 8, 8, 2), np.uint8)])
def test_an_x_that_holds_no_images_is_named(file: Path, x: np.ndarray) -> None:
    np.savez(file, x=x, y=Y)
    with pytest.raises(BadInputError, match=r"^x must have shape \(N, H, W\)"):
        read_npz(file)


def test_a_bad_sample_is_named_as_the_file_numbers_it(file: Path) -> None:
    x = X.astype(np.float32)
    x[7, 0, 0] = np.nan
    np.savez(file, x=x, y=Y)
    with pytest.raises(BadInputError, match=r"^x\[7"):
        read_npz(file)
