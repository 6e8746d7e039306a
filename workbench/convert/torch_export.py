"""ONNX of a `torch.export` program, by either of torch's two exporters."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from workbench.convert.base import Tool
from workbench.convert.settings import ConvertSettings
from workbench.convert.source import OUTPUT
from workbench.core.errors import WorkbenchError
from workbench.datasets.kinds import input_name
from workbench.evaluate.runtimes.torch import load_program, specs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact
    from workbench.evaluate.runtimes.base import TensorSpec

DYNAMO = Tool(
    "torch-dynamo", "onnxscript", "torch",
    "It writes version 18 of the operator set or later; what it does to reach an older one fails for most models.",
)  # fmt: skip
CLASSIC = Tool(
    "torch-classic", "torch", "torch",
    "Torch itself has given it up for the other one; it writes old versions of the operator set, from 9 on.",
)  # fmt: skip
TOOLS = (DYNAMO, CLASSIC)

_DYNAMO_OPSETS, _CLASSIC_LATEST = (18, 23), 18
_USUAL_OPSET = ConvertSettings.model_fields["opset"].default
_BATCH = "batch"
# Sizes stay part of a traced graph only through a tensor's own methods; as torch's operations, they are taken for
# the numbers that they are in the example.
_METHODS = {"sym_size.int": "size", "view.default": "view", "reshape.default": "reshape", "expand.default": "expand"}
_FUNCTIONS = {"zeros.default": "zeros", "ones.default": "ones", "full.default": "full"}


def exported(artifact: Artifact, settings: ConvertSettings) -> tuple[Any, list[str]]:
    """Return a float32 `onnx.ModelProto` with a free batch axis where the program's is, and what there is to note.

    Args:
        artifact: Of the format `torch`.
        settings: `tool` is the name of one of `TOOLS`, or None for the first.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        MissingExtraError: PyTorch is not installed.
        WorkbenchError: The exporter cannot write this operator set.
    """
    program = load_program(artifact)
    by = _by_classic if settings.tool == CLASSIC.name else _by_dynamo
    with warnings.catch_warnings():
        # That the one is new, the other old, and torch's own parts to each other.
        warnings.simplefilter("ignore")
        return by(program, settings.opset)


def _by_dynamo(program: Any, opset: int) -> tuple[Any, list[str]]:
    import torch

    earliest, latest = _DYNAMO_OPSETS
    if opset < earliest and opset != _USUAL_OPSET:
        # No fault of the model: the other exporter may try.
        raise WorkbenchError(
            f"opset must be at least {earliest} for {DYNAMO.name}, got {opset}; convert with tool='{CLASSIC.name}'."
        )
    version = min(max(opset, earliest), latest)
    name = input_name(specs_of(program)[0][0].shape[1:])
    made: Any = torch.onnx.export(
        program, (), dynamo=True, opset_version=version, input_names=[name], output_names=[OUTPUT], verbose=False
    )
    model = made.model_proto
    _tidy(model)
    notes = [f"It has version {version} of the operator set, the oldest that {DYNAMO.name} writes."]
    return _later(model, opset, latest), notes if opset < earliest else []


def _by_classic(program: Any, opset: int) -> tuple[Any, list[str]]:
    import onnx
    import torch

    (given,), _ = specs_of(program)
    name = input_name(given.shape[1:])
    free = {name: {0: _BATCH}, OUTPUT: {0: _BATCH}} if given.shape[0] < 0 else {}
    buffer: Any = io.BytesIO()
    with torch.no_grad():
        torch.onnx.export(
            _traceable(program), (_example(given),), buffer, dynamo=False, opset_version=min(opset, _CLASSIC_LATEST),
            input_names=[name], output_names=[OUTPUT], dynamic_axes=free,
        )  # fmt: skip
    return _later(onnx.load_from_string(buffer.getvalue()), opset, _CLASSIC_LATEST), []


def _traceable(program: Any) -> Any:
    """Return the program as a module that the old tracer can follow."""
    import torch

    inner = program.module(check_guards=False)
    for node in inner.graph.nodes:
        name = str(node.target).removeprefix("aten.") if node.op == "call_function" else ""
        if name in _METHODS:
            node.op, node.target = "call_method", _METHODS[name]
        elif name in _FUNCTIONS:
            node.target = getattr(torch, _FUNCTIONS[name])
    inner.recompile()

    class Traceable(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.program = inner

        def train(self, mode: bool = True) -> Any:  # noqa: FBT001, FBT002 - the face of all modules
            # A program has one mode only, and refuses to be told of it.
            self.training = mode
            return self

        def forward(self, image: Any) -> Any:
            # Called as a module, it would check its input in a way that cannot be traced.
            return self.program.forward(image)

    return Traceable().eval()


def _example(spec: TensorSpec) -> Any:
    """Return a batch to trace with; nothing of it is kept."""
    import torch

    shape = [axis if axis > 0 else 2 for axis in spec.shape]
    dtype = getattr(torch, spec.dtype)
    return torch.rand(shape).to(dtype) if dtype.is_floating_point else torch.zeros(shape, dtype=dtype)


def _later(model: Any, opset: int, latest: int) -> Any:
    """Bring the model to an operator set that is later than what the exporter writes."""
    import onnx

    return onnx.version_converter.convert_version(model, opset) if opset > latest else model


def _tidy(model: Any) -> None:
    """Call the batch axis by its name, and leave out what torch notes of each node for its developers."""
    graph = model.graph
    axes = graph.input[0].type.tensor_type.shape.dim
    number = axes[0].dim_param if axes else ""
    for value in (*graph.input, *graph.output, *graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if number and axis.dim_param == number:
                axis.dim_param = _BATCH
    for part in _noted(graph):
        del part.metadata_props[:]
        part.doc_string = ""
    graph.doc_string = ""


def _noted(graph: Any) -> Iterator[Any]:
    yield from graph.node
    yield from graph.value_info
    yield from graph.input
    yield from graph.output
    yield from graph.initializer
