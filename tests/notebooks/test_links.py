"""Links of the notebooks, README and the documents: what they name is there; others are whole https addresses."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
# Written when the documents are built, by code that is tested there.
GENERATED = (ROOT / "docs" / "_build", ROOT / "docs" / "know" / "reference")
_READER = MarkdownIt("commonmark", {"linkify": False}).enable("table")
_IN_HTML = re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=[\"']([^\"']+)")
_OPENED = re.compile(r"\?urlpath=(?:lab/tree|voila/render)/([\w./-]+)")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def pages() -> list[Path]:
    found = [*(ROOT / "notebooks").rglob("*.ipynb"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    hidden = (path for path in found if ".ipynb_checkpoints" not in path.parts)
    return sorted(path for path in hidden if not any(path.is_relative_to(each) for each in GENERATED))


def prose(path: Path) -> str:
    """Return a page's Markdown; a notebook's is that of its cells."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return path.read_text(encoding="utf-8")


def tokens(text: str) -> Iterator[Token]:
    for token in _READER.parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    """Return where a text's links and pictures lead; blocks of code have none."""
    found = [str(at) for token in tokens(text) for at in (token.attrGet("href"), token.attrGet("src")) if at]
    html = [token.content for token in tokens(text) if token.type in ("html_block", "html_inline")]
    return found + [at for piece in html for at in _IN_HTML.findall(piece)]


def anchors(path: Path) -> set[str]:
    """Return what may stand behind `#`: JupyterLab keeps a heading's letters as they are, pages make them small."""
    parsed = _READER.parse(prose(path))
    headings = [
        "".join(child.content for child in line.children or ())
        for opening, line in itertools.pairwise(parsed)
        if opening.type == "heading_open"
    ]
    if path.suffix == ".ipynb":
        return {heading.replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fault(page: Path, link: str) -> str | None:
    """Return what is wrong with a page's link; nothing is asked of the network."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        whole = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) and not re.search(r"\s", unquote(link))
        return None if whole else "leads elsewhere and is no whole https address"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(ROOT):
        return "leads out of the project"
    if any(target.is_relative_to(each) for each in GENERATED):
        return None  # the strict build checks it
    if not target.exists():
        return "is not there"
    if parts.fragment and unquote(parts.fragment) not in anchors(target):
        return "has no such heading"
    return None


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = prose(page)
    faults = {link: said for link in links(text) if (said := fault(page, link))}
    assert faults == {}
    # Addresses behind a hub's own, which begin at the project's folder.
    assert [path for path in _OPENED.findall(text) if not (ROOT / path).is_file()] == []


def test_links_are_found_and_code_has_none() -> None:
    text = (
        '[a](b.md) ![c](d.png) <https://e.org/> [f][g]\n\n<a href="h.md">h</a>\n\n| i |\n|---|\n| [j](k.md) |\n\n'
        "`[l](m.md)`\n\n```\n[n](o.md)\n```\n\n[g]: p.md#q\n"
    )
    assert sorted(links(text)) == ["b.md", "d.png", "h.md", "https://e.org/", "k.md", "p.md#q"]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("docs/nowhere.md", "is not there"),
        ("docs/index.md#no-such-heading", "has no such heading"),
        ("#no-such-heading", "has no such heading"),
        ("../../elsewhere.md", "leads out of the project"),
        ("http://example.org/", "leads elsewhere and is no whole https address"),
        ("https://", "leads elsewhere and is no whole https address"),
        ("https://exa mple.org/", "leads elsewhere and is no whole https address"),
        ("https://example.org/a%20b", "leads elsewhere and is no whole https address"),
        ("//example.org/", "leads elsewhere and is no whole https address"),
        ("https://example.org/a?b=c#d", None),
        ("docs/index.md", None),
        ("docs/", None),
    ],
)
def test_a_broken_link_is_told(link: str, said: str | None) -> None:
    assert fault(ROOT / "README.md", link) == said


def test_headings_are_anchors(tmp_path: Path) -> None:
    page, book = tmp_path / "page.md", tmp_path / "book.ipynb"
    page.write_text("# One `word`: two\n\n```\n# none\n```\n\n## 模型 A\n", encoding="utf-8")
    cell = nbformat.v4.new_markdown_cell("## One two")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), book)
    assert anchors(page) == {"one-word-two", "模型-a"}
    assert anchors(book) == {"One-two"}
