"""The exercise of the tutorial of questions and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import workbench as wb

if TYPE_CHECKING:
    import pytest

ASKS, ADMIN = wb.new_key(), wb.new_key()
BOTH = wb.Security(api_keys={ASKS.sha256: "predict", ADMIN.sha256: "admin"})


def told(answer: object, capsys: pytest.CaptureFixture[str]) -> str:
    wb.check("two_keys", answer)
    return capsys.readouterr().out


def test_two_keys_that_the_settings_know_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Right." in told((BOTH, ASKS.key, ADMIN.key), capsys)


def test_what_is_wrong_with_the_keys_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    alone = wb.Security(api_keys={ASKS.sha256: "predict"})
    assert "they know 1" in told((alone, ASKS.key, ADMIN.key), capsys)
    assert "its owner gets the key itself" in told((BOTH, ASKS.sha256, ADMIN.key), capsys)
    assert "do not know the key for admin" in told((BOTH, ASKS.key, wb.new_key().key), capsys)
    assert "The key for predict may do something else" in told((BOTH, ADMIN.key, ASKS.key), capsys)
    assert "three things" in told(BOTH, capsys)
