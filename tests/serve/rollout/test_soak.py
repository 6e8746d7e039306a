"""Versions come and go for a long time, by swaps, canaries, shadows and rollbacks, under all protocols at once."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.serve.supervision.load import Load, Measured
from workbench.core.records import GateLine, Verdict
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.serve.sandbox import Sandbox

pytestmark = pytest.mark.faults

MIB = 1 << 20
PASSED = Verdict(
    passed=True, lines=(GateLine(rule="min_accuracy", limit=0.9, value=0.95, passed=True, reason="Fine."),)
)
FACTORS = range(1, 8)


@pytest.mark.parametrize("seconds", [20, pytest.param(1800, marks=pytest.mark.slow)])
def test_no_request_is_lost_and_nothing_grows(
    sandbox: Sandbox, factor: Callable[..., Artifact], tmp_path: Path, seconds: float
) -> None:
    models = itertools.cycle([factor(number) for number in FACTORS])
    store, done = Store(tmp_path / "home" / "models"), 0

    def asked_meanwhile() -> None:
        begin = load.answers
        while load.answers < begin + 50 and not load.failures:
            threading.Event().wait(0.01)

    def once() -> None:
        sandbox.publish(next(models), label="stable", verdict=PASSED)
        asked_meanwhile()
        sandbox.rollout(next(models), percent=30, pairs_percent=50, verdict=PASSED)
        asked_meanwhile()
        sandbox.promote("it did well")
        asked_meanwhile()
        sandbox.rollback(why="it did not")
        asked_meanwhile()
        sandbox.rollout(next(models), percent=50, shadow=True, verdict=PASSED)
        asked_meanwhile()
        sandbox.abort("it is no better")
        store.collect("m", 2)

    measured, begin = Measured(sandbox), time.monotonic()
    with Load(sandbox) as load:
        once()  # what is needed once is not what grows
        memory = measured.memory()
        while time.monotonic() < begin + seconds:
            once()
            done += 1
        grown = [now - before for now, before in zip(measured.memory(), memory, strict=True)]
    print(f"{load.answers} answers, {done} rounds; grown {grown} bytes")  # noqa: T201
    assert load.failures == []
    assert load.factors <= {float(number) for number in FACTORS}
    assert done > 1
    assert max(grown) <= 20 * MIB
    assert [one.restarts for one in sandbox.workers] == [0, 0]
