"""Stepper: the road from training to monitoring and back, and where one is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from workbench.core.language import N_, _
from workbench.core.settings import Settings
from workbench.panels.base import Panel, Session
from workbench.panels.form import Form
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.stages import ROAD, Stages
from workbench.widgets.stepper import Stepper

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

_SECONDS_BETWEEN_LOOKS = 1.0


class Place(Settings):
    """Where one is."""

    place: Literal["", "train", "evaluate", "compress", "convert", "serve", "monitor"] = Field(
        default="", description="stage that the page went to last"
    )


class StepperPanel(Panel):
    """The stages as a live map; a stage that is pressed is where the page goes."""

    title: ClassVar[str] = N_("The road")
    subtitle: ClassVar[str] = N_("From a trained network to a server that is watched, and back.")
    verb: ClassVar[str] = "jobs"

    def __init__(self, session: Session | None = None, *, workspace: Workspace | None = None) -> None:
        super().__init__(session, workspace=workspace)
        self._stages = Stages(self.session.workspace)
        self._watching = self._looking = False
        self.form = Form(Place, values={"place": self._place()}, shown=("place",), label=_("Stage"))
        self._steps = Stepper(
            label=_("Stages of the road"), back=_("What is seen while monitoring leads back to training."),
            selected=self._place(),
        )  # fmt: skip
        self._steps.on_go(self.guard(self._go))
        self.form.on_change(self.guard(lambda: self._go(self.form.values["place"])))
        self.session.observe(self.guard(lambda _change: self._on_place()), "place")
        self._arrange(self._steps)

    def code(self) -> str:
        """Return the Python that lists the runs of the stage where one is."""
        place = self.form.values["place"]
        kind = f"kind={place!r}" if place else ""
        return f"import workbench as wb\n\nfor job in wb.jobs.jobs({kind}):\n    print(job.id, job.state)\n"

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return {"place": arguments_in(text, "jobs").get("kind", "")}

    def refresh(self) -> None:
        """Look how the stages stand, from now on once a second."""
        if not self._watching:
            self._watching = True
            self.session.live.watch(self.guard(self._look), every=_SECONDS_BETWEEN_LOOKS)
        self._look()

    def _look(self) -> None:
        if self._looking:
            return
        self._looking = True
        self.in_background(self._stages.look, self._show, self._not_read)

    def _show(self, steps: list[dict[str, Any]]) -> None:
        self._looking = False
        self._steps.steps = steps

    def _not_read(self, error: BaseException) -> None:
        self._looking = False
        self.fail(error)

    def _place(self) -> str:
        return self.session.place if self.session.place in ROAD else ""

    def _go(self, stage: str) -> None:
        if stage in ROAD:
            self.session.place = stage

    def _on_place(self) -> None:
        self._steps.selected = self._place()
        if self.form.values["place"] != self._place():
            self.form.write({"place": self._place()})
