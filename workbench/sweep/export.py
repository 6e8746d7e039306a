"""A sweep as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.sweep.metrics import METRICS, value_of

if TYPE_CHECKING:
    from workbench.core.records import SweepPoint
    from workbench.sweep.results import Results

FORMS = ("csv", "json", "py")  # the last one is `workbench.sweep.program`'s


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
