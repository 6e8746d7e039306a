"""The numeric type of a TFLite model, told from its tensors."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.convert.incoming.tflite_file import Graph, Tensor
    from workbench.core.artifact import Numeric

# Operators that multiply with weights: what flows in comes first, the weights second.
_WEIGHING = (
    "BATCH_MATMUL", "CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
)  # fmt: skip
_FEW = 16  # shapes, axes and the like


def numeric_of(graphs: Sequence[Graph]) -> Numeric:
    """Tell the numeric type, as best the file tells: that of most of the weights, for small layers stay as they were.

    Where nothing is multiplied, the constants decide.
    """
    votes: Counter[Numeric] = Counter()
    for flowing, weights in _weighed(graphs):
        votes[_vote(flowing, weights)] += math.prod(weights.shape)
    if votes:
        return votes.most_common(1)[0][0]
    kinds = {
        tensor.kind
        for graph in graphs
        for tensor in graph.tensors
        if tensor.data is not None and len(tensor.data) > _FEW
    }
    if "FLOAT16" in kinds:
        return "float16"
    return "int8" if "INT8" in kinds and "FLOAT32" not in kinds else "float32"


def _weighed(graphs: Sequence[Graph]) -> Iterator[tuple[Tensor, Tensor]]:
    """Give what flows in and the weights of each multiplication, the weights as they are stored."""
    for graph in graphs:
        # float16 weights, and integer ones that nothing calculates with, are widened by an operator of their own.
        widened = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.kind == "DEQUANTIZE" and op.outputs}
        for operator in graph.operators:
            if operator.kind not in _WEIGHING or len(operator.inputs) < 2:  # noqa: PLR2004 - input and weights
                continue
            flowing, weights = operator.inputs[:2]
            yield graph.tensors[flowing], graph.tensors[widened.get(weights, weights)]


def _vote(flowing: Tensor, weights: Tensor) -> Numeric:
    if weights.kind in ("INT4", "UINT4", "INT2"):
        return "int4"
    if weights.kind in ("INT8", "UINT8"):
        if flowing.kind == "INT16":
            return "int16x8"
        return "dynamic" if flowing.kind == "FLOAT32" else "int8"
    return "float16" if weights.kind in ("FLOAT16", "BFLOAT16") else "float32"
