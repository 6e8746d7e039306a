"""Declared settings as flags of a command."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.core.settings import FieldSpec, Settings, describe

if TYPE_CHECKING:
    from collections.abc import Callable


def with_flags(*groups: type[Settings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one flag for every declared setting of the groups; what was not given stays out.

    The command receives the given values as one dictionary a group, in the order of the groups.
    """
    fields = [describe(group) for group in groups]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[len(groups) :]

        def door(**values: Any) -> None:
            given = [{spec.name: values.pop(spec.name) for spec in specs} for specs in fields]
            given = [{name: value for name, value in group.items() if value is not None} for group in given]
            command(*given, **values)

        # What is given by place comes before what is given by name.
        every = sorted([*(_flag(spec) for specs in fields for spec in specs), *own], key=lambda each: each.kind)
        door.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        door.__annotations__ = {p.name: p.annotation for p in every}
        door.__name__, door.__doc__ = command.__name__, command.__doc__
        return door

    return decorate


_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "choice": str, "text": str}


def _flag(spec: FieldSpec) -> inspect.Parameter:
    # Bounds are checked by the settings themselves, so that every door gives the same sentence.
    text = spec.description + (f" One of: {', '.join(map(str, spec.choices))}." if spec.choices else "")
    if spec.default is not None:
        text += f" (default: {spec.default})"
    option = typer.Option(f"--{spec.name.replace('_', '-')}", help=text, show_default=False)
    kind: Any = _TYPES[spec.kind]
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
