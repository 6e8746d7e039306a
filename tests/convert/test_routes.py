"""The map of formats: where a model can go, how it went, and the shortest way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.convert.lite_files import flattening_file, lite_file
from workbench.convert.adopt import adopt
from workbench.convert.base import converters
from workbench.convert.edges import edges_here
from workbench.convert.facts import ModelFacts
from workbench.convert.routes import convert_along, routes, try_routes
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobFailedError
from workbench.core.records.formats import Edge, FormatMap, shortest
from workbench.report.formats import routes_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Format, Numeric
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset


def edge(source: str, target: str, tool: str = "tool", **facts: object) -> Edge:
    return Edge.from_json({"source": source, "target": target, "tool": tool, "version": "1", **facts})


def test_every_converter_has_its_edges() -> None:
    edges = edges_here()
    assert {each.target.split("/")[0] for each in edges} == set(converters.names())
    assert len({(each.source, each.target, each.tool) for each in edges}) == len(edges)
    assert all(each.available == (each.version is not None) for each in edges)


def test_the_shortest_open_way_is_found() -> None:
    edges = [edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("a", "c", available=False), edge("a", "d", "slow")]
    assert [each.target for each in shortest(edges, "a", "c") or ()] == ["b", "c"]
    assert [each.tool for each in shortest(edges, "a", "d") or ()] == ["slow"]
    assert shortest(edges, "a", "a") == ()
    assert shortest(edges, "d", "a") is None


def test_what_failed_when_it_was_tried_is_no_way() -> None:
    edges = [edge("a", "b", status="parity failed"), edge("a", "b", "other"), edge("a", "c", status="failed")]
    found = FormatMap(model="m", start="a", sha256=None, edges=tuple(edges))
    assert [each.tool for each in shortest(edges, "a", "b") or ()] == ["other"]
    assert found.reachable() == ("b",)


def test_circles_end() -> None:
    edges = [edge("a", "b"), edge("b", "a"), edge("b", "c"), edge("c", "b")]
    assert [each.target for each in shortest(edges, "a", "c") or ()] == ["b", "c"]
    assert shortest(edges, "a", "z") is None


def test_what_was_converted_before_is_on_the_map(
    trained: Artifact, converted: dict[str, Artifact], workspace: Workspace
) -> None:
    found = routes(trained, workspace=workspace)
    passed = {each.target: each for each in found.direct if each.status == "passed"}
    assert {"onnx/float32", "tflite/int8"} <= passed.keys()
    onnx = passed["onnx/float32"]
    assert onnx.artifact is not None
    made = Artifact.load(onnx.artifact)  # other tests convert the same model too
    assert (made.label, made.parent) == ("onnx/float32", converted["onnx/float32"].parent)
    assert onnx.bytes == made.path.stat().st_size
    assert onnx.parity is not None
    assert onnx.parity.logits_max_abs is not None
    assert onnx.seconds is not None


def test_the_map_goes_on_from_what_it_becomes(trained: Artifact, workspace: Workspace) -> None:
    found = routes(trained, workspace=workspace)
    assert {each.source for each in found.edges} > {trained.label, "onnx/float32", "tflite/int8"}
    assert all(each.target != trained.label for each in found.edges)
    assert "packed/int8" in found.reachable()
    path = [each.target for each in found.path("packed", "int8") or ()]
    assert path in (["tflite/int8", "packed/int8"], ["onnx/int8", "packed/int8"])


@pytest.mark.parametrize(
    ("format_", "loop", "numeric", "said"),
    [
        ("keras", ("memory", "LSTM"), "int8", r"loops over time steps \(memory, LSTM\).* onnx/int8, .*unroll=True"),
        ("keras", ("memory", "GRU"), "dynamic", ""),
        ("tf_keras", ("memory", "GRU"), "int8", "loops over time steps"),
        ("tf_keras", ("memory", "LSTM"), "int8", ""),
        ("tf_keras", ("memory", "LSTM"), "int16x8", "no 16-bit activations; int8 it has"),
        ("saved_model", ("while", "While"), "int16x8", "loops over time steps"),
        ("tflite", ("while", "WHILE"), "int8", "loops over time steps"),
        ("tflite", ("lstm", "UNIDIRECTIONAL_SEQUENCE_LSTM"), "int8", ""),
    ],
)
def test_loops_over_time_steps_have_no_integers(
    format_: Format, loop: tuple[str, str], numeric: Numeric, said: str
) -> None:
    facts = ModelFacts(format_, "float32", (loop[1],), (loop,))
    assert re.search(said, objection := converters.get("tflite").objection(facts, numeric))
    assert bool(objection) == bool(said)


def test_no_way_leads_on_over_a_packed_file(converted: dict[str, Artifact], workspace: Workspace) -> None:
    """It unpacks to the very file that was packed: a packed TFLite file is no way to Keras."""
    found = routes(converted["tflite/int8"], workspace=workspace)
    assert "packed/int8" in found.reachable()
    assert not [each for each in found.edges if each.source.startswith("packed/")]


def test_a_way_of_several_steps_is_gone(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    made = convert_along(trained, "packed", numeric="int8", dataset=digits, workspace=workspace)
    assert made.label == "packed/int8"
    assert made.parent != trained.sha256


def test_no_way_is_one_sentence(converted: dict[str, Artifact], digits: Dataset, workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match=r"format must be reachable from tflite/int8, got 'onnx/float32'"):
        convert_along(converted["tflite/int8"], "onnx", dataset=digits, workspace=workspace)


def test_what_failed_once_can_be_asked_for_again(tmp_path: Path, digits: Dataset, workspace: Workspace) -> None:
    source = tmp_path / "flattening.tflite"
    source.write_bytes(flattening_file(at_once=True))
    model = adopt(source, workspace=workspace)
    with pytest.raises(JobFailedError, match="longer than its limit"):
        convert_along(model, "packed", dataset=digits, time_limit=0.001, workspace=workspace)
    assert convert_along(model, "packed", dataset=digits, workspace=workspace).label == "packed/float32"


def test_a_path_is_no_model(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="must be an Artifact"):
        routes("model.keras", workspace=workspace)  # type: ignore[arg-type]


def test_every_edge_from_an_int8_file_is_gone(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    found = try_routes(converted["tflite/int8"], dataset=digits, workspace=workspace)
    assert found.direct
    assert {each.status for each in found.direct} == {"passed"}


def test_data_that_does_not_fit_is_told_once_and_starts_nothing(
    tmp_path: Path, digits: Dataset, workspace: Workspace
) -> None:
    source = tmp_path / "line.tflite"
    source.write_bytes(lite_file())
    line = adopt(source, workspace=workspace)
    with pytest.raises(
        BadInputError, match=r"dataset must have samples of the model's shape \(4,\), got \(28, 28, 1\)"
    ):
        try_routes(line, dataset=digits, workspace=workspace)
    assert {each.status for each in routes(line, workspace=workspace).direct} == {"untried"}


def test_a_table_of_edges_is_markdown() -> None:
    text = routes_markdown([edge("a", "b", status="failed", error="x | y")])
    head, rule, row = text.splitlines()
    assert head.count("|") == rule.count("|")
    assert "x \\| y" in row
