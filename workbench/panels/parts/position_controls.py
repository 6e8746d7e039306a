"""The form and the sliders of the compress panel: several controls of one position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.form import Form
from workbench.panels.parts.compression_plan import ON_SLIDERS, SHARED, CompressionPlan, sliders
from workbench.panels.parts.layer_view import LayerView
from workbench.widgets.slider import Slider

if TYPE_CHECKING:
    from collections.abc import Callable

    Guard = Callable[[Callable[..., None]], Callable[..., None]]


class PositionControls:
    """What moves one control moves the others; the form holds the truth.

    Attributes:
        form: All settings.
        shared: Sliders for all layers.
        layers: Those of single layers, and the heat map that sets them.
    """

    def __init__(self, artifact: str, guard: Guard) -> None:
        """Build them.

        Args:
            artifact: Folder of the model that the form names at first.
            guard: Wraps callbacks of the page.
        """
        self.form = _form(artifact)
        self.shared = Slider(label=_("Position"), sliders=sliders())
        self.shared.on_move(guard(lambda name, value: self.form.write({name: value})))
        self.layers = LayerView(guard(self._on_pick))
        self.layers.sliders.on_move(guard(self._on_layer))

    @property
    def numbers(self) -> tuple[int, int]:
        """Number of the last move of each group of sliders."""
        return self.shared.generation, self.layers.sliders.generation

    def tell_answered(self, numbers: tuple[int, int]) -> None:
        """Say that the answer to these moves is on the page."""
        self.shared.answered, self.layers.sliders.answered = numbers

    def follow(self, plan: CompressionPlan) -> None:
        """Put all handles where the form says."""
        self.shared.values = {name: getattr(plan, name) for name in SHARED}
        self.layers.write(plan.sparsity, plan.sparsity_by_layer)

    def keep_layers(self, known: tuple[str, ...]) -> None:
        """Forget sparsities of layers that another model had."""
        own = {name: share for name, share in self._own.items() if name in known}
        if own != self._own:
            self.form.write({"sparsity_by_layer": own})

    @property
    def _own(self) -> dict[str, float]:
        return dict(self.form.values["sparsity_by_layer"])

    def _on_layer(self, name: str, value: float | None) -> None:
        others = {layer: share for layer, share in self._own.items() if layer != name}
        self.form.write({"sparsity_by_layer": others if value is None else {**others, name: value}})

    def _on_pick(self, layer: str, sparsity: float | None, bits: int | None) -> None:
        if sparsity is None:
            self.form.write({"weight_bits": bits})
        else:
            self._on_layer(layer, sparsity)


def _form(artifact: str) -> Form:
    choices: list[dict[str, Any]] = [
        {"value": "layer", "label": _("the same in each layer")},
        {"value": "global", "label": _("one threshold for all layers")},
    ]
    form = Form(
        CompressionPlan,
        values={**CompressionPlan().model_dump(), "artifact": artifact},
        looks={
            "artifact": {"label": _("Model"), "placeholder": _("folder of a model")},
            "scope": {"label": _("Sparsity is"), "choices": choices},
        },
        shown=("artifact", "scope"),
        label=_("Compression settings"),
    )
    # What stands on sliders has no second control; a dictionary has none by its declaration.
    form.widget.fields = [field for field in form.widget.fields if field["name"] not in ON_SLIDERS]
    form.widget.values = {**form.widget.values, "sparsity_by_layer": {}}
    return form
