"""What the live slider can be set to, and what that means for each kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from workbench.compress.one_threshold import shares_below
from workbench.compress.preview.perturb import LayerSetting
from workbench.core.errors import BadInputError
from workbench.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.compress.preview.perturb import Kernel

_Share = Annotated[float, Field(ge=0, lt=1)]


class PreviewSettings(Settings):
    """One position of the sliders; nothing is fine-tuned."""

    sparsity: float = Field(0.0, ge=0, lt=1, description="share of the kernels' weights to set to zero")
    scope: Literal["layer", "global"] = Field(
        "layer",
        description="each layer gets the sparsity asked for, or one threshold on |weight| / RMS of its layer decides "
        "how much of it each layer takes",
    )
    sparsity_by_layer: dict[str, _Share] = Field(
        default_factory=dict, description="sparsity of single layers, by name, instead of the one above"
    )
    clusters: int | None = Field(
        None, ge=2, le=256, description="distinct values that a layer's weights share, zero counted; none: all stay"
    )
    weight_bits: int | None = Field(
        None, ge=2, le=8, description="bits a weight (weights only: what flows between the layers stays float32)"
    )


def layer_settings(settings: PreviewSettings, kernels: Sequence[Kernel]) -> list[LayerSetting]:
    """Return what the settings mean for each kernel, in the kernels' order.

    As in real compression, all kernels are quantized but only those that TensorFlow Model Optimization knows are
    pruned and clustered; with the scope `global` a layer takes the share of its weights that lie below one threshold.

    Raises:
        BadInputError: `sparsity_by_layer` names a layer that cannot be pruned.
    """
    if not isinstance(settings, PreviewSettings):
        raise BadInputError.of("settings", rule="must be PreviewSettings", got=settings,
                               hint="write PreviewSettings(sparsity=0.5)")  # fmt: skip
    taken = [kernel for kernel in kernels if kernel.mapped.kernel.compressed]
    names = [kernel.mapped.kernel.layer for kernel in taken]
    if unknown := sorted(settings.sparsity_by_layer.keys() - set(names)):
        raise BadInputError.of(
            "sparsity_by_layer", rule=f"must name layers that can be pruned here ({', '.join(names)})", got=unknown[0]
        )
    shared = [kernel for kernel in taken if kernel.mapped.kernel.layer not in settings.sparsity_by_layer]
    levels = {kernel.mapped.kernel.layer: settings.sparsity for kernel in shared}
    if settings.scope == "global" and settings.sparsity and shared:
        levels = _levels_of_one_threshold(shared, settings.sparsity)
    levels |= settings.sparsity_by_layer
    return [
        LayerSetting(levels[kernel.mapped.kernel.layer], settings.clusters, settings.weight_bits)
        if kernel.mapped.kernel.compressed
        else LayerSetting(bits=settings.weight_bits)
        for kernel in kernels
    ]


def _levels_of_one_threshold(kernels: Sequence[Kernel], share: float) -> dict[str, float]:
    shares = shares_below([kernel.relative for kernel in kernels], share)
    return {kernel.mapped.kernel.layer: each for kernel, each in zip(kernels, shares, strict=True)}
