"""A road of steps that leads back to its beginning, and how each of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable


class Stepper(Leaf, asset="stepper"):
    """Steps as buttons with arrows between them, the last one leading back to the first.

    A step that is pressed scrolls to the box of the page with the class `wb-place-<its name>`, if there is one.

    Attributes:
        steps: One dictionary a step: `name`, `label`, `state` (`none`, `running`, `done` or `failed`), `word` for that
            state and `detail`, a short line under it.
        back: What the way back is called.
        selected: Name of the step where one is.
    """

    steps = traitlets.List(traitlets.Dict()).tag(sync=True)
    back = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)

    def on_go(self, callback: Callable[[str], None]) -> None:
        """Call back with the name of a step that was pressed."""

        def pressed(message: dict[str, object]) -> None:
            name = message.get("name")
            if isinstance(name, str) and any(step["name"] == name for step in self.steps):
                callback(name)

        self.hear("go", pressed)
