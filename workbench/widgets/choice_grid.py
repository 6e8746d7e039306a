"""Rows of values of which any number is chosen: axes and their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ChoiceGrid(Leaf, asset="choice_grid"):
    """A matrix of buttons that are in or out.

    Attributes:
        title: What is chosen.
        rows: One dictionary a row: `name`, `label`, optionally `hint`, and `levels`, each a `value` and a `label`.
        chosen: The values that are in, by the row's name, in the row's order; a row with none is left out.
        error: What is wrong with the choice, one sentence.
        note: A remark under the grid.
    """

    title = traitlets.Unicode("").tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)

    def choose(self, chosen: Mapping[str, Sequence[Any]]) -> None:
        """Choose values; rows and levels that there are not yet are added."""
        with self.hold_sync():
            self.rows = _with_levels(self.rows, chosen)
            self.chosen = {name: list(values) for name, values in chosen.items() if values}


def _with_levels(rows: list[dict[str, Any]], chosen: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    known = {row["name"] for row in rows}
    found = [*rows, *({"name": name, "label": name, "levels": []} for name in chosen if name not in known)]
    return [{**row, "levels": _levels(row["levels"], chosen.get(row["name"], ()))} for row in found]


def _levels(levels: list[dict[str, Any]], values: Sequence[Any]) -> list[dict[str, Any]]:
    known = [level["value"] for level in levels]
    return [*levels, *({"value": value, "label": str(value)} for value in values if value not in known)]
