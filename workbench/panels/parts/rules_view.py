"""When there is an alarm: rules that can be changed, and how each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.monitor.alarms.rule import Rule
from workbench.panels.parts.monitor_plan import joined, texts_in, wrong_rules
from workbench.widgets.edit_list import EditList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.panels.base import Panel
    from workbench.panels.form import Form


class RulesView:
    """A list that writes the form's rules and is written by them.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self, panel: Panel, form: Form) -> None:
        self._form = form
        self.widget = EditList(
            title=_("There is an alarm when"),
            items=texts_in(str(form.values["rules"])),
            placeholder=_("p95_ms above 50 for 3"),
            note=_(
                "Of error_rate, p95_ms, drift, accuracy, restarts and unlogged. An alarm begins after as many looks in "
                "a row as its rule says, and ends after two good ones."
            ),
        )
        self.widget.observe(panel.guard(lambda _change: self._on_items()), "items")
        form.on_change(panel.guard(self._on_form))

    def show(self, raised: Sequence[str], facts: Mapping[str, float]) -> None:
        """Show how each rule stands.

        Args:
            raised: Titles of the rules that are raised.
            facts: The last values by metric.
        """
        chips: dict[str, Any] = {}
        for text in self.widget.items:
            try:
                rule = Rule.of(text)
            except BadInputError:
                continue
            chips[text] = _chip(rule, facts.get(rule.metric), is_raised=rule.title in raised)
        before = self.widget.chips
        # What there is no news of keeps its last word.
        news = {text: before.get(text, chip) if chip is None else chip for text, chip in chips.items()}
        self.widget.chips = {text: chip for text, chip in news.items() if chip is not None}

    def _on_items(self) -> None:
        items = list(self.widget.items)
        self.widget.errors = wrong_rules(items)
        if joined(items) != self._form.values["rules"]:
            self._form.write({"rules": joined(items)})

    def _on_form(self) -> None:
        texts = texts_in(str(self._form.values["rules"]))
        if texts != list(self.widget.items):
            self.widget.items = texts


def _chip(rule: Rule, value: float | None, *, is_raised: bool) -> dict[str, str] | None:
    if value is None:
        return {"text": _("raised"), "tone": "bad"} if is_raised else None
    shown = f"{100 * value:.3g} %" if rule.metric in ("error_rate", "accuracy") else f"{value:.3g}"
    if is_raised:
        return {"text": _("raised, {value}").format(value=shown), "tone": "bad"}
    if rule.breaks(value):
        return {"text": _("broken, {value}").format(value=shown), "tone": "warn"}
    return {"text": _("good, {value}").format(value=shown), "tone": "good"}
