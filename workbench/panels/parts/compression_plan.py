"""What the compress panel sets, and the methods and the Python that make the same point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.compress.preview.settings import PreviewSettings
from workbench.core.language import N_, _
from workbench.core.settings import describe

if TYPE_CHECKING:
    from workbench.compress.base import Method

SHARED = ("sparsity", "clusters", "weight_bits")
ON_SLIDERS = (*SHARED, "sparsity_by_layer")
_ALL_VALUES, _FLOAT, _BITS = N_("all different"), N_("float32"), N_("{n} bits")
_LABELS = {"sparsity": N_("Sparsity"), "clusters": N_("Shared values a layer"), "weight_bits": N_("Bits a weight")}
_CLUSTERS = (256, 128, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2)
_FOUR = 4
_SAID = ("sparsity", "clusters", "numeric")
_METHODS = {
    "MagnitudePruning": ("sparsity", "scope", "sparsity_by_layer", "epochs", "learning_rate"),
    "WeightClustering": ("clusters", "epochs", "learning_rate"),
}


class CompressionPlan(PreviewSettings):
    """A model, one position of the sliders, and how it is fine-tuned there."""

    artifact: str = Field(default="", description="folder of the model")
    epochs: int = Field(2, ge=1, le=100, description="passes over the training data in each step of the fine-tuning")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="step size of adam while it is fine-tuned")


def position(plan: CompressionPlan) -> PreviewSettings:
    """Return where the sliders are."""
    return PreviewSettings.parse({name: getattr(plan, name) for name in PreviewSettings.model_fields})


def methods_for(plan: CompressionPlan) -> tuple[Method, ...]:
    """Return the methods that make the point, fine-tuned, in their order; none where nothing is to be done."""
    from workbench.compress.magnitude_pruning import MagnitudePruning
    from workbench.compress.post_training import PostTrainingQuantization
    from workbench.compress.weight_clustering import WeightClustering

    values = plan.model_dump()
    found: list[Method] = []
    if plan.sparsity or any(plan.sparsity_by_layer.values()):
        found.append(MagnitudePruning.parse({name: values[name] for name in _METHODS["MagnitudePruning"]}))
    if plan.clusters is not None:
        found.append(WeightClustering.parse({name: values[name] for name in _METHODS["WeightClustering"]}))
    if plan.weight_bits is not None:
        # No file holds fewer bits than four, or a number between four and eight.
        numeric = "int4" if plan.weight_bits <= _FOUR else "dynamic"
        found.append(PostTrainingQuantization.parse({"numeric": numeric}))
    return tuple(found)


def label_of(plan: CompressionPlan) -> str:
    """Return what people call the point, e.g. `80 % zeros, 16 values, int8`."""
    parts = []
    if plan.sparsity:
        parts.append(_("{share} % zeros").format(share=f"{100 * plan.sparsity:.3g}"))
    if any(plan.sparsity_by_layer.values()):
        parts.append(_("own sparsities of layers"))
    if plan.clusters is not None:
        parts.append(_("{n} values").format(n=plan.clusters))
    if plan.weight_bits is not None:
        parts.append("int4" if plan.weight_bits <= _FOUR else "int8")
    return ", ".join(parts)


def python_of(plan: CompressionPlan, dataset: str) -> str:
    """Return the Python that measures the point and makes it.

    Args:
        plan: The settings.
        dataset: Expression that stands for the data.
    """
    lines = [
        "import workbench as wb\n",
        f"model = wb.Artifact.load({plan.artifact!r})",
        f"point = wb.PreviewSettings({_arguments(position(plan))})",
        f"data = {dataset}",
        "with wb.open_preview(model, data) as preview:",
        "    print(preview.final(point))",
    ]
    if methods := methods_for(plan):
        steps = [f"    wb.{type(each).__name__}({_arguments(each)})," for each in methods]
        lines += ["smaller = wb.compress(model, [", *steps, "], data)"]
    return "\n".join(lines) + "\n"


def sliders() -> list[dict[str, Any]]:
    """Return the sliders for all layers."""
    said = {spec.name: spec.description for spec in describe(PreviewSettings)}
    clusters: list[dict[str, Any]] = [
        {"value": None, "label": _(_ALL_VALUES)},
        *({"value": n, "label": str(n)} for n in _CLUSTERS),
    ]
    bits: list[dict[str, Any]] = [{"value": None, "label": _(_FLOAT)}]
    bits += [{"value": n, "label": _(_BITS).format(n=n)} for n in range(8, 1, -1)]
    scales: dict[str, dict[str, Any]] = {
        "sparsity": {"low": 0.0, "high": 0.99, "step": 0.01, "format": "percent"},
        "clusters": {"stops": clusters},
        "weight_bits": {"stops": bits},
    }
    return [{"name": n, "label": _(_LABELS[n]), "help": _(said[n]), **scales[n]} for n in SHARED]


def _arguments(settings: Any) -> str:
    """Return what is not left at its default, and what a method is about in any case."""
    changed = settings.model_dump(exclude_defaults=True)
    named = {name: getattr(settings, name) for name in _SAID if hasattr(settings, name)}
    told = changed if isinstance(settings, PreviewSettings) else {**named, **changed}
    return ", ".join(f"{name}={value!r}" for name, value in told.items())
