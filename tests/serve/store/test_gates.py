"""What may be published and called stable, and what is tried before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import GateLine, Override, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.serve.store import Store

    Make = Callable[[str], Artifact]

PASSED = Verdict(
    passed=True, lines=(GateLine(rule="min_accuracy", limit=0.9, value=0.95, passed=True, reason="Fine."),)
)
FAILED = Verdict(
    passed=False, lines=(GateLine(rule="min_accuracy", limit=0.9, value=0.5, passed=False, reason="Too low."),)
)
ANNA = Override(who="anna", why="the test set is wrong")


def test_a_model_that_passed_may_be_called_stable(store: Store, make: Make) -> None:
    assert store.publish(make("a"), "m", verdict=PASSED) == 1
    store.label("m", "stable", 1, bless=None)
    assert (store.gate("m", 1), store.labels("m")) == ("passed", {"stable": 1})
    assert store.history("m")[0].verdict == "passed, 1 rule held"


def test_a_model_that_failed_is_not_published_unless_somebody_answers_for_it(store: Store, make: Make) -> None:
    one = make("a")
    with pytest.raises(GateFailedError, match=r"m must pass its gate to be published: Too low\. .*override=Override"):
        store.publish(one, "m", verdict=FAILED)
    assert not store.base.exists()
    store.publish(one, "m", verdict=FAILED, override=ANNA)
    store.label("m", "stable", 1, bless=None)
    entry = store.history("m")[0]
    assert (entry.gate, entry.who, entry.why) == ("overridden", "anna", "the test set is wrong")
    assert entry.verdict == "failed: Too low."


def test_an_ungated_model_is_served_and_never_stable_on_its_own(store: Store, make: Make) -> None:
    store.publish(make("a"), "m")
    store.label("m", "live", 1)
    with pytest.raises(BadInputError, match=r"version must have passed a gate to be called stable, got 1; publish"):
        store.label("m", "stable", 1, bless=None)
    with pytest.raises(BadInputError, match="must have passed a gate"):
        store.rollback("m", "stable", to=1, bless=None)
    assert (store.gate("m", 1), store.labels("m")) == ("ungated", {"live": 1})
    store.label("m", "stable", 1, bless=None, override=ANNA)
    assert store.labels("m") == {"live": 1, "stable": 1}
    assert (store.history("m")[-1].who, store.history("m")[-1].gate) == ("anna", "overridden")


def test_a_model_may_pass_its_gate_later(store: Store, make: Make) -> None:
    one = make("a")
    store.publish(one, "m")
    assert store.publish(one, "m", verdict=PASSED) == 1
    assert (store.gate("m", 1), len(store.history("m"))) == ("passed", 2)
    store.publish(one, "m")  # as a cell does that is run again
    assert (store.gate("m", 1), len(store.history("m"))) == ("passed", 2)


def test_what_passed_is_the_model_and_not_its_number(store: Store, make: Make) -> None:
    store.publish(make("a"), "m", verdict=PASSED)
    (store.base / "m" / "1" / "model.onnx").write_text("b")
    Artifact.write(store.base / "m" / "1", file="model.onnx", name="m", format="onnx", numeric="float32")
    assert store.gate("m", 1) == "ungated"


@pytest.mark.parametrize(("who", "why"), [("", "a reason"), ("anna", "  ")])
def test_an_override_says_who_and_why(who: str, why: str) -> None:
    with pytest.raises(BadInputError, match="override must say who let the model through and why"):
        Override(who=who, why=why)


def test_stable_and_canary_move_only_to_what_answers(store: Store, tiny_onnx: Artifact, make: Make) -> None:
    store.publish(tiny_onnx, "m", verdict=PASSED)
    store.publish(make("these are no protocol buffers"), "m", verdict=PASSED)
    store.label("m", "canary", 1)
    with pytest.raises(GateFailedError, match=r"^version 2 of m must load and answer .* not: model\.onnx must be a"):
        store.label("m", "canary", 2)
    assert store.labels("m") == {"canary": 1}
    store.label("m", "live", 2)  # other labels are nobody's promise


def test_a_try_of_ones_own(store: Store, make: Make) -> None:
    tried: list[Path] = []

    def refuse(folder: Path) -> None:
        tried.append(folder)
        raise GateFailedError("no.")

    store.publish(make("a"), "m", verdict=PASSED)
    with pytest.raises(GateFailedError, match="no"):
        store.label("m", "stable", 1, bless=refuse)
    assert (tried, store.labels("m")) == ([store.base / "m" / "1"], {})
    for _ in range(2):  # what it means already is not tried again
        store.label("m", "stable", 1, bless=tried.append)
    assert (len(tried), store.labels("m")) == (2, {"stable": 1})


def test_a_model_that_kills_its_reader_is_not_blessed(
    store: Store, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish(make("a"), "m", verdict=PASSED)
    monkeypatch.setattr("workbench.serve.store.blessing._PROBE", "crashing_probe")
    (store.base.parent / "crashing_probe.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(store.base.parent))
    with pytest.raises(GateFailedError, match="the process that tried it was killed by SIGABRT"):
        store.label("m", "canary", 1)
    assert store.labels("m") == {}


def test_what_is_no_verdict_and_no_override_is_refused_before_anything_is_copied(store: Store, make: Make) -> None:
    one = make("a")
    with pytest.raises(BadInputError, match="verdict must be a Verdict or None, got"):
        store.publish(one, "m", verdict={"passed": True})  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="override must be an Override or None, got 'anna'"):
        store.publish(one, "m", override="anna")  # type: ignore[arg-type]
    assert store.versions("m") == {}
    store.publish(one, "m")
    with pytest.raises(BadInputError, match="override must be an Override or None"):
        store.label("m", "stable", 1, bless=None, override="anna")  # type: ignore[arg-type]
    assert store.labels("m") == {}
