"""Names of files, folders and classes that can be shown in a sentence and written as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

_MOST_LISTED = 12


def shown(path: str | os.PathLike[str]) -> str:
    """Return a path for a sentence: line ends, bytes that are no UTF-8 and the like are escaped."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(path))


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, the first few of many."""
    every = [shown(name) for name in names]
    return ", ".join(every[:_MOST_LISTED]) + (f", … ({len(every)} in all)" if len(every) > _MOST_LISTED else "")


def is_utf8(text: str) -> bool:
    """Say whether a text can be written; a file's name may be any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def writable(path: Path) -> None:
    """Refuse a path that no file of ours could name.

    Raises:
        BadInputError: Its bytes are no UTF-8.
    """
    if not is_utf8(str(path)):
        raise BadInputError.of(shown(path), rule="must have a name in UTF-8", got=path.name, hint="rename it")
