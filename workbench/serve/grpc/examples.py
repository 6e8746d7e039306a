"""Classify, Regress and MultiInference: models that take serialised `tf.Example`s and answer in classes or values."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.example_results import read_classes, read_values
from workbench.serve.grpc.messages import message
from workbench.serve.grpc.model_spec import model_spec, target_of, write_spec
from workbench.serve.grpc.signature_def import METHODS
from workbench.serve.signature import DEFAULT
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from workbench.serve.grpc.call import Call
    from workbench.serve.inference import Inference
    from workbench.serve.servable import Servable
    from workbench.serve.signature import Method, Signature

    Array = np.ndarray[Any, Any]

_KINDS: dict[Method, str] = {"classify": "classification", "regress": "regression"}


class Examples:
    """Answers for the three; their words are TensorFlow Serving's."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    async def classify(self, request: Any, call: Call) -> Any:
        """Answer a `ClassificationRequest`."""
        reply = message("tensorflow.serving.ClassificationResponse")()
        await self._one("classify", request, call, reply)
        return reply

    async def regress(self, request: Any, call: Call) -> Any:
        """Answer a `RegressionRequest`."""
        reply = message("tensorflow.serving.RegressionResponse")()
        await self._one("regress", request, call, reply)
        return reply

    async def multi(self, request: Any, call: Call) -> Any:
        """Answer a `MultiInferenceRequest`: several signatures of one model on the same examples."""
        reply = message("tensorflow.serving.MultiInferenceResponse")()
        first = request.tasks[0].model_spec if request.tasks else message("tensorflow.serving.ModelSpec")()
        servable = self._inference.choose(target_of(first))
        methods = _tasks(request.tasks, servable)
        examples = _examples(request.input)
        for name, method in methods.items():
            result = reply.results.add()
            into = result.classification_result if method == "classify" else result.regression_result
            outputs = await self._run(servable, name, examples, call)
            _write(method, outputs, len(examples), into)
            write_spec(result.model_spec, servable, name)
        return reply

    async def _one(self, method: Method, request: Any, call: Call, reply: Any) -> None:
        spec = model_spec(request)
        servable = self._inference.choose(target_of(spec))
        name = spec.signature_name or DEFAULT
        if name not in servable.signatures:
            raise invalid(f"No signature was found with the name: {name}")
        _check(servable.signatures[name], method)
        examples = _examples(request.input)
        before = time.perf_counter()
        outputs = await self._run(servable, name, examples, call)
        run_seconds = time.perf_counter() - before
        _write(method, outputs, len(examples), reply.result)
        write_spec(reply.model_spec, servable, name)
        self._inference.counters.count_answer(
            servable.name,
            time.perf_counter() - call.begin,
            run_seconds,
            len(examples),
            api="GRPC",
            method=method.capitalize(),
        )

    async def _run(self, servable: Servable, name: str, examples: Array, call: Call) -> dict[str, Array]:
        (tensor,) = servable.signatures[name].inputs
        return await self._inference.run(servable, {tensor.name: examples}, name, call.deadline)


def _tasks(tasks: Any, servable: Servable) -> dict[str, Method]:
    methods: dict[str, Method] = {}
    for task in tasks:
        if not task.model_spec.name:
            raise invalid("Found ModelSpec with an empty model name.")
        if task.model_spec.name != servable.name:
            raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = task.model_spec.signature_name or DEFAULT
        if name in methods:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        method = next((each for each in _KINDS if METHODS[each] == task.method_name), None)
        if method is None:
            raise RequestError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
        _check(servable.signatures[name], method)
        methods[name] = method
    return methods


def _check(signature: Signature, method: Method) -> None:
    if signature.method != method:
        raise invalid(
            f"Expected {_KINDS[method]} signature method_name to be {METHODS[method]}. Was: {METHODS[signature.method]}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")


def _examples(given: Any) -> Array:
    kind = given.WhichOneof("kind")
    texts = list(getattr(given, kind).examples) if kind else []
    if not texts:
        raise invalid("Input is empty.")
    if kind == "example_list_with_context":
        # Messages that are joined are merged; what an example says itself comes last and holds.
        context = given.example_list_with_context.context
        texts = [context + text for text in texts]
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _write(method: Method, outputs: dict[str, Array], count: int, into: Any) -> None:
    into.SetInParent()
    if method == "regress":
        for value in read_values(outputs, count):
            into.regressions.add().value = value
        return
    for row in read_classes(outputs, count):
        classes = into.classifications.add().classes
        for label, score in row:
            classes.add(label=label, score=score)
