"""The training panel's form: a recipe or other data that somebody chooses writes the values that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.form import Form
from workbench.panels.parts.chosen_data import holds_images, is_csv
from workbench.panels.parts.training_plan import (
    SHOWN,
    TrainingPlan,
    defaults,
    looks,
    notes,
    recipe_names,
    with_dataset,
)  # fmt: skip
from workbench.train.architectures.base import fitting

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANY_ROW = (1,)


class TrainingForm(Form):
    """The settings of `TrainingPlan`; call `settle` after each change."""

    def __init__(self, dataset: str) -> None:
        self._recipe = "docs"
        super().__init__(
            TrainingPlan,
            values={**_written_by(self._recipe, dataset), "dataset": dataset, "seeds": 1},
            looks=looks(),
            shown=SHOWN,
            label=_("Training settings"),
        )
        self._before = self.values

    def settle(self) -> bool:
        """Write what a new recipe or new data brings; returns whether all is settled, else the change comes again."""
        before, self._before = self._before, self.values
        recipe = self._before["recipe"]
        written = _written_on_change(before, self._before, self._recipe)
        self._recipe = recipe if recipe in recipe_names() else self._recipe
        if written:
            self.write(written)
            return False
        self.widget.notes = notes(str(self._before["dataset"]))
        return True

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take settings from elsewhere; what they do not say is what their recipe says."""
        recipe = values.get("recipe", self._recipe)
        if "dataset" in values:
            self.widget.fields = with_dataset(self.widget.fields, str(values["dataset"]))
        said = defaults(recipe) if recipe in recipe_names() else {}
        self._recipe = recipe
        self.write({**said, **values})


def _written_by(recipe: str, dataset: str) -> dict[str, Any]:
    """Return the values that a recipe says; what is no image gets a network that takes it."""
    said = defaults(recipe)
    return said if holds_images(dataset) else {**said, "architecture": fitting(_ANY_ROW)[0]}


def _written_on_change(before: Mapping[str, Any], now: Mapping[str, Any], recipe: str) -> dict[str, Any]:
    """Return the values to write after a change, only those that differ; `recipe` was written last."""
    chosen, dataset = str(now["recipe"]), str(now["dataset"])
    written: dict[str, Any] = {}
    if chosen != recipe and chosen in recipe_names():
        # A recipe is a set of defaults: choosing one writes all but what was written with it.
        written = {name: value for name, value in _written_by(chosen, dataset).items() if now[name] == before[name]}
    elif holds_images(dataset) != holds_images(str(before["dataset"])):
        # No network for images takes a table, and whoever comes back to images wants the recipe's.
        written = {"architecture": _written_by(recipe, dataset)["architecture"]}
    if dataset != before["dataset"] and not is_csv(dataset):
        written["label"] = None  # nothing else has columns
    return {name: value for name, value in written.items() if now[name] != value}
