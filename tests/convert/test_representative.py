from typing import Any

import numpy as np
import pytest

import workbench.convert
from workbench.convert.representative import Representative, notes_on
from workbench.convert.settings import ConvertSettings
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset


def _pick(data: Dataset, **settings: object) -> Representative:
    return Representative.pick(data, ConvertSettings(format="tflite", numeric="int8", **settings))


@pytest.fixture(scope="module")
def ordered(workspace: Workspace) -> Dataset:
    """Classes one after the other, the brightest image alone at an odd place."""
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    images = np.full((100, 8, 8, 1), 100, np.uint8)
    images[:, 0] = 0
    images[72] = 250
    return Dataset.from_arrays(images, labels, images[::10], labels[::10], name="ordered", workspace=workspace)


def test_spread_takes_evenly_spaced_samples_and_all_where_there_are_fewer(ordered: Dataset) -> None:
    assert _pick(ordered, representative_samples=10).indices.tolist() == [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]
    assert len(_pick(ordered, representative_samples=500).indices) == 100


def test_stratified_takes_as_many_of_each_class(ordered: Dataset) -> None:
    picked = _pick(ordered, representative_samples=18, picker="stratified").indices
    assert np.bincount(ordered.labels("train", picked)).tolist() == [6, 6, 6]
    few = _pick(ordered, representative_samples=60, picker="stratified").indices
    assert np.bincount(ordered.labels("train", few)).tolist() == [20, 20, 10]


def test_random_follows_its_seed(ordered: Dataset) -> None:
    first, again, other = (
        _pick(ordered, representative_samples=20, picker="random", seed=seed).indices.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) == 20


def test_batches_give_all_samples_in_order(ordered: Dataset) -> None:
    picked = _pick(ordered, representative_samples=10)
    parts = list(picked.batches(4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.concatenate(parts) == pytest.approx(ordered.floats("train", picked.indices))


def test_coverage_names_the_missing_class_and_the_missing_range(ordered: Dataset) -> None:
    coverage = _pick(ordered, representative_samples=8).coverage()
    assert coverage["samples"] == 8
    assert coverage["classes"] == 3
    assert coverage["range_covered"] == pytest.approx(100 / 250)
    assert (coverage["range"]["high"], coverage["range_of_all"]["high"]) == pytest.approx((100 / 255, 250 / 255))
    (said,) = notes_on(coverage)
    assert "cover 40% of the training inputs' range (0 to 0.392157 of 0 to 0.980392)" in said
    one_class = Representative(ordered, np.arange(10)).coverage()
    assert one_class["missing_classes"] == ["1", "2"]
    assert "hold none of class 1, 2" in notes_on(one_class)[0]


def test_a_good_pick_is_not_complained_about(digits: Dataset) -> None:
    assert notes_on(_pick(digits).coverage()) == []


def test_what_is_no_number_is_refused(ordered: Dataset) -> None:
    class Broken(Dataset):
        def floats(self, *args: object) -> np.ndarray:
            values = super().floats(*args)
            values[1, 0, 0, 0] = np.nan
            return values

    broken = Broken.open(ordered.folder)
    with pytest.raises(BadInputError, match=r"must hold finite numbers only, got 'sample 14 of ordered'"):
        list(_pick(broken, representative_samples=8).batches())


def test_another_shape_is_refused_and_nothing_is_lost(
    trained: Artifact, ordered: Dataset, digits: Dataset, workspace: Workspace
) -> None:
    before = trained.verify()
    with pytest.raises(BadInputError, match=r"representative must have samples of the model's shape \(28, 28, 1\)"):
        workbench.convert(
            trained, "tflite", numeric="int8", representative=ordered, dataset=digits, workspace=workspace
        )
    assert Artifact.load(trained.folder).verify() == before


def test_a_poor_pick_is_told_while_it_runs_and_kept(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    notes: list[str] = []

    def hear(event: Any) -> None:
        if event.type == "note":
            notes.append(event.data["text"])

    made = workbench.convert(
        converted["tflite/float32"], "tflite", numeric="int8", representative_samples=8, min_agreement=0.5,
        dataset=digits, workspace=workspace, on_event=hear,
    )  # fmt: skip
    assert made.metrics["representative"]["missing_classes"]
    assert notes == made.metrics["notes"]
    assert any("hold none of class" in note for note in notes)


def test_a_model_with_channels_first_says_how_it_gets_its_samples(digits: Dataset) -> None:
    settings = ConvertSettings(format="tflite", numeric="int8", representative_samples=8)
    picked = Representative.pick(digits, settings)
    with pytest.raises(BadInputError, match=r"channels first, as PyTorch's do: .*kind='samples'"):
        picked.require_shape((1, 28, 28))
    with pytest.raises(BadInputError, match="take the data that the model was trained for"):
        picked.require_shape((3, 28, 28))
