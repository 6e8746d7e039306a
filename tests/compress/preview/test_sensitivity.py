from collections.abc import Iterator

import pytest

from workbench.compress.preview import Preview, PreviewSettings, open_preview
from workbench.compress.preview.sensitivity import sensitivity
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
