"""Which classes and which samples paid for a smaller model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.checks import require_whole
from workbench.core.errors import BadInputError
from workbench.core.records.damage import ClassChange, Damage, Flip
from workbench.evaluate.intervals import discordant, mcnemar, paired_drop
from workbench.evaluate.layer_error import Compared, layer_errors
from workbench.evaluate.metrics import as_probabilities
from workbench.evaluate.runtimes.base import open_runtime, predict_all, runtimes
from workbench.evaluate.thumbnails import thumbnail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.datasets.dataset import Split

    Values = NDArray[np.float64]

WORST, LAYER_SAMPLES = 24, 256


def damage_between(
    parent: Artifact,
    variant: Artifact,
    data: Dataset,
    *,
    split: Split = "test",
    worst: int = WORST,
    layer_samples: int = LAYER_SAMPLES,
) -> Damage:
    """Compare two models that answer in this process, sample by sample and layer by layer.

    Args:
        parent: What was compressed, as ONNX or TFLite; `workbench.compress.damage` takes Keras models too.
        variant: What became of it.
        data: An open dataset.
        split: `test` or `train`.
        worst: Most flips to list, each with its thumbnail or, of a table, its row.
        layer_samples: Samples that layers are compared on, evenly spaced.

    Raises:
        BadInputError: A model needs TensorFlow, does not fit the dataset, or a count is out of its range.
        WorkspaceError: A model file is missing, truncated or changed.
    """
    for name, value in (("worst", worst), ("layer_samples", layer_samples)):
        require_whole(name, value, least=1)
    if split not in ("train", "test"):
        raise BadInputError.of("split", rule="must be train or test", got=split)
    labels = data.labels(split)
    before, after = (_probabilities(artifact, data, split, len(labels)) for artifact in (parent, variant))
    samples = data.floats(split, np.linspace(0, len(labels) - 1, min(layer_samples, len(labels))).astype(np.int64))
    found = damage_of_answers(before, after, data, split=split, worst=worst)
    compared = _layers(parent, variant, samples)
    return found.model_copy(
        update={
            "parent": parent.sha256,
            "variant": variant.sha256,
            "layers": compared.layers,
            "layer_samples": len(samples) if compared.layers else 0,
            "unmatched": compared.unmatched,
        }
    )


def damage_of_answers(
    before: Values, after: Values, data: Dataset, *, split: Split = "test", worst: int = WORST
) -> Damage:
    """Compare the answers of two models, sample by sample; no layer is looked at.

    Args:
        before: (samples, classes) probabilities of what was compressed, in the split's order.
        after: The same of what became of it.
        data: What they answered.
        split: `test` or `train`.
        worst: Most flips to list.
    """
    labels = data.labels(split)
    right = before.argmax(axis=1) == labels, after.argmax(axis=1) == labels
    ours, theirs = _bits(right[0]), _bits(right[1])
    drop = paired_drop(ours, theirs)
    rows = np.arange(len(labels))
    lost = before[rows, labels] - after[rows, labels]
    flipped = np.flatnonzero(right[0] & ~right[1])
    return Damage(
        parent="",
        variant="",
        dataset=data.name,
        split=split,
        samples=len(labels),
        drop=drop.drop,
        drop_low=drop.low,
        drop_high=drop.high,
        p_value=mcnemar(ours, theirs),
        classes=tuple(
            _class_change(label, right[0][labels == number], right[1][labels == number])
            for number, label in enumerate(data.classes)
            if (labels == number).any()
        ),
        flips=tuple(
            _flip(int(index), data, split, before[index], after[index])
            for index in flipped[np.argsort(-lost[flipped], kind="stable")][:worst]
        ),
        flipped=len(flipped),
        repaired=int((~right[0] & right[1]).sum()),
        confidence_lost=float(lost.mean()),
        layers=(),
        layer_samples=0,
        unmatched=(),
    )


def _probabilities(artifact: Artifact, data: Dataset, split: Split, count: int) -> Values:
    if not runtimes.get(artifact.format).in_process:
        raise BadInputError.of(
            "artifact", rule="must answer without TensorFlow (onnx or tflite)", got=artifact.label,
            hint="convert it to onnx, or use `workbench.compress.damage.damage`, which does so",
        )  # fmt: skip
    with open_runtime(artifact) as runtime:
        found = as_probabilities(predict_all(runtime, partial(data.floats, split), count))
    if found.shape[1] != len(data.classes):
        raise BadInputError.of(
            "artifact", rule=f"must have one output for each of the dataset's {len(data.classes)} classes",
            got=found.shape[1],
        )  # fmt: skip
    return found


def _class_change(label: str, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> ClassChange:
    ours, theirs = _bits(before), _bits(after)
    drop = paired_drop(ours, theirs)
    lost, gained = discordant(ours, theirs)
    return ClassChange(
        label=label,
        support=len(before),
        recall_before=float(before.mean()),
        recall_after=float(after.mean()),
        drop=drop.drop,
        drop_low=drop.low,
        drop_high=drop.high,
        lost=lost,
        gained=gained,
    )


def _flip(index: int, data: Dataset, split: Split, before: Values, after: Values) -> Flip:
    label, taken_for = int(data.labels(split, index)), int(after.argmax())
    return Flip(
        index=index,
        label=data.classes[label],
        parent_confidence=float(before[label]),
        variant_label=data.classes[taken_for],
        variant_confidence=float(after[taken_for]),
        confidence_lost=float(before[label] - after[label]),
        thumbnail=thumbnail(data.floats(split, index)) if data.kind == "images" else "",
        row=data.row(split, index),
    )


def _layers(parent: Artifact, variant: Artifact, samples: NDArray[np.float32]) -> Compared:
    others = [artifact.label for artifact in (parent, variant) if artifact.format != "onnx"]
    if others:
        return Compared((), (f"all layers: only ONNX files show their layers' outputs, not {', '.join(others)}",))
    return layer_errors(parent.path.read_bytes(), variant.path.read_bytes(), samples)


def _bits(right: NDArray[np.bool_]) -> str:
    return (right.astype(np.uint8) + ord("0")).tobytes().decode()
