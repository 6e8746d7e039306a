"""How far the layers of two ONNX files are apart on the same samples."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.records.damage import LayerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LSTM", "GRU")
_INTEGER = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QGemm")
_BATCH = 64


class Compared(NamedTuple):
    """Errors of the layers that could be matched, and a sentence for each that could not."""

    layers: tuple[LayerError, ...]
    unmatched: tuple[str, ...]


class _Node(NamedTuple):
    layer: str
    operator: str
    output: str


def layer_errors(parent: bytes, variant: bytes, images: NDArray[np.float32]) -> Compared:
    """Compare the outputs of all layers with weights, without their activation.

    Layers are matched by the name of what they put out, the rest by their order where both graphs have the same
    operators left; the last entry is the model's own output.

    Args:
        parent: An ONNX file.
        variant: Another of the same architecture, e.g. with other weights or with QuantizeLinear nodes in between.
        images: (samples, …) what both are given.
    """
    graphs = _graph(parent), _graph(variant)
    ours, theirs = (_layers(graph) for graph in graphs)
    pairs, unmatched = _matched(ours, theirs)
    pairs.append(tuple(_Node("output", "", graph.graph.output[0].name) for graph in graphs))  # type: ignore[arg-type]
    sessions = [_Exposed(graph, [pair[side].output for pair in pairs]) for side, graph in enumerate(graphs)]
    totals = [_Total() for _ in pairs]
    for start in range(0, len(images), _BATCH):
        outputs = [session.run(images[start : start + _BATCH]) for session in sessions]
        for total, before, after in zip(totals, *outputs, strict=True):
            total.add(before, after)
    errors = []
    for (before, _), total in zip(pairs, totals, strict=True):
        if total.differs:
            unmatched.append(f"{before.layer} ({before.operator}): its outputs have other shapes in the variant")
        else:
            errors.append(total.error(before))
    return Compared(tuple(errors), tuple(unmatched))


class _Exposed:
    """A session that also gives what layers inside put out."""

    def __init__(self, model: Any, names: list[str]) -> None:
        import onnx
        import onnxruntime

        known = {each.name for each in model.graph.output}
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names) if name not in known)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._names = names

    def run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        unique = list(dict.fromkeys(self._names))
        found = dict(zip(unique, self._session.run(unique, {self._session.get_inputs()[0].name: images}), strict=True))
        return [np.asarray(found[name], np.float32) for name in self._names]


class _Total:
    """Sums over batches, so that no layer's outputs are kept."""

    def __init__(self) -> None:
        self._count = 0
        self._error = self._own = self._other = self._product = 0.0
        self.differs = False

    def add(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
        if before.shape != after.shape:
            self.differs = True
            return
        ours, theirs = before.ravel().astype(np.float64), after.ravel().astype(np.float64)
        gap = ours - theirs
        self._count += ours.size
        self._error += float(gap @ gap)
        self._own += float(ours @ ours)
        self._other += float(theirs @ theirs)
        self._product += float(ours @ theirs)

    def error(self, node: _Node) -> LayerError:
        length = math.sqrt(self._own * self._other)
        silent = self._own == self._other == 0
        return LayerError(
            layer=node.layer,
            operator=node.operator,
            mse=self._error / max(1, self._count),
            snr_db=10 * math.log10(self._own / self._error) if self._error and self._own else None,
            cosine=self._product / length if length else float(silent),
        )


def _graph(data: bytes) -> Any:
    import onnx

    return onnx.load_from_string(data)


def _layers(model: Any) -> list[_Node]:
    return [
        _Node(_layer_name(node.name or node.output[0]), node.op_type, node.output[0])
        for node in model.graph.node
        if node.op_type in (*_LAYERS, *_INTEGER)
    ]


def _layer_name(name: str) -> str:
    # tf2onnx writes `<model>/<layer>/<operation>`.
    parts = name.split("/")
    return "/".join(parts[1:-1]) or name


def _matched(ours: list[_Node], theirs: list[_Node]) -> tuple[list[tuple[_Node, _Node]], list[str]]:
    named = {node.output: node for node in theirs}
    pairs = {
        node: named[node.output]
        for node in ours
        if node.output in named and named[node.output].operator == node.operator in _LAYERS
    }
    rest = [node for node in ours if node not in pairs]
    taken = set(pairs.values())
    other = [node for node in theirs if node not in taken]
    unmatched = []
    if [node.operator for node in rest] == [node.operator for node in other]:
        pairs |= {a: b for a, b in zip(rest, other, strict=True) if a.operator in _LAYERS}
        rest = [node for node in rest if node not in pairs]
    left = Counter(node.operator for node in other)
    for node in rest:
        why = "computes in integers" if node.operator in _INTEGER else f"the variant has {_said(left)} in its place"
        unmatched.append(f"{node.layer} ({node.operator}): {why}")
    return [(node, pairs[node]) for node in ours if node in pairs], unmatched


def _said(left: Counter[str]) -> str:
    return ", ".join(f"{count} x {operator}" for operator, count in left.items()) or "nothing"
