"""What every dashboard is: panels in an order, one session, a link that opens what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets

from workbench.core.language import _, suggest_language
from workbench.core.memory import keep_little_free
from workbench.panels.base import Panel, Session, open_stills, stack
from workbench.panels.parts.word import word

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


class Dashboard(ipywidgets.VBox):  # type: ignore[misc]
    """Panels below one another.

    Attributes:
        shows: Kinds of the panels, in their order.
        session: What the panels share.
        panels: The panels, by their verb; each is an attribute of that name, too.
    """

    shows: ClassVar[tuple[type[Panel], ...]]

    def __init__(self, workspace: Workspace | None = None) -> None:
        super().__init__()
        keep_little_free()  # each page has a kernel, and twenty of them share a machine
        self._workspace = workspace
        self._build()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        open_stills(self)
        return super()._repr_mimebundle_(**kwargs)

    def arrange(self) -> tuple[ipywidgets.Widget, ...]:
        """Return what is shown, from the top."""
        return tuple(self.panels[kind.verb] for kind in self.shows)

    def close(self) -> None:
        """Take it off the page and end its threads; jobs go on."""
        self._take_down()
        super().close()

    def _build(self) -> None:
        self.session = Session(self._workspace)
        self.panels = {kind.verb: kind(self.session) for kind in self.shows}
        for verb, panel in self.panels.items():
            setattr(self, verb.lower(), panel)
        note = () if self.session.may_act else (_for_viewing(),)
        self.children = (stack(self.session.presence, *note, *self.arrange()),)
        self.session.on_shown(self._on_shown)

    def _take_down(self) -> None:
        self.session.close()
        for panel in self.panels.values():
            panel.close()
        for box in self.children:
            box.close()

    def _on_shown(self) -> None:
        """Speak the language of who looks, and show what the address says; both are known once a page has drawn us."""
        if suggest_language(self.session.presence.language):
            self._take_down()
            self._build()  # which is drawn anew, and comes here again
            return
        first = self.panels[self.shows[0].verb]
        first.guard(self.session.open_link)(self.session.presence.query)


def _for_viewing() -> ipywidgets.Widget:
    return word(
        _("This page is for viewing"),
        _("Move sliders, draw digits, look at what was made. Buttons that start a job or touch a server are locked."),
    )
