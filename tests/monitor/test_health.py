"""Health is one record, from a handle or from an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import ServingError
from workbench.monitor.health import health

if TYPE_CHECKING:
    from workbench.serve.sandbox import Sandbox


def test_what_was_asked_is_counted(served: Sandbox) -> None:
    before = health(served)
    for _ in range(4):
        served.client.predict(np.zeros((1, 2, 2, 1)))
    with pytest.raises(ServingError):
        served.client.predict(np.zeros(3))
    after = health(served.url, "tiny")
    assert (after.model, after.version) == ("tiny", "1")
    assert after.requests - before.requests == 5
    assert after.errors - before.errors == 1
    assert after.p50_ms is not None
    assert after.p95_ms is not None
    assert after.p99_ms is not None
    assert 0 < after.p50_ms <= after.p95_ms <= after.p99_ms < 1000
    assert after.uptime_s > before.uptime_s


def test_a_model_that_is_not_served(served: Sandbox) -> None:
    with pytest.raises(ServingError, match="must serve other to count it, but serves tiny"):
        health(served.url, "other")
