"""What only TensorFlow can tell, asked of the engine's warm children."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.datasets import Dataset, load_dataset
from workbench.jobs import submit
from workbench.train.fit import train_settings
from workbench.train.loop import batches

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


def asked(stage: str, workspace: Workspace, settings: Any = None) -> Any:
    job = submit(f"training_stages:{stage}", settings or {}, kind="probe", workspace=workspace, reuse=False)
    return job.wait(60)


def test_architectures_have_the_parameters_they_say(workspace: Workspace) -> None:
    assert asked("parameters", workspace) == {
        "docs_cnn": 93_322, "lenet5": 61_706, "lenet_caffe": 431_080, "mlp": 101_770, "sized_cnn": 33_642,
        "small_cnn": 14_410,
    }  # fmt: skip


def test_an_epoch_has_every_sample_once_in_an_order_of_its_own(workspace: Workspace) -> None:
    seen = asked("two_epochs_of_order", workspace)
    first, second = seen["both"][: seen["steps"]], seen["both"][seen["steps"] :]
    assert [len(batch) for batch in first] == [16] * 6 + [4]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(100))
    assert first != second
    assert seen["second"] == second, "an epoch must not depend on where the stream began"


def test_shifts_move_each_image_by_its_own_draw(workspace: Workspace) -> None:
    seen = asked("shifts", workspace)
    assert seen["rows"] == seen["columns"] == [-2, -1, 0, 1, 2]
    assert seen["brightness"] == pytest.approx([200 / 255])
    assert seen["repeated"]
    assert seen["next_epoch_differs"]


def test_a_validation_split_without_samples_is_refused(workspace: Workspace) -> None:
    images, labels = np.zeros((2, 8, 8), np.uint8), np.arange(2)
    data = Dataset.from_arrays(images, labels, images, labels, workspace=workspace)
    with pytest.raises(BadInputError, match="validation_fraction must leave samples of arrays to train on and to"):
        batches(data, train_settings(data, architecture="mlp", validation_fraction=0.5))


def test_early_stopping_keeps_the_weights_with_the_lowest_val_loss(workspace: Workspace) -> None:
    settings = train_settings(
        load_dataset("digits", workspace=workspace),
        architecture="mlp", epochs=60, learning_rate=0.02, validation_fraction=0.2, patience=2,
    )  # fmt: skip
    told = asked("learn_and_validate", workspace, settings)
    losses = [point["val_loss"] for point in told["curve"]["points"]]
    best = told["curve"]["best_epoch"]
    assert told["curve"]["stopped_early"]
    assert losses[best - 1] == min(losses)
    assert len(losses) == best + 2
    assert told["val_loss"] == pytest.approx(min(losses), rel=1e-4)
