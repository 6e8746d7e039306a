"""Compress: sliders whose accuracy and bytes are measured while they move, and the way to make a point for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.language import N_, _
from workbench.panels.base import Panel, Session, grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.answer_view import AnswerView
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.chosen_data import python_for
from workbench.panels.parts.closer_look import CloserLook, damage_of, ledger_of
from workbench.panels.parts.compression_plan import (
    ON_SLIDERS,
    SHARED,
    CompressionPlan,
    label_of,
    methods_for,
    position,
    python_of,
    sliders,
)
from workbench.panels.parts.fine_tuning import FineTuning, Made, Order
from workbench.panels.parts.known_points import KnownPoints
from workbench.panels.parts.layer_view import LayerView
from workbench.panels.parts.opened_model import OpenedModel, can_be_moved, data_of, opened
from workbench.widgets.progress import Progress
from workbench.widgets.slider import Slider

if TYPE_CHECKING:
    from workbench.compress.preview.settings import PreviewSettings
    from workbench.core.records import Damage, PreviewAnswer
    from workbench.core.records.ledger import Ledger
    from workbench.core.workspace import Workspace

_EMPTY = N_("Train a Keras model or name the folder of one, and its sliders come alive.")
_NO_SLIDERS = N_("The sliders move Keras models; choose the one that this was made from.")
_SECONDS_OF_REST = 0.6


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
        super().__init__(session, workspace=workspace)
        if artifact is not None:
            self.session.artifact = str(artifact)
        self.model: OpenedModel | None = None
        self.answer: PreviewAnswer | None = None
        self._asked = ""
        self._made_here: set[str] = set()
        self._position: PreviewSettings | None = None
        self._shown: PreviewSettings | None = None
        self._points = KnownPoints()
        self.form = _form(self.session.artifact)
        self._words: tuple[str, str, str] | None = None
        self._build()
        self._arrange(
            grid(
                "aside",
                stack(self.form.widget, self._sliders, self._tuning.widget),
                stack(self._status, self._answers.widget),
            ),
            self._layers.widget,
            self._closer.widget,
        )  # fmt: skip
        self.form.on_change(self.guard(self._on_form))
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
        tell = self.guard(lambda done, total, what: self._layers.say(what, share=done / total, active=True))
        self.latest(
            lambda outdated: (model, sensitivity(model.preview, progress=tell, cancelled=outdated)),
            lambda found: self._on_scan(*found), topic="scan",
        )  # fmt: skip

    def show_damage(self) -> None:
        """Show which samples pay for the point where the sliders are; returns at once."""
        if (model := self.model) is None:
            return
        plan = self.settings
        self._closer.actions.change("damage", enabled=False)
        self.latest(
            lambda _outdated: damage_of(model.preview, position(plan), model.data),
            lambda found: self._on_damage(found, label_of(plan)), self._no_damage, topic="damage",
        )  # fmt: skip

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
        with self._sliders.hold_sync():
            self._sliders.values = {name: getattr(plan, name) for name in SHARED}
        self._layers.write(plan.sparsity, plan.sparsity_by_layer)
        self._turn(plan)
        if self.model is not None and where != self._position:
            self._ask(self.model, where)
        elif self._shown == where:
            self._tell_answered(self._numbers)

    def _ask(self, model: OpenedModel, where: PreviewSettings) -> None:
        self._position, numbers = where, self._numbers
        self.latest(
            lambda outdated: model.preview.answers(where, stop=outdated),
            lambda answer: self._show(answer, where, numbers), topic="answer",
        )  # fmt: skip
        self.latest(
            lambda _outdated: ledger_of(model.preview, where), self._on_ledger,
            topic="ledger", pause=_SECONDS_OF_REST,
        )  # fmt: skip

    def _show(self, answer: PreviewAnswer, where: PreviewSettings, numbers: tuple[int, int]) -> None:
        self.answer, self._shown = answer, where
        self._answers.show(answer, self._points.estimate(answer))
        # A finger that was lifted where it had rested has moved nothing.
        self._tell_answered(self._numbers if where == self._position else numbers)

    @property
    def _numbers(self) -> tuple[int, int]:
        return self._sliders.generation, self._layers.sliders.generation

    def _tell_answered(self, numbers: tuple[int, int]) -> None:
        self._sliders.answered, self._layers.sliders.answered = numbers

    def _on_open(self, model: OpenedModel) -> None:
        if model.folder != self._asked:
            model.preview.close()
            return
        self.model = model
        unknown = set(self.form.values["sparsity_by_layer"]) - set(model.preview.layers)
        self._answers.begin(model.itself)
        self._layers.begin(model.preview)
        self._points.begin(model.itself)
        said = _("{name}: {n} test samples of {data}, at least {first} of them at each move")
        total = model.itself.total
        self._say(
            said.format(name=model.artifact.name, n=f"{total:,}", data=model.data.name, first=min(250, total)),
            chip=_("live"), tone="good",
        )  # fmt: skip
        self._closer.actions.change("damage", enabled=True)
        kept = {name: share for name, share in self.form.values["sparsity_by_layer"].items() if name not in unknown}
        self.form.write({"sparsity_by_layer": kept})
        self._position = None
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

    def _on_ledger(self, found: Ledger) -> None:
        self._closer.show_ledger(found)

    def _on_damage(self, found: Damage, label: str) -> None:
        self._closer.actions.change("damage", enabled=True)
        self._closer.show_damage(found, label)

    def _no_damage(self, error: BaseException) -> None:
        self._closer.actions.change("damage", enabled=True)
        self.fail(error)

    def _on_scan(self, model: OpenedModel, found: Any) -> None:
        if model is self.model:
            plan = self.settings
            self._layers.show(found)
            self._layers.write(plan.sparsity, plan.sparsity_by_layer)

    def _on_made(self, made: Made) -> None:
        from workbench.compress.ledger import ledger
        from workbench.evaluate.damage import damage_between

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
        self.latest(
            lambda _outdated: ledger(made.answering, made.data, baseline=made.before), self._on_ledger, topic="ledger"
        )
        self.latest(
            lambda _outdated: damage_between(made.before, made.answering, made.data),
            lambda found: self._on_damage(found, made.label), self._no_damage, topic="damage",
        )  # fmt: skip

    def _on_slider(self, name: str, value: Any) -> None:
        self.form.write({name: value})

    def _on_layer(self, name: str, value: Any) -> None:
        own = {layer: share for layer, share in self.form.values["sparsity_by_layer"].items() if layer != name}
        self.form.write({"sparsity_by_layer": own if value is None else {**own, name: value}})

    def _on_pick(self, layer: str, sparsity: float | None, bits: int | None) -> None:
        if sparsity is None:
            self.form.write({"weight_bits": bits})
        else:
            self._on_layer(layer, sparsity)

    def _turn(self, plan: CompressionPlan) -> None:
        self._tuning.allow(self.model is not None and bool(methods_for(plan)))

    def _build(self) -> None:
        self._sliders = Slider(label=_("Position"), sliders=sliders())
        self._sliders.on_move(self.guard(self._on_slider))
        self._status = Progress(label=_("Model"), text=_(_EMPTY))
        self._answers = AnswerView()
        self._layers = LayerView(self.guard(self._on_pick))
        self._layers.sliders.on_move(self.guard(self._on_layer))
        self._layers.scan.on_press("scan", self.guard(self.scan))
        self._closer = CloserLook()
        self._closer.actions.on_press("damage", self.guard(self.show_damage))
        self._tuning = FineTuning(self, self._on_made)
        self._tuning.actions.on_press("tune", self.act(self.start))

    def _say(self, text: str, *, chip: str = "", tone: str = "accent", active: bool = False) -> None:
        with self._status.hold_sync():
            self._status.text, self._status.active = text, active
            self._status.share = -1.0 if active else 0.0
        with self.heading.hold_sync():
            self.heading.chip, self.heading.tone = chip, tone


def _form(artifact: str) -> Form:
    form = Form(
        CompressionPlan,
        values={**CompressionPlan().model_dump(), "artifact": artifact},
        looks={
            "artifact": {"label": _("Model"), "placeholder": _("folder of a model")},
            "scope": {
                "label": _("Sparsity is"),
                "choices": [
                    {"value": "layer", "label": _("the same in each layer")},
                    {"value": "global", "label": _("one threshold for all layers")},
                ],
            },
        },
        shown=("artifact", "scope"),
        label=_("Compression settings"),
    )
    # What stands on sliders has no second control; a dictionary has none by its declaration.
    form.widget.fields = [field for field in form.widget.fields if field["name"] not in ON_SLIDERS]
    form.widget.values = {**form.widget.values, "sparsity_by_layer": {}}
    return form
