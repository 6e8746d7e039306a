"""What a model sees of a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_digits

from workbench.core.errors import BadInputError
from workbench.datasets.drawn import as_seen, drawing, is_image

if TYPE_CHECKING:
    from numpy.typing import NDArray


PAD = 112


def bar(top: int, left: int, height: int, width: int) -> NDArray[np.float32]:
    image = np.zeros((PAD, PAD), np.float32)
    image[top : top + height, left : left + width] = 1
    return image


def mass(image: NDArray[np.float32]) -> tuple[float, float]:
    total = image.sum()
    axes = [np.arange(size) + 0.5 for size in image.shape]
    return float(image.sum(axis=1) @ axes[0] / total), float(image.sum(axis=0) @ axes[1] / total)


def extent(image: NDArray[np.float32]) -> tuple[int, int]:
    rows, columns = np.nonzero(image > 0.01)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_a_bar_in_a_corner_becomes_20_high_in_the_middle_and_keeps_its_shape() -> None:
    seen = as_seen(bar(3, 5, 40, 10), (28, 28))
    assert extent(seen) == (20, 5 + 1)  # 5 wide, its middle at the edge of two pixels
    assert mass(seen) == pytest.approx((14, 14), abs=0.05)
    assert seen.sum() == pytest.approx(20 * 5, rel=1e-6)


def test_it_is_the_mass_that_comes_to_the_centre_and_not_the_box() -> None:
    seen = as_seen(np.maximum(bar(20, 20, 60, 10), bar(70, 20, 10, 40)), (28, 28))
    assert mass(seen) == pytest.approx((14, 14), abs=0.05)
    rows, columns = np.nonzero(seen)
    assert (rows.min() + rows.max()) / 2 < 13
    assert (columns.min() + columns.max()) / 2 > 14


def test_where_and_how_large_it_was_drawn_does_not_matter() -> None:
    first = as_seen(np.maximum(bar(4, 6, 24, 6), bar(4, 6, 6, 18)), (28, 28, 1))
    other = as_seen(np.maximum(bar(30, 50, 48, 12), bar(30, 50, 12, 36)), (28, 28, 1))
    np.testing.assert_allclose(first, other, atol=1e-6)


def test_raw_is_the_pad_made_smaller() -> None:
    seen = as_seen(bar(0, 0, 8, 4), (28, 28), preprocessing="raw")
    np.testing.assert_allclose(seen[:2, 0], 1)
    assert seen.sum() == pytest.approx(2)


def test_a_digit_of_the_uci_set_drawn_pixel_by_pixel_is_seen_as_itself() -> None:
    whole = 0
    for sample in (load_digits().images[:40] / 16).astype(np.float32):
        pad = np.kron(sample, np.ones((14, 14), np.float32))
        np.testing.assert_allclose(as_seen(pad, (8, 8), preprocessing="raw"), sample, atol=1e-6)
        rows, columns = np.nonzero(sample)
        if np.ptp(rows) == 7 and columns.min() + columns.max() == 7:  # it fills the image and stands in the middle
            np.testing.assert_allclose(as_seen(pad, (8, 8)), sample, atol=1e-6)
            whole += 1
    assert whole


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 3), (1, 28, 28), (32, 32, 1), (8, 8, 1)])
@pytest.mark.parametrize("how", ["mnist", "raw"])
def test_any_model_gets_its_own_shape_and_nothing_drawn_is_no_ink(shape: tuple[int, ...], how: str) -> None:
    assert is_image(shape)
    seen = as_seen(bar(10, 10, 90, 30), shape, preprocessing=how)  # type: ignore[arg-type]
    assert (seen.shape, seen.dtype) == (shape, np.float32)
    assert 0 <= seen.min() < seen.max() <= 1
    assert not as_seen(np.zeros((PAD, PAD)), shape, preprocessing=how).any()  # type: ignore[arg-type]


def test_one_dot_is_a_digit_too() -> None:
    assert mass(as_seen(bar(50, 50, 1, 1), (28, 28))) == pytest.approx((14, 14), abs=0.05)


def test_what_is_no_drawing_is_refused_in_a_sentence() -> None:
    assert not is_image((13,))
    assert not is_image((28, 28, 7))
    assert drawing(bytes([0, 255, 255, 0])).tolist() == [[0, 1], [1, 0]]
    for pixels in (b"", bytes(3), bytes(1025**2)):
        with pytest.raises(BadInputError, match="pixels must be a square"):
            drawing(pixels)
    with pytest.raises(BadInputError, match="shape must be an image's"):
        as_seen(np.ones((4, 4)), (13,))
    with pytest.raises(BadInputError, match="preprocessing must be mnist, fill or raw"):
        as_seen(np.ones((4, 4)), (8, 8), preprocessing="none")  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="image must be finite numbers"):
        as_seen(np.full((4, 4), np.nan), (8, 8))


def test_the_digits_of_scikit_learn_are_filled_by_their_ink() -> None:
    ink = np.zeros((112, 112), np.float32)
    ink[20:60, 70:90] = 1
    seen = as_seen(ink, (28, 28, 1), preprocessing="fill")[..., 0]
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert (rows[0], rows[-1]) == (0, 27)
    assert abs((columns[0] + columns[-1]) / 2 - 13.5) <= 0.5
    assert columns.size == 14
