"""Packages that are verbs too.

`workbench.serve` is a package and `workbench.serve(artifact)` is the verb people type. Python binds the package's
name over any function of the same name, so the package itself is made callable.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType
from typing import Any


def callable_package(package: str, verb: str) -> None:
    """Make calling a package call one function of it, which is imported at the first call.

    `help`, `inspect.signature` and IPython's `?` show that function's signature and docstring; it is imported then.

    Args:
        package: The package's `__name__`.
        verb: Import path of the function, `module:function`.
    """
    module_name, function = verb.split(":")

    class Verb(ModuleType):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return _target()(*args, **kwargs)

        @property
        def __signature__(self) -> inspect.Signature:
            return _readable(inspect.signature(_target()))

        @property
        def __doc__(self) -> str:  # type: ignore[override]
            """The package's own, then the function's: help of a module shows nothing else."""
            target = _target()
            own, theirs = (inspect.cleandoc(doc or "") for doc in (vars(self).get("__doc__"), target.__doc__))
            return "\n".join([own, "", *_lines(package, self.__signature__), "", theirs])

    def _target() -> Any:
        return getattr(importlib.import_module(module_name), function)

    sys.modules[package].__class__ = Verb


class _Words(str):
    """An annotation that is shown as it was written, without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _readable(signature: inspect.Signature) -> inspect.Signature:
    def shown(annotation: Any) -> Any:
        return _Words(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=shown(each.annotation)) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=shown(signature.return_annotation))


def _lines(name: str, signature: inspect.Signature) -> list[str]:
    """Return a call with a line a parameter."""
    parts, keyword = [], False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not keyword:
            parts.append("*")
        keyword |= each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        parts.append(str(each))
    end = signature.replace(parameters=[])
    return [f"{name}(", *(f"    {part}," for part in parts), str(end)[1:]]
