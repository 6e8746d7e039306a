"""Whose fault a failed inference is: the request's where a shape or type is not the signature's, else the model's."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.status import Code, RequestError


class Refusing:
    """An engine that fails at everything but the batch of zeros that warms it up."""

    platform = "none"
    signatures: ClassVar = {DEFAULT: Signature((Tensor("x", "float32", (-1, 2)),), (Tensor("y", "float32", (-1, 2)),))}

    def run(self, signature: str, feeds: Any) -> dict[str, np.ndarray[Any, Any]]:
        assert signature == DEFAULT
        if feeds["x"].any():
            raise ValueError("/secret/kernel.cc:12 says no")
        return {"y": feeds["x"]}

    def close(self) -> None: ...


@pytest.fixture
def servable() -> Servable:
    one = Servable("m", 1, Refusing)
    one.load()
    assert one.state == "AVAILABLE"
    return one


@pytest.mark.parametrize(
    ("array", "code", "message"),
    [
        (np.ones((1, 3), np.float32), Code.INVALID_ARGUMENT, "Input x must be of shape [-1, 2] but got: [1, 3]"),
        (np.ones((1, 2), np.int64), Code.INVALID_ARGUMENT, "Input x must be of type float but got: int64"),
        (np.array([["a", "b"]], object), Code.INVALID_ARGUMENT, "Input x must be of type float but got: string"),
        (np.ones((1, 2), np.float32), Code.INTERNAL, "The model failed to run; the server's log says why"),
    ],
)
def test_whose_fault(servable: Servable, array: np.ndarray[Any, Any], code: Code, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        servable.run({"x": array})
    assert (caught.value.code, caught.value.message) == (code, message)


def test_it_answers_again_after_a_failure(servable: Servable) -> None:
    with pytest.raises(RequestError):
        servable.run({"x": np.ones((1, 2), np.float32)})
    assert servable.run({"x": np.zeros((1, 2), np.float32)})["y"].tolist() == [[0, 0]]


class Judging(Refusing):
    """An engine whose runtime says itself which shapes it takes."""

    platform = "none"
    signatures: ClassVar = {
        DEFAULT: Signature((Tensor("x", "float32", (-1, 2), advisory=True),), (Tensor("y", "float32", (-1, 2)),))
    }


def test_a_runtime_may_judge_shapes_itself() -> None:
    one = Servable("m", 1, Judging)
    one.load()
    assert one.run({"x": np.zeros(3, np.float32)})["y"].tolist() == [0, 0, 0]
    with pytest.raises(RequestError, match="must be of type float"):
        one.run({"x": np.zeros(3, np.int64)})
