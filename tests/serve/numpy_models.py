"""Models written in NumPy, in the place of an engine and in that of a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass
class FunctionEngine:
    """A model of one function a signature."""

    platform: ClassVar = "numpy"
    signatures: dict[str, Signature]
    functions: dict[str, Callable[[Mapping[str, Any]], Arrays]]

    def run(self, signature: str, feeds: Mapping[str, Any]) -> Arrays:
        return self.functions[signature](feeds)

    def close(self) -> None:
        pass


def one(
    inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], function: Callable[[Mapping[str, Any]], Arrays]
) -> FunctionEngine:
    """A model that is one function of arrays."""
    return FunctionEngine({DEFAULT: Signature(inputs, outputs)}, {DEFAULT: function})


def crash(feeds: Mapping[str, Any]) -> Arrays:
    """What fails, in words that no client may see."""
    raise RuntimeError(f"/secret/kernel.cc:12 node Conv_3 failed on {len(feeds)} inputs")


def loaded(name: str, version: int, engine: FunctionEngine | None) -> Servable:
    servable = loading(name, version, engine)
    servable.load()
    return servable


def loading(name: str, version: int, engine: FunctionEngine | None) -> Servable:
    """A version that is not loaded yet; without an engine it cannot be."""

    def open_engine() -> FunctionEngine:
        if engine is None:
            raise OSError("/secret/place is gone")
        return engine

    return Servable(name, version, open_engine)
