"""Compress: sliders whose accuracy and bytes are measured while they move, and the way to make a point for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.language import N_, _
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.parts.answer_view import AnswerView
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import python_for
from workbench.panels.parts.closer_look import CloserLook
from workbench.panels.parts.compression_plan import CompressionPlan, label_of, methods_for, position, python_of
from workbench.panels.parts.fine_tuning import FineTuning, Made, Order
from workbench.panels.parts.known_points import KnownPoints
from workbench.panels.parts.opened_model import OpenedModel, can_be_moved, coarse_then_fine, data_of, opened
from workbench.panels.parts.position_controls import PositionControls
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from workbench.compress.preview.settings import PreviewSettings
    from workbench.core.records import PreviewAnswer, Sensitivity
    from workbench.core.workspace import Workspace

_EMPTY = N_("Train a Keras model or name the folder of one, and its sliders come alive.")
_NO_SLIDERS = N_("The sliders move Keras models; choose the one that this was made from.")


class CompressPanel(Panel):
    """The live slider: what sparsity, shared values and bits cost and buy, measured while a finger drags.

    Attributes:
        model: What the sliders move; None until it is open.
        answer: The newest answer; None before the first one.
    """

    title: ClassVar[str] = N_("Compress")
    subtitle: ClassVar[str] = N_("Drag, and see at once what it costs in accuracy and buys in bytes.")
    verb: ClassVar[str] = "compress"

    def __init__(
        self, session: Session | None = None, *, artifact: str | None = None, workspace: Workspace | None = None
    ) -> None:
        super().__init__(session, artifact=artifact, workspace=workspace)
        self.model: OpenedModel | None = None
        self.answer: PreviewAnswer | None = None
        self._asked = ""
        self._made_here: set[str] = set()
        self._position: PreviewSettings | None = None
        self._shown: PreviewSettings | None = None
        self._points = KnownPoints()
        self._controls = PositionControls(self.session.artifact, self.guard)
        self.form, self._layers = self._controls.form, self._controls.layers
        self._words: tuple[str, str, str] | None = None
        self._build()
        self._arrange(
            grid(
                "aside",
                stack(self.form.widget, self._controls.shared, self._tuning.widget),
                stack(self._status, self._answers.widget),
            ),
            self._layers.widget,
            self._closer.widget,
        )  # fmt: skip
        self.form.on_change(self.guard(self._on_form))
        for sliders in (self._controls.shared, self._layers.sliders):
            sliders.on_move(self.guard(self._on_move))
        self.session.observe(self.guard(self._on_artifact), "artifact")
        self._on_form()

    def code(self) -> str:
        """Return the Python that measures the same point and makes it."""
        plan = self.settings
        folder, dataset = plan.artifact, self.session.dataset
        if self._words is None or self._words[:2] != (folder, dataset):
            self._words = (folder, dataset, python_for(data_of(folder, dataset, self.session.workspace)))
        return python_of(plan, self._words[2])

    @property
    def settings(self) -> CompressionPlan:
        """What the controls say.

        Raises:
            BadInputError: A value breaks its rule.
        """
        found = self.form.read()
        assert isinstance(found, CompressionPlan), "the form was built for it"
        return found

    @classmethod
    def _settings_in(cls, text: str) -> dict[str, Any]:
        found = {**arguments_in(text, "load", ("artifact",)), **arguments_in(text, "PreviewSettings")}
        for method in ("MagnitudePruning", "WeightClustering"):
            if f"{method}(" in text:
                given = arguments_in(text, method)
                found |= {name: given[name] for name in ("epochs", "learning_rate") if name in given}
        return found

    def start(self) -> None:
        """Fine-tune the point where the sliders are, and measure it; returns at once."""
        model, plan = self.model, self.settings
        methods = methods_for(plan)
        if model is None or not methods or self._tuning.busy:
            return
        self.errors.clear()
        self._tuning.start(Order(model.artifact, methods, model.data, label_of(plan), plan))

    def scan(self) -> None:
        """Measure what each layer alone minds; returns at once."""
        from workbench.compress.preview.sensitivity import sensitivity

        if (model := self.model) is None:
            return
        self._layers.say(_("Measuring each layer alone"), share=0.0, active=True)
        tell = self.guard(lambda done, total, _what: self._layers.count(done, total))
        self.latest(
            lambda outdated: (model, sensitivity(model.preview, progress=tell, cancelled=outdated)),
            lambda found: self._on_scan(*found),
            lambda error: self.fail(error) if model is self.model else None, topic="scan",
        )  # fmt: skip

    def show_damage(self) -> None:
        """Show which samples pay for the point where the sliders are; returns at once."""
        plan = self.settings
        self._closer.compare(position(plan), label_of(plan))

    def refresh(self) -> None:
        """Open the model that the form names, if that was not tried yet."""
        folder = str(self.form.values["artifact"])
        if not folder or folder == self._asked:
            return
        self._asked = folder
        self.errors.clear()
        self._let_go()
        self._say(_("Opening the model; its ONNX conversion is made once"), chip=_("opening"), active=True)
        dataset, workspace = data_of(folder, self.session.dataset, self.session.workspace), self.session.workspace
        self.latest(
            lambda _outdated: opened(folder, dataset, workspace), self._on_open,
            lambda error: self._not_opened(folder, error), topic="open",
        )  # fmt: skip

    def close(self) -> None:
        """Take the panel off the page, end its threads and let go of the model."""
        super().close()
        if self.model is not None:
            self.model.preview.close()

    def _on_artifact(self, _change: Any) -> None:
        folder = self.session.artifact
        if folder in self._made_here:
            return  # the sliders stay on what it was made from
        if can_be_moved(folder):
            self.form.write({"artifact": folder})
            self.refresh()
        elif self.model is None and folder:
            self._say(_(_NO_SLIDERS))

    def _on_form(self) -> None:
        if not self.form.valid:
            return
        plan = self.settings
        if plan.artifact != self._asked:
            self.refresh()
        where = position(plan)
        self._controls.follow(plan)
        self._tuning.allow(self.model is not None and bool(methods_for(plan)))
        if self.model is not None and where != self._position:
            self._ask(self.model, where)

    def _on_move(self, _name: str, _value: Any) -> None:
        # A finger that lets go where it has rested changes no setting, and its answer is there already.
        if self._shown is not None and self._shown == self._position:
            self._controls.tell_answered(self._controls.numbers)

    def _ask(self, model: OpenedModel, where: PreviewSettings) -> None:
        self._position, numbers = where, self._controls.numbers
        self.latest(
            lambda outdated: coarse_then_fine(model.preview, where, outdated),
            lambda answer: self._show(model, answer, where, numbers),
            lambda error: self.fail(error) if model is self.model else None,
            topic="answer",
        )
        self._closer.account(where)

    def _show(
        self, model: OpenedModel, answer: PreviewAnswer, where: PreviewSettings, numbers: tuple[int, int]
    ) -> None:
        if model is not self.model:
            return  # another one was opened since
        self.answer, self._shown = answer, where
        self._answers.show(answer, self._points.estimate(answer))
        # A finger that was lifted where it had rested has moved nothing.
        self._controls.tell_answered(self._controls.numbers if where == self._position else numbers)

    def _on_open(self, model: OpenedModel) -> None:
        if model.folder != self._asked:
            model.preview.close()
            return
        self.model = model
        self._answers.begin(model.itself)
        self._layers.begin(model.preview)
        self._points.begin(model.itself, model.swept)
        for point in model.tuned:
            self._answers.add_tuned(point.sizes, point.accuracy)
            self._points.add(point.plan, point.accuracy)
        said = _("{name}: {n} test samples of {data}, at least {first} of them at each move")
        total = model.itself.total
        self._say(
            said.format(name=model.artifact.name, n=f"{total:,}", data=model.data.name, first=min(250, total)),
            chip=_("live"), tone="good",
        )  # fmt: skip
        self._closer.begin(model)
        self._controls.keep_layers(model.preview.layers)
        self._on_form()

    def _not_opened(self, folder: str, error: BaseException) -> None:
        if folder == self._asked:
            self._say(_("Not opened"))
            self.fail(error)

    def _let_go(self) -> None:
        if self.model is not None:
            self.model.preview.close()
        self.model, self.answer, self._position, self._shown = None, None, None, None
        for view in (self._answers, self._layers, self._closer):
            view.clear()

    def _on_scan(self, model: OpenedModel, found: Sensitivity) -> None:
        if model is self.model:
            self._layers.show(found)
            self._controls.follow(self.settings)

    def _on_made(self, made: Made) -> None:
        folder = str(made.artifact.folder)
        self._made_here.add(folder)
        floats = {_("float"): str(made.model.folder)}
        self.session.variants = {**floats, **self.session.variants, made.label: folder}
        self.session.artifact = folder
        if self.model is None or self.model.artifact != made.model:
            return
        self._answers.add_tuned(made.sizes, made.evaluation.accuracy)
        self._points.add(made.plan, made.evaluation.accuracy)
        if self.answer is not None:
            self._answers.show(self.answer, self._points.estimate(self.answer))
        self._closer.look_at(made)

    def _build(self) -> None:
        self._status = Progress(label=_("Model"), text=_(_EMPTY))
        self._answers = AnswerView()
        self._layers.scan.on_press("scan", self.guard(self.scan))
        self._closer = CloserLook(self)
        self._closer.actions.on_press("damage", self.guard(self.show_damage))
        self._tuning = FineTuning(self, self._on_made)
        self._tuning.actions.on_press("tune", self.act(self.start))

    def _say(self, text: str, *, chip: str = "", tone: str = "accent", active: bool = False) -> None:
        with self._status.hold_sync():
            self._status.text, self._status.active = text, active
            self._status.share = -1.0 if active else 0.0
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = chip, tone
