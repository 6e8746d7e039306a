"""Views of which one is on the page, chosen by tabs; only what is seen is kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from workbench.panels.base import stack
from workbench.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ipywidgets


class Shown(Protocol):
    """Whatever has a widget."""

    @property
    def widget(self) -> ipywidgets.Widget:
        """What is put on the page."""


class View(Shown, Protocol):
    """A view of something that changes by itself: what blocks is gathered in the background, then shown."""

    def attach(self, what: Any) -> None:
        """Show another thing from now on, or none."""

    def gather(self, what: Any) -> Any:
        """Read or ask what is new; blocks, and changes nothing on the page."""

    def show(self, found: Any) -> None:
        """Show what was gathered."""


V = TypeVar("V", bound=Shown)


class Sections(Generic[V]):
    """Tabs and the view under them.

    Attributes:
        widget: What is put on the page.
        every: All views.
    """

    def __init__(
        self, views: Mapping[str, tuple[str, V]], *, label: str, changed: Callable[[], None] | None = None
    ) -> None:
        """Show the first one.

        Args:
            views: Title and view by name.
            label: Accessible name of the tabs.
            changed: Called when another one was chosen.
        """
        self._views = {name: view for name, (_title, view) in views.items()}
        self.every: tuple[V, ...] = tuple(self._views.values())
        self.tabs = TabBar(
            tabs=[{"name": name, "label": title} for name, (title, _view) in views.items()],
            selected=next(iter(views)),
            label=label,
        )
        boxes = [stack(view.widget) for view in self.every]
        for place, box in enumerate(boxes):
            box.add_class(f"wb-section-{place}")  # the tabs' own style sheet shows the one that is chosen
        self.widget = stack(self.tabs, *boxes)
        self.widget.add_class("wb-sections")
        self._changed = changed
        self.tabs.observe(self._on_selected, "selected")

    @property
    def current(self) -> V:
        """The view that is seen."""
        return self._views.get(self.tabs.selected) or self.every[0]

    def select(self, name: str) -> None:
        """Show the view of that name."""
        self.tabs.selected = name

    def badge(self, name: str, text: str) -> None:
        """Put a few letters beside a tab's name, or none."""
        self.tabs.tabs = [{**tab, "badge": text} if tab["name"] == name else tab for tab in self.tabs.tabs]

    def _on_selected(self, _change: Any) -> None:
        if self._changed is not None:
            self._changed()
