"""What the data panel sets, and how its controls look."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.datasets.base import SOURCES
from workbench.panels.parts import chosen_data


class DataPlan(Settings):
    """Which data."""

    dataset: str = Field(default="digits", description="name of a dataset, an .npz or .csv file, or a folder")
    label: str | None = Field(
        default=None, description="column of a .csv file that holds the classes; none is its label, class, target or y"
    )

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, name: str) -> str:
        return chosen_data.check(name)


def looks() -> dict[str, dict[str, Any]]:
    """Return what the declarations cannot say: the choices that come from units, and two labels."""
    titles = {name: SOURCES.get(name).title for name in chosen_data.known()}
    choices = [{"value": name, "label": _(title)} for name, title in titles.items()]
    other = {"label": _("Own file or folder…"), "name": _("Path of the file or folder"),
             "placeholder": "/data/letters.npz"}  # fmt: skip
    return {
        "dataset": {"kind": "choice", "choices": choices, "other": other},
        "label": {"label": _("Label column of a .csv file"), "half": False},
    }
