"""Axes that a person chooses by clicking, and the space that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.compress.base import methods
from workbench.core.language import N_, _
from workbench.sweep.space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUT = N_("none")


class _Axis(NamedTuple):
    name: str
    label: str
    hint: str
    levels: tuple[Any, ...]
    show: str = "{}"


# In the order in which the methods may follow one another.
_AXES = (
    _Axis("low_rank.rank", N_("Low rank"), N_("singular values that are kept, as a share"), (None, 0.125, 0.25, 0.5)),
    _Axis("magnitude_pruning.sparsity", N_("Pruning"), N_("share of the weights that become zero"),
          (0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), "{:.0%}"),
    _Axis("structured_pruning.zeros", N_("Pruning in groups of 4"), N_("zeros in every four neighbouring weights"),
          (None, 1, 2, 3), "{}:4"),
    _Axis("weight_clustering.clusters", N_("Clustering"), N_("different values that a layer's weights share"),
          (None, 4, 8, 16, 32, 64)),
    _Axis("quantization_aware_training.per_channel", N_("Quantization-aware training"),
          N_("trained with the rounding that int8 brings"), (None, True)),
    _Axis("post_training.numeric", N_("Numeric type"), N_("numeric type of the weights in the file"),
          ("float32", "float16", "dynamic", "int8", "int16x8", "int4")),
)  # fmt: skip
USUAL: dict[str, list[Any]] = {
    "magnitude_pruning.sparsity": [0.5, 0.8, 0.9],
    "post_training.numeric": ["float16", "int8"],
}


def rows() -> list[dict[str, Any]]:
    """Return the rows of the matrix in the reader's language."""
    return [
        {
            "name": axis.name,
            "label": _(axis.label),
            "hint": _(axis.hint),
            "levels": [{"value": level, "label": _shown(axis, level)} for level in axis.levels],
        }
        for axis in _AXES
    ]


def space_json(axes: Mapping[str, Sequence[Any]], epochs: int) -> dict[str, Any]:
    """Return the space of some axes as plain JSON: each method that has one is a step, in the order of the rows.

    Args:
        axes: Values by axis, none of them empty.
        epochs: Passes of fine-tuning of each step that fine-tunes.
    """
    named = dict.fromkeys(axis.partition(".")[0] for axis in [*(each.name for each in _AXES), *axes] if axis in axes)
    steps = [
        {"method": name, "settings": {"epochs": epochs} if "epochs" in methods.get(name).model_fields else {}}
        for name in named
        if name not in ("train", "deploy")
    ]
    # Nothing may follow what converts.
    steps.sort(key=lambda step: "numeric" in methods.get(str(step["method"])).model_fields)
    return {"chain": steps, "axes": {name: list(values) for name, values in axes.items() if values}}


def axes_in(space: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return `axes` and `epochs` that make a space; None where clicks do not make it."""
    chain, axes = space.get("chain"), space.get("axes", {})
    if chain is None or space.get("train") is not None or not all(isinstance(each, list) for each in axes.values()):
        return None
    epochs = next((step["settings"]["epochs"] for step in chain if "epochs" in step.get("settings", {})), 2)
    made = Space.from_json(space_json(axes, epochs)).to_json()
    same = Space.from_json(dict(space)).to_json() == made
    return {"axes": {name: list(values) for name, values in axes.items()}, "epochs": epochs} if same else None


def _shown(axis: _Axis, level: Any) -> str:
    if level is None or (level == 0 and axis.name.endswith(".sparsity")):
        return _(OUT)
    if level is True:
        return _("on")
    return axis.show.format(level)
