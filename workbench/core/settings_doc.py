"""The part of a settings class' docstring that its declared fields make by themselves."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

_TITLE = "Settings:"
_WIDTH = 110
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def with_settings(doc: str | None, fields: Mapping[str, FieldInfo]) -> str | None:
    """Return a docstring with a section that lists settings: what each means, its default, choices and bounds.

    Args:
        doc: The docstring as it was written; None where there is none.
        fields: The settings in order.
    """
    described = {name: info for name, info in fields.items() if info.description}
    if doc is None or not described:
        return doc
    lines = [_TITLE]
    for name, info in described.items():
        words = f"{name}: {(info.description or '').rstrip('.')}{_facts(info)}."
        lines += textwrap.wrap(words, _WIDTH, initial_indent="    ", subsequent_indent="        ")
    return "\n".join([inspect.cleandoc(doc), "", *lines])


def facts_of(info: FieldInfo) -> str:
    """Return a setting's default, choices and bounds in words; nothing where it has none.

    Args:
        info: The setting as it is declared.
    """
    default = "required" if info.is_required() else _default(info)
    return "; ".join(fact for fact in (default, _choices(info.annotation), _bounds(info)) if fact)


def _facts(info: FieldInfo) -> str:
    facts = facts_of(info)
    return f" ({facts})" if facts else ""


def _default(info: FieldInfo) -> str:
    # A default that is made of other settings is known only with them.
    value = info.default if info.default_factory_takes_validated_data else info.get_default(call_default_factory=True)
    return "" if value is PydanticUndefined else f"default {value!r}"


def _choices(annotation: Any) -> str:
    parts = (annotation, *get_args(annotation))
    chosen = next((get_args(part) for part in parts if get_origin(part) is Literal), ())
    return f"one of {', '.join(map(str, chosen))}" if chosen else ""


def _bounds(info: FieldInfo) -> str:
    found = [
        f"{word} {getattr(rule, name):,}"
        for rule in info.metadata
        for name, word in _BOUNDS.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(found)
