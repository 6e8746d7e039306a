"""One server for all tests that only ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.serve.grpc.door import Door, door
from tests.serve.grpc.models import Gate, small_models

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def gate() -> Gate:
    """What holds the model `slow`."""
    return Gate()


@pytest.fixture(scope="session")
def small(gate: Gate) -> Iterator[Door]:
    """A client of a server of small models."""
    with door(small_models(gate), health=True) as found:
        yield found
