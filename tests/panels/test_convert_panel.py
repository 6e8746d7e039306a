"""The conversion panel: the map, one way and all of them, the difference of two graphs, the file."""

from __future__ import annotations

import threading
import time
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Parity
from workbench.core.records.formats import Edge, FormatMap
from workbench.panels.convert import ConvertPanel
from workbench.panels.parts.convert_runs import packed_for_download
from workbench.panels.parts.format_ways import drawn, made_of, open_edges, reach, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.workspace import Workspace

PARITY = Parity(
    source="a/float32", target="b/int8", samples=100, max_abs=0.1, mean_abs=0.01, agreement=0.996, worst=3,
    max_abs_limit=None, min_agreement=0.99, passed=True, logits_max_abs=None, logits_mean_abs=None,
    probabilities_max_abs=0.1, probabilities_mean_abs=0.01,
)  # fmt: skip


def edge(source: str, target: str, tool: str = "usual", **more: Any) -> Edge:
    return Edge(source=source, target=target, tool=tool, version="1", **more)


FOUND = FormatMap(
    model="model", start="tf_keras/float32", sha256="0",
    edges=(
        edge("tf_keras/float32", "tflite/int8", status="passed", artifact="/made", bytes=20_000, parity=PARITY),
        edge("tf_keras/float32", "tflite/int8", "other"),
        edge("tf_keras/float32", "onnx/int8", status="failed", error="it rained"),
        edge("tf_keras/float32", "h5/float32", available=False, reason="no"),
        edge("tflite/int8", "c_array/int8"),
        edge("onnx/int8", "packed/int8"),
    ),
)  # fmt: skip


def settled(panel: ConvertPanel, happened: Callable[[], bool]) -> None:
    """Wait until the panel's background work has brought something about."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end, panel.errors.message
        for thread in threading.enumerate():
            if thread.name == "workbench-background" and thread.ident is not None:  # one without is about to start
                thread.join(60)


def test_the_map_shows_what_was_measured_and_what_lies_behind_what_was_made() -> None:
    nodes, ways = drawn(FOUND)
    assert [(node["id"], node["column"]) for node in nodes] == [
        ("tf_keras/float32", 0), ("tflite/int8", 1), ("onnx/int8", 1), ("h5/float32", 1), ("c_array/int8", 2),
    ]  # fmt: skip
    assert [(way["target"], way["tone"], way["label"]) for way in ways] == [
        ("tflite/int8", "good", "99.6 %"), ("onnx/int8", "bad", "failed"), ("h5/float32", "closed", "closed"),
        ("c_array/int8", "open", ""),
    ]  # fmt: skip
    assert nodes[1]["said"] == "tflite/int8, passed, 99.6 % of the labels equal, 20.0 kB"
    assert nodes[2]["title"] == "it rained"


def test_a_way_has_a_row_for_each_program_and_all_means_what_is_open() -> None:
    found = rows(reach(FOUND, "tflite/int8"))
    assert [(row["tool"], row["status"], row["size"]) for row in found] == [
        ("usual 1", "passed", "20.0 kB"), ("other 1", "not tried", "–"),
    ]  # fmt: skip
    assert [each.target for each in open_edges(FOUND)] == ["onnx/int8"]
    made = made_of(reach(FOUND, "tflite/int8"))
    assert made is not None
    assert made.artifact == "/made"
    assert reach(FOUND, "packed/int8") == []


def test_a_choice_on_the_map_is_a_choice_in_the_form(fresh_workspace: Workspace) -> None:
    panel = ConvertPanel(workspace=fresh_workspace)
    panel._show(FOUND)
    panel._view.map._handle_custom_msg({"type": "choose", "id": "onnx/int8"}, [])
    assert (panel.form.values["format"], panel.form.values["numeric"]) == ("onnx", "int8")
    assert panel._view.remarks.items == [{"topic": "usual 1", "text": "it rained"}]
    assert "wb.convert(model, format='onnx', numeric='int8')" in panel.code()
    panel._view.map._handle_custom_msg({"type": "choose", "id": "c_array/int8"}, [])
    assert "wb.convert_along(model, format='c_array', numeric='int8')" in panel.code()
    again = ConvertPanel.from_code(panel.code(), workspace=fresh_workspace)
    assert again.settings == panel.settings
    for one in (panel, again):
        one.close()


def test_a_folder_without_a_model_is_named_beside_the_control(fresh_workspace: Workspace) -> None:
    panel = ConvertPanel(artifact="/models/none", workspace=fresh_workspace)
    settled(panel, lambda: "must be a folder with a manifest.json" in panel.form.widget.errors.get("artifact", ""))
    assert panel._view.map.nodes == []
    panel.close()


def test_a_viewers_page_converts_nothing(fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_ROLE", "viewer")
    panel = ConvertPanel(workspace=fresh_workspace)
    for name in ("convert", "all"):
        panel.errors.clear()
        panel._view.actions._handle_custom_msg({"type": "press", "name": name}, [])
        assert "must be an operator's" in panel.errors.message
    panel.close()
    monkeypatch.delenv("WORKBENCH_ROLE")


def test_a_folder_is_sent_as_an_archive_and_what_is_too_large_says_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "index").write_bytes(b"weights")
    made = Artifact.write(tmp_path, file="model", name="m", format="saved_model", numeric="float32")
    name, data, media = packed_for_download(made)
    assert (name, media) == ("m-saved_model-float32.zip", "application/zip")
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["model/saved_model.pb", "model/variables/index"]
    monkeypatch.setattr("workbench.panels.parts.convert_runs.MOST_BYTES", 3)
    with pytest.raises(BadInputError, match=r"must have at most 3 bytes .*it lies in"):
        packed_for_download(made)


@pytest.mark.thorough
def test_a_way_is_gone_compared_and_given_to_the_page(
    trained: Artifact, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = ConvertPanel(artifact=str(trained.folder), workspace=workspace)
    panel.form.write({"format": "tflite", "numeric": "float16"})
    settled(panel, lambda: panel.found is not None)
    ended = threading.Event()
    panel._view.line.observe(lambda change: ended.set() if "1 of 1" in change["new"] else None, "text")
    panel._view.actions._handle_custom_msg({"type": "press", "name": "convert"}, [])
    assert ended.wait(300), panel.errors.message
    settled(panel, lambda: panel._made is not None)
    made = Artifact.load(panel.session.variants["tflite/float16"])
    assert made.parent == trained.sha256
    panel._view.results._handle_custom_msg({"type": "press", "name": "diff"}, [])
    settled(panel, lambda: bool(panel._view.diff.weights.rows))
    sent: list[Any] = []
    monkeypatch.setattr(panel._view.download, "send", lambda _content, buffers: sent.append(buffers[0]))
    panel._view.results._handle_custom_msg({"type": "press", "name": "download"}, [])
    settled(panel, lambda: bool(sent))
    assert sent[0] == made.path.read_bytes()
    panel._view.results._handle_custom_msg({"type": "press", "name": "use"}, [])
    assert panel.session.artifact == str(made.folder)
    panel.close()
