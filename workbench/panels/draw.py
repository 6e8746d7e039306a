"""Draw: a digit drawn with a finger, and what each model says of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from workbench.core.language import N_, _
from workbench.core.settings import Settings
from workbench.datasets import default_dataset
from workbench.datasets.drawn import Preprocessing, as_seen, drawing
from workbench.jobs.state import FINAL
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import holds_images
from workbench.panels.parts.contestants import (
    Contestant,
    begin_conversions,
    candidates,
    classes_of,
    count_conversions,
    opened,
)
from workbench.panels.parts.kept import Kept
from workbench.panels.parts.served_answer import Served, followed, reached
from workbench.panels.parts.verdict import card, picture, verdict
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.answer_cards import AnswerCards
from workbench.widgets.digit_pad import DigitPad
from workbench.widgets.pixel_images import PixelImages
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job
    from workbench.panels.parts.contestants import Answer

_SECONDS_BETWEEN_LOOKS = 2.0


class DrawPlan(Settings):
    """How a drawing becomes what the models see."""

    preprocessing: Preprocessing = Field(
        default="mnist",
        description="mnist: into a 20x20 box by its centre of mass; fill: the digit fills the image; raw: only smaller",
    )


class DrawPanel(Panel):
    """A pad, and the answers of the models that are compared, side by side with the served one's.

    Attributes:
        answers: What each model said last, by its name.
    """

    title: ClassVar[str] = N_("Draw")
    subtitle: ClassVar[str] = N_("Draw a digit and see what each model makes of it.")
    verb: ClassVar[str] = "draw"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self.answers: dict[str, Answer] = {}
        self._models: list[Contestant] = []
        self._served: Served | None = None
        self._asked: tuple[Any, ...] | None = None
        self._watching = False
        self._strokes: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        choices = [
            {"value": "mnist", "label": _("As MNIST's")},
            {"value": "fill", "label": _("Filling the image, as digits'")},
            {"value": "raw", "label": _("As drawn")},
        ]
        self.form = Form(
            DrawPlan,
            values={"preprocessing": _layout(self.session)},
            looks={"preprocessing": {"label": _("Preprocessing"), "choices": choices, "half": False}},
            shown=("preprocessing",),
            label=_("Preprocessing"),
        )
        self._build()
        self.form.on_change(self.guard(self._ask))
        self._pad.observe(self.guard(lambda _change: self._ask()), "stroke")
        self.session.observe(self.guard(lambda _change: self.refresh()), ["artifact", "variants", "server", "dataset"])
        self.session.observe(
            self.guard(lambda _change: self.form.write({"preprocessing": _layout(self.session)})), "dataset"
        )

    def code(self) -> str:
        """Return the Python that lays a drawing out for a model and asks it."""
        return (
            "import numpy as np\n\n"
            "import workbench as wb\n"
            "from workbench.datasets.drawn import as_seen\n"
            "from workbench.evaluate.runtimes import open_runtime\n\n"
            f"model = open_runtime(wb.Artifact.load({self._folder()!r}))\n"
            "shape = model.inputs[0].shape[1:]\n"
            'image = np.load("drawn.npy")  # (height, width) in [0, 1], 1 is ink\n'
            f"seen = as_seen(image, shape, preprocessing={self.form.values['preprocessing']!r})\n"
            "print(model.predict(seen[None]))\n"
        )

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        return arguments_in(text, "as_seen")

    def refresh(self) -> None:
        """Open the models that are chosen by now."""
        session = self.session
        if not self._watching:
            self._watching = True
            session.live.watch(self.guard(self._look), every=_SECONDS_BETWEEN_LOOKS)
        self._show_pad()
        self._open_anew()
        if session.server != (self._served.run if self._served else ""):
            self._reach(session.server)

    def _look(self) -> None:
        # A conversion may come from anywhere; a server that was not reached is not tried again here.
        if any(each.wants_twin for each in self._models):
            self._open_anew()
        if (served := self._served) is not None and not served.note and self.session.presence.watched:
            self.latest(
                lambda _outdated: followed(self.session, served), self._on_followed,
                lambda _error: None,  # a drawing says so
                topic="server",
            )  # fmt: skip

    def _open_anew(self) -> None:
        session = self.session
        asked = (session.artifact, dict(session.variants), session.dataset, count_conversions(session.workspace))
        if asked != self._asked:
            self._asked = asked
            self._open(*asked[:2])

    def _open(self, artifact: str, variants: dict[str, str]) -> None:
        workspace = self.session.workspace

        def work(_outdated: Any) -> tuple[list[Contestant], tuple[str, ...]]:
            models = candidates(variants, artifact, workspace)
            found = opened(models)
            return found, classes_of(models, found, workspace)

        def then(answer: tuple[list[Contestant], tuple[str, ...]]) -> None:
            self._models, classes = answer
            self.answers, self._notes = {}, {}
            self._kept.offer(classes)
            self._bar.change("twins", shown=any(each.wants_twin for each in self._models))
            self._show_code()
            self._show()
            self._ask()

        self.latest(work, then, topic="models")

    def _reach(self, run: str) -> None:
        self._served = None
        if run:
            self.latest(lambda _outdated: reached(self.session, run), self._on_reached, topic="server")
        self._show()

    def _on_reached(self, served: Served) -> None:
        if served.run == self.session.server and served.shape:
            self._served = served
            self._show()
            self._ask()

    def _on_followed(self, found: Served) -> None:
        if self._served is not None and found.run == self.session.server and found != self._served:
            self._served = found
            if found.note:
                self.answers.pop(found.name, None)
                self._show()
            else:
                self._ask()

    def _ask(self) -> None:
        """Have everybody answer what stands on the pad; a newer drawing goes before."""
        if not self._pad.pixels:
            self.answers, self._notes = {}, {}
            self._images.images = []
            self._kept.drawn(None)
            self._show()
            return
        ink, how, stroke = drawing(self._pad.pixels), self.settings.model_dump()["preprocessing"], self._pad.stroke
        models, served = [each for each in self._models if each.runtime is not None], self._served
        self._show_seen(ink, how, [*(each.shape for each in models), *([served.shape] if served else [])])
        if models:
            self.latest(
                lambda _outdated: {each.name: each.answer(ink, how) for each in models},
                lambda found: self._on_answers(found, stroke), topic="answers",
            )  # fmt: skip
        if served is not None and not served.note:
            name = served.name
            self.latest(
                lambda _outdated: {name: served.answer(ink, how)},
                lambda found: self._on_answers(found, stroke),
                lambda error: self._not_answered(name, error), topic="served answers",
            )  # fmt: skip

    def _on_answers(self, found: dict[str, Answer], stroke: int) -> None:
        if not self._pad.pixels:
            return  # it was cleared meanwhile
        self.answers |= found
        self._strokes |= dict.fromkeys(found, stroke)
        for name in found:
            self._notes.pop(name, None)
        self._show()

    def _not_answered(self, name: str, error: BaseException) -> None:
        self.answers.pop(name, None)
        self._notes[name] = str(error)
        self._show()

    def _show(self) -> None:
        names = [(each.name, each.detail, each.note) for each in self._models]
        if self._served is not None:
            name = self._served.name
            names.append((name, self._served.detail, self._served.note or self._notes.get(name, "")))
        # An answer may come late, of a model or a server that is not compared any more.
        self.answers = {name: self.answers[name] for name, _detail, _note in names if name in self.answers}
        text, tone, differ = verdict(self.answers, self._kept.classes)
        cards = [
            card(name, detail, note=note, answer=self.answers.get(name), stroke=self._strokes.get(name, 0),
                 differs=name in differ)
            for name, detail, note in names
        ]  # fmt: skip
        with self._cards.hold_sync():
            self._cards.classes = list(self._kept.classes)
            self._cards.cards, self._cards.verdict, self._cards.tone = cards, text, tone

    def _show_seen(self, ink: NDArray[np.float32], how: Preprocessing, shapes: list[tuple[int, ...]]) -> None:
        seen = {shape: as_seen(ink, shape, preprocessing=how) for shape in dict.fromkeys(shapes)}
        self._kept.drawn(next(iter(seen.values()), None))
        self._images.images = [picture(image) for image in seen.values()]

    def _show_pad(self) -> None:
        """Hide what draws where the data is a table: rows cannot be drawn."""
        table = bool(self.session.dataset) and not holds_images(self.session.dataset)
        self._desk.layout.display = "none" if table else None
        self._word.layout.display = None if table else "none"

    def _folder(self) -> str:
        return next((each.folder for each in self._models), self.session.artifact)

    def _build(self) -> None:
        self._pad = DigitPad(label=_("Drawing"))
        self._images = PixelImages(title=_("What the models see"), empty=_("Nothing is drawn yet"), side=84)
        self._cards = AnswerCards(
            title=_("What they say"), empty=_("Train or choose a model, and its answer stands here."),
            verdict=verdict({}, ())[0],
        )  # fmt: skip
        self._bar = ActionBar(label=_("Models"), actions=[
            {"name": "twins", "label": _("Convert to ONNX"), "shown": False,
             "tooltip": _("So that models whose files need TensorFlow answer here too")},
        ])  # fmt: skip
        self._bar.on_press("twins", self.act(self._make_twins))
        self._kept = Kept(self)
        self._word = Progress(label=_("Draw"), text=_("The data is a table, and its rows cannot be drawn."))
        self._word.layout.display = "none"
        self._desk = grid(
            "aside", stack(self._pad, self.form.widget, self._images), stack(self._cards, self._bar, self._kept.widget)
        )
        self._arrange(self._word, self._desk)

    def _make_twins(self) -> None:
        """Ask for the conversions that let silent models answer."""
        folders = [each.folder for each in self._models if each.wants_twin]
        workspace = self.session.workspace
        self._bar.change("twins", enabled=False)
        self.in_background(lambda: begin_conversions(folders, workspace), self._await)

    def _await(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.follow(job, partial(self._on_news, job))

    def _on_news(self, job: Job, _events: list[Event], state: str) -> None:
        if state in FINAL:
            self._bar.change("twins", enabled=True)
            self._asked = None
            self.refresh()
            job.value()


def _layout(session: Session) -> Preprocessing:
    """Return how the images are laid out that the models have learnt: those of `digits` are filled by their ink."""
    return "fill" if (session.dataset or default_dataset(session.workspace).name) == "digits" else "mnist"
