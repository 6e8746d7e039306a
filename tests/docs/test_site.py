"""The pages as Sphinx builds them: nothing missing, nothing from elsewhere; the reference says what the code says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.docs.pages import PAGES, ROOT
from workbench.compress.base import methods
from workbench.convert.base import converters

DOCS = ROOT / "docs"
LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"((?:https?:)?//[^\"]+)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    built = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning", "--keep-going", "--nitpicky",
         "--quiet", "--doctree-dir", str(built / "trees"), str(DOCS), str(built / "html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return built / "html"


@pytest.mark.thorough
def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    assert {page.name: found for page in pages if (found := LOADED.findall(page.read_text(encoding="utf-8")))} == {}
    styles = "\n".join(sheet.read_text(encoding="utf-8") for sheet in (site / "_static").rglob("*.css"))
    assert re.findall(r"url\([\"']?https?:[^)]*\)|@import[^;]*https?:[^;]*", styles) == []


@pytest.mark.thorough
def test_the_reference_names_what_is_declared(site: Path) -> None:
    text = {page.stem: page.read_text(encoding="utf-8") for page in (site / "know" / "reference").glob("*.html")}
    assert [name for name in wb.__all__ if f"<h2>{name}<" not in text["python"]] == []
    assert [name for name in (*methods.names(), *converters.names()) if f">{name}<" not in text["units"]] == []
    for flag in ("--sparsity", "--request-log", "--react"):
        assert f">{flag}<" in text["commands"]
    assert ">sparsity_by_layer<" in text["settings"]


def test_what_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGES["README.md"])
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
