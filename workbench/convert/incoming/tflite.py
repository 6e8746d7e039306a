"""TFLite models of any maker."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from workbench.convert.incoming.base import Arrival, Brought, Incoming
from workbench.convert.incoming.tflite_file import IDENTIFIER, Graph, read
from workbench.convert.incoming.tflite_numeric import numeric_of
from workbench.convert.incoming.trial import answer_noise
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "model.tflite"
_PLACE = slice(4, 8)
# Values that have nothing to do with numbers.
_NO_NUMBERS = ("STRING", "RESOURCE", "VARIANT")


class TfliteIncoming(Incoming):
    """Stays as it is, byte for byte."""

    described: ClassVar[str] = "a .tflite file"
    ending: ClassVar[str] = ".tflite"

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether the flatbuffer names itself TFLite's."""
        del path
        return start[_PLACE] == IDENTIFIER

    def examine(self, arrival: Arrival) -> tuple[Graph, ...]:
        """Return its graphs, after LiteRT has opened it and calculated once."""
        graphs = read(arrival.path)
        _require_one_in_one_out(graphs[0], arrival.path)
        _run_once(arrival.path)
        return graphs

    def bring_in(self, arrival: Arrival) -> Brought:
        """Examine it and keep the file."""
        graphs = self.examine(arrival)
        shutil.copyfile(arrival.path, arrival.target / MODEL)
        numeric = numeric_of(graphs)
        inputs, outputs = answer_noise(arrival, MODEL, "tflite", numeric)
        return Brought(
            file=MODEL,
            format="tflite",
            numeric=numeric,
            inputs=inputs,
            outputs=outputs,
            settings={"source": "tflite"},
            metrics={"operators": dict(Counter(each.kind for graph in graphs for each in graph.operators))},
        )


def _require_one_in_one_out(graph: Graph, path: Path) -> None:
    for side, places in (("input", graph.inputs), ("output", graph.outputs)):
        tensors = [graph.tensors[place] for place in places]
        if len(tensors) != 1:
            raise BadInputError.of(
                str(path), rule=f"must have one {side}", got=[each.name for each in tensors],
                hint="convert a model of one tensor in and one out",
            )  # fmt: skip
        if tensors[0].kind in _NO_NUMBERS:
            raise BadInputError.of(str(path), rule=f"must have numbers as {side}", got=tensors[0].kind.lower())


def _run_once(path: Path) -> None:
    """Calculate with zeros, which is what fresh input tensors hold."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=path.read_bytes(), num_threads=1)
        interpreter.allocate_tensors()
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInputError.of(str(path), rule="must be a model that LiteRT can run", got=reason) from error
