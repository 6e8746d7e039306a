from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.errors import BadInputError
from workbench.core.settings import describe
from workbench.datasets import Dataset
from workbench.train import recipes
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.fit import train_settings
from workbench.train.settings import TrainSettings


def dataset(side: int = 28) -> Dataset:
    return Dataset("own", "a" * 64, ("a", "b"), (side, side, 1), 100, 20, "", Path("nowhere"))


def test_the_docs_recipe_is_the_documents() -> None:
    settings = train_settings(dataset())
    assert settings.architecture == "docs_cnn"
    assert (settings.optimizer, settings.learning_rate, settings.schedule) == ("adam", 1e-3, "constant")
    assert (settings.batch_size, settings.epochs) == (64, 5)
    assert (settings.shift_pixels, settings.label_smoothing, settings.validation_fraction) == (0, 0, 0)
    assert settings.patience is None


def test_overrides_change_a_recipe_and_none_leaves_it() -> None:
    settings = train_settings(dataset(), "best", epochs=2, architecture=None, seed=3)
    assert (settings.recipe, settings.epochs, settings.seed) == ("best", 2, 3)
    assert settings.learning_rate == recipes.get("best").settings().learning_rate
    assert settings.dataset == {"name": "own", "checksum": "a" * 64}


@pytest.mark.parametrize(
    ("recipe", "overrides", "sentence"),
    [
        ("worst", {}, "recipe must be one of best, docs, got 'worst'"),
        ("docs", {"architecture": "vgg"}, "architecture must be one of docs_cnn, lenet5, .*small_cnn, got 'vgg'"),
        ("docs", {"epochs": 0}, "epochs must be at least 1, got 0; it means: passes over"),
        ("docs", {"epoch": 3}, "epoch is not a setting of TrainSettings; choose from: epochs"),
        ("docs", {"patience": 3}, "patience must come with a validation split, got 3; set validation_fraction"),
        ("docs", {"learning_rate": float("nan")}, "learning_rate must be"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(recipe: str, overrides: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        train_settings(dataset(), recipe, **overrides)


def test_images_too_small_for_the_network_are_refused_before_a_job_starts() -> None:
    with pytest.raises(BadInputError, match=r"images \(8x8; Docs CNN needs 18x18\).*choose mlp"):
        train_settings(dataset(side=8))
    assert train_settings(dataset(side=8), architecture="mlp").architecture == "mlp"


def test_every_setting_has_a_form() -> None:
    specs = {spec.name: spec for spec in describe(TrainSettings)}
    assert set(TrainSettings.model_fields) - set(specs) == {"dataset", "architecture_settings"}
    assert all(spec.description for spec in specs.values())


def test_units_are_found_by_their_file() -> None:
    assert ARCHITECTURES.names() == ("docs_cnn", "lenet5", "lenet_caffe", "mlp", "sized_cnn", "small_cnn")
    assert recipes.names() == ("best", "docs")
