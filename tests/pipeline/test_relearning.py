"""A retraining beside a watched server tells of its beginning once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.pipeline import relearning
from workbench.pipeline.hard_set import HardSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from workbench.core.workspace import Workspace


def test_that_it_has_begun_is_told_once(
    fresh_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, looked = threading.Semaphore(0), threading.Semaphore(0)

    def three_events(*_args: Any, on_event: Callable[[object], None], **_kwargs: Any) -> None:
        for _ in range(3):
            on_event(None)
            told.release()
            assert looked.acquire(timeout=30)
        raise BadInputError("enough")

    monkeypatch.setattr(relearning, "retrain", three_events)
    hard = HardSet("digits", tmp_path / "hard")
    work = relearning.Relearning("digits", "digits", hard, gate=None, budget=None, workspace=fresh_workspace)
    assert not work.has_begun()
    assert work.start("drift above 0")
    answers = []
    for _ in range(3):
        assert told.acquire(timeout=30)
        answers.append(work.has_begun())
        looked.release()
    assert work.wait(30)
    assert (answers, work.has_begun()) == ([True, False, False], False)
