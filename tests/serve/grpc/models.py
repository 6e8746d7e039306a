"""Small models written in NumPy, with every kind of signature."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.serve.numpy_models import FunctionEngine, crash, loaded, one
from workbench.serve.models import Model, Models
from workbench.serve.signature import DEFAULT, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.serve.numpy_models import Arrays

NUMBERS = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    "bool",
)


@dataclass
class Gate:
    """Holds a model until it is opened; tells when a request is inside."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        self.entered.set()
        assert self.opened.wait(30)


def same(tensor: Tensor) -> FunctionEngine:
    return one((tensor,), (tensor,), lambda feeds: {tensor.name: feeds[tensor.name]})


def double(factor: float) -> FunctionEngine:
    x, y = Tensor("x", "float32", (-1, 2)), Tensor("y", "float32", (-1, 2))
    return one((x,), (y,), lambda feeds: {"y": feeds["x"] * np.float32(factor)})


def pair() -> FunctionEngine:
    a, b = Tensor("a", "float32", (-1,)), Tensor("b", "int64", (-1, 2))
    total = Tensor("sum", "float32", (-1,))
    return one(
        (a, b),
        (total, b),
        lambda feeds: {"sum": (feeds["a"] + feeds["b"].sum(1)).astype(np.float32), "b": feeds["b"]},
    )


def fails() -> FunctionEngine:
    x = Tensor("x", "float32", (-1, -1))
    return one((x,), (x,), crash)


def slow(gate: Gate) -> FunctionEngine:
    def wait(feeds: Mapping[str, Any]) -> Arrays:
        gate.wait()
        return {"x": feeds["x"]}

    x = Tensor("x", "float32", (-1, -1))
    return one((x,), (x,), wait)


def examples() -> FunctionEngine:
    """Answers for serialised examples with the length of each: as a class, as a value, or in forms that are wrong."""
    texts = Tensor("inputs", "string", (-1,))
    classes, scores = Tensor("classes", "string", (-1, 2)), Tensor("scores", "float32", (-1, 2))
    value = Tensor("outputs", "float32", (-1, 1))

    def lengths(feeds: Mapping[str, Any]) -> Any:
        return np.array([[len(text), 1] for text in feeds["inputs"]], np.float32)

    def labels(feeds: Mapping[str, Any]) -> Any:
        return np.array([[f"long {len(text)}".encode(), b"one"] for text in feeds["inputs"]], object)

    return FunctionEngine(
        {
            DEFAULT: Signature((texts,), (classes, scores), "classify"),
            "scores": Signature((texts,), (scores,), "classify"),
            "flat": Signature((texts,), (scores,), "classify"),
            "value": Signature((texts,), (value,), "regress"),
            "values": Signature((texts,), (value,), "regress"),
            "texts": Signature((texts,), (texts,), "predict"),
        },
        {
            DEFAULT: lambda feeds: {"classes": labels(feeds), "scores": lengths(feeds)},
            "scores": lambda feeds: {"scores": lengths(feeds)},
            "flat": lambda feeds: {"scores": lengths(feeds)[:, 0]},
            "value": lambda feeds: {"outputs": lengths(feeds)[:, :1]},
            "values": lambda feeds: {"outputs": lengths(feeds)},
            "texts": lambda feeds: {"inputs": feeds["inputs"]},
        },
    )


def small_models(gate: Gate) -> Models:
    """Each model as version 7; `double` also as 3 (older, labelled `stable`) and as 9, which did not load."""
    engines = {
        "double": double(2),
        "pair": pair(),
        "texts": same(Tensor("s", "string", (-1,))),
        "scalar": same(Tensor("v", "float32", ())),
        "any": same(Tensor("x", "float32", (-1, -1))),
        "fails": fails(),
        "slow": slow(gate),
        "examples": examples(),
        **{name: same(Tensor("x", name, (-1, 2))) for name in NUMBERS},
    }
    models = {name: Model({7: loaded(name, 7, engine)}) for name, engine in engines.items()}
    models["double"].versions[3] = loaded("double", 3, double(30))
    models["double"].versions[9] = loaded("double", 9, None)
    models["double"].labels = {"stable": 3}
    return Models(models)
