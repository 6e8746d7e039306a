"""Which requests are the new version's: an even share, the same clients always, and what answers when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serve.numpy_models import loaded, one
from workbench.serve.models import Model
from workbench.serve.rollout.route import Route, is_turn
from workbench.serve.signature import Tensor

if TYPE_CHECKING:
    from workbench.serve.servable import Servable

CLIENTS = [f"client-{number}" for number in range(4000)]


def servable(version: int) -> Servable:
    x, y = Tensor("x", "float32", (-1, 1)), Tensor("y", "float32", (-1, 1))
    return loaded("m", version, one((x,), (y,), lambda feeds: {"y": np.float32(version) * feeds["x"]}))


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99.5, 100])
@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_requests_without_a_key_are_spread_evenly(percent: float, step: int) -> None:
    route = Route(stable=1, canary=2, percent=percent)
    picked = [route.picks_canary("", turn) for turn in range(0, 1000 * step, step)]
    assert abs(sum(picked) - 10 * percent) <= 5
    if percent == 10:
        assert max(map(len, "".join("x" if each else "." for each in picked).split("x"))) < 40  # ten on average


@given(st.text(min_size=1), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_client_stays_with_its_version(key: str, one_turn: int, other: int) -> None:
    route = Route(stable=1, canary=2, percent=30)
    assert route.picks_canary(key, one_turn) == route.picks_canary(key, other)


def test_clients_get_their_share_and_keep_it_when_it_grows() -> None:
    few, more = (
        {key for key in CLIENTS if Route(stable=1, canary=2, percent=percent).picks_canary(key, 0)}
        for percent in (10, 30)
    )
    assert few < more
    assert 320 <= len(few) <= 480
    assert 1080 <= len(more) <= 1320
    other = {key for key in CLIENTS if Route(stable=1, canary=3, percent=10).picks_canary(key, 0)}
    assert len(few & other) < 100  # it is not always the same clients who try what is new
    assert not any(Route(stable=1, canary=2, percent=0).picks_canary(key, 0) for key in CLIENTS)
    assert all(Route(stable=1, canary=2, percent=100).picks_canary(key, 0) for key in CLIENTS)


def test_the_stable_version_answers_though_another_is_newer() -> None:
    model = Model(versions={1: servable(1), 2: servable(2)}, route=Route(stable=1, canary=2, percent=10))
    assert model.usual() is model.versions[1]
    assert model.newest() is model.versions[2]


def test_after_the_end_a_version_that_is_published_later_answers() -> None:
    settled = Route(stable=1, until=2)
    versions = {number: servable(number) for number in (1, 2, 3)}
    assert Model(versions={1: versions[1], 2: versions[2]}, route=settled).usual() is versions[1]
    assert Model(versions=versions, route=settled).usual() is versions[3]


def test_without_the_stable_version_the_newest_answers() -> None:
    gone, left = servable(1), servable(2)
    gone.close()
    assert Model(versions={1: gone, 2: left}, route=Route(stable=1, canary=2)).usual() is left
    assert Model(route=Route(stable=1, canary=2)).usual() is None


def test_every_share_of_turns_is_even() -> None:
    assert not any(is_turn(turn, 0) for turn in range(1000))
    assert all(is_turn(turn, 100) for turn in range(1000))
