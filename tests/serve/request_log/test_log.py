"""What the inference core's log holds of requests, and that it keeps nobody waiting and ends nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.sketch import sketch
from workbench.monitor.request_log import read
from workbench.serve.arrival import Arrival, arrive
from workbench.serve.batching import Batching
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Models, Target
from workbench.serve.request_log import RequestLog, RequestLogSettings
from workbench.serve.request_log import log as log_module
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from workbench.core.records import LoggedRequest

Arrays = dict[str, np.ndarray[Any, Any]]


class Engine:
    """One function of arrays."""

    platform = "test"

    def __init__(
        self, inputs: list[Tensor], outputs: list[Tensor], function: Callable[[Mapping[str, Any]], Arrays]
    ) -> None:
        self.signatures = {DEFAULT: Signature(tuple(inputs), tuple(outputs))}
        self._function = function

    def run(self, signature: str, feeds: Mapping[str, Any]) -> Arrays:
        assert signature == DEFAULT
        return self._function(feeds)

    def close(self) -> None: ...


IMAGE = Tensor("image", "float32", (-1, 8, 8, 1))
SCORES = Tensor("scores", "float32", (-1, 3))


def classify(feeds: Mapping[str, Any]) -> Arrays:
    """Class 0, 1 or 2 by the first pixel; a negative one is more than it can bear."""
    first = feeds["image"][:, 0, 0, 0]
    if (first < 0).any():
        raise ValueError("broken")
    scores = np.full((len(first), 3), 0.1, np.float32)
    scores[np.arange(len(first)), np.clip(first.astype(int), 0, 2)] = 0.8
    return {"scores": scores}


class Telling(Counters):
    """Counters that tell when something was noted, or could not be."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.noted = threading.Semaphore(0)

    def count_noted(self, name: str, *, written: int = 0, lost: int = 0) -> None:
        super().count_noted(name, written=written, lost=lost)
        self.noted.release()


class Server:
    """An inference core with a log, in this process."""

    def __init__(self, folder: Path, engine: Engine, batching: Batching, settings: RequestLogSettings) -> None:
        self.folder = folder
        self.counters = Telling(["m"])
        self.servable = Servable("m", 4, lambda: engine)
        self.servable.load()
        models = Models({})
        models.add(self.servable)
        self.log = RequestLog(folder / "requests", 0, settings, self.counters)
        self.inference = Inference(models, self.counters, batching, self.log)

    def ask(self, *asked: Any, headers: Any = (), name: str = "image") -> list[Any]:
        """Ask for each, all at the same time, and return answers and errors."""

        async def one(x: Any) -> Any:
            if headers:
                arrive(Arrival("REST", headers))
            feeds = x if isinstance(x, dict) else {name: x}
            return await self.inference.run(self.inference.find(Target("m")), feeds)

        async def every() -> list[Any]:
            return await asyncio.gather(*map(one, asked), return_exceptions=True)

        return asyncio.run(every())

    def noted(self) -> tuple[LoggedRequest, ...]:
        """Return what was noted, when all is written."""
        self.log.close()
        return read(self.folder)[0]

    def counted(self) -> tuple[int, int]:
        row = self.counters.totals()["m"]
        return int(row["noted"]), int(row["not_noted"])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server; `engine` and `batching` are a test's, the rest are settings of the log."""
    servers: list[Server] = []

    def begin(engine: Engine | None = None, batching: Batching | None = None, **settings: Any) -> Server:
        engine = engine or Engine([IMAGE], [SCORES], classify)
        servers.append(Server(tmp_path, engine, batching or Batching(), RequestLogSettings(**settings)))
        return servers[-1]

    yield begin
    for server in servers:
        server.inference.close()


def images(*first: float) -> np.ndarray[Any, Any]:
    found = np.random.default_rng(3).random((len(first), 8, 8, 1), dtype=np.float32)
    found[:, 0, 0, 0] = first
    return found


def test_an_answer_is_noted_with_what_it_was_asked(start: Callable[..., Server]) -> None:
    server = start()
    x = images(2, 0)
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"first"), (b"x-client-id", b"bob")]
    server.ask(x, headers=headers)
    server.ask(x, headers=headers)
    one, two = server.noted()
    assert (one.id, one.model, one.version, one.api, one.examples, one.code) == ("first", "m", 4, "REST", 2, "OK")
    assert one.predictions == (2, 0)
    assert one.confidence == pytest.approx((0.8, 0.8))
    assert one.margin == pytest.approx((0.7, 0.7))
    assert one.outputs == pytest.approx((0.1, 0.1, 0.8))
    assert np.array_equal(one.sketches(), sketch(x))
    assert one.inputs == {}
    assert 0 < one.run_seconds <= one.seconds
    assert len(one.key) == 16
    assert "bob" not in one.key
    assert one.key == two.key
    assert server.counted() == (2, 0)


def test_requests_that_share_a_run_are_told_apart(start: Callable[..., Server]) -> None:
    server = start()
    asked = [images(at % 3) * np.float32(1) for at in range(40)]
    server.ask(*asked)
    noted = server.noted()
    assert len({one.id for one in noted}) == 40
    by_sketch = {one.sketches().tobytes(): one.predictions for one in noted}
    assert by_sketch == {sketch(x).tobytes(): (at % 3,) for at, x in enumerate(asked)}


def test_what_fails_is_noted_with_its_code(start: Callable[..., Server]) -> None:
    server = start()
    answers = server.ask(images(-1), images(1)[:, :4], images(1))
    assert [type(one) for one in answers] == [RequestError, RequestError, dict]
    codes = {one.code: one for one in server.noted()}
    assert set(codes) == {"INTERNAL", "INVALID_ARGUMENT", "OK"}
    assert codes["INVALID_ARGUMENT"].features == codes["INTERNAL"].predictions == ()


def test_one_that_is_given_up_is_cancelled(start: Callable[..., Server]) -> None:
    server = start()

    async def give_up() -> None:
        run = asyncio.ensure_future(server.inference.run(server.servable, {"image": images(1)}))
        await asyncio.sleep(0)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    asyncio.run(give_up())
    assert [one.code for one in server.noted()] == ["CANCELLED"]


def test_a_request_of_several_runs_is_one(start: Callable[..., Server]) -> None:
    batching = Batching(mode="on", max_batch_size=2, batch_timeout_micros=0)
    server = start(batching=batching)
    server.ask(images(0, 1, 2, 1, 0))
    (one,) = server.noted()
    assert (one.examples, one.predictions) == (5, (0, 1, 2, 1, 0))


def test_a_large_request_is_noted_in_part(start: Callable[..., Server]) -> None:
    server = start()
    server.ask(images(*[1.0] * 200))
    (one,) = server.noted()
    assert (one.examples, len(one.predictions), len(one.features)) == (200, 64, 64)


def test_inputs_are_kept_only_where_asked(start: Callable[..., Server]) -> None:
    server = start(inputs=True)
    x = images(1, 2)
    server.ask(x)
    (one,) = server.noted()
    assert np.array_equal(one.arrays()["image"], x)


def test_models_of_other_forms_are_noted_as_far_as_they_go(start: Callable[..., Server]) -> None:
    def both(feeds: Mapping[str, Any]) -> Arrays:
        return {"n": feeds["a"] + 1, "s": feeds["s"]}

    a, s = Tensor("a", "int64", (-1,)), Tensor("s", "string", (-1,))
    server = start(Engine([a, s], [Tensor("n", "int64", (-1,)), s], both), inputs=True)
    server.ask({"a": np.array([4, 5]), "s": np.array([b"x", b"y"], object)})
    (one,) = server.noted()
    assert (one.features, one.predictions, one.outputs, one.examples) == ((), (), (5.0,), 2)
    assert list(one.inputs) == ["a"]


def test_what_is_no_number_is_noted_as_none(start: Callable[..., Server]) -> None:
    tensor = Tensor("x", "float32", (-1, 2))
    server = start(Engine([tensor], [Tensor("y", "float32", (-1, 2))], lambda feeds: {"y": feeds["x"]}))
    server.ask(np.array([[np.nan, np.inf]], np.float32), name="x")
    (one,) = server.noted()
    assert (one.features, one.confidence) == (((None, None),), (None,))
    assert np.isnan(one.sketches()).all()


def test_a_sample_of_the_requests(start: Callable[..., Server]) -> None:
    server = start(sample=0.25)
    server.ask(*[images(1)] * 400)
    assert 50 <= len(server.noted()) <= 150  # ten standard deviations
    assert start(sample=0).ask(images(1))


def test_too_many_at_once_are_counted_and_forgotten(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "_MOST_BYTES", 10 * (8 * 8 * 4 + 3 * 4))
    server = start()
    with held(server.log):
        answers = server.ask(*[images(1)] * 30)
    assert all(isinstance(one, dict) for one in answers)
    assert len(server.noted()) == 10
    assert server.counted() == (10, 20)


@contextmanager
def held(log: RequestLog) -> Iterator[None]:
    """Keep its thread from taking what waits."""
    flush = log._flush
    log._flush = lambda: None  # type: ignore[method-assign]
    yield
    log._flush = flush  # type: ignore[method-assign]


def test_where_it_cannot_be_written_it_says_so_once_and_goes_on_later(
    start: Callable[..., Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(flush_seconds=0.01)
    obstacle = tmp_path / "requests"
    obstacle.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert isinstance(server.ask(images(1))[0], dict)
            assert server.counters.noted.acquire(timeout=20)
        obstacle.unlink()
        server.ask(images(2))
        assert [one.predictions for one in server.noted()] == [(2,)]
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert "cannot be written" in said[0]
    assert "3 requests are not in it" in said[1]
    assert server.counted() == (1, 3)
