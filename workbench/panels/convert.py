"""Convert: where a model can go, how each way went, what differs, and the file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import N_, _
from workbench.evaluate.diff import diff
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.parts.chosen_data import python_for
from workbench.panels.parts.convert_plan import ConvertPlan, code_of, convert_form, settings_in
from workbench.panels.parts.convert_runs import begin_all, begin_one, find, packed_for_download, words_for
from workbench.panels.parts.convert_view import ConvertView
from workbench.panels.parts.format_ways import drawn, made_of, open_edges, reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import GraphDiff
    from workbench.core.records.formats import Edge, FormatMap
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job

_GOING_ON = ("queued", "running")


class ConvertPanel(Panel):
    """The map of formats of a model.

    Attributes:
        found: The map; None before a model was chosen.
    """

    title: ClassVar[str] = N_("Convert")
    subtitle: ClassVar[str] = N_("Where the model can go, and how far it answers there as it did before.")
    verb: ClassVar[str] = "convert"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self.found: FormatMap | None = None
        self._jobs: dict[str, str] = {}
        self._asked, self._busy = "", False
        self._made: Edge | None = None
        self._view = ConvertView()
        self.form = convert_form({**ConvertPlan().model_dump(), "numeric": "int8", "artifact": self.session.artifact})
        self._hear()
        self._arrange(
            grid("aside", stack(self.form.widget, self._view.actions, self._view.line), self._view.map), self._view.rest
        )
        self.form.on_change(self.guard(self._on_form))
        self.session.observe(self.guard(self._on_artifact), "artifact")
        self._on_form()

    def code(self) -> str:
        """Return the Python that converts as chosen."""
        plan = ConvertPlan.parse(self.form.values)
        edges = [] if self.found is None else reach(self.found, plan.target)
        direct = not edges or self.found is None or edges[0].source == self.found.start
        return code_of(plan, direct=direct, data=python_for(plan.dataset) if plan.dataset else "")

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return settings_in(text)

    def start(self) -> None:
        """Go the way that is chosen; returns at once."""
        self._begin(begin_one)

    def start_all(self) -> None:
        """Go every open way that leads on from the model and was not gone yet; returns at once."""
        self._begin(begin_all)

    def compare(self) -> None:
        """Show what differs between the model and what was made of it; returns at once."""
        edge = self._made
        if edge is not None and edge.artifact is not None:
            ours, theirs = str(self.form.values["artifact"]), edge.artifact
            self._view.say(_("Comparing the graphs"), active=True)
            self.in_background(lambda: diff(Artifact.load(ours), Artifact.load(theirs)), self._show_diff)

    def refresh(self) -> None:
        """Read the map anew."""
        self._read()

    def _begin(self, begin: Callable[[ConvertPlan, FormatMap, Workspace], list[Job]]) -> None:
        if self._busy or self.found is None:
            return
        self.errors.clear()
        self.form.check()
        plan, found, workspace = ConvertPlan.parse(self.form.values), self.found, self.session.workspace
        self._busy = True
        self._tell_buttons()
        self._view.say(_("Asking for the conversion"), active=True)
        self.in_background(lambda: begin(plan, found, workspace), self._on_begun)

    def _on_begun(self, jobs: list[Job]) -> None:
        if not jobs:
            self._busy = False
            self._view.say(_("Every open way was gone already"))
            self._tell_buttons()
            return
        self._jobs = {job.id: "queued" for job in jobs}
        self._tell_progress()
        for job in jobs:
            self.follow(job, partial(self._on_news, job))

    def _on_news(self, job: Job, _events: list[Event], state: str) -> None:
        before, self._jobs[job.id] = self._jobs.get(job.id), state
        if state == before:
            return
        if state == "done":
            made = Artifact.load(job.result)
            self.session.add_variant(made.label, str(made.folder))
        self._tell_progress()
        self._read()

    def _tell_progress(self) -> None:
        ended = [state for state in self._jobs.values() if state not in _GOING_ON]
        failed = sum(state != "done" for state in ended)
        self._busy = len(ended) < len(self._jobs)
        self._view.say(
            words_for(len(ended), failed, len(self._jobs)), active=self._busy,
            share=len(ended) / max(1, len(self._jobs)), tone="accent" if self._busy else "warn" if failed else "good",
        )  # fmt: skip
        self._tell_buttons()

    def _failed(self, error: BaseException) -> None:
        self._busy = False
        self._view.say("")
        self._tell_buttons()
        name = str(error).partition(" ")[0]
        if isinstance(error, WorkbenchError) and name in self.form.values:
            self.form.complain(name, str(error))
        else:
            super()._failed(error)

    def _on_artifact(self, _change: Any) -> None:
        chosen = self.session.artifact
        if chosen and chosen != self.form.values["artifact"]:
            self.form.write({"artifact": chosen})

    def _on_form(self) -> None:
        if self.form.values["artifact"] != self._asked:
            self._read()
        self._show_chosen()

    def _read(self) -> None:
        folder, workspace = str(self.form.values["artifact"]), self.session.workspace
        self._asked = folder
        if not folder:
            self.found = None
            self._view.map.nodes = []
            return
        self.latest(lambda _outdated: find(folder, workspace), self._show, self._unread, topic="map")

    def _unread(self, error: BaseException) -> None:
        self.found = None
        self._view.map.nodes, self._view.map.ways = [], []
        self._failed(error)

    def _show(self, found: FormatMap) -> None:
        self.found = found
        nodes, ways = drawn(found)
        with self._view.map.hold_sync():
            self._view.map.nodes, self._view.map.ways = nodes, ways
        self.heading.subtitle = _("{model}, {label}").format(model=found.model, label=found.start.replace("/", " "))
        self._show_chosen()
        self._show_code()

    def _on_choose(self, label: str) -> None:
        target, found, numeric = label.partition("/")
        if found and self.found is not None and label != self.found.start:
            self.form.write({"format": target, "numeric": numeric, "tool": None})

    def _show_chosen(self) -> None:
        label = "/".join(str(self.form.values[name]) for name in ("format", "numeric"))
        edges = [] if self.found is None else reach(self.found, label)
        if self._view.map.chosen != label:
            self._view.diff.clear()
        self._view.show_way(label, edges)
        self._view.map.chosen = label
        tools = [{"value": edge.tool, "label": edge.tool} for edge in edges]
        self.form.widget.fields = [
            {**field, "kind": "choice", "choices": tools} if field["name"] == "tool" else field
            for field in self.form.widget.fields
        ]
        self._made = made_of(edges)
        self._tell_buttons()

    def _show_diff(self, found: GraphDiff) -> None:
        self._view.say("")
        self._view.diff.show(found)

    def _tell_buttons(self) -> None:
        self._view.offer(
            one=self.found is not None and self.form.valid and not self._busy,
            all_=self.found is not None and bool(open_edges(self.found)) and not self._busy,
            made=self._made is not None,
        )

    def _hear(self) -> None:
        view = self._view
        view.actions.on_press("convert", self.act(self.start))
        view.actions.on_press("all", self.act(self.start_all))
        view.results.on_press("download", self.guard(self._save))
        view.results.on_press("diff", self.guard(self.compare))
        view.results.on_press("use", self.guard(self._use))
        view.map.on_choose(self.guard(self._on_choose))

    def _use(self) -> None:
        if self._made is not None and self._made.artifact is not None:
            self.session.add_variant(self._made.target, self._made.artifact)
            self.session.artifact = self._made.artifact

    def _save(self) -> None:
        if self._made is not None and self._made.artifact is not None:
            folder = self._made.artifact
            self.in_background(
                lambda: packed_for_download(Artifact.load(folder)), lambda file: self._view.download.offer(*file)
            )
