"""What every panel has: a title, an error strip, settings that go both ways, and an end."""

from __future__ import annotations

import functools
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any, ClassVar, Self

import ipywidgets

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.language import _
from workbench.core.role import require_operator
from workbench.jobs import submit
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.latest import Latest
from workbench.panels.parts.page_states import leaf_scripts
from workbench.panels.session import Session, give_way
from workbench.widgets.base import Leaf, house_css
from workbench.widgets.code_view import CodeView
from workbench.widgets.error_strip import ErrorStrip
from workbench.widgets.figure import plotly_script
from workbench.widgets.heading import Heading
from workbench.widgets.still import open_stills

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.core.events import Event
    from workbench.core.settings import Settings
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job
    from workbench.panels.form import Form

__all__ = ["Panel", "Session", "grid", "house_css", "leaf_scripts", "open_stills", "plotly_script", "stack"]

_log = logging.getLogger(__name__)
Leaf.translate = staticmethod(_)


class Panel(ipywidgets.VBox):  # type: ignore[misc]
    """A panel; alone it is an app of its own, in a dashboard it shares the session.

    A subclass sets `title`, `verb`, builds `form`, and calls `_arrange` at the end of its constructor.

    Attributes:
        title: What people call it.
        verb: Name of the function that does the same in Python.
        session: What it shares with others.
        heading: Its title row.
        errors: Its error strip.
        form: Its settings.
    """

    title: ClassVar[str]
    subtitle: ClassVar[str] = ""
    verb: ClassVar[str]
    form: Form
    _whole = False

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__()
        self._own = session is None
        self.session = session or Session(workspace)
        if artifact is not None:
            self.session.artifact = str(artifact)
        self.heading = Heading(title=_(self.title), subtitle=_(self.subtitle))
        self.errors = ErrorStrip()
        self._code = CodeView()
        self._floods: dict[str, Latest] = {}
        self.add_class("wb-panel")
        self.add_class(f"wb-place-{self.verb.lower()}")  # where the stepper scrolls to

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        open_stills(self)
        return super()._repr_mimebundle_(**kwargs)

    @property
    def settings(self) -> Settings:
        """What the controls say.

        Raises:
            BadInputError: A value breaks its rule.
        """
        return self.form.read()

    def code(self) -> str:
        """Return the Python that does what the panel does.

        Raises:
            BadInputError: A value breaks its rule.
        """
        raise NotImplementedError

    def to_json(self) -> str:
        """Return the settings as JSON text, for `from_json`."""
        return json.dumps(self.settings.model_dump(mode="json"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, session: Session | None = None, **kwargs: Any) -> Self:
        """Build a panel with the settings that `to_json` gave.

        Raises:
            BadInputError: It is no JSON object, or a value breaks its rule.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInputError.of("text", rule=f"must be JSON ({error})", got=text) from None
        if not isinstance(values, dict):
            raise BadInputError.of("text", rule="must be a JSON object", got=text)
        return cls._with(values, session, kwargs)

    @classmethod
    def from_code(cls, text: str, session: Session | None = None, **kwargs: Any) -> Self:
        """Build a panel with the settings that stand in code like `code()` gives; nothing of it is run.

        Raises:
            BadInputError: There is no such call in it, or an argument is no plain value.
        """
        return cls._with(cls._settings_in(text), session, kwargs)

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        """Read the settings out of code."""
        return arguments_in(text, cls.verb)

    @classmethod
    def _with(cls, values: dict[str, Any], session: Session | None, kwargs: dict[str, Any]) -> Self:
        panel = cls(session, **kwargs)
        try:
            unknown = set(values) - set(panel.form.values)
            if unknown:
                known = ", ".join(panel.form.values)
                raise BadInputError.of(min(unknown), rule=f"must be one of {known}", got=values[min(unknown)])
            panel._restore(values)
            panel.form.read()
        except BadInputError:
            panel.close()
            raise
        return panel

    def _restore(self, values: dict[str, Any]) -> None:
        self.form.restore(values)

    def refresh(self) -> None:
        """Read the workspace anew; called whenever a page has drawn the panel."""

    def close(self) -> None:
        """Take the panel off the page and end its threads, unless a dashboard shares them; jobs go on."""
        if self._own:
            self.session.close()
        for widget in _leaves(self):
            widget.close()
        super().close()

    def __del__(self) -> None:
        """Close it, unless an error left it half made: that would only bring a second error."""
        if self._whole:
            super().__del__()

    def guard(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Wrap a callback: it holds the app's lock, and what goes wrong is seen in the error strip."""

        @functools.wraps(callback)
        def guarded(*args: Any, **kwargs: Any) -> None:
            with self.session.live.lock:
                if self.session.live.closed:
                    return
                try:
                    callback(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - nothing may vanish
                    self.fail(error)

        return guarded

    def act(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Wrap a callback that starts a job, keeps a file or controls a server: a page for viewing is refused.

        What is returned says in `refusal` why it would refuse, so that its button shows it before it is pressed.
        """

        def acting(*args: Any, **kwargs: Any) -> None:
            require_operator()
            callback(*args, **kwargs)

        guarded = self.guard(functools.wraps(callback)(acting))
        refusal = "" if self.session.may_act else _("This page is for viewing; an operator's page can do that")
        guarded.refusal = refusal  # type: ignore[attr-defined] # a function takes any
        return guarded

    def fail(self, error: BaseException) -> None:
        """Show an error: ours as their sentence, others with their type; the copy button has the traceback."""
        detail = "".join(traceback.format_exception(error))
        if isinstance(error, WorkbenchError):
            self.errors.show(str(error), detail)
            return
        _log.error("unforeseen error in %s", type(self).__name__, exc_info=error)
        self.errors.show(f"{self.title}: {type(error).__name__}: {error}; copy this and report it.", detail)

    def in_background(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Do something that blocks off the page's thread; `then` gets its value under the lock, `failed` its error."""
        self.session.live.background(work, self.guard(then), self.guard(failed or self._failed))

    def latest(
        self,
        work: Callable[[Callable[[], bool]], Any],
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None] | None = None,
        *,
        topic: str = "",
        pause: float = 0.0,
    ) -> None:
        """Answer a flood of questions: one is worked on, the newest waits, those in between are dropped.

        Args:
            work: Does it off the page's thread, given a function that says whether it is outdated; it may return an
                iterator of ever better answers, which a newer question ends once the first is given.
            then: Gets each answer under the lock, never that of an older question after that of a newer one.
            failed: Gets the error, likewise.
            topic: Questions of different topics do not wait for one another.
            pause: Seconds of rest before the work begins.
        """
        if topic not in self._floods:
            live = self.session.live
            self._floods[topic] = Latest(live.background, lambda: live.closed)
        self._floods[topic].ask(work, self.guard(then), self.guard(failed or self._failed), pause=pause)

    def follow(self, job: Job, tell: Callable[[list[Event], str], None]) -> Callable[[], None]:
        """Follow a run under the lock; what goes wrong is seen in the error strip. Returns what stops it."""
        return self.session.live.follow(job, self.guard(tell), self.guard(self.fail))

    def submit(self, stage: str, settings: Any, kind: str) -> Job:
        """Ask for a job in the session's workspace; blocks, so call it in the background."""
        job = submit(stage, settings, kind=kind, workspace=self.session.workspace)
        give_way(self.session.workspace)
        return job

    def _failed(self, error: BaseException) -> None:
        self.fail(error)

    def _arrange(self, *rows: ipywidgets.Widget) -> None:
        """Put the rows under the title and begin to listen."""
        self._whole = True
        head = [self.session.presence] if self._own else []
        self.children = [*head, self.heading, self.errors, *rows, self._code]
        self.form.on_change(self._show_code)
        self._show_code()
        self.session.on_shown(self.guard(self.refresh))

    def _show_code(self) -> None:
        if self.form.valid:
            self._code.code = self.code()


def grid(kind: str, *children: ipywidgets.Widget) -> ipywidgets.Box:
    """Lay out children: `aside` (narrow and wide column) or `halves`; below one another on narrow pages."""
    box = ipywidgets.Box(list(children))
    box.add_class("wb-grid")
    box.add_class(f"wb-{kind}")
    return box


def stack(*children: ipywidgets.Widget) -> ipywidgets.VBox:
    """Lay out children below one another."""
    box = ipywidgets.VBox(list(children))
    box.add_class("wb-stack")
    return box


def _leaves(box: ipywidgets.Box) -> Sequence[ipywidgets.Widget]:
    found: list[ipywidgets.Widget] = []
    for child in box.children:
        found += [*_leaves(child), child] if isinstance(child, ipywidgets.Box) else [child]
    return found
