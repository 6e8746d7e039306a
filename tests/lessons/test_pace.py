"""Notebooks that are only looked through work with less."""

from __future__ import annotations

import pytest

import workbench as wb


@pytest.mark.parametrize(("said", "got"), [(None, 30), ("", 30), ("0", 30), ("1", 5)])
def test_the_environment_says_how_long_a_notebook_may_take(
    said: str | None, got: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_FAST", raising=False)
    if said is not None:
        monkeypatch.setenv("WORKBENCH_FAST", said)
    assert wb.pace(30, 5) == got
