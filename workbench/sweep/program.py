"""A sweep, or a search of trainings, as the program that reproduces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.sweep.axes import Range
from workbench.sweep.settings import SweepSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.compress.base import Method
    from workbench.sweep.question import Question


def sweep_program(sweep: Question) -> str:
    """Return the Python that reproduces a sweep."""
    asked, space = sweep.folder.asked(), sweep.space
    methods = {type(step).__name__: type(step).__module__ for chain in space.chains for step in chain}
    ranged = any(isinstance(axis, Range) for axis in space.axes.values())
    names = ["Choice"] * (len(space.chains) > 1) + ["Range"] * ranged + ["Space"]
    imports = [
        "import workbench.sweep",
        *(f"from {module} import {name}" for name, module in sorted(methods.items(), key=lambda each: each[1])),
        "from workbench.core.artifact import Artifact",
        "from workbench.core.workspace import Workspace",
        "from workbench.datasets import Dataset",
        *(f"from workbench.sweep.{'axes' if name == 'Range' else 'space'} import {name}" for name in names),
    ]
    parent = asked["parent"]
    model = f"Artifact.load({parent['folder']!r}).verify({parent['sha256']!r})" if parent else "None"
    lines = [
        f'"""The sweep {sweep.name}; in its own workspace it is found finished, under another name it is made anew."""',
        "",
        *imports,
        "",
        f"workspace = Workspace.at({str(sweep.workspace.home)!r})",
        f"data = Dataset.open_spec({asked['dataset']!r}, workspace)",
        f"parent = {model}",
        "space = Space(",
        f"    chain={_chains(sweep)},",
        "    axes={",
        *(f"        {name!r}: {_axis(axis)}," for name, axis in space.axes.items()),
        "    },",
        *([f"    train={dict(space.train)!r},"] if space.train is not None else []),
        f"    deploy={space.deploy!r},",
        ")",
        "sweep = workbench.sweep(",
        f"    space, parent, data, name={sweep.name!r}, workspace=workspace, confirm=True,",
        *(f"    {name}={value!r}," for name, value in _changed(sweep.settings)),
        ")",
        "for point in sweep.frontier():",
        "    print(point.label)",
    ]
    return "\n".join(lines) + "\n"


def search_program(search: Question, axes: Mapping[str, Any]) -> str:
    """Return the Python that reproduces a search of trainings with these axes."""
    asked = search.folder.asked()["tuning"]
    lines = [
        f'"""The search {search.name}."""',
        "",
        "from workbench.core.workspace import Workspace",
        "from workbench.datasets import Dataset",
        "from workbench.sweep.axes import Range",
        "from workbench.sweep.search import search",
        "",
        f"workspace = Workspace.at({str(search.workspace.home)!r})",
        f"data = Dataset.open_spec({asked['data']!r}, workspace)",
        "found = search(",
        f"    data, name={search.name!r}, workspace=workspace,",
        "    space={",
        *(f"        {name!r}: {_axis(axis)}," for name, axis in axes.items()),
        "    },",
        f"    train={asked['train']!r},",
        f"    objectives={tuple(search.settings.objectives)!r},",
        *(f"    {name}={value!r}," for name, value in asked["settings"].items()),
        ")",
        "for point in found.frontier():",
        "    print(point.label)",
    ]
    return "\n".join(lines) + "\n"


def _chains(sweep: Question) -> str:
    said = [_tuple(_method(step) for step in chain) for chain in sweep.space.chains]
    return said[0] if len(said) == 1 else f"Choice({', '.join(said)})"


def _method(step: Method) -> str:
    defaults = type(step)()
    changed = ((name, getattr(step, name)) for name in type(step).model_fields)
    given = (f"{name}={value!r}" for name, value in changed if value != getattr(defaults, name))
    return f"{type(step).__name__}({', '.join(given)})"


def _axis(axis: Any) -> str:
    if isinstance(axis, Range):
        return f"Range({', '.join(f'{name}={value!r}' for name, value in _changed_from(axis, {}))})"
    return repr(list(axis))


def _changed(settings: SweepSettings) -> list[tuple[str, Any]]:
    return _changed_from(settings, SweepSettings().model_dump())


def _changed_from(settings: Any, defaults: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in settings.model_dump().items() if defaults.get(name, ...) != value]


def _tuple(parts: Iterable[str]) -> str:
    said = list(parts)
    return f"({', '.join(said)}{',' * (len(said) == 1)})"
