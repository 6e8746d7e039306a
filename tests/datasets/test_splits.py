import numpy as np
import pytest

from workbench.datasets.digits import scaled_up
from workbench.datasets.splits import stratified


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_each_class_gives_its_share_and_nothing_is_lost(share: float) -> None:
    labels = np.repeat(np.arange(4), [10, 40, 100, 7])
    rest, held = stratified(labels, share)
    assert sorted([*rest, *held]) == list(range(157))
    for label, count in enumerate([10, 40, 100, 7]):
        assert (labels[held] == label).sum() == max(1, round(count * share))


def test_a_class_of_one_stays_in_training() -> None:
    rest, held = stratified(np.array([0, 1, 1]), 0.5)
    assert 0 in rest
    assert len(held) == 1


def test_scaling_up_keeps_corners_and_constants_and_is_monotonic() -> None:
    ramp = np.tile(np.arange(8.0), (8, 1))[None]
    large = scaled_up(ramp, 28)[0]
    assert large.shape == (28, 28)
    assert (large[0, 0], large[0, -1]) == (0, 7)
    assert (np.diff(large[0]) >= 0).all()
    assert np.allclose(scaled_up(np.full((1, 8, 8), 0.3), 28), 0.3)
