"""A space from a file, or from words of a command line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.sweep.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_space(
    path: str | Path | None, methods: Sequence[str] = (), axes: Sequence[str] = (), *, trained: bool = False
) -> Space:
    """Read a space.

    Args:
        path: A `.json` or `.toml` file; None where words say all.
        methods: Names of methods in order, where there is no file.
        axes: `step.setting=value,value,…`; `none` leaves a step out. They come on top of the file's.
        trained: Whether the parent is trained for the space, also where it says nothing of training.

    Raises:
        BadInputError: The file cannot be read or is no space, or a word is malformed.
    """
    if path is not None and methods:
        raise BadInputError.of("method", rule="must not be given beside a file", got=list(methods))
    value = _parsed(Path(path)) if path is not None else {"chain": list(methods)}
    if not isinstance(value, dict):
        raise BadInputError.of("space", rule="must be an object", got=value)
    spoken = dict(_axis(text) for text in axes)
    written = value.get("axes", {})
    if spoken and isinstance(written, dict):  # what is no object is refused below
        value = {**value, "axes": {**written, **spoken}}
    if trained:
        value = {"train": {}, **value}
    return Space.from_json(value)


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInputError.of(
            "space", rule="must be a JSON or TOML file", got=str(path), hint=f"it cannot be read: {error}"
        ) from error


def _axis(text: str) -> tuple[str, list[Any]]:
    name, sign, values = text.partition("=")
    if not sign or not name.strip() or not values.strip():
        raise BadInputError.of("axis", rule="must be step.setting=value,value,…", got=text)
    return name.strip(), [_value(each.strip()) for each in values.split(",")]


def _value(text: str) -> Any:
    if text == "none":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text  # a word such as int8
