from pathlib import Path

import numpy as np
import pytest

from tests.evaluate.packed_models import onnx_file
from workbench.compress.pruning_and_sharing import half_float_codebook
from workbench.compress.reached import layer_facts
from workbench.core.artifact import Artifact
from workbench.evaluate.distinct import distinct, distinct_values
from workbench.evaluate.inventory import inventory


def halves(seed: int = 0) -> np.ndarray:
    """Nine values, one of them 0, in an order that some sorting of float16 does not survive."""
    draw = np.random.default_rng(seed)
    shape = (draw.integers(100, 140), draw.integers(100, 140))
    return (draw.choice(draw.normal(size=8), shape) * (draw.random(shape) > 0.5)).astype(np.float16)


@pytest.mark.parametrize("seed", range(12))
def test_halves_are_counted_rightly(seed: int) -> None:
    values = halves(seed)
    assert distinct(values) == len(set(values.astype(float).ravel().tolist()))


def test_zeros_of_either_sign_are_one_value_and_so_are_all_that_are_no_numbers() -> None:
    values = np.array([[0.0, -0.0, 1.5], [np.nan, -np.nan, 1.5]], np.float16)
    np.testing.assert_array_equal(distinct_values(values), [0, 1.5, np.nan])
    assert distinct(values.astype(np.float64)) == 3


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int16, np.bool_])
def test_whole_numbers_stay_what_they_are(kind: type[np.generic]) -> None:
    assert distinct_values(np.array([1, 0, 1]).astype(kind)).dtype == kind


def test_what_counts_values_counts_halves_rightly(tmp_path: Path) -> None:
    values = [halves(seed) for seed in range(6)]
    (tmp_path / "m.onnx").write_bytes(onnx_file({f"k{place}": each for place, each in enumerate(values)}))
    artifact = Artifact.write(tmp_path, file="m.onnx", name="halves", format="onnx", numeric="float16")
    assert [each.unique for each in inventory(artifact).tensors] == [9] * 6
    assert layer_facts({"layer": values})["layer"]["unique"] == 9


@pytest.mark.parametrize("seed", range(6))
def test_a_codebook_of_halves_holds_each_value_once(seed: int) -> None:
    found = half_float_codebook(np.random.default_rng(seed).normal(size=30_000).astype(np.float32), 200)
    assert (np.diff(found) > 0).all()
