"""What a worker does while a new version is tried: who answers, what is counted, and what no client may notice."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.serve.numpy_models import crash, loaded, one
from tests.serve.unceasing import until
from workbench.serve.arrival import Arrival, arrive
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Models, Target
from workbench.serve.rollout.route import Route
from workbench.serve.rollout.tally import added
from workbench.serve.signature import Tensor
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workbench.core.records.rollout import RolloutReport

ANY = Target("m")
X, Y = Tensor("x", "float32", (-1, 3)), Tensor("y", "float32", (-1, 3))


class Server:
    """One worker's core with a stable version 1, a version 2, and what a rollout between them reports."""

    def __init__(self, new: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self.models = Models({})
        for version, function in ((1, lambda feeds: {"y": feeds["x"]}), (2, new)):
            self.models.add(loaded("m", version, one((X,), (Y,), function)))
        self.inference = Inference(self.models, Counters(["m"]))

    def route(self, **asked: Any) -> None:
        self.asked = Route(**{"stable": 1, "canary": 2, "percent": 50, "pairs_percent": 100, **asked})
        self.inference.set_route("m", self.asked)

    def ask(self, count: int, target: Target = ANY, key: str = "", x: Any = (1, 2, 3)) -> list[int]:
        """Ask so often, and return which versions answered; 0 for an error."""

        async def all_() -> list[int]:
            found = []
            for _ in range(count):
                arrive(Arrival("REST", [(b"x-client-id", key.encode())] if key else []))
                servable = self.inference.choose(target)
                try:
                    await self.inference.run(servable, {"x": np.array([x], np.float32)})
                    found.append(servable.version)
                except RequestError:
                    found.append(0)
            return found

        return asyncio.run(all_())

    def report(self) -> RolloutReport:
        return added([self.inference.traffic.compared("m") or {}]).report("m", self.asked)


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(new: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Server:
        made.append(Server(new))
        return made[-1]

    yield make
    for each in made:
        each.inference.close()


def test_both_answer_and_are_compared(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"z": feeds["x"] + np.float32(0.5)})
    asked.route(percent=25)
    versions = asked.ask(20)
    assert versions.count(2) == 5
    until(lambda: asked.report().pairs == 20)
    found = asked.report()
    assert (found.stable.requests, found.canary.requests) == (15, 5)
    assert found.agreement is not None
    assert found.agreement.successes == 20
    assert found.mean_difference == pytest.approx(0.5)
    assert found.stable.p95_ms is not None
    assert found.canary.p95_ms is not None


def test_disagreement_is_counted(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": -feeds["x"]})
    asked.route()
    asked.ask(10)
    until(lambda: asked.report().pairs == 10)
    assert asked.report().agreement.successes == 0  # type: ignore[union-attr]


def test_who_names_a_version_gets_it(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    asked.models.set_labels("m", {"old": 1})
    asked.route(percent=100)
    assert set(asked.ask(5)) == {2}
    assert set(asked.ask(5, Target("m", version=1))) == {1}
    assert set(asked.ask(5, Target("m", label="old"))) == {1}


def test_a_client_with_a_key_is_answered_by_one_version(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    asked.route()
    assert {len(set(asked.ask(5, key=f"client-{number}"))) for number in range(20)} == {1}
    assert {asked.ask(1, key=f"client-{number}")[0] for number in range(20)} == {1, 2}


def test_a_shadow_that_fails_is_nobodys_error_but_its_own(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: crash(feeds) if feeds["x"].max() > 2 else {"y": feeds["x"]})  # not at its warm-up
    asked.route(shadow=True, percent=100)
    assert asked.ask(10) == [1] * 10
    until(lambda: asked.report().canary.requests == 10)
    found = asked.report()
    assert (found.canary.errors, found.stable.errors) == (10, 0)
    assert found.agreement is not None
    assert found.agreement.value == 0


def test_a_shadow_that_hangs_delays_nobody_and_copies_are_bounded(server: Callable[..., Server]) -> None:
    free = threading.Event()
    free.set()  # while it is loaded and warmed up

    def hang(feeds: Mapping[str, Any]) -> dict[str, Any]:
        free.wait(60)
        return {"y": feeds["x"]}

    asked = server(hang)
    free.clear()
    asked.route(shadow=True, percent=100)
    assert asked.ask(200) == [1] * 200
    dropped = asked.report().dropped
    assert dropped >= 200 - 33
    free.set()
    until(lambda: asked.report().canary.requests == 200 - dropped)
    assert asked.report().stable.requests == 200


def test_what_a_client_did_wrong_is_no_error_of_a_version(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    asked.route(percent=100)
    assert asked.ask(3, x=(1, 2)) == [0, 0, 0]
    assert asked.report().canary.requests == 0


def test_errors_of_the_new_version_are_counted(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: crash(feeds) if feeds["x"].max() > 2 else {"y": feeds["x"]})
    asked.route(percent=100, pairs_percent=0)
    assert asked.ask(4) == [0] * 4
    assert asked.report().canary.error_rate == 1


def test_nothing_is_left_when_it_is_over(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    assert set(asked.ask(3)) == {2}
    asked.route(percent=0)
    assert set(asked.ask(3)) == {1}
    asked.inference.set_route("m", Route(stable=1, until=2))
    assert set(asked.ask(3)) == {1}
    assert not asked.inference.traffic.live
    assert not asked.inference.asks_arrivals
    asked.inference.set_route("m", None)
    assert set(asked.ask(3)) == {2}


def test_a_worker_that_hears_the_same_twice_counts_on(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    asked.route(percent=0)
    asked.ask(3)
    asked.route(percent=0)
    assert asked.report().stable.requests == 3


def test_versions_that_take_other_inputs_are_no_pair(server: Callable[..., Server]) -> None:
    asked = server(lambda feeds: {"y": feeds["x"]})
    other = Tensor("x", "float32", (-1, 4))
    asked.models.add(loaded("m", 3, one((other,), (Y,), lambda feeds: {"y": feeds["x"][:, :3]})))
    assert asked.inference.traffic.refusal("m", 1, 2) == ""
    assert "version 3 takes x float32 [-1, 4]" in asked.inference.traffic.refusal("m", 1, 3)
