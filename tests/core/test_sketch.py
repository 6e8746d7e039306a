"""What is kept of samples and answers: small, and the same however they came together."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.sketch import VALUES, sketch, sketch_shape, top

SHAPES = [
    ((28, 28, 1), (7, 7)),
    ((8, 8, 1), (8, 8)),
    ((8, 8), (8, 8)),
    ((32, 32, 3), (8, 8)),
    ((30, 45, 3), (8, 8)),
    ((2, 2, 1), (2, 2)),
    ((13,), (13,)),
    ((784,), (64,)),
    ((4, 4, 4, 4), (64,)),
    ((), (1,)),
]


@pytest.mark.parametrize(("shape", "expected"), SHAPES)
def test_a_sketch_is_small_and_the_same_in_any_company(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    batch = np.random.default_rng(1).random((37, *shape), dtype=np.float32)
    found = sketch(batch)
    assert sketch_shape(shape) == expected
    assert found.shape == (37, int(np.prod(expected)))
    assert found.shape[1] <= VALUES
    assert found.dtype == np.float32
    alone = np.concatenate([sketch(batch[i : i + 1]) for i in range(37)])
    assert np.array_equal(found, alone)
    assert np.allclose(found.mean(axis=1), batch.reshape(37, -1).mean(axis=1), atol=0.05)


def test_an_image_is_averaged_over_areas() -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 4:8, 8:12] = 1
    assert np.argwhere(sketch(image).reshape(7, 7)).tolist() == [[1, 2]]
    assert sketch(image).max() == 1


def test_a_short_vector_stays_as_it_is() -> None:
    batch = np.array([[1.5, -2, 1e30]], np.float32)
    assert np.array_equal(sketch(batch), batch)


def test_what_is_no_number_makes_no_noise() -> None:
    found = sketch(np.full((2, 28, 28, 1), np.inf, np.float32))
    assert np.isinf(found).all()
    assert np.isnan(sketch(np.full((1, 3), np.nan))).all()
    assert sketch(np.zeros((0, 5))).shape[0] == 0


def test_scores_become_a_class_and_how_sure_it_is() -> None:
    best, sure, margin = top(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], np.float32))
    assert best.tolist() == [0, 2]
    assert sure.tolist() == pytest.approx([0.7, 0.8])
    assert margin.tolist() == pytest.approx([0.5, 0.7])
    best, sure, _ = top(np.array([[10.0, 0.0], [-5.0, -5.0]]))  # no probabilities: a softmax makes them such
    assert best.tolist() == [0, 0]
    assert sure.tolist() == pytest.approx([0.99995, 0.5], abs=1e-4)
    assert np.isnan(top(np.array([[np.nan, 1.0]]))[1]).all()
