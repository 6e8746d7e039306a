"""Plotly's script as the dashboard's server gives it: packed, and kept by the browser for as long as its version."""

from __future__ import annotations

import gzip
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from workbench.widgets.figure import plotly_script, plotly_version

if TYPE_CHECKING:
    from tests.ui.conftest import Dashboard

pytestmark = pytest.mark.ui


def test_the_script_is_packed_and_kept(dashboard: Dashboard) -> None:
    server = urlsplit(dashboard.url)
    address = f"http://{server.netloc}/workbench/plotly.min.js?v={plotly_version()}"
    asked = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:
        packed = answer.read()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "max-age=" in answer.headers["Cache-Control"]
    assert gzip.decompress(packed) == plotly_script().read_bytes()
    assert len(packed) < 2_000_000


def test_no_other_file_is_given(dashboard: Dashboard) -> None:
    server = urlsplit(dashboard.url)
    beside = plotly_script().with_name("widgetbundle.js").read_bytes()[:200]
    for path in ("widgetbundle.js", "plotly.min.js/../widgetbundle.js", "..%2fpackage_data%2fwidgetbundle.js"):
        # What is no file of the server's asks who is there.
        with urllib.request.urlopen(f"http://{server.netloc}/workbench/{path}") as answer:
            assert "/login" in answer.url
            assert beside not in answer.read()
