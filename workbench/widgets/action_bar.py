"""A row of buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable


class ActionBar(Leaf, asset="action_bar"):
    """Buttons that say their name when pressed.

    Attributes:
        actions: One dictionary a button: `name`, `label`, and optionally `primary`, `enabled`, `shown`, `tooltip`.
        locked: Why a button cannot be pressed on this page whatever its `enabled` says, by its name.
    """

    actions = traitlets.List(traitlets.Dict()).tag(sync=True)
    locked = traitlets.Dict().tag(sync=True)

    def on_press(self, name: str, callback: Callable[[], None]) -> None:
        """Call back when the button of that name is pressed.

        A callback that would refuse says why in an attribute `refusal`; the button is then shown as locked.
        """
        if refusal := getattr(callback, "refusal", ""):
            self.locked = {**self.locked, name: refusal}

        def pressed(message: dict[str, Any]) -> None:
            if message.get("name") == name:
                callback()

        self.hear("press", pressed)

    def change(self, name: str, **changes: Any) -> None:
        """Change one button, e.g. `change("cancel", enabled=False)`; nothing is sent if it is so already."""
        self.actions = [{**action, **changes} if action["name"] == name else action for action in self.actions]
