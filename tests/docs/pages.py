"""What README and the pages of `docs/` hold: blocks of code by their language, and commands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A# file: (\S+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Where it stands, from the project's folder.
        language: What is said behind the fence.
        text: Its lines.
        file: Where its text belongs, as its first line says; empty where it is to be run.
    """

    page: str
    language: str
    text: str
    file: str = ""


def _written_by_people() -> list[Path]:
    generated = (ROOT / "docs" / "_build", ROOT / "docs" / "know" / "reference")
    found = (path for path in (ROOT / "docs").rglob("*.md") if not any(path.is_relative_to(each) for each in generated))
    return [ROOT / "README.md", *sorted(found)]


def _block(page: str, language: str, text: str) -> Block:
    file = _FILE.match(text)
    return Block(page, language, _FILE.sub("", text), file[1] if file else "")


PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in _written_by_people()}
BLOCKS = [_block(page, *found) for page, text in PAGES.items() for found in _BLOCK.findall(text)]
PROSE = {page: _BLOCK.sub("", text) for page, text in PAGES.items()}


def blocks(page: str, language: str | None = None) -> list[Block]:
    """Return a page's blocks in their order, of one language where it is named."""
    return [each for each in BLOCKS if each.page == page and language in (None, each.language)]


def program(page: str) -> str:
    """Return what a page's Python blocks are when they are run in order: one program."""
    return "\n".join(each.text for each in blocks(page, "python") if not each.file)
