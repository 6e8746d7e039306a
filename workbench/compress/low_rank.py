"""Low-rank factorisation: a dense kernel becomes the product of two thin ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from workbench.compress.fine_tuning import FineTuned, Wrapped
from workbench.compress.prunable import require_known
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.compress.base import Trait

_SUFFIX = "_low_rank"


class LowRankFactorisation(FineTuned):
    """Truncated singular value decomposition of Dense layers (Denil et al. 2013; Sainath et al. 2013), fine-tuned."""

    made: ClassVar[str] = "low-rank"

    rank: float = Field(
        0.25, gt=0, le=1, description="singular values that are kept, as a share of the kernel's smaller side"
    )
    answering: bool = Field(
        default=False, description="factorise the layer that answers too; it is small, and each class needs a direction"
    )
    skip: tuple[str, ...] = Field((), description="names of layers that are left as they are")

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        return f"low rank ({self.rank:.0%} of the full one)"

    def objection(self, present: frozenset[Trait]) -> str | None:
        """New kernels have neither zeros nor shared values."""
        if gone := sorted(present):
            return f"must come first, since its new kernels have no {' or '.join(gone)}"
        return None

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Put two thin layers in the place of each dense one that this makes smaller."""
        del steps
        dense = _dense_layers(model)
        if not dense:
            raise BadInputError.of(
                "model", rule="must have a Dense layer to factorise",
                got=[type(each).__name__ for each in model.layers], hint="leave low_rank out for this model",
            )  # fmt: skip
        require_known("skip", self.skip, dense)
        ranks = {name: self._rank(kernel) for name, kernel in dense.items()}
        left = {
            name: f"rank {ranks[name]} would not make its {kernel.shape[0]}x{kernel.shape[1]} weights fewer"
            for name, kernel in dense.items()
            if ranks[name] * sum(kernel.shape) >= kernel.size
        } | dict.fromkeys(self.skip, "skipped, as asked")
        answers = model.output_names[0] if not self.answering else None
        left |= {name: "it answers" for name in dense if name == answers and name not in left}
        taken = {name: rank for name, rank in ranks.items() if name not in left}
        if not taken:
            raise BadInputError.of(
                "rank", rule="must make a Dense layer smaller", got=self.rank,
                hint="; ".join(f"{name}: {why}" for name, why in left.items()),
            )  # fmt: skip
        thin = _factorised(model, taken)
        facts = {"ranks": taken, "not_factorised": left, "parameters": int(thin.count_params())}
        return Wrapped(thin, facts=facts, notes=tuple(f"{name} stays whole: {why}." for name, why in left.items()))

    def strip(self, model: Any) -> Any:
        """Return the model; nothing was wrapped."""
        return model

    def _rank(self, kernel: NDArray[Any]) -> int:
        return max(1, math.ceil(self.rank * int(min(kernel.shape))))


def _dense_layers(model: Any) -> dict[str, NDArray[Any]]:
    """Return the kernels of Dense layers that are used once, and once only."""
    import tf_keras

    return {
        layer.name: layer.get_weights()[0]
        for layer in model.layers
        if type(layer) is tf_keras.layers.Dense and len(layer.inbound_nodes) == 1
    }


def _factorised(model: Any, ranks: dict[str, int]) -> Any:
    """Return the model with two layers in the place of each named one; the second keeps name, bias and activation."""
    thin = type(model).from_config(_thin_config(model.get_config(), ranks))
    new = {layer.name: layer for layer in thin.layers}
    for layer in model.layers:
        weights = layer.get_weights()
        if layer.name in ranks:
            first, second = _factors(weights[0], ranks[layer.name])
            new[layer.name + _SUFFIX].set_weights([first])
            weights[0] = second
        new[layer.name].set_weights(weights)
    return thin


def _thin_config(config: dict[str, Any], ranks: dict[str, int]) -> dict[str, Any]:
    """Return a Sequential or Functional model's configuration with a layer more before each named one."""
    layers = []
    for layer in config["layers"]:
        name = layer["config"]["name"]
        if name not in ranks:
            layers.append(layer)
            continue
        own = {"name": name + _SUFFIX, "units": ranks[name], "use_bias": False, "activation": "linear"}
        kept = {
            key: value for key, value in layer["config"].items() if key in ("dtype", "trainable", "batch_input_shape")
        }
        first = {**layer, "config": {**kept, **own}}
        # What the archive says of how it was built is of the whole layer's shapes.
        second = {**layer, "config": {k: v for k, v in layer["config"].items() if k != "batch_input_shape"}}
        for each in (first, second):
            each.pop("build_config", None)
        if "name" in layer:
            first["name"] = name + _SUFFIX
            second["inbound_nodes"] = [[[name + _SUFFIX, 0, 0, {}]]]
        layers += [first, second]
    return {**config, "layers": layers}


def _factors(kernel: NDArray[Any], rank: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the two factors whose product is nearest to a kernel (Eckart-Young), of equal norms."""
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    root = np.sqrt(values[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]
