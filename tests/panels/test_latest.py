"""Floods of questions: who is answered, in which order, and what is dropped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.errors import BadInputError
from workbench.panels.evaluate import EvaluatePanel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.workspace import Workspace
    from workbench.panels.base import Panel

SOON = 10


@pytest.fixture
def panel(fresh_workspace: Workspace) -> Iterator[Panel]:
    made = EvaluatePanel(workspace=fresh_workspace)
    yield made
    made.close()


def test_of_a_flood_the_first_and_the_last_are_answered_and_never_an_older_after_a_newer(panel: Panel) -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()
    worked: list[int] = []
    answers: list[int] = []

    def work(value: int) -> int:
        worked.append(value)
        begun.set()
        assert go.wait(SOON)
        return value

    def then(value: int) -> None:
        answers.append(value)
        if value == 999:
            ended.set()

    for value in range(1000):
        panel.latest(lambda _outdated, value=value: work(value), then)  # type: ignore[misc]
        if value == 0:
            assert begun.wait(SOON)
    go.set()
    assert ended.wait(SOON)
    assert answers == [0, 999]
    assert worked == [0, 999]


def test_a_flood_from_several_threads_is_answered_in_order(panel: Panel) -> None:
    lock, ended = threading.Lock(), threading.Event()
    asked, answers = [0], []

    def then(value: int) -> None:
        answers.append(value)
        if value == 400:
            ended.set()

    def ask() -> None:
        for _ in range(100):
            with lock:
                asked[0] += 1
                panel.latest(lambda _outdated, value=asked[0]: value, then)  # type: ignore[misc]

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert ended.wait(SOON)
    assert answers == sorted(set(answers))
    assert answers[-1] == 400


def test_a_newer_question_ends_the_better_answers_of_an_older_one_but_not_its_first(panel: Panel) -> None:
    begun, asked, ended = threading.Event(), threading.Event(), threading.Event()
    answers: list[tuple[str, int]] = []
    closed: list[str] = []

    def work(name: str, outdated: Callable[[], bool]) -> Iterator[tuple[str, int]]:
        try:
            begun.set()
            assert asked.wait(SOON)
            assert not outdated()
            for number in range(3):
                yield name, number
        finally:
            closed.append(name)

    def then(answer: Any) -> None:
        answers.append(answer)
        if answer == ("newer", 2):
            ended.set()

    panel.latest(lambda outdated: work("older", outdated), then)
    assert begun.wait(SOON)
    panel.latest(lambda outdated: work("newer", outdated), then)
    asked.set()
    assert ended.wait(SOON)
    assert answers == [("older", 0), ("newer", 0), ("newer", 1), ("newer", 2)]
    assert closed[0] == "older"


def test_one_that_is_to_wait_for_rest_drops_all_but_the_last(panel: Panel) -> None:
    ended, answers = threading.Event(), []

    def then(value: int) -> None:
        answers.append(value)
        ended.set()

    for value in range(1000):
        panel.latest(lambda _outdated, value=value: value, then, pause=0.5)  # type: ignore[misc]
    assert ended.wait(SOON)
    assert answers == [999]


def test_an_error_is_seen_and_the_next_question_is_answered(panel: Panel) -> None:
    def broken(_outdated: Callable[[], bool]) -> None:
        raise BadInputError.of("sparsity", rule="must be small", got=2)

    failed, ended = threading.Event(), threading.Event()
    panel.errors.observe(lambda _change: failed.set(), "message")
    panel.latest(broken, lambda _none: None)
    assert failed.wait(SOON)
    assert panel.errors.message == "sparsity must be small, got 2."
    panel.latest(lambda _outdated: None, lambda _none: ended.set())
    assert ended.wait(SOON)


def test_topics_do_not_wait_for_one_another_and_closing_ends_all(fresh_workspace: Workspace) -> None:
    before = set(threading.enumerate())
    panel = EvaluatePanel(workspace=fresh_workspace)
    begun, ended = threading.Event(), threading.Event()

    def endless(outdated: Callable[[], bool]) -> None:
        begun.set()
        while not outdated():
            threading.Event().wait(0.01)

    panel.latest(endless, lambda _none: None, topic="long")
    panel.latest(lambda _outdated: None, lambda _none: ended.set(), topic="short")
    assert begun.wait(SOON)
    assert ended.wait(SOON)
    panel.close()
    assert set(threading.enumerate()) == before
