"""Everything at once for a long time: all protocols, new versions, clients that break off. Nothing is lost or left."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.serve.supervision.load import Load, Measured
from tests.serve.unceasing import until
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

pytestmark = pytest.mark.faults

MIB = 1 << 20
NUMBERS = itertools.cycle(range(1, 8))
SECONDS_A_VERSION = 1.5


@pytest.fixture
def sandbox(numbered: Callable[[int], Artifact], home: Workspace) -> Iterator[Sandbox]:
    with serve(numbered(1), "m", workers=2, workspace=home) as sandbox:
        yield sandbox


@pytest.mark.parametrize("seconds", [20, pytest.param(900, marks=pytest.mark.slow)])
def test_nothing_is_lost_and_nothing_is_left(
    sandbox: Sandbox, numbered: Callable[[int], Artifact], seconds: float
) -> None:
    measured, idle = Measured(sandbox), Measured(sandbox).files()

    def swap(until: float) -> None:
        while time.monotonic() < until:
            number = next(NUMBERS)
            artifact = numbered(number)
            load.swapping = True
            sandbox.publish(artifact)
            load.swapping = False
            begin = load.answers
            while load.answers == begin:
                threading.Event().wait(0.01)
            threading.Event().wait(SECONDS_A_VERSION)

    begin = time.monotonic()
    with Load(sandbox) as load:
        swap(begin + max(8, seconds / 10))
        memory, files = measured.memory(), measured.files()
        swap(begin + seconds)
        grown = [now - before for now, before in zip(measured.memory(), memory, strict=True)]
        more = [now - before for now, before in zip(measured.files(), files, strict=True)]
    rate = load.answers / (time.monotonic() - begin)
    steady, beside = p99(load.steady), p99(load.beside)
    print(f"p99 {steady * 1000:.1f} ms, beside a new version {beside * 1000:.1f} ms")  # noqa: T201
    print(f"{load.answers} answers, {rate:.0f}/s, {load.resets} resets; grown {grown} bytes, {more} descriptors")  # noqa: T201
    assert load.failures == []
    assert beside <= 3 * steady + 0.02  # a ratio, and a little that a busy machine costs anybody
    assert load.factors <= {float(number) for number in range(1, 8)}
    assert len(load.factors) > 3
    assert load.resets > 5 * seconds
    assert max(grown) <= 8 * MIB
    assert max(more) <= 5
    # Of all that came and went nothing is held any more.
    until(lambda: all(now <= before + 5 for now, before in zip(measured.files(), idle, strict=True)))
    assert [one.restarts for one in sandbox.workers] == [0, 0]


def p99(taken: list[float]) -> float:
    return sorted(taken)[int(0.99 * len(taken))]
