"""The plotly figure without a browser: what it sends, what it hears, the picture that stays in a notebook."""

from __future__ import annotations

import base64
import gzip
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from workbench.widgets.figure import Figure, plotly_script, plotly_version
from workbench.widgets.still import MOST_BYTES, open_stills

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def figure() -> Iterator[Figure]:
    made = Figure(title="Frontier")
    yield made
    made.close()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook is told to show."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("workbench.widgets.still.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda bundle, **how: told.append({"bundle": dict(bundle), **how}))
    return told


def png(pixels: bytes = b"\0\0\0\0") -> str:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")).decode()


def test_a_figure_is_shown_and_cleared(figure: Figure) -> None:
    figure.show('{"data": []}', "Nothing yet.", [{"name": "a", "label": "A"}], [{"a": 1}])
    assert (figure.figure, figure.summary, figure.rows) == ('{"data": []}', "Nothing yet.", [{"a": 1}])
    figure.clear()
    assert (figure.figure, figure.summary, figure.columns, figure.rows) == ("", "", [], [])


def test_clicks_and_brushes_are_heard_and_nonsense_is_harmless(figure: Figure) -> None:
    clicked: list[dict[str, Any]] = []
    brushed: list[list[dict[str, Any]]] = []
    figure.on_click(clicked.append)
    figure.on_select(brushed.append)
    figure._handle_custom_msg({"type": "click", "point": {"curve": 1, "point": 2, "custom": "k", "more": 3}}, [])
    figure._handle_custom_msg({"type": "click", "point": "nonsense"}, [])
    figure._handle_custom_msg({"type": "select", "points": [{"curve": 0, "point": 5, "custom": None}]}, [])
    figure._handle_custom_msg({"type": "select"}, [])
    assert clicked == [{"curve": 1, "point": 2, "custom": "k"}, {"curve": None, "point": None, "custom": None}]
    assert brushed == [[{"curve": 0, "point": 5, "custom": None}], []]


def test_the_script_is_plotlys_own_and_goes_by_message_only_when_asked(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(figure, "send", lambda content, buffers=None: sent.append((content, buffers)))
    assert len(str(figure._esm)) < 20_000
    assert figure.bundle == plotly_version()
    figure._handle_custom_msg({"type": "bundle"}, [])
    [(content, [packed])] = sent
    assert content == {"type": "bundle"}
    assert gzip.decompress(packed) == plotly_script().read_bytes()
    assert len(packed) < 2_000_000


def test_nobody_is_offered_to_upload_a_chart(figure: Figure) -> None:
    script = str(figure._esm)
    assert 'displaylogo: false, showSendToCloud: false, plotlyServerURL: ""' in script


def test_a_figure_imports_no_plotly() -> None:
    code = "import sys; from workbench.widgets.figure import Figure; Figure(); sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_picture_has_its_place_in_the_cell_and_is_renewed_there(
    figure: Figure, shown: list[dict[str, Any]]
) -> None:
    figure.show('{"data": []}', "Two points.")
    open_stills(ipywidgets.VBox([ipywidgets.Box([figure])]))
    figure._handle_custom_msg({"type": "still", "png": png(), "width": 600, "height": 360}, [])
    first, renewed = shown
    assert first["bundle"] == {"text/plain": ""}
    assert renewed["bundle"] == {"image/png": png(), "text/plain": "Two points."}
    assert renewed["metadata"] == {"image/png": {"width": 600, "height": 360, "unconfined": True}}
    assert (renewed["display_id"], renewed["update"]) == (first["display_id"], True)


def test_a_figure_that_is_in_no_cell_shows_no_picture(figure: Figure, shown: list[dict[str, Any]]) -> None:
    figure._handle_custom_msg({"type": "still", "png": png(), "width": 600, "height": 360}, [])
    assert shown == []
    open_stills(figure)  # the picture that there is already goes along
    assert set(shown[0]["bundle"]) == {"image/png", "text/plain"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"png": 5},
        {"png": "no base 64"},
        {"png": base64.b64encode(b"<script>").decode()},
        {"png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(MOST_BYTES)).decode()},
        {"png": png(), "width": 10**9},
        {"png": png(), "width": "600"},
    ],
)
def test_what_is_no_small_picture_is_not_kept(
    figure: Figure, shown: list[dict[str, Any]], wrong: dict[str, Any]
) -> None:
    open_stills(figure)
    figure._handle_custom_msg({"type": "still", "width": 600, "height": 360, **wrong}, [])
    assert len(shown) == 1
    assert figure.still.bundle == {"text/plain": ""}
