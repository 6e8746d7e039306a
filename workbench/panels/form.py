"""Settings become controls: labels, limits and tooltips come from the declarations, and so do the complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.core.settings import FieldSpec, Settings, describe
from workbench.widgets.field_set import FieldSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Form:
    """A group of settings as a widget.

    Attributes:
        widget: The controls.
    """

    def __init__(
        self,
        settings: type[Settings],
        *,
        values: Mapping[str, Any],
        looks: Mapping[str, Mapping[str, Any]] | None = None,
        shown: Sequence[str] = (),
        label: str = "",
    ) -> None:
        """Build the controls.

        Args:
            settings: What is declared.
            values: What they hold at first.
            looks: Per setting, what overrides the looks that follow from its declaration: `label`, `choices`, …
            shown: Settings that are always in sight, in this order; the others fold away as advanced.
            label: Accessible name of the group; empty is the usual one.
        """
        self._settings = settings
        self._changed: list[Callable[[], None]] = []
        self._valid = True
        specs = {spec.name: spec for spec in describe(settings)}
        order = [*shown, *(name for name in specs if name not in shown)]
        fields = [
            {**_field(specs[name]), **_fold(folded=name not in shown), **(looks or {}).get(name, {})} for name in order
        ]
        self.widget = FieldSet(fields=fields, values={name: values.get(name) for name in order}, label=label)
        self.widget.observe(self._on_values, "values")

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when a value has changed; errors are up to date by then."""
        self._changed.append(callback)

    @property
    def values(self) -> dict[str, Any]:
        """What the controls hold, valid or not."""
        return dict(self.widget.values)

    def write(self, values: Mapping[str, Any]) -> None:
        """Put values into the controls; names that the form does not have are left out."""
        known = {name: value for name, value in values.items() if name in self.widget.values}
        self.widget.values = {**self.widget.values, **known}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take settings from elsewhere: code, JSON, a run, a link."""
        self.write(values)

    def read(self) -> Settings:
        """Return the settings.

        Raises:
            BadInputError: The first value that breaks its rule.
        """
        return self._settings.parse(self.values)

    @property
    def valid(self) -> bool:
        """Whether all values hold their rules."""
        return self._valid

    def complain(self, name: str, sentence: str) -> None:
        """Say beside a control what came of its value; it stands until the next change and forbids nothing."""
        self.widget.errors = {**self.widget.errors, name: sentence}

    def check(self) -> None:
        """Say of each value what is wrong with it by its declaration, and only that."""
        self.widget.errors = complaints(self._settings, self.values)
        self._valid = not self.widget.errors

    def _on_values(self, _change: Any) -> None:
        self.check()
        for callback in self._changed:
            callback()


def complaints(settings: type[Settings], values: Mapping[str, Any]) -> dict[str, str]:
    """Return one sentence for each value that breaks its rule, by name."""
    found: dict[str, str] = {}
    trial = dict(values)
    # A model says one thing at a time: take the culprit out and ask again.
    while True:
        try:
            settings.parse(trial)
        except BadInputError as error:
            name = str(error).split(maxsplit=1)[0]
            if name not in trial:
                # A rule over several settings, or one whose culprit is gone already.
                return found or {next(iter(values)): str(error)}
            found[name] = str(error)
            del trial[name]
        else:
            return found


def _fold(*, folded: bool) -> dict[str, Any]:
    # What folds away is mostly short numbers: two share a row.
    return {"advanced": folded, "half": folded}


def _field(spec: FieldSpec) -> dict[str, Any]:
    description = spec.description
    name = spec.name.replace("_", " ").capitalize()
    field: dict[str, Any] = {
        "name": spec.name,
        "label": _(name),
        "kind": spec.kind,
        "help": _(description),
        "low": spec.low,
        "high": spec.high,
        "optional": spec.optional,
    }
    if spec.kind == "float" and spec.high is not None:
        field["step"] = 0.05 if spec.high <= 1 else 1
    if spec.kind == "choice":
        field["choices"] = [{"value": choice, "label": str(choice)} for choice in spec.choices]
    if spec.optional:
        field["placeholder"] = _("none")
    return field
