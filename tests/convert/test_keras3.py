"""A model of Keras 3 comes in, is compressed, and goes back as Keras 3."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import workbench.compress
import workbench.convert
import workbench.evaluate
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.evaluate.runtimes.base import open_runtime
from workbench.jobs import submit


@pytest.fixture(scope="module")
def file(workspace: Workspace) -> Path:
    written = submit("probe_models:write_all", {}, kind="probe", workspace=workspace).wait(120)
    return Path(written["residual"])


@pytest.fixture(scope="module")
def adopted(file: Path, workspace: Workspace) -> Artifact:
    return adopt(file, workspace=workspace)


@pytest.fixture(scope="module")
def pruned(adopted: Artifact, digits: Dataset, workspace: Workspace) -> Artifact:
    return workbench.compress(
        adopted, MagnitudePruning(sparsity=0.5, epochs=1, min_steps=0), digits, workspace=workspace
    )


@pytest.fixture(scope="module")
def back(pruned: Artifact, digits: Dataset, workspace: Workspace) -> Artifact:
    return workbench.convert(pruned, "keras", dataset=digits, workspace=workspace)


def test_the_tools_alone_fail_on_what_we_take(file: Path, workspace: Workspace) -> None:
    said = submit("probe_models:tools_alone", {"path": str(file)}, kind="probe", workspace=workspace).wait(120)
    assert "batch_shape" in said["tf_keras"] or "Functional" in said["tf_keras"]
    assert "You passed" in said["tfmot"] or "Sequential" in said["tfmot"]


@pytest.mark.thorough
def test_it_goes_back_with_the_weights_it_was_given(back: Artifact, pruned: Artifact) -> None:
    assert back.label == "keras/float32"
    assert back.metrics["parity"]["passed"]
    assert back.metrics["parity"]["max_abs"] < 1e-5
    assert back.metrics["engine"]["name"] == "keras"
    assert back.parent == pruned.sha256


def test_its_file_holds_no_date_so_that_equal_models_have_equal_sha256(back: Artifact) -> None:
    with zipfile.ZipFile(back.path) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert json.loads(archive.read("metadata.json"))["date_saved"].startswith("1980-")


def test_its_inventory_is_that_of_the_model_it_was_made_from(back: Artifact, pruned: Artifact) -> None:
    ours, theirs = ({each.name: each for each in inventory(one).tensors} for one in (pruned, back))
    assert ours == theirs
    assert "shared/0" in theirs
    assert inventory(back).sparsity == pytest.approx(inventory(pruned).sparsity)


def test_it_is_evaluated_like_any_other(
    back: Artifact, pruned: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    before, after = (workbench.evaluate(one, digits, workspace=workspace) for one in (pruned, back))
    assert after.correct == before.correct


@pytest.mark.thorough
def test_plain_keras_loads_it_in_a_process_of_its_own(
    back: Artifact, pruned: Artifact, digits: Dataset, workspace: Workspace, tmp_path: Path
) -> None:
    onnx = workbench.convert(pruned, "onnx", dataset=digits, workspace=workspace)
    samples = digits.floats("test", slice(0, 32))
    np.save(tmp_path / "samples.npy", samples)
    code = (
        "import json, sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "answers = np.asarray(model(np.load(sys.argv[2]), training=False)).tolist()\n"
        "print(json.dumps([keras.__version__, 'tf_keras' in sys.modules, answers]))"
    )
    arguments = [sys.executable, "-c", code, str(back.path), str(tmp_path / "samples.npy")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    version, legacy, answers = json.loads(done.stdout.splitlines()[-1])
    assert version.startswith("3.")
    assert not legacy
    with open_runtime(onnx) as runtime:
        assert np.asarray(answers) == pytest.approx(runtime.predict(samples), abs=1e-4)


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_live_model_comes_in(library: str, workspace: Workspace) -> None:
    request = {"library": library, "where": str(workspace.home)}
    made = submit("probe_models:live", request, kind="probe", workspace=workspace).wait(120)
    artifact = Artifact.load(made["artifact"])
    assert artifact.label == "tf_keras/float32"
    assert artifact.settings["source"] == "keras"
    assert len(made["answers"]) == 8


def test_what_cannot_be_saved_is_one_sentence(workspace: Workspace) -> None:
    class Broken:
        name = "broken"

        def save(self, path: Path) -> None:
            raise ValueError(f"no\ngood for {path.suffix}")

    with pytest.raises(
        BadInputError, match=r"model must be one that can be saved, got 'broken \(no good for \.keras\)'"
    ):
        adopt(Broken(), workspace=workspace)
