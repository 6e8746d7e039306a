"""A dataset in words and rows: its figures, the balance of its classes, train and test compared, and what to mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.records.dataset import DatasetSurvey
    from workbench.datasets import Dataset

_MOST_SHIFT, _MOST_IMBALANCE, _LEAST_TEST = 0.05, 3.0, 30
_KINDS = {"images": N_("images"), "table": N_("rows of a table"), "samples": N_("samples")}


def balance_columns(most: float = 1.0) -> list[dict[str, Any]]:
    """Return the columns of the class balance; `most` is the share that fills a bar."""
    return [
        {"name": "label", "label": _("Class")},
        {"name": "train", "label": _("Training"), "format": "int", "tooltip": _("Training samples of the class")},
        {"name": "train_share", "label": _("Share of training"), "format": "share", "most": most,
         "tooltip": _("Share of the training samples")},
        {"name": "test", "label": _("Test"), "format": "int", "tooltip": _("Test samples of the class")},
        {"name": "test_share", "label": _("Share of test"), "format": "share", "most": most,
         "tooltip": _("Share of the test samples")},
    ]  # fmt: skip


def comparison_columns() -> list[dict[str, str]]:
    """Return the columns of train beside test."""
    return [
        {"name": "what", "label": _("Compared")},
        {"name": "train", "label": _("Training")},
        {"name": "test", "label": _("Test")},
    ]


def check_columns() -> list[dict[str, Any]]:
    """Return the columns of the checks."""
    return [{"name": "verdict", "label": _("Check")}, {"name": "sentence", "label": _("What was found"), "wrap": True}]


def tiles(data: Dataset) -> list[dict[str, str]]:
    """Return the figures of a dataset."""
    shape, share = " × ".join(map(str, data.shape)), data.test_size / (data.train_size + data.test_size)
    return [
        {"label": _("Training samples"), "value": f"{data.train_size:,}", "detail": _(_KINDS[data.kind])},
        {"label": _("Test samples"), "value": f"{data.test_size:,}",
         "detail": _("{share} % of all").format(share=f"{100 * share:.0f}")},
        {"label": _("Classes"), "value": str(len(data.classes)), "detail": _listed(data.classes)},
        {"label": _("A sample"), "value": shape, "detail": str(data.x_test.dtype)},
    ]  # fmt: skip


def comparison(found: DatasetSurvey) -> list[dict[str, Any]]:
    """Return the rows of train beside test."""
    rows = (
        (_("Samples"), "samples"), (_("Mean value"), "mean"), (_("Standard deviation"), "deviation"),
        (_("Smallest value"), "low"), (_("Largest value"), "high"), (_("Repeated samples"), "repeated"),
        (_("Samples of one value"), "constant"),
    )  # fmt: skip
    train, test = found.train, found.test
    return [{"what": what, "train": _short(getattr(train, key)), "test": _short(getattr(test, key))}
            for what, key in rows]  # fmt: skip


def checks(found: DatasetSurvey) -> list[dict[str, str]]:
    """Return what to mind, the faults first; each says by a word and a sign whether it holds."""
    rows = [(holds, sentence(holds)) for holds, sentence in _checks(found)]
    rows.sort(key=lambda row: row[0])
    return [{"verdict": _("✓ fine") if holds else _("! look"), "sentence": said} for holds, said in rows]


def _checks(found: DatasetSurvey) -> list[tuple[bool, Callable[[bool], str]]]:
    rarest = min(found.balance, key=lambda each: each.test)
    smallest = min(found.balance, key=lambda each: each.train)
    largest = max(found.balance, key=lambda each: each.train)
    repeated, blank = found.train.repeated + found.test.repeated, found.train.constant + found.test.constant

    def said(fine: str, fault: str) -> Callable[[bool], str]:
        return lambda holds: fine if holds else fault

    return [
        (found.leaked == 0, said(
            _("No test sample is a training sample too."),
            _("{n} of {total} test samples are training samples too: the accuracy will look too good.").format(
                n=found.leaked, total=found.test.samples))),
        (found.contradictory == 0, said(
            _("Equal training samples have equal classes."),
            _("{n} training samples equal one of another class: no model can get them all right.").format(
                n=found.contradictory))),
        (repeated == 0, said(
            _("No sample is there twice."),
            _("{n} samples repeat an earlier one of their split.").format(n=repeated))),
        (found.imbalance <= _MOST_IMBALANCE, said(
            _("The largest class has {times} times the samples of the smallest.").format(
                times=f"{found.imbalance:.1f}"),
            _("{label} has {times} times the samples of {other}: mind the recall of each class.").format(
                label=largest.label, other=smallest.label, times=f"{found.imbalance:.1f}"))),
        (found.shift <= _MOST_SHIFT, said(
            _("Classes have the same shares in both splits, to {points} points.").format(
                points=f"{100 * found.shift:.1f}"),
            _("A class's share differs by {points} points between the splits.").format(
                points=f"{100 * found.shift:.1f}"))),
        (found.rarest >= _LEAST_TEST, said(
            _("Each class has at least {n} test samples.").format(n=found.rarest),
            _("{label} has only {n} test samples: its scores will be uncertain.").format(
                label=rarest.label, n=rarest.test))),
        (blank == 0, said(
            _("No sample is blank."), _("{n} samples hold one value only.").format(n=blank))),
    ]  # fmt: skip


def _short(value: float) -> str:
    return f"{value:,.0f}" if isinstance(value, int) or value.is_integer() else f"{value:.4g}"


def _listed(classes: tuple[str, ...]) -> str:
    most = 6
    return ", ".join(classes[:most]) + (", …" if len(classes) > most else "")
