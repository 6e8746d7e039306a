"""A space: a chain of compression methods (or several), and axes over any declared setting of any step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from workbench.compress.base import Method
from workbench.compress.recipe import Recipe
from workbench.core.errors import BadInputError
from workbench.sweep.axes import DEPLOY, DEPLOYED, Range, axis_from_json, known_axes, require_values
from workbench.train.settings import TrainSettings

Chain = tuple[Method, ...]


@dataclass(frozen=True, init=False)
class Choice:
    """Alternatives of whole chains: `Choice((MagnitudePruning(), PostTrainingQuantization()), "post_training")`.

    Attributes:
        chains: Each a chain; an empty one is the parent itself, only converted.
    """

    chains: tuple[Chain, ...]

    def __init__(self, *chains: Sequence[Method | str] | Method | str) -> None:
        if not chains:
            raise BadInputError.of("Choice", rule="must have at least one chain", got=chains)
        object.__setattr__(self, "chains", tuple(_chain(chain) for chain in chains))


@dataclass(frozen=True)
class Space:
    """What is to be tried.

    An axis is named `step.setting`, such as `magnitude_pruning.sparsity`; the second step of one method in a chain is
    `magnitude_pruning_2`. `train.epochs` and the like train the parent anew (then no artifact is given). A value of
    None, or a sparsity of 0, leaves the step out. An axis does not concern a chain that lacks its step.

    Attributes:
        chain: Methods in order, a single one, or a `Choice` of chains; names mean their defaults.
        axes: Values by axis: a sequence, or a `Range`.
        train: Training settings of the parent, where it is trained for the sweep: `recipe` and fields of
            `TrainSettings`.
        deploy: Format that is measured where the last step does not convert: `tflite` or `onnx`; also an axis.
    """

    chain: Sequence[Method | str] | Method | str | Choice = ()
    axes: Mapping[str, Sequence[Any] | Range] = field(default_factory=dict)
    train: Mapping[str, Any] | None = None
    deploy: str = "tflite"

    def __post_init__(self) -> None:
        """Check all of it against the declarations.

        Raises:
            BadInputError: An axis is not known, a value breaks its rule, or there is nothing to try.
        """
        _require_objects(self.axes, self.train)
        chains = self.chain if isinstance(self.chain, Choice) else Choice(self.chain)
        object.__setattr__(self, "chain", chains)
        if any(name.startswith("train.") for name in self.axes) and self.train is None:
            object.__setattr__(self, "train", {})
        if self.deploy not in DEPLOYED:
            raise BadInputError.of(DEPLOY, rule=f"must be one of {', '.join(DEPLOYED)}", got=self.deploy)
        known = known_axes(chains.chains, trained=self.train is not None)
        checked = {name: require_values(name, values, known) for name, values in self.axes.items()}
        object.__setattr__(self, "axes", checked)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The alternatives; a single one where there is no choice."""
        assert isinstance(self.chain, Choice)
        return self.chain.chains

    def axes_of(self, chain: Chain) -> dict[str, Any]:
        """Return the axes that concern one chain."""
        concerned = known_axes((chain,), trained=self.train is not None)
        return {name: values for name, values in self.axes.items() if name in concerned}

    def count(self, seeds: int = 1) -> int:
        """Return how many points a grid has at most; points that leaving steps out makes equal count once a chain.

        Raises:
            BadInputError: A range has no steps, so that no grid can be made of it.
        """
        lengths = ([len(_grid(name, axis)) for name, axis in self.axes_of(chain).items()] for chain in self.chains)
        return sum(math.prod(each) for each in lengths) * seeds

    def grid(self, name: str) -> Sequence[Any]:
        """Return the values of an axis.

        Raises:
            BadInputError: It is a range without steps.
        """
        return _grid(name, self.axes[name])

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, which `from_json` reads."""
        chains = [Recipe(chain).to_json() if chain else [] for chain in self.chains]
        plain: dict[str, Any] = {"chain": chains[0]} if len(chains) == 1 else {"choice": chains}
        plain["axes"] = {
            name: axis.to_json() if isinstance(axis, Range) else list(axis) for name, axis in self.axes.items()
        }
        if self.train is not None:
            plain["train"] = dict(self.train)
        return {**plain, "deploy": self.deploy}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Rebuild from JSON or TOML; a chain may also be a list of names.

        Raises:
            BadInputError: It is no space.
        """
        known = {"chain", "choice", "axes", "train", "deploy"}
        if not isinstance(value, dict) or (wrong := sorted(value.keys() - known)):
            got = value if not isinstance(value, dict) else wrong[0]
            raise BadInputError.of("space", rule=f"must be an object of {', '.join(sorted(known))}", got=got)
        chains = value["choice"] if "choice" in value else [value.get("chain", [])]
        axes = value.get("axes", {})
        if not isinstance(axes, dict) or not isinstance(chains, list):
            raise BadInputError.of("space", rule="must have its axes as an object, its chains as lists", got=value)
        return cls(
            chain=Choice(*(_parsed(chain) for chain in chains)),
            axes={name: axis_from_json(name, axis) for name, axis in axes.items()},
            train=value.get("train"),
            deploy=value.get("deploy", "tflite"),
        )


def _require_objects(axes: Any, train: Any) -> None:
    if not isinstance(axes, Mapping) or not all(isinstance(name, str) for name in axes):
        raise BadInputError.of("axes", rule="must be an object of values by axis", got=axes,
                               hint='write {"magnitude_pruning.sparsity": [0.5, 0.8]}')  # fmt: skip
    if train is None:
        return
    if not isinstance(train, Mapping):
        raise BadInputError.of("train", rule="must be an object of training settings", got=train)
    known = [setting for setting in ("recipe", *TrainSettings.model_fields) if setting != "dataset"]
    if wrong := [name for name in train if name not in known]:
        raise BadInputError.of("train", rule=f"must have settings among {', '.join(known)}", got=wrong[0])


def _chain(steps: Sequence[Method | str] | Method | str) -> Chain:
    if isinstance(steps, Sequence) and not isinstance(steps, str) and not steps:
        return ()
    return Recipe.of(steps).steps


def _parsed(chain: Any) -> Chain:
    if not isinstance(chain, list) or not all(isinstance(each, (str, dict)) for each in chain):
        raise BadInputError.of("chain", rule="must be a list of methods", got=chain)
    steps = [{"method": each} if isinstance(each, str) else each for each in chain]
    if nameless := [each for each in steps if "method" not in each]:
        raise BadInputError.of("chain", rule="must name the method of each step", got=nameless[0])
    return Recipe.from_json(steps).steps if steps else ()


def _grid(name: str, axis: Any) -> Sequence[Any]:
    return axis.values(name) if isinstance(axis, Range) else axis
