import itertools
import time
from collections.abc import Iterator

import numpy as np
import onnxruntime
import pytest

from workbench.compress.preview import Preview, PreviewSettings, open_preview
from workbench.compress.preview.growing_sample import stratified_order
from workbench.compress.preview.perturb import whole_numbers
from workbench.compress.preview.sensitivity import sensitivity
from workbench.compress.preview.weight_map import read
from workbench.compress.preview.whole_numbers import WholeNumbers
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobCancelledError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.jobs import submit


@pytest.fixture(scope="module")
def preview(trained: Artifact, digits: Dataset, workspace: Workspace) -> Iterator[Preview]:
    with open_preview(trained, digits, workspace=workspace) as opened:
        yield opened


def test_each_layer_is_changed_alone(preview: Preview) -> None:
    told: list[tuple[int, int, str]] = []
    found = sensitivity(preview, sparsities=(0.9, 0.5), bits=(2,), images=250, progress=lambda *each: told.append(each))
    assert found.layers == ("conv1", "conv2", "conv3", "dense", "probabilities")
    assert found.settings == ("0.5 zeros", "0.9 zeros", "2 bits")
    assert len(found.cells) == 15
    assert (told[0], told[-1]) == ((1, 15, "conv1: 0.5 zeros"), (15, 15, "probabilities: 2 bits"))
    assert (found.images, found.total) == (250, preview.final(PreviewSettings()).total)
    alone = preview.first(PreviewSettings(sparsity_by_layer={"conv2": 0.9}))
    cell = found.cell("conv2", "0.9 zeros")
    assert cell is not None
    assert (cell.accuracy, cell.drop, cell.drop_low) == (alone.accuracy, alone.drop, alone.drop_low)
    assert found.parent_accuracy == alone.parent_accuracy


def test_it_says_on_how_many_images_it_was_measured(preview: Preview) -> None:
    found = sensitivity(preview, sparsities=(0.5,), bits=())
    assert 250 <= found.images <= found.total
    assert all(cell.accuracy.total == found.images for cell in found.cells)


@pytest.mark.parametrize(("layer", "bits"), [("conv2", 2), ("dense", 4), ("conv3", 8)])
def test_rounded_floats_answer_as_a_file_of_whole_numbers_does(
    preview: Preview, digits: Dataset, layer: str, bits: int
) -> None:
    content = preview.candidate(PreviewSettings()).floats.data
    (mapped,) = (each for each in preview.map.kernels if each.kernel.layer == layer)
    whole = whole_numbers(read(content, mapped.place), bits, mapped.channel_axis)
    # Without the fusions that compute a MatMul of whole numbers with rounded inputs.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    file = WholeNumbers(content, [mapped], bits).stored([whole]).data
    order = stratified_order(digits.labels("test"))
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {"image": digits.floats("test")[order]})
    right = np.asarray(outputs).argmax(axis=1) == digits.labels("test")[order]
    cell = sensitivity(preview, sparsities=(), bits=(bits,), images=len(right)).cell(layer, f"{bits} bits")
    assert cell is not None
    assert cell.accuracy.successes == np.count_nonzero(right)


def test_a_machine_that_became_slow_answers_fewer_images(preview: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "seconds_an_image", 1e-6)
    planned = sensitivity(preview, sparsities=(0.5,), bits=())
    ticks = itertools.count(step=3)
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
    slow = sensitivity(preview, sparsities=(0.5,), bits=())
    assert (planned.images, slow.images) == (planned.total, 250)
    exact = sensitivity(preview, sparsities=(0.5,), bits=(), images=250)
    assert slow.cells == exact.cells
    assert slow.parent_accuracy == exact.parent_accuracy


def test_what_is_never_pruned_has_bits_only(digits: Dataset, workspace: Workspace) -> None:
    written = submit("depthwise_models:write", {}, kind="probe", workspace=workspace).wait(120)
    with open_preview(adopt(written, workspace=workspace), digits, workspace=workspace) as opened:
        found = sensitivity(opened, sparsities=(0.5,), bits=(4,), images=250)
    assert found.layers[3:5] == ("separable/0", "separable/1")
    assert found.cell("depthwise", "0.5 zeros") is None
    assert found.cell("depthwise", "4 bits") is not None
    assert found.cell("separable/1", "0.5 zeros") is not None


def test_it_can_be_cancelled(preview: Preview) -> None:
    done: list[int] = []
    with pytest.raises(JobCancelledError, match="after 2 of 30 cells"):
        sensitivity(
            preview, sparsities=(0.5,), images=250,
            progress=lambda number, *_: done.append(number), cancelled=lambda: len(done) == 2,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sparsities": (1.0,)}, "sparsities must be between 0 and 1"),
        ({"sparsities": ("0.5",)}, "sparsities must be between 0 and 1"),
        ({"sparsities": 0.5}, "sparsities must be a list"),
        ({"bits": (9,)}, "bits must be at most 8"),
        ({"bits": (4.5,)}, "bits must be a whole number"),
        ({"sparsities": (), "bits": ()}, "must hold a setting"),
        ({"images": 0}, "images must be at least 1"),
    ],
)
def test_impossible_settings_are_refused(preview: Preview, wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        sensitivity(preview, **wrong)  # type: ignore[arg-type]
