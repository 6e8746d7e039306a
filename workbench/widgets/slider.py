"""A group of sliders that tell what they pass while a finger drags them, thirty times a second at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable


class Slider(Leaf, asset="slider"):
    """Sliders with names, each a real range control, so that keyboards and screen readers can move it.

    Attributes:
        title: What the group is about; empty shows none.
        sliders: One dictionary a slider: `name`, `label`, and either `low`, `high` and `step` or `stops` (a list of
            `value` and `label`, from left to right); optionally `format` (`percent` or `number`), `help`, `detail`
            (a few words beside the label) and `follows` (a value of None stands where `follow` says, and a button
            brings it back there).
        values: Value a name.
        follow: Where sliders stand that have no value of their own.
        dense: One row a slider, as in a table.
        enabled: False greys all of them.
        empty: What is said while there are no sliders; without it the widget is hidden until then.
        generation: Number of the page's last move that was heard; the page counts.
        answered: Number of the move whose answer is on the page.
    """

    title = traitlets.Unicode("").tag(sync=True)
    sliders = traitlets.List(traitlets.Dict()).tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    follow = traitlets.Dict().tag(sync=True)
    dense = traitlets.Bool(default_value=False).tag(sync=True)
    enabled = traitlets.Bool(default_value=True).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    generation = traitlets.Int(0).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)

    def on_move(self, callback: Callable[[str, Any], None]) -> None:
        """Call back with name and value while a finger moves and once more when it rests; `values` has it by then."""

        def moved(message: dict[str, Any]) -> None:
            name, value, number = message.get("name"), message.get("value"), message.get("generation")
            if not isinstance(number, int) or not isinstance(value, (int, float, type(None))):
                return  # not what the script sends
            if not isinstance(name, str) or name not in {slider["name"] for slider in self.sliders}:
                return
            with self.hold_sync():
                self.generation = number
                self.values = {**self.values, name: value}
            callback(name, value)

        self.hear("input", moved)
        self.hear("change", moved)
