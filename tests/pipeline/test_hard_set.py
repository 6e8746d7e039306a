"""A hard set keeps what it was given, once, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.pipeline import hard_set as module
from workbench.pipeline.hard_set import HardSet, hard_set

if TYPE_CHECKING:
    from pathlib import Path

NOISE = np.random.default_rng(0).random((40, 8, 8), np.float32)


@pytest.fixture
def hard(tmp_path: Path) -> HardSet:
    return hard_set("mine", workspace=Workspace.at(tmp_path / "home"))


def test_what_is_added_is_there_in_its_order_in_another_process_too(hard: HardSet, tmp_path: Path) -> None:
    added = [hard.add(image, label) for label, image in enumerate(NOISE[:7])]
    again = hard_set("mine", workspace=Workspace.at(tmp_path / "home"))
    assert again.list() == tuple(added)
    assert [sample.label for sample in added] == [*range(7)]
    assert len(again) == 7
    for (_, stored), image in zip(again.samples(), NOISE, strict=False):
        assert np.array_equal(stored[..., 0], image)


def test_the_same_sample_is_kept_once_and_may_be_corrected(hard: HardSet) -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    first = hard.add(image, 3)
    assert hard.add(image / np.float32(255), 3) == first
    corrected = hard.add(image[..., None], 5, source="mislabelled")
    assert hard.list() == (corrected,)
    assert (corrected.id, corrected.number, corrected.held) == (first.id, first.number, first.held)
    assert (corrected.label, corrected.source) == (5, "mislabelled")


def test_what_is_removed_is_gone_and_said_so(hard: HardSet) -> None:
    first, second = hard.add(NOISE[0], 0), hard.add(NOISE[1], 1)
    hard.remove(first)
    assert hard.list() == (second,)
    with pytest.raises(BadInputError, match=r"sample must be in the hard set mine, got '.*'; `list\(\)` gives"):
        hard.remove(first.id)
    hard.remove(second.id)
    assert hard.list() == ()


def test_a_fifth_is_held_back_and_stays_so(hard: HardSet) -> None:
    held = {sample.id: sample.held for sample in (hard.add(image, 0) for image in NOISE)}
    assert sum(held.values()) == 8
    assert any([*held.values()][:3])
    for sample in hard.list()[:10]:
        hard.remove(sample)
    hard.add(np.zeros((8, 8)), 0)
    assert all(sample.held == held[sample.id] for sample in hard.list()[:-1])


@pytest.mark.parametrize(
    ("x", "label", "source", "words"),
    [
        (np.full((8, 8), np.nan), 0, "drawn", "must hold finite numbers"),
        (np.full((8, 8), 2.0), 0, "drawn", r"x\[0\] must lie in \[0, 1\]"),
        (np.zeros((8, 8, 2)), 0, "drawn", r"must have shape \(N, H, W\)"),
        (np.zeros((9, 9)), 0, "drawn", r"must have the shape of the others in mine, \(8, 8, 1\), got \(9, 9, 1\)"),
        ([[1], [1, 2]], 0, "drawn", "x must be an array of numbers"),
        ("seven", 0, "drawn", "x must be one sample"),
        (np.array([object()]), 0, "drawn", "must hold whole numbers or floats"),
        (NOISE[1], -1, "drawn", "label must be at least 0"),
        (NOISE[1], 1000, "drawn", "label must be at most 999"),
        (NOISE[1], 1.5, "drawn", "label must be a whole number"),
        (NOISE[1], 0, "", "source must be 1 to 64 printable signs"),
        (NOISE[1], 0, "a\nb", "source must be 1 to 64 printable signs"),
    ],
)  # fmt: skip
def test_what_is_no_sample_is_refused(hard: HardSet, x: Any, label: Any, source: str, words: str) -> None:
    hard.add(NOISE[0], 0)
    with pytest.raises(BadInputError, match=words):
        hard.add(x, label, source)
    assert len(hard) == 1


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "x" * 65, 3])
def test_a_name_cannot_lead_elsewhere(name: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="name must be made of letters"):
        hard_set(name, workspace=Workspace.at(tmp_path))


def test_a_row_of_a_table_is_a_sample_too(hard: HardSet) -> None:
    assert hard.add([0.5, -2, 3], 1).shape == (3,)
    assert hard.add(np.array([7, 8, 9]), 1).shape == (3,)


def test_it_is_bounded(hard: HardSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SAMPLES", 1)
    hard.add(NOISE[0], 0)
    with pytest.raises(BadInputError, match="the hard set mine must hold at most 1 samples"):
        hard.add(NOISE[1], 0)


@pytest.mark.parametrize("damage", [lambda raw: raw[:50], lambda _: b"", lambda _: b"no archive"])
def test_a_damaged_file_is_named(hard: HardSet, damage: Any) -> None:
    hard.add(NOISE[0], 0)
    (file,) = hard.folder.glob("*.npz")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(WorkspaceError, match=f"{file.name} is damaged"):
        hard.list()


def test_no_byte_that_flips_is_met_with_a_traceback(hard: HardSet) -> None:
    kept = hard.add(NOISE[0], 0)
    (file,) = hard.folder.glob("*.npz")
    raw = file.read_bytes()
    for place in range(len(raw)):
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :])
        try:
            ((sample, stored),) = hard.samples()
        except WorkspaceError:
            continue
        assert sample.label == kept.label  # what is not told is what changes nothing, such as a time in the archive
        assert np.array_equal(stored[..., 0], NOISE[0])


def test_a_file_under_anothers_name_is_told(hard: HardSet) -> None:
    hard.add(NOISE[0], 0)
    (file,) = hard.folder.glob("*.npz")
    other = file.rename(file.with_name(file.name[:11] + "0" * 32 + ".npz"))
    with pytest.raises(WorkspaceError, match="it holds another sample than its name says"):
        hard.list()
    assert other.exists()


def test_a_disk_that_refuses_leaves_the_set_as_it_was(hard: HardSet, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = hard.add(NOISE[0], 0)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WorkspaceError, match="No space left"):
            hard.add(NOISE[1], 1)
    assert hard.list() == (kept,)
    assert {path.name for path in hard.folder.iterdir()} == {".lock", next(hard.folder.glob("*.npz")).name}


def test_many_at_once_lose_none_and_number_each_once(hard: HardSet) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda image: hard.add(image, 1), [*NOISE[:16], *NOISE[:16]]))
    assert [sample.number for sample in hard.list()] == [*range(1, 17)]


@pytest.mark.faults
def test_kill_9_loses_at_most_the_sample_being_added(hard: HardSet) -> None:
    # The process dies in the very write that the counter says, one after the other.
    code = (
        "import os, signal, sys, numpy as np\n"
        "from workbench.core.workspace import Workspace\n"
        "from workbench.pipeline.hard_set import hard_set\n"
        "from pathlib import Path\n"
        "left = int(sys.argv[2])\n"
        "def dying(real):\n"
        "    def call(*args, **kwargs):\n"
        "        global left\n"
        "        left -= 1\n"
        "        if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return real(*args, **kwargs)\n"
        "    return call\n"
        "hard = hard_set('mine', workspace=Workspace.at(sys.argv[1]))\n"
        "os.open, os.fsync, Path.replace = dying(os.open), dying(os.fsync), dying(Path.replace)\n"
        "noise = np.random.default_rng(0).random((40, 8, 8), np.float32)\n"
        "for image in noise[:3]: print(hard.add(image, 1).id, flush=True)\n"
    )
    home, deaths = hard.folder.parents[1], 0
    for point in range(12):
        done = subprocess.run(
            [sys.executable, "-c", code, str(home), str(point)], capture_output=True, text=True, check=False
        )  # fmt: skip
        deaths += done.returncode == -signal.SIGKILL
        there = [sample.id for sample in hard.list()]
        assert set(done.stdout.split()) <= set(there)
        assert len(there) <= len(done.stdout.split()) + 1
        extra = hard.add(NOISE[39], 2)
        assert {path.name for path in hard.folder.iterdir() if path.suffix != ".npz"} == {".lock"}
        for sample in (*hard.list()[:-1], extra):
            hard.remove(sample)
    assert deaths >= 9
