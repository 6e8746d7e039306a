"""Layers one by one: their own sparsities, and what each alone minds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import N_, _
from workbench.panels.base import grid, stack
from workbench.panels.parts.answer_view import points
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.heat_map import HeatMap
from workbench.widgets.progress import Progress
from workbench.widgets.slider import Slider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.compress.preview import Preview
    from workbench.core.records import Sensitivity, SensitivityCell

# A drop of so many points is as dark as it gets.
_DARKEST = 0.5
_SCAN = N_("Scan the layers")
_UNKNOWN = N_("Each layer alone at several sparsities and bit widths: about ten seconds, nothing is fine-tuned.")


class LayerView:
    """Sliders of single layers beside the heat map of their sensitivity.

    Attributes:
        sliders: One a layer; None follows the slider for all layers.
        scan: The button that begins a scan.
        found: The scan that is shown.
    """

    def __init__(self, pick: Callable[[str, float | None, int | None], None]) -> None:
        """Build them empty.

        Args:
            pick: Called with layer, sparsity and bits of a cell that was clicked.
        """
        self.found: Sensitivity | None = None
        self.sliders = Slider(
            title=_("Sparsity of single layers"), dense=True,
            empty=_("Choose a model, and its layers stand here with a slider each."),
        )  # fmt: skip
        self.heat = HeatMap(title=_("Sensitivity: points of accuracy lost, each layer alone"))
        self.scan = ActionBar(
            label=_("Sensitivity"),
            actions=[{"name": "scan", "label": _(_SCAN), "enabled": False, "tooltip": _(_UNKNOWN)}],
        )
        self._progress = Progress(label=_("Sensitivity"), text=_(_UNKNOWN))
        self.heat.on_pick(lambda row, column: pick(*self._picked(row, column)))
        self.widget = grid("halves", self.sliders, stack(self.heat, self._progress, self.scan))

    def clear(self) -> None:
        """Another model is looked at."""
        self.found = None
        self.sliders.sliders = []
        with self.heat.hold_sync():
            self.heat.cells, self.heat.marked = [], []
        self.scan.change("scan", enabled=False)
        self.say(_(_UNKNOWN))

    def begin(self, preview: Preview) -> None:
        """Put the layers of an open slider into the table."""
        weights = dict.fromkeys(preview.layers, 0)
        for mapped in preview.map.kernels:
            if mapped.kernel.layer in weights:
                weights[mapped.kernel.layer] += int(mapped.kernel.values.size)
        whole = max(1, sum(weights.values()))
        self.sliders.sliders = [
            {
                "name": name, "label": name, "follows": True,
                "low": 0.0, "high": 0.99, "step": 0.01, "format": "percent",
                "detail": _("{n} weights").format(n=f"{count:,}"),
                "help": _("Share of the weights of {layer}, {share} % of all, to set to zero").format(
                    layer=name, share=f"{100 * count / whole:.0f}"
                ),
            }
            for name, count in weights.items()
        ]  # fmt: skip
        self.scan.change("scan", enabled=True)

    def write(self, shared: float, own: Mapping[str, float]) -> None:
        """Put the handles where the settings say."""
        names = [slider["name"] for slider in self.sliders.sliders]
        with self.sliders.hold_sync():
            self.sliders.follow = dict.fromkeys(names, shared)
            self.sliders.values = {name: own.get(name) for name in names}
        self._mark(shared, own)

    def say(self, text: str, *, share: float = 0.0, active: bool = False) -> None:
        """Say how far the scan is."""
        with self._progress.hold_sync():
            self._progress.text, self._progress.share, self._progress.active = text, share, active

    def count(self, done: int, total: int) -> None:
        """Say how many cells are measured."""
        self.say(_("{n} of {total} cells measured").format(n=done, total=total), share=done / total, active=True)

    def show(self, found: Sensitivity) -> None:
        """Draw a scan."""
        self.found = found
        rows = [[found.cell(layer, setting) for setting in found.settings] for layer in found.layers]
        with self.heat.hold_sync():
            self.heat.rows, self.heat.columns = list(found.layers), [_column(found, s) for s in found.settings]
            self.heat.cells = [[_cell(cell) for cell in row] for row in rows]
            self.heat.caption = _("A click on zeros sets that layer, one on bits all layers.")
        said = _("Measured on {n} of {total} test samples a cell, nothing is fine-tuned; {seconds} s")
        self.say(said.format(n=f"{found.images:,}", total=f"{found.total:,}", seconds=f"{found.seconds:.1f}"))
        self.scan.change("scan", label=_("Scan again"))

    def _picked(self, row: int, column: int) -> tuple[str, float | None, int | None]:
        assert self.found is not None, "cells come with a scan"
        cell = self.found.cell(self.found.layers[row], self.found.settings[column])
        assert cell is not None, "only cells are clicked"
        return cell.layer, cell.sparsity, cell.weight_bits

    def _mark(self, shared: float, own: Mapping[str, float]) -> None:
        if self.found is None:
            return
        first = {setting: self._sparsity(setting) for setting in self.found.settings}
        self.heat.marked = [
            [row, column]
            for row, layer in enumerate(self.found.layers)
            for column, setting in enumerate(self.found.settings)
            if first[setting] is not None and first[setting] == own.get(layer, shared)
        ]

    def _sparsity(self, setting: str) -> float | None:
        assert self.found is not None, "it was asked for a scan's setting"
        return next((cell.sparsity for cell in self.found.cells if cell.setting == setting), None)


def _column(found: Sensitivity, setting: str) -> str:
    cell = next(each for each in found.cells if each.setting == setting)
    if cell.weight_bits is not None:
        return _("{n} bits").format(n=cell.weight_bits)
    return _("{share} % zeros").format(share=f"{100 * (cell.sparsity or 0):.3g}")


def _cell(cell: SensitivityCell | None) -> dict[str, Any]:
    if cell is None:
        return {}
    low, drop, high = (points(value) for value in (cell.drop_low, cell.drop, cell.drop_high))
    what = (
        _("{n} bits").format(n=cell.weight_bits)
        if cell.weight_bits is not None
        else _("{share} % zeros").format(share=f"{100 * (cell.sparsity or 0):.3g}")
    )
    hint = _("{layer} at {setting}: {drop} points lost [{low}, {high}], accuracy {accuracy} %")
    words = hint.format(
        layer=cell.layer, setting=what, drop=drop, low=low, high=high, accuracy=f"{100 * cell.accuracy.value:.1f}"
    )
    return {"text": drop, "shade": min(1.0, max(0.0, cell.drop) / _DARKEST) ** 0.5, "hint": words}
