"""An ordered chain of compression methods, with the rules of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from workbench.compress.base import Method, methods
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.compress.base import Trait


@dataclass(frozen=True)
class Recipe:
    """Methods that are run one after the other, each on what the one before it made.

    The same beginning of two recipes is run once. Rules of order, each checked when the recipe is made:

    - nothing follows a conversion (post-training quantization): what it writes cannot be trained;
    - quantization-aware training is the last that trains, and preserves what the steps before it gave;
    - clustering after pruning preserves the sparsity;
    - pruning comes before clustering, whose shared values it would undo;
    - low-rank factorisation comes first, for it makes new kernels.

    Attributes:
        steps: At least one method.
    """

    steps: tuple[Method, ...]

    def __post_init__(self) -> None:
        """Check the order.

        Raises:
            BadInputError: There is no step, one is no method, or the order breaks a rule.
        """
        object.__setattr__(self, "steps", _several("steps", self.steps))
        if not self.steps:
            raise BadInputError.of("steps", rule="must be at least one method", got=())
        present: frozenset[Trait] = frozenset()
        for number, step in enumerate(self.steps, 1):
            if not isinstance(step, Method):
                raise BadInputError.of(f"steps.{number}", rule="must be a compression method", got=step)
            before = self.steps[number - 2] if number > 1 else None
            if before is not None and before.final:
                raise BadInputError.of(
                    f"steps.{number}", rule=f"must not follow {before.name}, whose result cannot be trained",
                    got=step.name, hint=f"put {before.name} last",
                )  # fmt: skip
            if "quantization" in present and not step.final:
                raise BadInputError.of(
                    f"steps.{number}", rule="must come before quantization_aware_training", got=step.name,
                    hint="only post_training may follow it",
                )  # fmt: skip
            if reason := step.objection(present):
                raise BadInputError.of(f"steps.{number}", rule=reason, got=step.name)
            present |= step.gives

    @classmethod
    def of(cls, steps: Recipe | Method | str | Iterable[Method | str]) -> Recipe:
        """Make a recipe of whatever names one: a method, its name with its defaults, or several of them in order.

        Raises:
            BadInputError: No such method, or the order breaks a rule.
        """
        if isinstance(steps, Recipe):
            return steps
        several = [steps] if isinstance(steps, (Method, str)) else _several("method", steps)
        return cls(tuple(methods.get(each)() if isinstance(each, str) else each for each in several))

    @classmethod
    def from_json(cls, value: Iterable[dict[str, Any]]) -> Self:
        """Rebuild from `to_json`'s value.

        Raises:
            BadInputError: No such method or setting, or the order breaks a rule.
        """
        return cls(tuple(_step(each) for each in _several("steps", value)))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the steps as `{"method": name, "settings": {…}}`, in order."""
        return [{"method": step.name, "settings": step.model_dump(mode="json")} for step in self.steps]

    def __iter__(self) -> Iterator[Method]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        return " → ".join(step.name for step in self.steps)


def _several(parameter: str, steps: Any) -> tuple[Any, ...]:
    # A method can be iterated over too: it would give its fields.
    if isinstance(steps, (Method, str, bytes, Mapping)) or not isinstance(steps, Iterable):
        raise BadInputError.of(parameter, rule="must be compression methods, or names of them, in order", got=steps)
    return tuple(steps)


def _step(value: Any) -> Method:
    if not isinstance(value, Mapping) or "method" not in value or value.keys() - {"method", "settings"}:
        raise BadInputError.of("steps", rule="must each be an object of method and settings", got=value)
    return methods.get(value["method"]).parse(value.get("settings", {}))
