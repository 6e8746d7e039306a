"""What the training panel sets, and how its controls look."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from workbench.core.language import N_, _
from workbench.core.workspace import read_json
from workbench.datasets.base import SOURCES
from workbench.datasets.content import DESCRIPTION
from workbench.panels.parts import chosen_data
from workbench.panels.parts.seed_runs import call_for
from workbench.train import recipes
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.settings import LearningSettings

SHOWN = ("dataset", "recipe", "epochs", "validation_fraction")
_OWN_DATA = N_(
    "An .npz file with x_train, y_train, x_test, y_test (or x, y), a folder with a folder of images for each class, or "
    "a .csv file with a header whose column label, class, target or y holds the classes (another one is named in the "
    "advanced settings)."
)
_PLACEHOLDER = "/data/letters.npz"


class TrainingPlan(LearningSettings):
    """The dataset by name, a recipe, and everything the recipe leaves open."""

    seeds: int = Field(
        default=1, ge=1, le=10, description="runs with as many seeds, from seed on, to see how much of it is chance"
    )
    dataset: str = Field(default="digits", description="name of a dataset, an .npz or .csv file, or a folder")
    label: str | None = Field(
        default=None, description="column of a .csv file that holds the classes; none is its label, class, target or y"
    )
    recipe: str = Field(default="docs", description="settings that belong together, to begin with")
    architecture: str = Field(default="docs_cnn", description="name of the network")

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, name: str) -> str:
        return chosen_data.check(name)

    @field_validator("recipe")
    @classmethod
    def _known_recipe(cls, name: str) -> str:
        recipes.get(name)
        return name

    @field_validator("architecture")
    @classmethod
    def _known_architecture(cls, name: str) -> str:
        ARCHITECTURES.get(name)
        return name


def defaults(recipe: str) -> dict[str, Any]:
    """Return the values that a recipe says.

    Raises:
        BadInputError: No such recipe.
    """
    plan = recipes.get(recipe)
    return {"recipe": recipe, "architecture": plan.architecture, **plan.settings().model_dump()}


def python_of(plan: dict[str, Any]) -> str:
    """Return the Python that trains so; what the recipe says already is left out."""
    said = defaults(plan["recipe"])
    several = plan["seeds"] > 1
    changed = [
        f"{name}={value!r}"
        for name, value in plan.items()
        if name in said and value != said[name] and not (several and name == "seed")
    ]
    data = chosen_data.python_for(plan["dataset"], plan["label"])
    call = f"wb.train({', '.join([data, repr(plan['recipe']), *changed])})"
    return f"import workbench as wb\n\n{call_for(call, plan['seed'], plan['seeds'])}\n"


def looks() -> dict[str, dict[str, Any]]:
    """Return what the declarations cannot say: the choices that come from units, and two labels."""
    known = {name: recipes.get(name) for name in sorted(recipes.names(), key=lambda name: (name != "docs", name))}
    said = {name: (kind.title, (kind.__doc__ or "").split("\n")[0]) for name, kind in known.items()}
    kinds = [{"value": name, "label": _(title), "hint": _(hint)} for name, (title, hint) in said.items()]
    return {
        "dataset": {
            "kind": "choice",
            "choices": _choices({n: SOURCES.get(n).title for n in chosen_data.known()}),
            "other": {
                "label": _("Own file or folder…"),
                "name": _("Path of the file or folder"),
                "placeholder": _PLACEHOLDER,
            },
        },
        "recipe": {"kind": "choice", "choices": kinds, "cards": True},
        "architecture": {"kind": "choice", "choices": _choices({n: n for n in ARCHITECTURES.names()})},
        "label": {"label": _("Label column of a .csv file"), "half": False},
        "epochs": {"half": True},
        "validation_fraction": {"label": _("Validation split"), "half": True},
    }


def with_dataset(fields: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the controls with the prepared data of an earlier run among the choices; a path is typed instead."""
    if not chosen_data.is_prepared(name):
        return fields
    kept = [dict(field) for field in fields]
    for field in kept:
        if field["name"] == "dataset" and name not in {choice["value"] for choice in field["choices"]}:
            field["choices"] = [*field["choices"], {"value": name, "label": _name_in(name)}]
    return kept


def notes(dataset: str) -> dict[str, str]:
    """Return the remarks that stand under the controls."""
    if chosen_data.is_prepared(dataset):
        return {
            "dataset": _("The data of an earlier run, as it was prepared then: {name}.").format(name=Path(dataset).name)
        }
    note = _dataset_notes().get(dataset, _OWN_DATA)
    return {"dataset": _(note)}


@cache
def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes; looked up once, as that reads every installed package's metadata."""
    return recipes.names()


@cache
def _dataset_notes() -> dict[str, str]:
    return {name: SOURCES.get(name).note for name in chosen_data.known()}


def _name_in(prepared: str) -> str:
    return str(read_json(Path(prepared) / DESCRIPTION)["name"])


def _choices(names: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": _(label)} for value, label in names.items()]
