"""What the training panel writes into its own form when somebody changes the recipe or the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.panels.parts.chosen_data import holds_images, is_csv
from workbench.panels.parts.training_plan import defaults, recipe_names
from workbench.train.architectures.base import fitting

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANY_ROW = (1,)


def written_by(recipe: str, dataset: str) -> dict[str, Any]:
    """Return the values that a recipe says; what is no image gets a network that takes it.

    Raises:
        BadInputError: No such recipe.
    """
    said = defaults(recipe)
    return said if holds_images(dataset) else {**said, "architecture": fitting(_ANY_ROW)[0]}


def written_on_change(before: Mapping[str, Any], now: Mapping[str, Any], recipe: str) -> dict[str, Any]:
    """Return the values to write after a change, only those that differ.

    Args:
        before: Values before it.
        now: Values after it.
        recipe: The one whose values were written last.
    """
    chosen, dataset = str(now["recipe"]), str(now["dataset"])
    written: dict[str, Any] = {}
    if chosen != recipe and chosen in recipe_names():
        # A recipe is a set of defaults: choosing one writes all but what was written with it.
        written = {name: value for name, value in written_by(chosen, dataset).items() if now[name] == before[name]}
    elif holds_images(dataset) != holds_images(str(before["dataset"])):
        # No network for images takes a table, and whoever comes back to images wants the recipe's.
        written = {"architecture": written_by(recipe, dataset)["architecture"]}
    if dataset != before["dataset"] and not is_csv(dataset):
        written["label"] = None  # nothing else has columns
    return {name: value for name, value in written.items() if now[name] != value}
