"""Small models written in NumPy, one for each thing the protocol can carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.serve.control import Indexed, Reload, index_of
from workbench.serve.models import Model, Models
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.status import not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Arrays = dict[str, np.ndarray[Any, Any]]

NUMBERS = {
    "BOOL": "bool",
    **{f"INT{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"float{bits}" for bits in (16, 32, 64)},
}


@dataclass
class FunctionEngine:
    """A model that is one function of arrays."""

    platform: ClassVar = "numpy"
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    function: Callable[[Mapping[str, Any]], Arrays]

    @property
    def signatures(self) -> dict[str, Signature]:
        return {DEFAULT: Signature(self.inputs, self.outputs)}

    def run(self, signature: str, feeds: Mapping[str, Any]) -> Arrays:
        assert signature == DEFAULT
        return self.function(feeds)

    def close(self) -> None:
        pass


class Shelf:
    """A control whose models leave and come back, and are never others."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def reload(self, configs: Sequence[Any]) -> Reload:
        raise NotImplementedError

    async def load(self, name: str) -> None:
        for version in self._versions(name):
            if version.state == "END":
                version.load()

    async def unload(self, name: str) -> None:
        for version in self._versions(name):
            version.close()

    def index(self) -> list[Indexed]:
        return index_of(self._models)

    def _versions(self, name: str) -> list[Servable]:
        model = self._models.model(name)
        if model is None:
            raise not_found(f"There is no model {name}")
        return list(model.versions.values())


def small_models() -> Models:
    """Each model as version 7; `double` also as 3 (older, times 30) and 9 (failed to load)."""
    x, y = Tensor("x", "float32", (-1, 2)), Tensor("y", "float32", (-1, 2))
    a, b = Tensor("a", "float32", (-1,)), Tensor("b", "int64", (-1, 2))
    s, free, scalar = (
        Tensor("s", "string", (-1,)),
        Tensor("f", "float32", (-1, -1)),
        Tensor("v", "float32", ()),
    )
    engines = {
        "double": FunctionEngine((x,), (y,), lambda f: {"y": f["x"] * 2}),
        "pair": FunctionEngine(
            (a, b),
            (Tensor("sum", "float32", (-1,)), b),
            lambda f: {"sum": (f["a"] + f["b"].sum(1)).astype(np.float32), "b": f["b"]},
        ),
        "text": FunctionEngine((s,), (s,), lambda f: {"s": f["s"]}),
        "number": FunctionEngine((scalar,), (scalar,), lambda f: {"v": np.asarray(f["v"] + 1)}),
        "free": FunctionEngine((free,), (free,), lambda f: {"f": f["f"]}),
        "crash": FunctionEngine((free,), (free,), _crash),
    }
    for datatype, dtype in NUMBERS.items():
        tensor = Tensor("x", dtype, (-1,))
        engines[datatype] = FunctionEngine((tensor,), (tensor,), lambda f: {"x": f["x"]})
    models = {name: Model({7: _servable(name, 7, engine)}) for name, engine in engines.items()}
    older = FunctionEngine((x,), (y,), lambda f: {"y": f["x"] * 30})
    models["double"].versions |= {3: _servable("double", 3, older), 9: _servable("double", 9, None)}
    return Models(models)


def _servable(name: str, version: int, engine: FunctionEngine | None) -> Servable:
    def open_engine() -> FunctionEngine:
        if engine is None:
            raise OSError("/secret/place is gone")
        return engine

    servable = Servable(name, version, open_engine)
    servable.load()
    return servable


def _crash(feeds: Mapping[str, Any]) -> Arrays:
    raise RuntimeError(f"/secret/kernel.cc:12 failed on {len(feeds)} inputs")
