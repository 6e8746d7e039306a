"""What a model's file tells of it before anything is tried, read without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.evaluate.graphs.base import readers
from workbench.evaluate.graphs.read import read_graph

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact, Format, Numeric

_TRAINED_FOR_INT8 = "QuantizeWrapper"


@dataclass(frozen=True)
class ModelFacts:
    """What converters look at when they say whether they can take a model.

    Attributes:
        format: Its format.
        numeric: Numeric type of its weights.
        operators: Its layers or operators in the file's own words, each once, in order; none where nothing here reads
            the format.
    """

    format: Format
    numeric: Numeric
    operators: tuple[str, ...] = ()

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
    operators: tuple[str, ...] = ()
    if artifact.format in readers.names():
        graph = read_graph(artifact)
        operators = tuple(dict.fromkeys(node.operator for node in graph.nodes))
    return ModelFacts(artifact.format, artifact.numeric, operators)
