"""What both Keras say of a functional model's calls, read without either."""

from typing import Any

import pytest

from workbench.convert.keras_calls import calls_of
from workbench.core.errors import BadInputError


def _tensor(layer: str, output: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [layer, 0, output]}}


def _modern(*args: Any, **kwargs: Any) -> dict[str, Any]:
    node = {"args": list(args), "kwargs": kwargs}
    return {"layers": [{"class_name": "Any", "name": "layer", "inbound_nodes": [node]}]}


def _legacy(node: Any) -> dict[str, Any]:
    return {"layers": [{"class_name": "Any", "name": "layer", "inbound_nodes": [node]}]}


A, B = ("a", 0), ("b", 0)


@pytest.mark.parametrize(
    ("config", "positional", "named"),
    [
        (_modern(_tensor("a")), (A,), {}),
        (_modern([_tensor("a"), _tensor("b")]), ([A, B],), {}),
        (_modern(_tensor("a"), _tensor("b")), (A, B), {}),
        (_modern(_tensor("a"), value=_tensor("b"), key=None), (A,), {"value": B}),
        (_modern(_tensor("a"), None, _tensor("b")), (A, None, B), {}),
        (_modern(query=_tensor("a")), (), {"query": A}),
        (_modern(_tensor("a"), training=False, mask=None), (A,), {}),
        (_legacy(["a", 0, 0, {}]), (A,), {}),
        (_legacy([["a", 0, 0, {}]]), (A,), {}),
        (_legacy([["a", 0, 0, {}], ["b", 0, 0, {}]]), ([A, B],), {}),
        (_legacy([["a", 0, 0, {"value": ["b", 0, 0], "mask": None}]]), (A,), {"value": B}),
        (_legacy([["a", 0, 0, {"others": [["a", 0, 0], ["b", 0, 0]]}]]), (A,), {"others": [A, B]}),
    ],
)
def test_a_call_is_read_as_it_was_made(config: dict[str, Any], positional: Any, named: Any) -> None:
    (call,) = calls_of(config)
    assert call.place == ("layer", 0)
    assert call.positional == positional
    assert call.named == named
    assert call.needs <= {A, B}


@pytest.mark.parametrize(
    "config", [_modern(_tensor("a"), use_causal_mask=True), _legacy([["a", 0, 0, {"use_causal_mask": True}]])]
)
def test_a_flag_that_both_know_is_handed_on(config: dict[str, Any]) -> None:
    (call,) = calls_of(config)
    asked: list[Any] = []
    assert call.made(lambda *args, **kwargs: asked.append((args, kwargs)) or "made", {A: "tensor"}) == "made"
    assert asked == [(("tensor",), {"use_causal_mask": True})]


@pytest.mark.parametrize(
    "config",
    [
        _modern(),
        _modern(2.0),
        _modern(_tensor("a"), 3),
        _modern(_tensor("a"), training=True),
        _modern(_tensor("a"), return_attention_scores=True),
        _modern(_tensor("a", output=1)),
        _modern([]),
        _modern([_tensor("a"), 1.0]),
        _legacy([]),
        _legacy([["a", 0, 1, {}]]),
        _legacy([["a", 0, 0, {"training": True}]]),
        _legacy([["a", 0, 0, {"scale": 2.0}]]),
        _legacy([["a"]]),
    ],
)
def test_what_is_more_than_that_is_refused_with_the_layer_named(config: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match="one output of other layers only, got 'layer layer'"):
        list(calls_of(config))
