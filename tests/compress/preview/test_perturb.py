import numpy as np
import pytest

from workbench.compress.preview.keras_kernels import KerasKernel
from workbench.compress.preview.perturb import Kernel, LayerSetting
from workbench.compress.preview.weight_map import MappedKernel
from workbench.evaluate.packing.ranges import Range


@pytest.fixture
def shared() -> Kernel:
    """A dense kernel of 60 inputs and 40 outputs whose weights have four values, transposed in the file."""
    values = np.random.default_rng(0).choice(np.array([-1, -0.5, 0.5, 2], np.float32), (60, 40))
    kernel = KerasKernel("dense", "dense/0", "Dense", values, compressed=True)
    place = Range(0, 4, (40, 60), "dense")
    return Kernel(MappedKernel(kernel, place, (1, 0), 0, None, np.ones((40, 1), np.float32)), values.T.copy())


@pytest.mark.parametrize("clusters", [None, 3])
@pytest.mark.parametrize("sparsity", [0.1, 0.3, 0.8])
def test_of_equal_weights_only_as_many_go_as_were_asked_for(
    shared: Kernel, sparsity: float, clusters: int | None
) -> None:
    found = shared.perturbed(LayerSetting(sparsity, clusters))
    assert found.zeros == round(sparsity * 2400)
    stays = found.values != 0
    assert np.abs(shared.stored[~stays]).max() <= np.abs(shared.stored[stays]).min()


def test_a_mapped_kernel_is_read_at_a_glance(shared: Kernel) -> None:
    assert repr(shared.mapped) == "MappedKernel(dense/0 (60, 40) -> 'dense')"
    assert repr(shared.mapped.kernel) == "KerasKernel(dense/0, Dense, (60, 40))"


def test_those_that_come_first_in_keras_stay(shared: Kernel) -> None:
    keras = shared.perturbed(LayerSetting(0.3)).values.T.ravel()
    halves = np.flatnonzero(np.abs(shared.mapped.kernel.values.ravel()) == 0.5)
    gone = keras[halves] == 0
    assert (np.diff(gone.astype(int)) >= 0).all(), "the first stay, the last go"
