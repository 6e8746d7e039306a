"""Links of the notebooks: what they point at in the project is there, and what lies elsewhere has a whole address."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").rglob("*.ipynb"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(https?://[^\s)`>\"']+)")


def faults(path: Path, text: str) -> list[str]:
    """Return what is wrong with the links of a text that stands in a file."""
    found = [first or second for first, second in LINK.findall(text)]
    return [link for link in found if not _is_whole(link) and not _is_there(path, link)]


def _is_whole(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme == "https" and "." in parts.netloc


def _is_there(path: Path, link: str) -> bool:
    return not urlsplit(link).scheme and (path.parent / link.partition("#")[0]).exists()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_links_lead_somewhere(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert faults(path, "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[next](nowhere.ipynb) and https://host/x", ["nowhere.ipynb", "https://host/x"]),
        ("http://a.plain.example/x", ["http://a.plain.example/x"]),
        ("[this](test_links.py#faults), [that](https://an.example/page)", []),
    ],
)
def test_a_link_to_nowhere_is_found(text: str, wrong: list[str]) -> None:
    assert faults(Path(__file__), text) == wrong
