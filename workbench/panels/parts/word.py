"""A word between panels: a title, and what is worth knowing before the next one."""

from __future__ import annotations

from workbench.widgets.heading import Heading


def word(title: str, text: str) -> Heading:
    """Return it as a widget."""
    shown = Heading(title=title, subtitle=text)
    shown.add_class("wb-word")
    return shown
