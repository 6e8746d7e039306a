"""What a gate says of the model that is shown, a line a rule; another evaluation may stand as the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.panels.parts.run_view import percent
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable

if TYPE_CHECKING:
    from workbench.core.records import Evaluation, Sizes, Verdict
    from workbench.evaluate.gate import Gate


class VerdictView:
    """Judges whenever the rules or the facts change.

    Attributes:
        table: The verdict, a line a rule.
        actions: Button `baseline`.
        verdict: The last one; None where nothing was judged.
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self.table = DataTable(
            title=_("Gate"),
            columns=[
                {"name": "verdict", "label": _("Verdict")},
                {"name": "reason", "label": _("Reason"), "wrap": True},
            ],
            empty=_("No rule is set. Open “Gate” among the settings and say what the model must keep."),
        )
        self.actions = ActionBar(
            label=_("Baseline"),
            actions=[{"name": "baseline", "label": _("Take as baseline"), "enabled": False,
                      "tooltip": _("Later models are compared with this one, sample by sample")}],
        )  # fmt: skip
        self.widget = stack(self.table, self.actions)
        self.verdict: Verdict | None = None
        self._evaluation: Evaluation | None = None
        self._baseline: Evaluation | None = None
        self._sizes: Sizes | None = None

    @property
    def baseline(self) -> Evaluation | None:
        """What the model is compared with, where both answered the same samples."""
        mine, other = self._evaluation, self._baseline
        if mine is None or other is None or (mine.checksum, mine.split) != (other.checksum, other.split):
            return None
        return other

    def show(self, evaluation: Evaluation | None, sizes: Sizes | None = None) -> None:
        """Take in what was measured; None where nothing is known yet."""
        self._evaluation, self._sizes = evaluation, sizes
        self._button()

    def judge(self, gate: Gate) -> None:
        """Say what a gate says of it."""
        self.verdict = None
        if self._evaluation is None:
            self.table.rows = []
            return
        self.verdict = gate.check(self._evaluation, self.baseline, self._sizes)
        passed, failed = _("✓ holds"), _("✗ fails")
        lines = sorted(self.verdict.lines, key=lambda line: line.passed)
        self.table.rows = [{"verdict": passed if line.passed else failed, "reason": line.reason} for line in lines]
        title = _("Gate: passed") if self.verdict.passed else _("Gate: not passed")
        self.table.title = title if lines else _("Gate")

    def take_baseline(self) -> None:
        """Compare later models with the one that is shown."""
        self._baseline = self._evaluation
        self._button()

    def _button(self) -> None:
        base = self._baseline
        label = _("Take as baseline")
        if base is not None:
            label = _("Take as baseline (now one with {accuracy})").format(accuracy=percent(base.accuracy.value))
        self.actions.change("baseline", enabled=self._evaluation is not None, label=label)
