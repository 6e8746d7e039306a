"""The samples behind the figures: of one cell of the confusion matrix, or the mistakes the model was surest of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.panels.parts.run_view import percent
from workbench.panels.parts.sample_view import SampleView
from workbench.widgets.action_bar import ActionBar

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from workbench.datasets import Dataset
    from workbench.datasets.dataset import Split
    from workbench.evaluate.answers import Answers


class AnsweredSamples:
    """Shows samples with what was answered.

    Attributes:
        view: The samples.
        actions: Button `worst`.
        widget: What is put on the page.
    """

    def __init__(self, guard: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
        """Show none; `guard` is the panel's."""
        self.view = SampleView(
            _("Samples"), _("Click a cell of the confusion matrix to see its samples."), guard=guard
        )  # fmt: skip
        self.actions = ActionBar(
            label=_("Samples"),
            actions=[{"name": "worst", "label": _("Worst mistakes"), "enabled": False,
                      "tooltip": _("Wrong answers, those first of which the model was surest")}],
        )  # fmt: skip
        self.actions.on_press("worst", guard(self.show_worst))
        self.widget = stack(self.actions, self.view.widget)
        # Cells hold one sample or hundreds: what stands below is not to jump.
        self.widget.add_class("wb-roomy")
        self._known: tuple[Dataset, Split, Answers, NDArray[np.int64]] | None = None

    def clear(self) -> None:
        """Show none."""
        self._known = None
        self.view.clear()
        self.actions.change("worst", enabled=False)

    def attach(self, data: Dataset, split: Split, answers: Answers) -> None:
        """Show the worst mistakes of a model, and be ready for any cell."""
        self._known = (data, split, answers, data.labels(split))
        self.actions.change("worst", enabled=True)
        self.show_worst()

    def show_worst(self) -> None:
        """Show the wrong answers that the model was surest of."""
        if self._known is None:
            return
        _data, _split, answers, truth = self._known
        index = answers.worst(truth)
        caption = _("{n} of {total} answers are wrong; those of which the model was surest come first.").format(
            n=f"{len(index):,}", total=f"{len(truth):,}"
        )
        self._show(index, _("Worst mistakes"), caption)

    def show_cell(self, row: int, column: int) -> None:
        """Show the samples of one cell, the surest first."""
        if self._known is None:
            return
        data, _split, answers, truth = self._known
        index = answers.cell(truth, row, column)
        names = {"label": data.classes[row], "other": data.classes[column], "n": f"{len(index):,}"}
        if row == column:
            title, caption = _("{label} answered rightly").format(**names), _("{n} samples").format(**names)
        else:
            title, caption = _("{label} taken for {other}").format(**names), _("{n} samples").format(**names)
        self._show(index, title, caption)

    def _show(self, index: NDArray[np.int64], title: str, caption: str) -> None:
        assert self._known is not None
        data, split, answers, truth = self._known

        def words(at: int) -> dict[str, str]:
            label, said = data.classes[int(truth[at])], data.classes[int(answers.predicted[at])]
            sure = percent(float(answers.confidence[at]))
            about = _("Sample {index}: {label}, answered {other} with {sure} confidence").format(
                index=at, label=label, other=said, sure=sure
            )
            right = int(truth[at]) == int(answers.predicted[at])
            name = label if right else f"{label} → {said}"
            return {"name": name, "detail": sure, "tone": "good" if right else "bad", "about": about}

        self.view.show(data, split, index, words, title=title, caption=caption)
