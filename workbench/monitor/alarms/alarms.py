"""Rules as they stand: raised or not, and how far on the way there or back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.records.monitor import AlarmEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.monitor.alarms.rule import Rule


class Alarms:
    """An alarm is raised once, when its rule was broken often enough, and ends once, when it was kept often enough."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Begin with no alarm.

        Args:
            rules: Each with a title of its own.

        Raises:
            BadInputError: Two have the same title.
        """
        self.rules = tuple(rules)
        titles = [rule.title for rule in self.rules]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            raise BadInputError.of("rules", rule="must have titles of their own", got=twice[0], hint="give one a name")
        self._raised = dict.fromkeys(titles, False)
        self._in_a_row = dict.fromkeys(titles, 0)

    @property
    def raised(self) -> tuple[str, ...]:
        """Titles of the rules that are raised."""
        return tuple(title for title, is_raised in self._raised.items() if is_raised)

    @property
    def in_a_row(self) -> dict[str, int]:
        """Looks in a row that were on the way to the other state, by title."""
        return dict(self._in_a_row)

    def restore(self, raised: Mapping[str, bool], in_a_row: Mapping[str, int]) -> None:
        """Go on where others ended; titles that no rule has are passed over.

        Args:
            raised: By title, whether it is raised.
            in_a_row: By title, as the attribute.
        """
        for title in self._raised:
            self._raised[title] = raised.get(title, False)
            self._in_a_row[title] = in_a_row.get(title, 0)

    def observe(
        self, facts: Mapping[str, float | None], *, time: float, words: Mapping[str, str] | None = None
    ) -> tuple[AlarmEvent, ...]:
        """Look at the facts and return what they change.

        Args:
            facts: Values by metric; a metric that is left out or None has no news, and nothing changes.
            time: Seconds since 1970.
            words: More to say, by metric.
        """
        found = []
        for rule in self.rules:
            value = facts.get(rule.metric)
            if value is not None and self._turns(rule, value):
                found.append(self._event(rule, value, time, (words or {}).get(rule.metric, "")))
        return tuple(found)

    def _turns(self, rule: Rule, value: float) -> bool:
        title = rule.title
        raised = self._raised[title]
        towards = rule.is_good(value) if raised else rule.breaks(value)
        self._in_a_row[title] = self._in_a_row[title] + 1 if towards else 0
        if self._in_a_row[title] < (rule.clear_after if raised else rule.for_windows):
            return False
        self._raised[title], self._in_a_row[title] = not raised, 0
        return True

    def _event(self, rule: Rule, value: float, time: float, more: str) -> AlarmEvent:
        raised = self._raised[rule.title]
        if raised:
            told = f"{rule.metric} is {value:.4g}, {rule.direction} {rule.limit:g}."
        else:
            told = f"{rule.metric} is {value:.4g} and good again."
        return AlarmEvent(
            rule=rule.title,
            metric=rule.metric,
            state="raised" if raised else "cleared",
            value=value,
            limit=rule.limit,
            time=time,
            words=f"{told} {more}".strip() if raised else told,
        )
