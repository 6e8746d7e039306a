from pathlib import Path

import h5py
import numpy as np
import pytest

from workbench.convert.adopt import adopt
from workbench.convert.incoming.keras_file import read_description
from workbench.core.errors import BadInputError, UntrustedModelError
from workbench.core.workspace import Workspace
from workbench.jobs import submit


def _made(name: str, workspace: Workspace) -> Path:
    return Path(submit("foreign_models:write", {"names": [name]}, kind="probe", workspace=workspace).wait(300)[name])


def test_a_model_that_never_learned_loses_nothing(workspace: Workspace) -> None:
    artifact = adopt(_made("without_training", workspace), workspace=workspace)
    assert artifact.label == "tf_keras/float32"
    assert artifact.metrics["lost"] == []
    assert artifact.metrics["inputs"][0]["shape"] == [-1, 4]


@pytest.mark.parametrize(
    "name",
    ["tf_keras_h5", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("tf_keras", "keras3", "keras3_h5"))],
)
def test_what_only_training_needs_is_found_in_the_file(name: str, workspace: Workspace) -> None:
    assert read_description(_made(name, workspace)).training == ("optimizer state", "training configuration")


def test_an_optimizer_without_state_is_not_said_to_be_lost(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(_made("tf_keras_h5", workspace).read_bytes())
    with h5py.File(path, "a") as file:
        del file["optimizer_weights"]
    assert read_description(path).training == ("training configuration",)


def test_regularizers_are_lost_on_the_way_to_the_twin(workspace: Workspace) -> None:
    assert adopt(_made("with_rules", workspace), workspace=workspace).metrics["lost"] == [
        "regularizers and constraints of layers"
    ]


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_model_that_was_never_told_a_shape_is_one_sentence(library: str, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"must have an input shape, got 'shapeless'; add keras.Input first\.$"):
        adopt(_made(f"{library}_without_shape", workspace), workspace=workspace)


def test_weights_that_are_no_numbers_are_named(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"must have finite weights, got '8 NaN in /layers/dense/vars/0'"):
        adopt(_made("diverged", workspace), workspace=workspace)


@pytest.mark.thorough
def test_a_custom_class_is_named_and_where_to_go_from_there(workspace: Workspace) -> None:
    with pytest.raises(UntrustedModelError, match=r"Mine \(ours\), a custom class .*model\.export") as told:
        adopt(_made("custom_layer", workspace), workspace=workspace)
    assert "trust=True" not in str(told.value)
    with pytest.raises(BadInputError, match=r"Mine \(ours\), a custom class .*model\.export"):
        adopt(_made("custom_layer", workspace), trust=True, workspace=workspace)


@pytest.mark.thorough
def test_a_lambda_of_keras_3_is_kept_where_somebody_vouches_for_it(workspace: Workspace) -> None:
    artifact = adopt(_made("with_lambda", workspace), trust=True, workspace=workspace)
    assert artifact.label == "keras/float32"
    assert workspace.trusts(artifact.sha256)


def _h5(path: Path, **weights: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in weights.items():
            file["model_weights/" + name] = values
    return path


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"must hold a whole model, .*not model\.save_weights"):
        read_description(_h5(tmp_path / "weights.h5", kernel=np.ones(3)))


def test_values_of_gigabytes_in_a_small_file_are_not_read(tmp_path: Path) -> None:
    path = _h5(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("model_weights/kernel", (1 << 29,), "f4", chunks=(1 << 20,))
    with pytest.raises(BadInputError, match=r"model_weights/kernel claims 2147483648 bytes and has 0"):
        read_description(path)
