"""Axes: their names, read from the declarations, and their values, checked against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.train.settings import TrainSettings

if TYPE_CHECKING:
    from workbench.compress.base import Method

DEPLOY, DEPLOYED = "deploy", ("tflite", "onnx")
TRAIN = "train"
_LEAVES_OUT = ("sparsity",)


class Range(Settings):
    """An axis without a list: Optuna picks any number in it, a grid takes `steps` of them."""

    low: float = Field(description="least value")
    high: float = Field(description="largest value")
    steps: int | None = Field(None, ge=2, le=1000, description="values in a grid, evenly spaced; none: Optuna only")
    log: bool = Field(default=False, description="evenly spaced in the logarithm")
    whole: bool = Field(default=False, description="whole numbers only")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.low >= self.high:
            raise BadInputError.of("high", rule=f"must be above low ({self.low:g})", got=self.high)
        if self.whole and not (self.low.is_integer() and self.high.is_integer()):
            ends = [self.low, self.high]
            raise BadInputError.of("low", rule="must be whole, and high too, where whole is on", got=ends)
        if self.log and self.low <= 0:
            raise BadInputError.of("low", rule="must be above 0 where the range is logarithmic", got=self.low)
        return self

    def values(self, name: str) -> tuple[float, ...]:
        """Return the values of a grid.

        Raises:
            BadInputError: There are no steps.
        """
        if self.steps is None:
            raise BadInputError.of(
                f"axes.{name}", rule="must have steps to make a grid", got=self.to_json(),
                hint="give it steps or a list of values, or search with optuna",
            )  # fmt: skip
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        even = (low + (high - low) * i / (self.steps - 1) for i in range(self.steps))
        found = [round(math.exp(value) if self.log else value, 12) for value in even]
        return tuple(dict.fromkeys(round(value) for value in found)) if self.whole else tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return self.model_dump(mode="json")


def step_names(chain: Sequence[Method]) -> tuple[str, ...]:
    """Return the steps' names; a method's second step in a chain is `name_2`."""
    names: list[str] = []
    for step in chain:
        before = sum(name == step.name or name.startswith(f"{step.name}_") for name in names)
        names.append(f"{step.name}_{before + 1}" if before else step.name)
    return tuple(names)


def known_axes(chains: Sequence[Sequence[Method]], *, trained: bool) -> dict[str, Method | None]:
    """Return all axes that chains have, each with the step that declares it (None: training, or the format)."""
    known: dict[str, Method | None] = {}
    for chain in chains:
        for name, step in zip(step_names(chain), chain, strict=True):
            known |= {f"{name}.{setting}": step for setting in type(step).model_fields}
    if trained:
        known |= dict.fromkeys(f"{TRAIN}.{setting}" for setting in TrainSettings.model_fields if setting != "dataset")
    if any(not chain or not chain[-1].final for chain in chains) or not chains:
        known[DEPLOY] = None
    return known


def require_values(name: str, axis: Any, known: dict[str, Method | None]) -> tuple[Any, ...] | Range:
    """Return one axis with its values as the step's declaration reads them: "0.5" becomes 0.5, 16.0 becomes 16.

    Raises:
        BadInputError: No step declares it, it is empty, repeats a value, or one breaks its declared rule.
    """
    if name not in known and not name.startswith(f"{TRAIN}."):
        raise BadInputError.of("axes", rule=f"must be among {', '.join(sorted(known))}", got=name)
    if name.startswith(f"{TRAIN}.") and name not in known:
        fields = [f"{TRAIN}.{setting}" for setting in TrainSettings.model_fields if setting != "dataset"]
        raise BadInputError.of("axes", rule=f"must be among {', '.join(fields)}", got=name)
    if isinstance(axis, Range):
        values: tuple[Any, ...] = (axis.low, axis.high) if not axis.whole else (int(axis.low), int(axis.high))
    elif _is_list(axis):
        values = tuple(plain(each) for each in axis)
    else:
        raise BadInputError.of(f"axes.{name}", rule="must be a list of values or a range", got=axis)
    if not values:
        raise BadInputError.of(f"axes.{name}", rule="must have at least one value", got=[], hint="give it values")
    values = tuple(_read(name, value, known[name]) for value in values)
    if len({repr(value) for value in values}) < len(values):
        raise BadInputError.of(f"axes.{name}", rule="must not repeat a value", got=list(values))
    if not isinstance(axis, Range):
        return values
    # Between whole ends of a whole setting there is nothing but whole numbers.
    return axis.replace(whole=True) if all(isinstance(end, int) for end in values) else axis


def leaves_out(name: str, value: Any, step: Method) -> bool:
    """Say whether an axis' value leaves its step out: None where the setting cannot be None, or a sparsity of 0."""
    setting = name.rpartition(".")[2]
    if value is None:
        return not _takes_none(step, setting)
    return setting in _LEAVES_OUT and value == 0


def axis_from_json(name: str, axis: Any) -> Any:
    """Return an axis from plain JSON: a list as it is, an object as a `Range`.

    Raises:
        BadInputError: The object is no range.
    """
    del name
    return Range.parse(axis) if isinstance(axis, dict) else axis


def _is_list(axis: Any) -> bool:
    if isinstance(axis, np.ndarray):
        return axis.ndim == 1
    return isinstance(axis, Sequence) and not isinstance(axis, (str, bytes))


def plain(value: Any) -> Any:
    """Return a NumPy number, as `np.linspace` gives them, as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def _read(name: str, value: Any, step: Method | None) -> Any:
    if name == DEPLOY and value not in DEPLOYED:
        raise BadInputError.of(DEPLOY, rule=f"must be one of {', '.join(DEPLOYED)}", got=value)
    # Training settings depend on each other and are checked together, point by point.
    if step is None or leaves_out(name, value, step):
        return value
    setting = name.rpartition(".")[2]
    field = type(step).model_fields[setting]
    annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    setter: TypeAdapter[Any] = TypeAdapter(annotation)
    try:
        # Good by itself, it may fit with the value of another axis; points for which it does not say so.
        return setter.dump_python(setter.validate_python(value), mode="json")
    except ValidationError:
        return getattr(step.replace(**{setting: value}), setting)  # where it breaks its rule, in one sentence


def _takes_none(step: Method, setting: str) -> bool:
    try:
        step.replace(**{setting: None})
    except BadInputError:
        return False
    return True
