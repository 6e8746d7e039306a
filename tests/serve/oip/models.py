"""Small models written in NumPy, one for each thing the protocol can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.serve.numpy_models import crash, loaded, one
from workbench.serve.control import Indexed, Reload, index_of
from workbench.serve.models import Model, Models
from workbench.serve.signature import Tensor
from workbench.serve.status import not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.servable import Servable

NUMBERS = {
    "BOOL": "bool",
    **{f"INT{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"float{bits}" for bits in (16, 32, 64)},
}


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
        "double": one((x,), (y,), lambda f: {"y": f["x"] * 2}),
        "pair": one(
            (a, b),
            (Tensor("sum", "float32", (-1,)), b),
            lambda f: {"sum": (f["a"] + f["b"].sum(1)).astype(np.float32), "b": f["b"]},
        ),
        "text": one((s,), (s,), lambda f: {"s": f["s"]}),
        "number": one((scalar,), (scalar,), lambda f: {"v": np.asarray(f["v"] + 1)}),
        "free": one((free,), (free,), lambda f: {"f": f["f"]}),
        "crash": one((free,), (free,), crash),
    }
    for datatype, dtype in NUMBERS.items():
        tensor = Tensor("x", dtype, (-1,))
        engines[datatype] = one((tensor,), (tensor,), lambda f: {"x": f["x"]})
    models = {name: Model({7: loaded(name, 7, engine)}) for name, engine in engines.items()}
    older = one((x,), (y,), lambda f: {"y": f["x"] * 30})
    models["double"].versions |= {3: loaded("double", 3, older), 9: loaded("double", 9, None)}
    return Models(models)
