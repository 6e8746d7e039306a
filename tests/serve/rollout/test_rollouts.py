"""Rollouts of a real server with two workers, through all doors."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import workbench.serve.client as clients
from tests.serve.unceasing import Unceasing, until
from workbench.core.errors import BadInputError, ServingError
from workbench.core.records import GateLine, Override, Verdict
from workbench.serve.rollout import RolloutRule
from workbench.serve.sandbox import attach_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.serve.sandbox import Sandbox

    Make = Callable[..., Artifact]

PASSED = Verdict(
    passed=True, lines=(GateLine(rule="min_accuracy", limit=0.9, value=0.95, passed=True, reason="Fine."),)
)
X = np.array([[1, 2]], np.float32)


def answers(sandbox: Sandbox, count: int, **asked: Any) -> list[float]:
    """Ask so often, and return the factors of the models that answered."""
    return [float(sandbox.client.predict(X, **asked)[0, 0]) for _ in range(count)]


def test_tried_refused_and_followed_by_a_better_one(sandbox: Sandbox, factor: Make) -> None:
    begun = sandbox.rollout(factor(2), percent=40)
    assert (begun.state, begun.stable.version, begun.canary.version) == ("running", 1, 2)
    assert sandbox.versions == (1, 2)
    assert 30 <= answers(sandbox, 100).count(2) <= 50
    assert set(answers(sandbox, 5, label="canary")) == {2}
    with pytest.raises(BadInputError, match="override must be an Override or None, got 'anna'"):
        sandbox.promote(override="anna")  # type: ignore[arg-type]
    with pytest.raises(ServingError, match=r"promote\(\) or abort\(\)"):
        sandbox.rollout(factor(3))
    found = sandbox.comparison()
    assert found.stable.requests + found.canary.requests == 105
    ended = sandbox.abort("it is twice as loud", by="anna")
    assert (ended.state, ended.reason) == ("aborted", "it is twice as loud")
    assert set(answers(sandbox, 20)) == {1}
    assert sandbox.versions == (1,)
    sandbox.reload()
    assert set(answers(sandbox, 20)) == {1}  # though version 2 is the newest of the store
    assert "canary is taken from version 2 (by anna: aborted, it is twice as loud)" in [
        line.sentence for line in sandbox._store.history("m")
    ]
    with pytest.raises(ServingError, match="no rollout"):
        sandbox.promote()
    sandbox.publish(factor(3))
    assert set(answers(sandbox, 20)) == {3}


def test_rolled_back_the_version_before_answers_all(sandbox: Sandbox, factor: Make) -> None:
    sandbox.publish(factor(2))
    failed: list[Exception] = []

    def ask() -> None:
        while not load.over.is_set():
            try:
                answers(sandbox, 1)
            except Exception as error:  # noqa: BLE001 - whatever it is, a client saw it
                failed.append(error)

    load = Unceasing([ask, ask])
    with load:
        assert sandbox.rollback(why="it is twice as loud") == 1  # nothing was ever called stable
        assert set(answers(sandbox, 20)) == {1}
        assert sandbox.publish(factor(3), label="stable", verdict=PASSED).labels == {"m": {"stable": 3}}
        sandbox.publish(factor(4), label="stable", verdict=PASSED)
        assert set(answers(sandbox, 20)) == {4}
        assert sandbox.rollback(why="worse", by="anna") == 3
        assert set(answers(sandbox, 20)) == {3}
        sandbox.reload()
        assert set(answers(sandbox, 20)) == {3}  # though version 4 is the newest of the store
        assert set(answers(sandbox, 5, label="stable")) == {3}
        assert sandbox.rollback(to=4) == 4
        assert set(answers(sandbox, 20)) == {4}
    assert failed == []
    last = [line for line in sandbox._store.history("m") if line.action == "rollback"]
    assert [(line.version, line.who, line.why) for line in last][:1] == [(3, "anna", "worse")]
    with pytest.raises(ServingError, match=r"to must be a version of m beside the one that answers \(4\), got 9"):
        sandbox.rollback(to=9)
    assert set(answers(sandbox, 5)) == {4}


def test_rolled_back_while_a_rollout_runs_it_is_aborted(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=100)
    assert set(answers(sandbox, 5)) == {2}
    with pytest.raises(ServingError, match="runs; call abort"):
        sandbox.rollback(to=1)
    assert sandbox.rollback(why="an alarm") == 1
    assert sandbox.comparison().state == "aborted"
    assert set(answers(sandbox, 5)) == {1}


def test_promoted_it_is_called_stable(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=0, verdict=PASSED)
    assert set(answers(sandbox, 20)) == {1}
    ended = sandbox.promote("it is right", by="anna")
    assert (ended.state, ended.note) == ("promoted", "")
    assert set(answers(sandbox, 20)) == {2}
    assert set(answers(sandbox, 5, label="stable")) == {2}
    assert sandbox.versions == (2,)
    assert sandbox._store.labels("m") == {"stable": 2}
    last = [line for line in sandbox._store.history("m") if line.label == "stable"][-1]
    assert (last.who, last.why) == ("anna", "it is right")
    # Beside a stable version another may not answer unless the store calls it so.
    sandbox.rollout(factor(3), percent=10)
    with pytest.raises(ServingError, match="passed a gate"):
        sandbox.promote()
    assert sandbox.comparison().state == "running"
    sandbox.promote(override=Override(who="anna", why="I have looked at it"))
    assert sandbox._store.labels("m") == {"stable": 3}
    assert set(answers(sandbox, 20)) == {3}
    # And back to the older one, which no newer one outdoes.
    sandbox.rollout(2, percent=0)
    sandbox.promote("version 3 was wrong")
    assert set(answers(sandbox, 20)) == {2}
    assert sandbox._store.labels("m") == {"stable": 2}


def test_a_shadow_answers_nobody(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(-1), percent=100, shadow=True)
    assert set(answers(sandbox, 60)) == {1}
    found = until(lambda: (now := sandbox.comparison()).canary.requests + now.dropped == 60 and now)
    assert found.stable.requests == 60
    assert found.pairs == found.canary.requests
    assert found.agreement.successes == 0
    assert found.mean_difference == pytest.approx(3)
    assert found.latency_ratio is not None


def test_a_client_stays_with_its_version_through_every_door(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=50, sticky="x-who")
    doors = [
        clients.client(sandbox.url, "m"),
        clients.client(f"grpc://{sandbox.grpc}", "m"),
        clients.client(sandbox.v2_url, "m"),
    ]
    found = {}
    for who in range(12):
        beside = {"x-who": f"client {who}"}
        found[who] = {float(door.predict(X, headers=beside)[0, 0]) for door in doors for _ in range(4)}
        assert len(found[who]) == 1, who
    assert set.union(*found.values()) == {1.0, 2.0}


def test_a_rule_decides(sandbox: Sandbox, factor: Make) -> None:
    rule = RolloutRule(min_pairs=20, min_requests=5, max_latency_ratio=1000, min_agreement=0.9)
    for number, state in ((-1, "aborted"), (2, "promoted")):
        sandbox.rollout(factor(number), percent=50, pairs_percent=100, rule=rule, verdict=PASSED)
        answers(sandbox, 60)
        until(lambda: sandbox.comparison().state != "running")
        ended = sandbox.comparison()
        assert ended.state == state
        assert "both say the same of" in ended.reason
        assert any(ended.reason in line.why for line in sandbox._store.history("m"))
    assert set(answers(sandbox, 10)) == {2}


def test_whoever_asks_while_it_ends_is_told_how_it_stood(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=50)
    states, over = [], threading.Event()

    def ask() -> None:
        while not over.is_set():
            states.append(sandbox.comparison().state)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for number in (3, 4, 5):
            sandbox.abort()
            sandbox.rollout(factor(number), percent=50)
        over.set()
        for each in asking:
            each.result()
    assert set(states) <= {"running", "aborted"}


def test_what_cannot_be_rolled_out_leaves_all_as_it_was(sandbox: Sandbox, factor: Make) -> None:
    with pytest.raises(ServingError, match="must be a version of m in the store"):
        sandbox.rollout(7)
    with pytest.raises(ServingError, match="beside another version"):
        sandbox.rollout(1)
    with pytest.raises(BadInputError, match="percent"):
        sandbox.rollout(1, percent=101)
    with pytest.raises(ServingError, match="do not take the same requests"):
        sandbox.rollout(factor(2, width=3))
    with pytest.raises(ServingError, match="no rollout"):
        sandbox.comparison()
    assert sandbox.versions == (1,)
    assert set(answers(sandbox, 10)) == {1}
    assert sandbox._store.labels("m") == {}


def test_no_request_is_lost(sandbox: Sandbox, factor: Make) -> None:
    broken: list[Exception] = []
    seen: set[float] = set()
    lock = threading.Lock()

    def ask() -> None:
        client = clients.client(sandbox.url, "m")
        while not load.over.is_set():
            try:
                found = float(client.predict(X)[0, 0])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one too many
                broken.append(error)
                return
            with lock:
                seen.add(found)

    load = Unceasing([ask] * 4)
    with load:
        for number in range(2, 6):
            sandbox.rollout(factor(number), percent=50, shadow=number == 3)
            until(lambda: sandbox.comparison().stable.requests > 50)
            if number % 2:
                sandbox.promote()
            else:
                sandbox.abort()
            assert not broken
    assert not broken
    assert seen == {1.0, 2.0, 3.0, 4.0, 5.0}


@pytest.mark.faults
def test_a_worker_that_is_killed_is_followed_by_one_that_knows(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=50)
    answers(sandbox, 40)
    until(lambda: sandbox.comparison().stable.requests + sandbox.comparison().canary.requests == 40)
    for worker in sandbox.workers:
        os.kill(worker.pid, signal.SIGKILL)
    until(lambda: [(one.state, one.restarts) for one in sandbox.workers] == [("ready", 1)] * 2)
    assert 10 <= answers(sandbox, 40).count(2) <= 30
    found = sandbox.comparison()
    assert found.stable.requests + found.canary.requests == 80
    sandbox.abort()
    for worker in sandbox.workers:
        os.kill(worker.pid, signal.SIGKILL)
    until(lambda: [(one.state, one.restarts) for one in sandbox.workers] == [("ready", 2)] * 2)
    assert set(answers(sandbox, 20)) == {1}


def test_another_handle_sees_it(sandbox: Sandbox, factor: Make) -> None:
    sandbox.rollout(factor(2), percent=0)
    attached = attach_server(sandbox.folder)
    assert attached.comparison().canary.version == 2
    attached.promote()
    assert set(answers(sandbox, 10)) == {2}
