"""Stages that tests of datasets and training send through the engine; the cluster finds this file by PYTHONPATH."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.datasets import Dataset, prepare
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.batches import Batches
from workbench.train.loop import batches, learn, seed_everything
from workbench.train.settings import TrainSettings

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def mnist_without_network(context: StageContext) -> Any:
    """Prepare MNIST where nobody answers and no file is kept."""
    os.environ["HOME"] = str(context.folder)
    os.environ |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    os.environ.pop("no_proxy", None)
    return prepare.run(context)


def parameters(_: StageContext) -> dict[str, int]:
    """Count each architecture's parameters on 28x28x1 and 10 classes."""
    shape = (28, 28, 1)
    return {name: ARCHITECTURES.get(name)().build(shape, 10).count_params() for name in ARCHITECTURES.names()}


def two_epochs_of_order(_: StageContext) -> dict[str, Any]:
    """Stream images that hold their own number; give the numbers of epochs 0 and 1, and of 1 alone."""
    numbers = np.arange(100, dtype=np.uint8)
    stream = Batches(np.tile(numbers[:, None, None, None], (1, 4, 4, 1)), numbers.astype(np.int64), 100, 16, seed=7)
    both = [images for images, _ in stream.shuffled(0, 2)]
    second = [images for images, _ in stream.shuffled(1, 2)]
    return {"steps": stream.steps, "both": _numbers(both), "second": _numbers(second)}


def shifts(_: StageContext) -> dict[str, Any]:
    """Stream one bright pixel, shifted by up to 2; say where it went and whether it kept its brightness."""
    image = np.zeros((9, 9, 1), np.uint8)
    image[4, 4] = 200
    stream = Batches(np.tile(image, (400, 1, 1, 1)), np.zeros(400, np.int64), 2, 100, seed=1, shift_pixels=2)
    epochs = [np.concatenate([x.numpy() for x, _ in stream.shuffled(first, first + 1)]) for first in (0, 0, 1)]
    rows, columns = np.nonzero(epochs[0][..., 0])[1:]
    return {
        "rows": np.unique(rows - 4).tolist(),
        "columns": np.unique(columns - 4).tolist(),
        "brightness": np.unique(epochs[0].sum(axis=(1, 2, 3))).tolist(),
        "repeated": bool((epochs[0] == epochs[1]).all()),
        "next_epoch_differs": bool((epochs[0] != epochs[2]).any()),
    }


def learn_and_validate(context: StageContext) -> dict[str, Any]:
    """Train by the settings, then measure the model that came out on its validation split."""
    settings = TrainSettings.parse(context.settings)
    data = Dataset.open_spec(settings.dataset, context.workspace)
    seed_everything(settings.seed)
    model = ARCHITECTURES.get(settings.architecture)().build(data.shape, len(data.classes))
    curve = learn(model, data, settings, context, label="probe")
    _, validation = batches(data, settings)
    assert validation is not None
    loss, _ = model.evaluate(validation.in_order(), verbose=0)
    return {"curve": curve.to_json(), "val_loss": loss}


def _numbers(images: list[Any]) -> list[list[int]]:
    return [np.rint(batch.numpy()[:, 0, 0, 0] * 255).astype(int).tolist() for batch in images]
