"""What the evaluation panel sets: a model, a split, and the limits that the model must keep."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.core.language import _
from workbench.evaluate.gate import Gate


class EvaluationPlan(Gate):
    """What is evaluated, and the rules of its gate."""

    artifact: str = Field(default="", description="folder of the model")
    split: Literal["test", "train"] = Field(default="test", description="unseen samples, or those it was trained on")


def gate_of(values: dict[str, Any]) -> Gate:
    """Return the gate that the controls describe.

    Raises:
        BadInputError: A limit breaks its rule.
    """
    return Gate.parse({name: values[name] for name in Gate.model_fields if name in values})


def rules_in(values: dict[str, Any]) -> dict[str, Any]:
    """Return the rules that are asked, by name."""
    return {name: values[name] for name in Gate.model_fields if values.get(name) is not None}


def first_values(artifact: str) -> dict[str, Any]:
    """Return what the controls hold at first: no rule is asked."""
    return {"artifact": artifact, "split": "test", **dict.fromkeys(Gate.model_fields)}


def splits() -> dict[str, str]:
    """Return what the splits are called."""
    return {"test": _("Test"), "train": _("Training")}


def looks() -> dict[str, dict[str, Any]]:
    """Return what the declarations cannot say."""
    return {
        "split": {"choices": [{"value": name, "label": said} for name, said in splits().items()]},
        "artifact": {"label": _("Model"), "placeholder": _("folder of a model")},
        "min_accuracy": {"label": _("Least accuracy")},
        "max_drop": {"label": _("Largest loss")},
        "max_drop_high": {"label": _("Largest upper end of the loss")},
        "worst_class_recall": {"label": _("Least recall of a class")},
        "max_log_loss": {"label": _("Largest log loss")},
        "max_calibration_error": {"label": _("Largest calibration error")},
        "max_bytes": {"label": _("Largest file"), "unit": "B"},
        "max_gzip_bytes": {"label": _("Largest file gzip'd"), "unit": "B"},
        "max_p95_ms": {"label": _("Slowest call (p95)"), "unit": "ms"},
    }
