"""The model store: TensorFlow Serving's layout, whole versions or none, one number for one model."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.serve.config.model_server import read_models, write_models
from workbench.serve.store import LABELS, Store

if TYPE_CHECKING:
    from pathlib import Path


def artifact(folder: Path, content: bytes = b"model", kind: str = "onnx") -> Artifact:
    folder.mkdir()
    file = folder / f"model.{kind}"
    file.write_bytes(content)
    return Artifact.write(folder, file=file.name, name="m", format=kind, numeric="float32")  # type: ignore[arg-type]


def visible(store: Store, name: str = "m") -> list[str]:
    return sorted(path.name for path in (store.base / name).iterdir() if path.name != ".lock")


def test_versions_count_up(store: Store, tmp_path: Path) -> None:
    assert store.versions("m") == {}
    assert store.publish(artifact(tmp_path / "a", b"a"), "m") == 1
    assert store.publish(artifact(tmp_path / "b", b"b"), "m") == 2
    assert list(store.versions("m")) == [1, 2]
    assert Artifact.load(store.base / "m" / "2").verify().path.read_bytes() == b"b"
    assert visible(store) == ["1", "2", "history.jsonl"]


def test_the_same_file_is_published_once(store: Store, tmp_path: Path) -> None:
    first = artifact(tmp_path / "a", b"a")
    assert [store.publish(first, "m"), store.publish(first, "m"), store.publish(first, "m", 1)] == [1, 1, 1]
    store.publish(artifact(tmp_path / "b", b"b"), "m")
    assert store.publish(first, "m") == 3  # going back is a new version: the newest is what is served


def test_a_number_holds_one_model(store: Store, tmp_path: Path) -> None:
    assert store.publish(artifact(tmp_path / "a", b"a"), "m", 5) == 5
    with pytest.raises(BadInputError, match="version must not hold another model of m already, got 5"):
        store.publish(artifact(tmp_path / "b", b"b"), "m", 5)


def test_after_the_last_number_there_is_none(store: Store, tmp_path: Path) -> None:
    last = artifact(tmp_path / "a", b"a")
    assert store.publish(last, "m", 2**63 - 1) == store.publish(last, "m") == 2**63 - 1
    with pytest.raises(BadInputError, match="version must be given where the newest is 2"):
        store.publish(artifact(tmp_path / "b", b"b"), "m")
    assert visible(store) == [str(2**63 - 1), "history.jsonl"]


def test_one_artifact_or_some_by_their_numbers(store: Store, tmp_path: Path) -> None:
    one, other = artifact(tmp_path / "a", b"a"), artifact(tmp_path / "b", b"b")
    assert (store.publish_all(one, "m"), store.publish_all({7: one, 3: other}, "m")) == ([1], [3, 7])


@pytest.mark.parametrize("given", ["a folder", None, {}, {"1": None}, {1: "a folder"}], ids=repr)
def test_what_is_no_artifact_is_said_with_the_way_to_one(store: Store, given: Any) -> None:
    with pytest.raises(BadInputError, match=r"artifact must be an Artifact, or some by.* `workbench\.Artifact\.load"):
        store.publish_all(given, "m")


def test_two_writers_lose_nothing(store: Store, tmp_path: Path) -> None:
    artifacts = [artifact(tmp_path / str(index), str(index).encode()) for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda one: store.publish(one, "m"), artifacts))
    assert sorted(numbers) == list(range(1, 9))
    for number, one in zip(numbers, artifacts, strict=True):
        assert Artifact.load(store.base / "m" / str(number)).sha256 == one.sha256


def test_only_integers_are_versions(store: Store) -> None:
    for name in ("00000123", "7", "x", "1.5", "-1", "9223372036854775808", ".new-1"):
        (store.base / "m" / name).mkdir(parents=True)
    (store.base / "m" / "8").write_text("a file")
    assert list(store.versions("m")) == [7, 123]


@pytest.mark.parametrize("name", ["", "..", ".", "../m", "a/b", "a:b", "/etc", "a..b", "é", "x" * 200, "a\n"])
def test_names_stay_inside(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match=r"^name must"):
        store.publish(artifact(tmp_path / "a"), name)
    assert not store.base.exists()


def test_a_changed_file_is_not_published(store: Store, tmp_path: Path) -> None:
    one = artifact(tmp_path / "a")
    one.path.write_bytes(b"mod")
    with pytest.raises(WorkspaceError, match="truncated or changed"):
        store.publish(one, "m")
    assert store.versions("m") == {}


def test_other_formats_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="saved_model or packed to be published or packaged, got"):
        store.publish(artifact(tmp_path / "a", kind="keras"), "m")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_is_one_sentence(store: Store, tmp_path: Path) -> None:
    (store.base / "m").mkdir(parents=True)
    (store.base / "m").chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        store.publish(artifact(tmp_path / "a"), "m")


def test_labels(store: Store, tmp_path: Path) -> None:
    store.publish(artifact(tmp_path / "a"), "m")
    assert store.labels("m") == {}
    store.label("m", "live", 1)
    assert store.labels("m") == {"live": 1}
    with pytest.raises(BadInputError, match="version must be one of 1, got 2"):
        store.label("m", "live", 2)
    with pytest.raises(BadInputError, match="label must be made of"):
        store.label("m", "a/b", 1)


def test_labels_of_many_writers_all_stay(store: Store, tmp_path: Path) -> None:
    store.publish(artifact(tmp_path / "a"), "m")
    names = [f"label_{index}" for index in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: store.label("m", name, 1), names))
    assert store.labels("m") == dict.fromkeys(names, 1)


@pytest.mark.parametrize("content", ["[1]", '"stable"', '{"stable": "one"}', '{"stable": null}', "{"])
def test_damaged_labels_are_one_sentence(store: Store, tmp_path: Path, content: str) -> None:
    store.publish(artifact(tmp_path / "a"), "m")
    (store.base / "m" / LABELS).write_text(content)
    with pytest.raises(
        WorkspaceError, match=r"labels\.json .*; delete it and label anew: `workbench store history` says"
    ):
        store.labels("m")
    with pytest.raises(WorkspaceError, match=r"labels\.json .*; delete it"):
        store.label("m", "live", 1)


def test_of_two_folders_of_one_number_the_last_name_is_it(store: Store) -> None:
    for name in ("7", "007"):
        (store.base / "m" / name).mkdir(parents=True)
    assert store.versions("m") == {7: store.base / "m" / "7"}


def test_the_whole_store_as_a_file_for_the_original(store: Store, tmp_path: Path) -> None:
    assert write_models(store.configs()) == "model_config_list {\n}\n"
    store.publish(artifact(tmp_path / "a"), "m")
    store.publish(artifact(tmp_path / "b"), "n", 7)
    (store.base / "empty").mkdir()
    (store.base / "no..model" / "1").mkdir(parents=True)
    store.label("n", "live", 7)
    models = read_models(write_models(store.configs()))
    assert [(one.name, one.base_path, one.labels) for one in models] == [
        ("m", str(store.base / "m"), {}), ("n", str(store.base / "n"), {"live": 7}),
    ]  # fmt: skip


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_version_is_as_open_as_the_umask_says(store: Store, tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        store.publish(artifact(tmp_path / "a"), "m")
    finally:
        os.umask(before)
    folder = store.base / "m" / "1"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~mask
    assert stat.S_IMODE((folder / "model.onnx").stat().st_mode) == 0o666 & ~mask
