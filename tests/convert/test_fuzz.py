"""Damaged files of every kind: each ends with an answer or one sentence, and this process, the kernel, lives.

A child examines them as far as the parsers that are not ours; where such a parser crashes, only the child dies.
"""

import json
import os
import random
import re
import shutil
import signal
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import h5py
import pytest

from tests.convert.mutations import mutated
from workbench.convert import adopt as adopting
from workbench.convert.adopt import adopt
from workbench.convert.incoming.private_copy import describe
from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import Workspace
from workbench.evaluate.packing import pack
from workbench.jobs import submit

# What is damaged, and what the children that examine it need to have imported.
KINDS = {
    "keras": (("tf_keras", "keras3"), ("h5py",)),
    "h5": (("tf_keras_h5", "keras3_h5"), ("h5py",)),
    "tflite": (("float32", "int8", "float16"), ("ai_edge_litert.interpreter",)),
    "onnx": (("onnx",), ("onnx", "onnxruntime")),
    "saved_model": (("branching", "keras3_export"), ("tensorflow",)),
    "packed": (
        ("packed_onnx", "packed_tflite", "packed_keras"),
        ("onnx", "onnxruntime", "constriction", "ai_edge_litert.interpreter", "h5py"),
    ),
    "torch": (("torch",), ("torch",)),
}
# Kinds that are refused unread unless somebody vouches for them: what is damaged is to get as far as their parser.
_TRUSTED = ("torch",)
_MANY = int(os.environ.get("WORKBENCH_FUZZ_FILES", "5000"))
_BATCH = 500
_SECONDS = 60


@pytest.fixture(scope="module")
def seeds(workspace: Workspace) -> dict[str, Path]:
    kinds = KINDS if find_spec("torch") else KINDS.keys() - {"torch"}
    names = sorted({name for kind in kinds for name in KINDS[kind][0]})
    written = submit("foreign_models:write", {"names": names}, kind="probe", workspace=workspace).wait(300)
    return {name: Path(path) for name, path in written.items()}


@contextmanager
def _alive(seconds: int) -> Iterator[None]:
    """Fail where this process hangs."""

    def hung(*_: object) -> None:
        raise AssertionError(f"the kernel hung for {seconds} s")

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _damaged(seed: Path, number: int, folder: Path, draw: random.Random) -> Path:
    if not seed.is_dir():
        path = folder / f"{number}{seed.suffix}"
        path.write_bytes(mutated(seed.read_bytes(), draw))
        return path
    path = folder / str(number)
    path.mkdir()
    (path / "saved_model.pb").write_bytes(mutated((seed / "saved_model.pb").read_bytes(), draw))
    return path


def _examined(
    files: list[Path], modules: tuple[str, ...], workspace: Workspace, *, trust: bool = False
) -> list[dict[str, str]]:
    """Describe files here, as a kernel does, and have those that pass examined by children."""
    found, asked = [], []
    for path in files:
        try:
            with _alive(_SECONDS):
                describe(path)
        except WorkbenchError as error:
            found.append({"file": str(path), "outcome": "refused", "said": str(error)})
        else:
            asked.append(str(path))
    settings = {"files": asked, "modules": modules, "trust": trust}
    found += submit("fuzz_stages:examine", settings, kind="probe", workspace=workspace).wait(1800)
    assert [each for each in found if each["outcome"] == "raised" or "\n" in each["said"]] == []
    assert len(found) == len(files)
    return found


def _fuzz(kind: str, count: int, seeds: dict[str, Path], folder: Path, workspace: Workspace) -> Counter[str]:
    """Return how many files ended how; the first one that killed its reader is adopted, too."""
    if kind == "torch":
        pytest.importorskip("torch", reason="needs the extra torch")
    outcomes: Counter[str] = Counter()
    names, modules = KINDS[kind]
    trust = kind in _TRUSTED
    dead: Path | None = None
    for start in range(0, count, _BATCH):
        place = folder / str(start)
        place.mkdir()
        files = []
        for number in range(start, min(start + _BATCH, count)):
            draw = random.Random(f"{kind} {number}")
            files.append(_damaged(seeds[draw.choice(names)], number, place, draw))
        for found in _examined(files, modules, workspace, trust=trust):
            outcomes[found["outcome"]] += 1
            if found["outcome"] in ("died", "hung"):
                outcomes[f"{found['outcome']}: {found['said']}"] += 1
                dead = dead or Path(found["file"])
        for path in set(files) - {dead}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if dead is not None:
        _require_one_sentence(dead, workspace, trust=trust)
    print(kind, dict(outcomes))  # noqa: T201 - what a run by hand is asked for (`-rP`)
    return outcomes


def _require_one_sentence(path: Path, workspace: Workspace, *, trust: bool) -> None:
    """Adopt a file that kills who reads it: its job dies of it, and who asked is told so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(adopting._LIMITS, "seconds", 20.0)
        with pytest.raises(WorkbenchError) as told:
            adopt(path, trust, workspace=workspace)
    sentence = r"[^\n]*must be a model that can be opened, but the process that read it [^\n]*\."
    assert re.fullmatch(sentence, str(told.value))


def test_ten_damaged_files_of_each_kind(
    trained: Artifact, converted: dict[str, Artifact], tmp_path: Path, workspace: Workspace
) -> None:
    onnx = converted["onnx/float32"]
    (tmp_path / "model.packed").write_bytes(pack(onnx.path.read_bytes(), "onnx"))
    whole = [
        *(trained.path, _as_h5(trained.path, tmp_path / "model.h5"), tmp_path / "model.packed", onnx.path),
        *(converted[label].path for label in ("tflite/float32", "saved_model/float32")),
    ]
    files = []
    for number in range(10 * len(whole)):
        seed = whole[number % len(whole)]
        files.append(_damaged(seed, number, tmp_path, random.Random(number)))
    outcomes = Counter(each["outcome"] for each in _examined(files, (), workspace))
    assert outcomes["refused"] > outcomes["ok"] > 0


def _as_h5(archive: Path, path: Path) -> Path:
    """Write the weights of an archive as they were kept before there were archives, flat."""
    with zipfile.ZipFile(archive) as held, h5py.File(path, "w") as file:
        file.attrs["model_config"] = held.read("config.json")
        file.attrs["keras_version"] = json.loads(held.read("metadata.json"))["keras_version"]
        with held.open("model.weights.h5") as weights, h5py.File(weights) as source:
            source.copy("layers", file, "model_weights")
    return path


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_damaged_files(kind: str, seeds: dict[str, Path], tmp_path: Path, workspace: Workspace) -> None:
    outcomes = _fuzz(kind, 100, seeds, tmp_path, workspace)
    assert outcomes["refused"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_five_thousand_damaged_files(kind: str, seeds: dict[str, Path], tmp_path: Path, workspace: Workspace) -> None:
    outcomes = _fuzz(kind, _MANY, seeds, tmp_path, workspace)
    assert outcomes["refused"] > outcomes["ok"] > 0
