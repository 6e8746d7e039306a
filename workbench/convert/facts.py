"""What a model's file tells of it before anything is tried, read without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.evaluate.graphs.base import readers
from workbench.evaluate.graphs.read import read_graph

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact, Format, Numeric
    from workbench.evaluate.graphs.base import GraphNode

_TRAINED_FOR_INT8 = "QuantizeWrapper"
# Of TFLite, and of a SavedModel that Keras 3 wrote; those of tf_keras have a `StatelessWhile`, LSTM or not.
_LOOPS = ("WHILE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "While")
_RECURRENT = ("LSTM", "GRU", "SimpleRNN")


@dataclass(frozen=True)
class ModelFacts:
    """What converters look at when they say whether they can take a model.

    Attributes:
        format: Its format.
        numeric: Numeric type of its weights.
        operators: Its layers or operators in the file's own words, each once, in order; none where nothing here reads
            the format.
        loops: Name and operator of what goes over time steps one after the other.
    """

    format: Format
    numeric: Numeric
    operators: tuple[str, ...] = ()
    loops: tuple[tuple[str, str], ...] = ()

    @property
    def quantization_aware(self) -> bool:
        """Whether it was trained with the quantization it is to have, and still holds its ranges."""
        return any(name.startswith(_TRAINED_FOR_INT8) for name in self.operators)


def facts_of(artifact: Artifact) -> ModelFacts:
    """Read what a model's file tells.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: It cannot be read.
    """
    artifact.verify()
    if artifact.format not in readers.names():
        return ModelFacts(artifact.format, artifact.numeric)
    nodes = read_graph(artifact).nodes
    operators = tuple(dict.fromkeys(node.operator for node in nodes))
    loops = tuple((node.name, node.operator) for node in nodes if _loops(node))
    return ModelFacts(artifact.format, artifact.numeric, operators, loops)


def _loops(node: GraphNode) -> bool:
    return node.operator in _LOOPS or (node.operator in _RECURRENT and not node.attributes.get("unroll"))
