"""Settings that stand in Python as panels print it, which is read and never run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def arguments_in(text: str, verb: str, places: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments of the first call of a function in a piece of Python, which is not run.

    Args:
        text: Python.
        verb: Name of the function.
        places: Names of the arguments that may be given by place; others given so are left out.

    Raises:
        BadInputError: It is no Python, there is no such call, or an argument is no plain value.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise BadInputError.of("text", rule=f"must be Python ({error.msg})", got=text) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == verb:
            given = {**dict(zip(places, node.args, strict=False)), **_named(node)}
            # How data is read stands inside the call that reads it.
            for value in list(given.values()):
                given |= _named(value) if _calls(value, "load_dataset") else {}
            return {name: _plain(name, value) for name, value in given.items()}
    raise BadInputError.of("text", rule=f"must hold a call of {verb}", got=text)


def _named(call: ast.expr) -> dict[str, ast.expr]:
    words = call.keywords if isinstance(call, ast.Call) else []
    return {word.arg: word.value for word in words if word.arg is not None}


def _calls(value: ast.expr, name: str) -> bool:
    """Say whether an expression is a call of that function with one argument by place."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith(name) and len(value.args) == 1


def _plain(name: str, value: ast.expr) -> Any:
    if isinstance(value, ast.Call) and (_calls(value, "Dataset.open") or _calls(value, "load_dataset")):
        value = value.args[0]  # the control holds the path
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise BadInputError.of(name, rule="must be a plain value", got=ast.unparse(value)) from None
