"""Classify, Regress and MultiInference, with examples as bytes and the original's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.grpc.door import PREDICTION, Door, Refused, predict_request
from workbench.serve.grpc.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = [b"\x0a\x00", b"\x0a\x02\x0a\x00"]  # two examples, of 2 and of 4 bytes


def request_of(kind: str, model: str = "examples", signature: str = "", texts: list[bytes] | None = None) -> Any:
    request = message(f"tensorflow.serving.{kind}Request")()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(TEXTS if texts is None else texts)
    return request


def classify(small: Door, request: Any) -> Any:
    return small.ask(PREDICTION, "Classify", request, "ClassificationResponse")


def regress(small: Door, request: Any) -> Any:
    return small.ask(PREDICTION, "Regress", request, "RegressionResponse")


def classes(result: Any) -> list[list[tuple[str, float]]]:
    return [[(one.label, one.score) for one in row.classes] for row in result.classifications]


def test_classes_with_scores(small: Door) -> None:
    reply = classify(small, request_of("Classification"))
    assert classes(reply.result) == [[("long 2", 2), ("one", 1)], [("long 4", 4), ("one", 1)]]
    spec = reply.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("examples", 7, "serving_default")


def test_scores_alone_have_no_labels(small: Door) -> None:
    reply = classify(small, request_of("Classification", signature="scores"))
    assert classes(reply.result) == [[("", 2), ("", 1)], [("", 4), ("", 1)]]


def test_values(small: Door) -> None:
    reply = regress(small, request_of("Regression", signature="value"))
    assert [one.value for one in reply.result.regressions] == [2, 4]


def test_a_context_is_part_of_every_example(small: Door) -> None:
    request = request_of("Regression", signature="value")
    request.input.example_list_with_context.context = b"\x0a\x00"
    request.input.example_list_with_context.examples.extend(TEXTS)
    assert [one.value for one in regress(small, request).result.regressions] == [4, 6]


def test_predict_takes_examples_too(small: Door) -> None:
    import numpy as np

    texts = np.array(TEXTS, object)
    reply = small.predict(predict_request("examples", signature="value", inputs=texts))
    assert list(reply.outputs["outputs"].float_val) == [2, 4]


REFUSALS: list[tuple[str, Callable[[Door, Any], Any], Any, str]] = [
    ("unknown signature", classify, request_of("Classification", signature="none"),
     "No signature was found with the name: none"),
    ("a signature of another method", classify, request_of("Classification", signature="value"),
     ("Expected classification signature method_name to be tensorflow/serving/classify."
      " Was: tensorflow/serving/regress")),
    ("a signature to predict", regress, request_of("Regression", model="double"),
     ("Expected regression signature method_name to be tensorflow/serving/regress."
      " Was: tensorflow/serving/predict")),
    ("no examples", classify, request_of("Classification", texts=[]), "Input is empty."),
    ("no matrix", classify, request_of("Classification", signature="flat"),
     "Expected Tensor shape: [batch_size num_classes] but got [2]"),
    ("two values an example", regress, request_of("Regression", signature="values"),
     "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "request_", "words"), [each[1:] for each in REFUSALS],
                         ids=[each[0] for each in REFUSALS])  # fmt: skip
def test_refusals(small: Door, verb: Callable[[Door, Any], Any], request_: Any, words: str) -> None:
    with pytest.raises(Refused) as refused:
        verb(small, request_)
    assert (refused.value.code, refused.value.details) == ("INVALID_ARGUMENT", words)


def multi(*tasks: tuple[str, str, str]) -> Any:
    request = message("tensorflow.serving.MultiInferenceRequest")()
    request.input.example_list.examples.extend(TEXTS)
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = model, signature
    return request


def infer(small: Door, request: Any) -> Any:
    return small.ask(PREDICTION, "MultiInference", request, "MultiInferenceResponse")


def test_several_signatures_on_the_same_examples(small: Door) -> None:
    reply = infer(small, multi(("examples", "value", "regress"), ("examples", "", "classify")))
    first, second = reply.results
    assert [one.value for one in first.regression_result.regressions] == [2, 4]
    assert classes(second.classification_result)[0] == [("long 2", 2), ("one", 1)]
    assert [one.model_spec.signature_name for one in reply.results] == ["value", "serving_default"]


MULTI_REFUSALS = [
    ("nothing", multi(), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    ("no name", multi(("examples", "", "classify"), ("", "value", "regress")), "INVALID_ARGUMENT",
     "Found ModelSpec with an empty model name."),
    ("two models", multi(("examples", "", "classify"), ("double", "", "regress")), "INVALID_ARGUMENT",
     "All ModelSpecs in a MultiInferenceRequest must access the same model name."),
    ("twice", multi(("examples", "", "classify"), ("examples", "serving_default", "classify")), "INVALID_ARGUMENT",
     "Duplicate evaluation of signature: serving_default"),
    ("unknown", multi(("examples", "none", "classify")), "INVALID_ARGUMENT",
     "Requested signature not found in model graph: none"),
    ("to predict", multi(("examples", "", "predict")), "UNIMPLEMENTED",
     "Unsupported signature method_name: tensorflow/serving/predict"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "code", "words"), [each[1:] for each in MULTI_REFUSALS],
                         ids=[each[0] for each in MULTI_REFUSALS])  # fmt: skip
def test_refusals_of_several(small: Door, request_: Any, code: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        infer(small, request_)
    assert (refused.value.code, refused.value.details) == (code, words)
