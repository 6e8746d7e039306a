"""A sweep as the Python that runs it, and back; the Python is read and never run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.panels.parts.arguments import arguments_in
from workbench.panels.parts.sweep_axes import axes_in, space_json

if TYPE_CHECKING:
    from workbench.panels.parts.sweep_plan import SweepPlan

_VERB = "sweep"


def code_of(plan: SweepPlan, data: str) -> str:
    """Return the Python that runs a plan.

    Args:
        plan: The plan.
        data: Python expression of its data.
    """
    space = space_json(plan.axes, plan.epochs)
    steps = "".join(f"        {step!r},\n" for step in space["chain"])
    axes = "".join(f"        {name!r}: {values!r},\n" for name, values in space["axes"].items())
    named = {**plan.changed, **({"name": plan.name} if plan.name else {})}
    settings = "".join(f", {name}={value!r}" for name, value in named.items())
    return (
        "import workbench as wb\n\n"
        f"model = wb.Artifact.load({plan.artifact!r})\n"
        f"space = wb.Space.from_json({{\n    'chain': [\n{steps}    ],\n    'axes': {{\n{axes}    }},\n}})\n"
        f"sweep = wb.sweep(space, model, data={data}{settings})\n"
        "for point in sweep.frontier():\n    print(point)\n"
    )


def settings_in(text: str) -> dict[str, Any]:
    """Return the plan's settings that stand in such Python.

    Raises:
        BadInputError: A call is missing, or the space is none that clicks make.
    """
    named = arguments_in(_without_places(text), _VERB)
    seeds, data = named.pop("seeds", ()), named.pop("data", "")
    space = arguments_in(text, "from_json", ("space",)).get("space")
    found = axes_in(space) if isinstance(space, dict) else None
    if found is None:
        raise BadInputError.of("space", rule="must be a chain and lists of values", got=space)
    repeats = {"repeats": len(seeds)} if seeds else {}
    return {**arguments_in(text, "load", ("artifact",)), **found, **repeats, **named, "dataset": data}


def _without_places(text: str) -> str:
    """Return the code without what is given to the verb by place: names of what stands above."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == _VERB:
            node.args = []
    return ast.unparse(tree)
