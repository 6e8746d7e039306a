"""Large bodies and small ones at one worker: whoever sends much waits for it, and nobody else does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

from tests.serve.supervision.load import INFER, PREDICT, over_rest
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

pytestmark = pytest.mark.faults

MIB = 1 << 20
LIMIT = 64 * MIB
LONGEST_SECONDS = 1.0
"""How long a small request may wait for the others at most, beside what it waits on this machine anyway."""


def rows(count: int) -> bytes:
    """So many rows of two numbers of 17 digits, as JSON."""
    return json.dumps(np.random.default_rng(0).random((count, 2)).tolist(), separators=(",", ":")).encode()


def million() -> tuple[str, bytes, int]:
    return PREDICT, b'{"instances":' + rows(500_000) + b"}", 200


def million_and_a_nan() -> tuple[str, bytes, int]:
    return PREDICT, b'{"instances":[[NaN,Infinity],' + rows(500_000)[1:] + b"}", 200


def million_by_name() -> tuple[str, bytes, int]:
    return PREDICT, b'{"instances":[' + b",".join([b'{"x":[1.5,2.5]}'] * 500_000) + b"]}", 200


def million_texts() -> tuple[str, bytes, int]:
    return PREDICT, b'{"instances":[' + b",".join([b'["a","b"]'] * 500_000) + b"]}", 400


def examples() -> tuple[str, bytes, int]:
    body = b'{"examples":[' + b",".join([b'{"x":[1.5,2.5]}'] * 500_000) + b"]}"
    return PREDICT.replace("predict", "classify"), body, 400


def all_that_is_allowed() -> tuple[str, bytes, int]:
    body = b'{"instances":' + rows(1_500_000) + b"}"
    return PREDICT, body + b" " * (LIMIT - len(body)), 200


def one_text() -> tuple[str, bytes, int]:
    return PREDICT, b'{"instances":"' + b"e" * (LIMIT - 100) + b'"}', 400


def million_v2() -> tuple[str, bytes, int]:
    flat = rows(500_000).replace(b"[", b"").replace(b"]", b"")
    tensor = b'{"name":"x","shape":[500000,2],"datatype":"FP32","data":[' + flat + b"]}"
    return INFER, b'{"inputs":[' + tensor + b"]}", 200


def million_v2_and_a_nan() -> tuple[str, bytes, int]:
    _, body, _ = million_v2()
    return INFER, body.replace(b'"data":[0', b'"data":[NaN,0,0', 1).replace(b"500000", b"500001"), 200


def texts_v2() -> tuple[str, bytes, int]:
    tensor = b'{"name":"x","shape":[500000,2],"datatype":"FP32","data":[' + b",".join([b'"a"'] * 1_000_000) + b"]}"
    return INFER, b'{"inputs":[' + tensor + b"]}", 400


class Small:
    """A client of small requests.

    Attributes:
        taken: Seconds that each took.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.taken: list[float] = []
        self._connection = connect(sandbox)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        self._connection.close()

    def _ask(self) -> None:
        while not self._over.wait(0.002):
            begin = time.perf_counter()
            over_rest(self._connection)
            self.taken.append(time.perf_counter() - begin)


def connect(sandbox: Sandbox) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]), timeout=60)


@pytest.fixture(scope="module")
def sandbox(numbered: Callable[[int], Artifact], home: Workspace) -> Iterator[Sandbox]:
    with serve(numbered(1), "m", workers=1, workspace=home) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def base(sandbox: Sandbox) -> float:
    """The longest that a small request waits beside others of its size."""
    with Small(sandbox) as small:
        threading.Event().wait(1)
    return max(small.taken)


LARGE = [
    million, million_and_a_nan, million_by_name, million_texts, examples, all_that_is_allowed, one_text,
    million_v2, million_v2_and_a_nan, texts_v2,
]  # fmt: skip


@pytest.mark.parametrize("large", LARGE)
def test_a_small_request_does_not_wait_for_a_large_one(
    sandbox: Sandbox, base: float, large: Callable[[], tuple[str, bytes, int]]
) -> None:
    path, body, status = large()
    assert len(body) <= LIMIT
    connection = connect(sandbox)
    with Small(sandbox) as small:
        for _ in range(2):
            connection.request("POST", path, body)
            reply = connection.getresponse()
            assert reply.status == status
            while reply.read(MIB):
                pass
    connection.close()
    print(f"{len(small.taken)} small ones, longest {max(small.taken):.3f} s, alone {base:.3f} s")  # noqa: T201
    assert max(small.taken) <= base + LONGEST_SECONDS
