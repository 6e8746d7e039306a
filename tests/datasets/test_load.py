from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.datasets import Dataset, default_dataset, load_dataset
from workbench.jobs import jobs, submit

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace


def test_digits_are_prepared_once_and_then_opened_without_a_job(workspace: Workspace) -> None:
    first = load_dataset("digits")
    count = len(jobs(workspace, "prepare"))
    assert load_dataset("digits") == first
    assert len(jobs(workspace, "prepare")) == count
    assert first.shape == (28, 28, 1)
    assert first.classes == tuple("0123456789")
    assert (first.train_size, first.test_size) == (1438, 359)
    assert "not MNIST" in first.note


@pytest.mark.usefixtures("workspace")
def test_digits_have_a_fixed_checksum() -> None:
    assert load_dataset("digits").checksum == "352811ed238296ae44bc9077008057fbb3a7a36426341e9f12ee0b3be773c5cd"


@pytest.mark.usefixtures("workspace")
def test_images_are_memory_mapped_grey_levels_and_given_as_floats() -> None:
    data = load_dataset("digits")
    assert isinstance(data.x_train, np.memmap)
    assert data.x_train.dtype == np.uint8
    floats = data.floats("test", slice(3))
    assert floats.shape == (3, 28, 28, 1)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == (0, 1)
    assert np.array_equal(data.floats("test", [5, 1]), data.floats("test")[[5, 1]])
    assert data.labels("test").dtype == np.int64


def test_a_spec_opens_the_same_dataset(workspace: Workspace) -> None:
    data = load_dataset("digits")
    assert Dataset.open_spec(json.loads(json.dumps(data.spec)), workspace) == data
    with pytest.raises(WorkspaceError, match="load_dataset"):
        Dataset.open_spec({"name": "digits", "checksum": "0" * 64}, workspace)


def test_a_damaged_dataset_is_prepared_anew(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 2)
    data = load_dataset(file, workspace=workspace)
    (data.folder / "x_train.npy").write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="not whole"):
        Dataset.open(data.folder)
    again = load_dataset(file, workspace=workspace)
    assert again == data
    assert again.x_train.shape == (16, 8, 8, 1)


def test_an_unchanged_file_is_read_once_and_a_changed_one_again(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 2)
    first = load_dataset(file, workspace=workspace)
    facts = file.stat()
    content = bytearray(file.read_bytes())
    content[-1:] = b"!"
    file.write_bytes(content)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # size and time say that it is as before
    assert load_dataset(file, workspace=workspace) == first
    np.savez(file, x=np.ones((20, 8, 8), np.uint8), y=np.arange(20) % 2)
    assert load_dataset(file, workspace=workspace).checksum != first.checksum


def test_problems_of_a_file_cross_the_job_as_one_sentence(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "own.npz"
    np.savez(file, x=np.zeros((20, 8, 8), np.uint8), z=np.arange(20))
    with pytest.raises(BadInputError, match=r"^x_train in own\.npz must be there .* got 'keys x, z'"):
        load_dataset(file, workspace=workspace)


def test_an_unknown_dataset_is_refused_with_what_there_is(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"one of breast_cancer, digits, fashion_mnist, mnist, wine, a \.csv"):
        load_dataset("cifar", workspace=workspace)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (None, "dataset must be a name or a path, got None"),
        ("", "dataset must be one of breast_cancer, .* got ''"),
        ("a" * 3000, "dataset must be one that can be read, got 'a{40,130}…; the system says: File name too long"),
        ("~nosuchuser/x", "dataset must be one that can be read, got '~nosuchuser/x'; the system says: Could not"),
        ("a\0b", r"dataset must be one of .* got 'a\\x00b'"),
        (os.fsdecode(b"/tmp/\xff.npz"), r"/tmp/\\udcff\.npz must have a name in UTF-8"),
    ],
)
def test_what_can_be_no_path_is_refused_in_one_sentence(workspace: Workspace, dataset: Any, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        load_dataset(dataset, workspace=workspace)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_the_default_is_digits_where_mnist_is_not_at_hand(
    fresh_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    name, note = default_dataset(fresh_workspace)
    assert name == "digits"
    assert "MNIST is not at hand" in note
    (tmp_path / "mnist.npz").touch()
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    assert default_dataset(fresh_workspace).name == "mnist"


def test_mnist_without_file_and_network_names_both_ways_out(workspace: Workspace) -> None:
    asked = {"kind": "unit", "name": "mnist"}
    job = submit("training_stages:mnist_without_network", asked, kind="probe", workspace=workspace, reuse=False)
    with pytest.raises(BadInputError, match=r"set WORKBENCH_DATA to .* or connect to the network") as caught:
        job.wait(60)
    assert "\n" not in str(caught.value)


def test_a_small_mnist_file_is_read_from_the_data_folder(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = np.random.default_rng(0).integers(0, 256, (30, 28, 28)).astype(np.uint8), np.arange(30) % 10
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    data = load_dataset("mnist", workspace=workspace)
    assert np.array_equal(data.x_train[..., 0], x)
    assert np.array_equal(data.y_test, y[:10])


def test_a_kernel_that_shows_data_stays_small_and_imports_no_framework(workspace: Workspace) -> None:
    load_dataset("digits")
    program = (
        "import psutil, sys, workbench\n"
        "data = workbench.load_dataset('digits'); data.floats('test', slice(16))\n"
        "heavy = {'tensorflow', 'sklearn', 'PIL', 'distributed', 'keras', 'scipy'} & set(sys.modules)\n"
        "print(psutil.Process().memory_info().rss, sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=workspace.home
    )
    resident, heavy = done.stdout.split(maxsplit=1)
    assert int(resident) < 200e6
    assert heavy.strip() == "[]"


def test_a_workspace_that_cannot_be_written_is_one_error_and_nothing_half_written(tmp_path: Path) -> None:
    from workbench.core.workspace import Workspace

    (tmp_path / "home").write_text("a file where the folder should be")
    x, y = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
    with pytest.raises(WorkspaceError, match="cannot be written"):
        Dataset.from_arrays(x, y, x, y, workspace=Workspace.at(tmp_path / "home"))
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_what_another_process_has_just_moved_away_is_no_fault(fresh_workspace: Workspace) -> None:
    """Half-written folders are looked for where others put theirs into place: one is listed and gone."""
    home = fresh_workspace.cache / "datasets"
    home.mkdir(parents=True)
    (home / ".partial-moved").symlink_to(home / "gone")
    values = np.zeros((4, 8, 8, 1), np.uint8)
    labels = np.array([0, 1, 0, 1])
    made = Dataset.from_arrays(values, labels, values, labels, name="own", workspace=fresh_workspace)
    assert made.train_size == 4
