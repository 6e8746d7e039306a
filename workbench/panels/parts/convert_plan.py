"""What the conversion panel sets, as Python and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from workbench.convert.settings import ConvertSettings
from workbench.core.artifact import Format  # noqa: TC001 - pydantic reads it
from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.panels.form import Form
from workbench.panels.parts.arguments import arguments_in

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = ("artifact", "format", "numeric", "tool")
_OURS = ("artifact", "dataset", "format")


class ConvertPlan(ConvertSettings):
    """A model, where it goes, and how."""

    artifact: str = Field(default="", description="folder of the model that is converted")
    format: Format = Field(default="tflite", description="file format of the result")
    dataset: str = Field(default="", description="data that outputs are compared on; empty is what the model learnt")

    @property
    def target(self) -> str:
        """Format and numeric type, as the map names them."""
        return f"{self.format}/{self.numeric}"

    @property
    def changed(self) -> dict[str, Any]:
        """The settings that differ from the declared ones, by name."""
        usual = ConvertPlan()
        return {
            name: value
            for name, value in self.model_dump().items()
            if name not in _OURS and value != getattr(usual, name)
        }


def convert_form(values: Mapping[str, Any]) -> Form:
    """Return the controls of a plan."""
    return Form(
        ConvertPlan,
        values=values,
        looks={
            "artifact": {"label": _("Model"), "placeholder": _("folder of a model")},
            "dataset": {"label": _("Data"), "placeholder": _("what the model learnt"), "half": False},
            "format": {"half": True},
            "numeric": {"label": _("Numeric type"), "half": True},
            "tool": {"label": _("Program"), "placeholder": _("the usual one")},
        },
        shown=SHOWN,
        label=_("Conversion settings"),
    )


def code_of(plan: ConvertPlan, *, direct: bool, data: str) -> str:
    """Return the Python that converts.

    Args:
        plan: What is converted, and how.
        direct: Whether one step leads there; else it is gone over as many formats as it takes.
        data: Python expression of the data; "" is what the model learnt.
    """
    verb = "convert" if direct else "convert_along"
    named = {"format": repr(plan.format), **{name: repr(value) for name, value in plan.changed.items()}}
    given = ", ".join(f"{name}={value}" for name, value in (named | ({"dataset": data} if data else {})).items())
    return (
        "import workbench as wb\n\n"
        f"model = wb.Artifact.load({plan.artifact!r})\n"
        f"converted = wb.{verb}(model, {given})\n"
    )


def settings_in(text: str) -> dict[str, Any]:
    """Return a plan's settings that stand in such Python.

    Raises:
        BadInputError: There is no such call, or an argument is no plain value.
    """
    try:
        found = arguments_in(text, "convert")
    except BadInputError:
        found = arguments_in(text, "convert_along")
    return {**found, **arguments_in(text, "load", ("artifact",))}
