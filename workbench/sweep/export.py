"""A sweep as CSV, as JSON, and as the program that reproduces it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.sweep.axes import Range
from workbench.sweep.metrics import METRICS, value_of
from workbench.sweep.settings import SweepSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.compress.base import Method
    from workbench.core.records import SweepPoint
    from workbench.sweep.results import Results

FORMS = ("csv", "json", "py")


def export(sweep: Results, form: str) -> str:
    """Return a sweep as text.

    Raises:
        BadInputError: There is no such form.
    """
    match form:
        case "csv":
            return _csv(sweep)
        case "json":
            facts = {"name": sweep.name, "state": sweep.state, **sweep.folder.asked()}
            points = [point.to_json() for point in sweep.points()]
            return json.dumps({**facts, "points": points}, indent=1, ensure_ascii=False) + "\n"
        case "py":
            return _program(sweep)
    raise BadInputError.of("form", rule=f"must be one of {', '.join(FORMS)}", got=form)


def _csv(sweep: Results) -> str:
    points = sweep.points()
    axes = list(dict.fromkeys(axis for point in points for axis in point.values))
    head = [
        "label", "state", *axes, "seed", "format", "numeric", *METRICS, "accuracy_low", "accuracy_high", "drop_low",
        "noise_p95", "agreement", "train_s", "convert_s", "evaluate_s", "artifact", "sha256", "reason",
    ]  # fmt: skip
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(head)
    rows.writerows(_row(point, axes) for point in points)
    return text.getvalue()


def _row(point: SweepPoint, axes: list[str]) -> list[Any]:
    variant, seconds = point.variant, point.seconds
    measured: list[Any] = ["", ""] + [""] * (len(METRICS) + 5) if variant is None else [
        variant.format, variant.numeric, *(value_of(point, name) for name in METRICS),
        variant.accuracy.low, variant.accuracy.high, variant.drop_low,
        point.noise.p95 if point.noise else "", variant.parity.agreement if variant.parity else "",
    ]  # fmt: skip
    return [
        point.label, point.state, *(point.values.get(axis, "") for axis in axes), point.seed, *measured,
        round(seconds.train, 3), round(seconds.convert, 3), round(seconds.evaluate, 3),
        variant.artifact if variant else "", point.sha256, point.reason,
    ]  # fmt: skip


def _program(sweep: Results) -> str:
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


def _chains(sweep: Results) -> str:
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
