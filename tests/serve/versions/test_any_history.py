"""Whatever happens to the folder and the policy, what is served in the end follows from what is there."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serve.versions.factor_world import World, run
from workbench.serve.config.model_config import All, Latest, Specific
from workbench.serve.models import Target
from workbench.serve.status import RequestError

numbers = st.integers(1, 4)
policies = st.one_of(
    st.builds(Latest, num_versions=st.integers(1, 3)),
    st.just(All()),
    st.builds(Specific, versions=st.lists(numbers, max_size=3).map(tuple)),
)
happenings = st.one_of(
    st.tuples(st.just("put"), numbers),
    st.tuples(st.just("spoil"), numbers),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("policy"), policies),
    st.tuples(st.just("unload"), st.none()),
)


class Expected:
    """What should be served, worked out from what is on disk alone."""

    def __init__(self) -> None:
        self.policy: Any = Latest()
        self.good: dict[int, bool] = {}
        self.serving: set[int] = set()
        self.held = False

    def settle(self) -> None:
        wanted = set() if self.held else {*self.policy.chosen(self.good)}
        answering = {version for version in wanted if version in self.serving or self.good[version]}
        if answering or not wanted:
            self.serving = answering


@given(st.lists(happenings, max_size=12))
@settings(max_examples=60, deadline=None)
def test_what_is_served_follows(story: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        run(scenario(World(Path(folder) / "models"), story))


async def scenario(world: World, story: list[tuple[str, Any]]) -> None:
    (world.base / "m").mkdir()
    manager = world.manager(world.config("m"))
    await manager.start()
    expected = Expected()
    for step, (what, value) in enumerate(story):
        before = served(world)
        if what in ("put", "spoil"):
            world.put("m", value, f"{step + 1}" + "." * (what == "put"))
            expected.good[value] = what == "put"
        elif what == "delete":
            shutil.rmtree(world.base / "m" / str(value), ignore_errors=True)
            expected.good.pop(value, None)
        elif what == "policy":
            expected.policy, expected.held = value, False
            await manager.reload([world.config("m", policy=value)])
        else:
            expected.held = True
            await manager.unload("m")
        for _ in range(3):  # a version that failed is left until its files have settled
            await manager.poll_once()
        expected.settle()
        assert served(world) == expected.serving, (what, value, before)
        assert {one.version: one.state for one in manager.index()} == states(world)


def served(world: World) -> set[int]:
    return {version for version, state in states(world).items() if state == "AVAILABLE"}


def states(world: World) -> dict[int, str]:
    try:
        return {one.version: one.state for one in world.models.listed(Target("m"))}
    except RequestError:
        return {}
