"""What the sweep panel sets: a model, axes by clicking, and how they are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from workbench.core.errors import BadInputError
from workbench.core.language import N_, _
from workbench.core.settings import Settings
from workbench.panels.form import Form, complaints
from workbench.panels.parts.sweep_axes import USUAL, rows, space_json
from workbench.sweep.settings import SweepSettings
from workbench.sweep.space import Space
from workbench.widgets.choice_grid import ChoiceGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE = N_("What is tried: every combination of what is chosen")
_MOST_REPEATS = 10


class SweepPlan(Settings):
    """What the panel sets."""

    artifact: str = Field(default="", description="folder of the model that is compressed")
    dataset: str = Field(default="", description="data to fine-tune and measure on; empty is what the model learnt")
    axes: dict[str, list[Any]] = Field(
        default_factory=lambda: {name: list(values) for name, values in USUAL.items()},
        description="values by axis, such as magnitude_pruning.sparsity",
    )
    epochs: int = Field(
        default=2, ge=1, le=100, description="passes of fine-tuning after each step that changes weights"
    )
    search: Literal["grid", "optuna"] = Field(default="grid", description="every point, or what Optuna proposes")
    trials: int = Field(default=40, ge=1, le=10_000, description="configurations that Optuna tries")
    repeats: int = Field(default=1, ge=1, le=_MOST_REPEATS, description="each point with so many seeds")
    runs: int = Field(default=200, ge=10, le=10_000, description="timed calls of each model")
    share_trajectory: bool = Field(
        default=False, description="one gradual pruning serves all sparsities, which is faster and a little less exact"
    )
    name: str | None = Field(default=None, description="of the sweep; none: the data's name and the question's digest")

    @field_validator("axes")
    @classmethod
    def _a_space(cls, axes: dict[str, list[Any]]) -> dict[str, list[Any]]:
        try:
            Space.from_json(space_json(axes, 2))
        except BadInputError as error:
            raise BadInputError.of("axes", rule=f"must make a space ({error})", got=axes) from None
        return axes

    @property
    def space(self) -> Space:
        """What is tried."""
        return Space.from_json(space_json(self.axes, self.epochs))

    @property
    def sweep_settings(self) -> SweepSettings:
        """How it is searched and measured."""
        return SweepSettings(**self.changed)

    @property
    def changed(self) -> dict[str, Any]:
        """The settings of the verb that differ from its defaults."""
        found: dict[str, Any] = {}
        if self.search == "optuna":
            found |= {"search": "optuna", "trials": self.trials}
        if self.repeats > 1:
            found["seeds"] = tuple(range(self.repeats))
        if self.runs != SweepSettings().runs:
            found["runs"] = self.runs
        if self.share_trajectory:
            found["share_trajectory"] = True
        return found

    @property
    def count(self) -> int:
        """How many points it has at most."""
        if self.search == "optuna":
            return self.trials * self.repeats
        return self.space.count(self.repeats)


class SweepForm(Form):
    """The plan's controls, its axes as a matrix.

    Attributes:
        axes: The matrix.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.axes = ChoiceGrid(title=_(TITLE), rows=rows())
        self.axes.choose(values["axes"])
        super().__init__(
            SweepPlan,
            values=values,
            looks={
                "artifact": {"label": _("Model"), "placeholder": _("folder of a model")},
                "dataset": {"label": _("Data"), "placeholder": _("what the model learnt"), "half": False},
                "search": {
                    "half": True,
                    "choices": [{"value": "grid", "label": _("All")}, {"value": "optuna", "label": "Optuna"}],
                },
                "epochs": {"label": _("Fine-tuning"), "unit": _("epochs"), "half": True},
                "runs": {"label": _("Timed calls")},
                "share_trajectory": {"label": _("Share one pruning"), "half": False},
                "name": {"label": _("Name of the sweep"), "placeholder": _("automatic"), "half": False},
            },
            shown=("artifact", "search", "epochs"),
            label=_("Sweep settings"),
        )
        self.axes.observe(self._on_values, "chosen")

    @property
    def values(self) -> dict[str, Any]:
        """What the controls and the matrix hold, valid or not."""
        return {**super().values, "axes": {name: list(values) for name, values in self.axes.chosen.items()}}

    def write(self, values: Mapping[str, Any]) -> None:
        """Put values into controls and matrix."""
        if isinstance(values.get("axes"), dict) and values["axes"] != self.values["axes"]:
            self.axes.choose(values["axes"])
        super().write(values)

    def check(self) -> None:
        """Say of each value what is wrong with it."""
        found = complaints(SweepPlan, self.values)
        self.axes.error = found.get("axes", "")
        self.widget.errors = {name: said for name, said in found.items() if name != "axes"}
        self._valid = not found
