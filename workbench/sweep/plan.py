"""From a space to its points: which steps with which settings, and the content address of the question."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.recipe import Recipe
from workbench.core.artifact import cpu_name
from workbench.core.errors import BadInputError
from workbench.core.workspace import digest
from workbench.sweep.axes import DEPLOY, TRAIN, Range, leaves_out, step_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workbench.compress.base import Method
    from workbench.core.records import SweepPoint
    from workbench.sweep.space import Chain, Space


@dataclass(frozen=True)
class Plan:
    """One point before it is made.

    Attributes:
        key: Content address of the question.
        configuration: The same without the seed.
        label: What people call it.
        values: Value by axis.
        seed: Of the repetition.
        train: Training settings that differ from the recipe's, or None where a model was given.
        steps: Methods in order.
        deploy: Format to convert to where no step does.
        along: Sparsities of the shared trajectory that its pruning is a snapshot of; empty: a pruning of its own.
        refused: Why its settings do not fit together; "" where they do.
    """

    key: str
    configuration: str
    label: str
    values: dict[str, Any]
    seed: int | None
    train: dict[str, Any] | None
    steps: tuple[Method, ...]
    deploy: str
    along: tuple[float, ...] = ()
    refused: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What a record of the point begins with."""
        return {
            "key": self.key,
            "configuration": self.configuration,
            "label": self.label,
            "values": self.values,
            "seed": self.seed,
            "train": self.train,
            "steps": tuple({"method": step.name, "settings": step.model_dump(mode="json")} for step in self.steps),
            "deploy": self.deploy,
            "along": self.along,
        }


@dataclass(frozen=True)
class Base:
    """What all points of a sweep share: data, parent, how they are measured."""

    question: Mapping[str, Any]
    share_trajectory: bool = False

    @classmethod
    def of(cls, dataset: dict[str, Any], sha256: str | None, *, runs: int, share_trajectory: bool) -> Base:
        """Make one.

        Args:
            dataset: The data's spec.
            sha256: Of the parent; None where it is trained.
            runs: Timed calls.
            share_trajectory: Whether prunings of one kind are snapshots of one fine-tuning.
        """
        # Another release or processor may answer or take otherwise, so it is asked anew.
        question = {"dataset": dataset, "parent": sha256, "runs": runs, "machine": cpu_name(), "version": _version()}
        return cls(question, share_trajectory)


def grid(space: Space, base: Base, seeds: Sequence[int] = ()) -> tuple[Plan, ...]:
    """Return every point of a grid, equal ones once, seeds last; settings that do not fit together are refused points.

    Raises:
        BadInputError: No point's settings fit together.
    """
    asked: list[tuple[int, dict[str, Any]]] = []
    for number, chain in enumerate(space.chains):
        names = list(space.axes_of(chain))
        products = itertools.product(*(space.grid(name) for name in names))
        asked += [(number, dict(zip(names, values, strict=True))) for values in products]
    found = plans(space, base, asked, seeds)
    if found and all(plan.refused for plan in found):
        raise BadInputError(found[0].refused)
    return found


def plans(
    space: Space, base: Base, asked: Iterable[tuple[int, dict[str, Any]]], seeds: Sequence[int] = ()
) -> tuple[Plan, ...]:
    """Return the points of chosen values.

    Args:
        space: Where they lie.
        base: What all share.
        asked: Number of the chain and value by axis.
        seeds: Seeds of the repetitions; none: once, with the steps' own seeds.
    """
    drafts = [
        _draft(space, number, values, seed) for number, values in asked for seed in (seeds or (None,))
    ]  # fmt: skip
    shared = _trajectories(drafts) if base.share_trajectory else {}
    found: dict[str, Plan] = {}
    for draft in drafts:
        plan = draft.addressed(base, shared.get(draft.stem, ()))
        found.setdefault(plan.key, plan)
    return tuple(found.values())


@dataclass(frozen=True)
class _Draft:
    label: str
    values: dict[str, Any]
    seed: int | None
    train: dict[str, Any] | None
    steps: tuple[Method, ...]
    deploy: str
    refused: str = ""

    @property
    def stem(self) -> str:
        """What prunings of one trajectory have in common; "" where the first step is none."""
        if not self.steps or not isinstance(self.steps[0], MagnitudePruning):
            return ""
        return digest([self.train, self.steps[0].model_dump(mode="json", exclude={"sparsity"})])

    def addressed(self, base: Base, along: tuple[float, ...]) -> Plan:
        along = along if len(along) > 1 else ()
        question = {
            **base.question, "train": self.train, "deploy": None if _converts(self.steps) else self.deploy,
            "steps": Recipe(self.steps).to_json() if self.steps else [], "along": list(along),
            "refused": [self.values, self.refused] if self.refused else None,
        }  # fmt: skip
        return Plan(
            key=digest(question), configuration=digest(_seedless(question)), along=along,
            label=self.label, values=self.values, seed=self.seed, train=self.train,
            steps=self.steps, deploy=self.deploy, refused=self.refused,
        )  # fmt: skip


def plan_of(point: SweepPoint) -> Plan:
    """Return the plan that a record was made by."""
    steps = Recipe.from_json(point.steps).steps if point.steps else ()
    return Plan(
        key=point.key, configuration=point.configuration, label=point.label, values=point.values, seed=point.seed,
        train=point.train, steps=steps, deploy=point.deploy, along=point.along,
    )  # fmt: skip


def _draft(space: Space, number: int, values: dict[str, Any], seed: int | None) -> _Draft:
    chain = space.chains[number]
    train = None
    if space.train is not None:
        train = {**space.train, **_settings_of(TRAIN, values), **({} if seed is None else {"seed": seed})}
    steps: tuple[Method, ...] = ()
    refused = ""
    try:
        steps = _steps(chain, values, seed)
    except BadInputError as error:
        refused = str(error)
    return _Draft(
        label=_label(space, chain, values, seed), values=values, seed=seed, train=train, steps=steps,
        deploy=values.get(DEPLOY, space.deploy), refused=refused,
    )  # fmt: skip


def _steps(chain: Chain, values: dict[str, Any], seed: int | None) -> tuple[Method, ...]:
    steps = tuple(
        _seeded(step.replace(**_settings_of(name, values)), seed)
        for name, step in zip(step_names(chain), chain, strict=True)
        if not any(leaves_out(axis, value, step) for axis, value in values.items() if _step_of(axis) == name)
    )
    if steps:
        Recipe(steps)
    return steps


def _trajectories(drafts: Sequence[_Draft]) -> dict[str, tuple[float, ...]]:
    found: dict[str, set[float]] = {}
    for draft in drafts:
        if stem := draft.stem:
            first = draft.steps[0]
            assert isinstance(first, MagnitudePruning)
            found.setdefault(stem, set()).add(first.sparsity)
    return {stem: tuple(sorted(levels)) for stem, levels in found.items()}


def _seeded(step: Method, seed: int | None) -> Method:
    return step if seed is None or "seed" not in type(step).model_fields else step.replace(seed=seed)


def _seedless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _seedless(each) for name, each in value.items() if name != "seed"}
    return [_seedless(each) for each in value] if isinstance(value, list) else value


def _converts(steps: Sequence[Method]) -> bool:
    return bool(steps) and steps[-1].final


def _step_of(axis: str) -> str:
    return axis.rpartition(".")[0]


def _settings_of(step: str, values: dict[str, Any]) -> dict[str, Any]:
    return {axis.rpartition(".")[2]: value for axis, value in values.items() if _step_of(axis) == step}


def _label(space: Space, chain: Chain, values: dict[str, Any], seed: int | None) -> str:
    # What is the same for all points need not be said.
    told = [name for name, axis in space.axes.items() if name in values and (isinstance(axis, Range) or len(axis) > 1)]
    settings = [axis.rpartition(".")[2] for axis in told]
    parts = [str(Recipe(chain)) if chain else "as trained"] if len(space.chains) > 1 else []
    for axis, setting in zip(told, settings, strict=True):
        name = setting if settings.count(setting) == 1 else axis
        shown = f"{values[axis]:g}" if isinstance(values[axis], float) else values[axis]
        parts.append(f"{name} {shown}")
    if seed is not None:
        parts.append(f"seed {seed}")
    return ", ".join(parts) or (str(Recipe(chain)) if chain else "as trained")


def _version() -> str:
    try:
        return version("lastmile-workbench")
    except PackageNotFoundError:
        return ""
