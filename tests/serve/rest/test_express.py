"""The short way: it answers as the complete one does, and leaves nothing behind."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from workbench.serve.rest.express import Express
from workbench.serve.security import Security

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = b'{"instances": [[1, 2]]}'
PREDICT, INFER = "/v1/models/gate:predict", "/v2/models/gate/infer"
INPUT = {"name": "x", "shape": [1, 2], "datatype": "FP32"}


def infer(**more: Any) -> bytes:
    return json.dumps({"inputs": [INPUT | {"data": [1, 2]}]} | more).encode()


def binary() -> tuple[bytes, bytes]:
    head = json.dumps({"inputs": [INPUT | {"parameters": {"binary_data_size": 8}}]}).encode()
    return head, struct.pack("<2f", 1, 2)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each request that an `Express` looked into, whether it took it."""
    found: list[bool] = []
    begin = Express.begin

    def recorded(*args: Any, **named: Any) -> Any:
        exchange = begin(*args, **named)
        found.append(exchange is not None)
        return exchange

    monkeypatch.setattr(Express, "begin", recorded)
    return found


@pytest.fixture
def both(port: Any, reading: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Ask twice, the second time with the short way closed; return both replies without their dates."""

    def ask(path: str, body: bytes, **headers: str) -> list[Any]:
        replies = []
        for closed in (False, True):
            with monkeypatch.context() as patch, port.connect() as connection:
                if closed:
                    patch.setattr(Express, "takes", lambda *_: False)
                connection.sendall(reading.request("POST", path, body, **headers))
                status, received, reply = reading.read_reply(connection)
                received.pop("date")
                replies.append((status, received, reply))
        return replies

    return ask


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        (PREDICT, BODY, {}),
        (PREDICT, b'{"inputs": [[1, 2], [3, 4]]}', {}),
        (PREDICT, b'{"signature_name": "serving_default", "instances": [[1, 2]]}', {"accept_encoding": "gzip"}),
        (INFER, infer(), {}),
        (INFER, infer(id="one", parameters={"binary_data_output": True}), {"accept_encoding": "gzip"}),
        (INFER, b"".join(binary()), {"inference_header_content_length": str(len(binary()[0]))}),
    ],
)
def test_both_ways_answer_alike(
    both: Callable[..., list[Any]], begun: list[bool], path: str, body: bytes, headers: dict[str, str]
) -> None:
    short, complete = both(path, body, **headers)
    assert begun == [True]
    assert short == complete
    assert short[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PREDICT, b'{"instances": [[1, 2, 3]]}'),
        (PREDICT, b'{"instances": [[1, "a"]]}'),
        (PREDICT, b"{"),
        ("/v1/models/gate/versions/7:predict", BODY),
        ("/v1/models/none:predict", BODY),
        ("/v1/models/gate:regress", BODY),
        ("/v1/models/gate:nothing", BODY),
        (INFER, b"{}"),
        (INFER, infer(outputs=[{"name": "z"}])),
        ("/v2/models/none/infer", infer()),
        ("/v2/nothing", infer()),
    ],
)
def test_what_is_refused_is_refused_alike(
    both: Callable[..., list[Any]], begun: list[bool], path: str, body: bytes
) -> None:
    short, complete = both(path, body)
    assert begun == [False]
    assert short == complete
    assert short[0] in (400, 404)


@pytest.mark.parametrize("headers", [{"content_encoding": "gzip"}, {"transfer_encoding": "chunked"}])
def test_the_unusual_is_not_looked_into(port: Any, begun: list[bool], headers: dict[str, str]) -> None:
    port.ask("POST", PREDICT, BODY, **headers)
    assert begun == []


@pytest.mark.parametrize("settings", [{"cors": True}, {"keys": True}])
def test_there_is_none_where_more_is_asked(
    open_port: Callable[..., Any], begun: list[bool], settings: dict[str, bool]
) -> None:
    security = Security(api_keys={"a" * 64: "predict"} if "keys" in settings else {})
    port = open_port({}, security, cors="cors" in settings)
    assert port.ask("POST", PREDICT, BODY)[0] == (401 if "keys" in settings else 200)
    assert begun == []


def test_a_client_that_left_is_waited_for_by_nobody(
    open_port: Callable[..., Any], reading: Any, begun: list[bool]
) -> None:
    port = open_port({})
    port.gate.open.clear()
    with port.connect() as connection:
        connection.sendall(reading.request("POST", PREDICT, BODY))
        assert port.gate.entered.acquire(timeout=10)
    reading.wait_until(lambda: port.counters.requests("", "CANCELLED") == 1)
    assert port.server.server_state.tasks == set()
    port.gate.open.set()
    assert port.predict()[0] == 200
    assert begun == [True, True]


def test_the_connection_closes_where_it_was_asked_to(port: Any, reading: Any, begun: list[bool]) -> None:
    status, headers, _ = reading.parse(port.raw(reading.request("POST", PREDICT, BODY, connection="close")))
    assert (status, headers["connection"]) == (200, "close")
    assert begun == [True]


def test_many_at_once_are_answered_in_their_order(port: Any, reading: Any, begun: list[bool]) -> None:
    bodies = [b'{"instances": [[%d, 0]]}' % number for number in range(20)]
    last = reading.request("POST", PREDICT, b'{"instances": [[20, 0]]}', connection="close")
    received = port.raw(b"".join([*(reading.request("POST", PREDICT, body) for body in bodies), last]))
    answers = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert [json.loads(answer)["predictions"][0][0] for answer in answers] == [2.0 * number for number in range(21)]
    assert begun[0]


def test_a_server_that_ends_answers_what_it_has(open_port: Callable[..., Any], reading: Any, begun: list[bool]) -> None:
    port = open_port({})
    port.gate.open.clear()
    with port.connect() as connection:
        connection.sendall(reading.request("POST", PREDICT, BODY))
        assert port.gate.entered.acquire(timeout=10)
        port.server.should_exit = True
        reading.wait_until(lambda: port.server.servers == [] or not port.server.servers[0].is_serving())
        port.gate.open.set()
        assert reading.read_all(connection).startswith(b"HTTP/1.1 200 OK")
    assert begun == [True]
