"""One version of a model inside the server: its state, its signatures and what answers for it."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.serve.independence import answers_each_alone
from workbench.serve.signature import DEFAULT, type_name_of
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workbench.serve.counters import Counters
    from workbench.serve.engines.base import Engine
    from workbench.serve.signature import Signature, Tensor

    Array = np.ndarray[Any, Any]

State = Literal["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]

_log = logging.getLogger(__name__)
_WARMUPS = 2  # the first run allocates, the second is what a request will cost


class Servable:
    """A version of a model; `load` makes it answer, `run` answers.

    Attributes:
        name: Model name.
        version: Version number.
        state: Where it is in TensorFlow Serving's life of a version.
        error: Why it ended, one sentence; None where it did not.
        signatures: How it can be called, by name; empty until loaded.
        platform: What the Open Inference Protocol calls its format; empty until loaded.
        queues: Where those wait who ask it, by signature; the inference core's own.
    """

    def __init__(
        self, name: str, version: int, open_engine: Callable[[], Engine], counters: Counters | None = None
    ) -> None:
        """Know how to load a version.

        Args:
            name: Model name.
            version: Version number.
            open_engine: Opens the model.
            counters: Where its warm-up is counted.
        """
        self.name = name
        self.version = version
        self.state: State = "START"
        self.error: str | None = None
        self.signatures: dict[str, Signature] = {}
        self.platform = ""
        self._counters = counters
        self.queues: dict[str, Any] = {}
        self._sample_seconds: float | None = None
        self._alone: set[str] = set()
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._running = 0
        self._lock = threading.Lock()  # taken itself it costs half of what the condition over it does
        self._idle = threading.Condition(self._lock)

    def load(self) -> None:
        """Open the model and run it once; a failure is kept in `error`."""
        self.state = "LOADING"
        try:
            engine = self._engine = self._open_engine()
            self.signatures = dict(engine.signatures)
            self.platform = engine.platform
            self._warm_up(engine)
        except WorkbenchError as error:
            self._fail(str(error))
        except Exception:  # noqa: BLE001 - engines raise classes of their own
            _log.exception("%s version %d did not load", self.name, self.version)
            self._fail(f"model {self.name} version {self.version} cannot be run; the server's log says why.")
        else:
            self.state = "AVAILABLE"

    def close(self) -> None:
        """Let the requests in flight finish, then free the model."""
        self.state = "UNLOADING"
        with self._idle:
            self._idle.wait_for(lambda: self._running == 0)
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        self.state = "END"

    def signature(self, name: str) -> Signature:
        """Return a signature; an empty name is the default one.

        Raises:
            RequestError: INVALID_ARGUMENT, there is none of that name.
        """
        try:
            return self.signatures[name or DEFAULT]
        except KeyError:
            raise invalid(f'Serving signature name: "{name}" not found in signature def') from None

    def run(self, feeds: Mapping[str, Array], signature: str = "") -> dict[str, Array]:
        """Answer one batch.

        Args:
            feeds: An array for each input of the signature.
            signature: Its name; the default one where empty.

        Returns:
            The outputs by name, in the model's order.

        Raises:
            RequestError: A shape or type is not the signature's (INVALID_ARGUMENT), or the model failed on inputs that
                are (INTERNAL).
        """
        self.check(feeds, signature)
        with self.in_use():
            return self.execute(feeds, signature or DEFAULT)

    def check(self, feeds: Mapping[str, Array], signature: str = "") -> Signature:
        """Return the signature whose shapes and types these arrays have.

        Raises:
            RequestError: INVALID_ARGUMENT, they have not, or there is no such signature.
        """
        found = self.signature(signature)
        for tensor in found.inputs:
            _check(tensor, feeds[tensor.name])
        return found

    def execute(self, feeds: Mapping[str, Array], signature: str) -> dict[str, Array]:
        """Answer one batch of arrays that were checked, while the version is in use.

        Raises:
            RequestError: INVALID_ARGUMENT or INTERNAL, the model failed.
        """
        engine = self._engine
        if engine is None:
            raise self._unloaded()
        begin = time.perf_counter()
        try:
            outputs = engine.run(signature, feeds)
        except (RequestError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - engines raise classes of their own
            raise self._run_error(error) from None
        self._clock(feeds, time.perf_counter() - begin)
        return outputs

    def seconds_for(self, samples: int) -> float:
        """Return what a run of so many samples will take at most, as it was lately; long where none was run yet."""
        return inf if self._sample_seconds is None else samples * self._sample_seconds

    def hold(self) -> None:
        """Keep the version loaded until it is let go as often.

        Raises:
            RequestError: UNAVAILABLE, it was unloaded.
        """
        with self._lock:
            if self._engine is None:
                raise self._unloaded()
            self._running += 1

    def let_go(self) -> None:
        """Undo one `hold`."""
        with self._lock:
            self._running -= 1
            if not self._running:
                self._idle.notify_all()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Hold the version.

        Raises:
            RequestError: UNAVAILABLE, it was unloaded.
        """
        self.hold()
        try:
            yield
        finally:
            self.let_go()

    def _clock(self, feeds: Mapping[str, Array], seconds: float) -> None:
        samples = max((array.shape[0] for array in feeds.values() if array.ndim), default=1)
        each = seconds / max(samples, 1)
        known = self._sample_seconds
        self._sample_seconds = each if known is None else known + 0.1 * (each - known)

    def _unloaded(self) -> RequestError:
        return RequestError(Code.UNAVAILABLE, f"Model {self.name} version {self.version} was unloaded")

    def _run_error(self, error: Exception) -> RequestError:
        if isinstance(error, BadInputError):
            return invalid(str(error))
        # The inputs are what the signature asks for, so this is the model's fault, whatever class the engine chose.
        # Its own text names source files and nodes; it stays in the log.
        _log.error("%s version %d failed to run: %s", self.name, self.version, error)
        return RequestError(Code.INTERNAL, "The model failed to run; the server's log says why")

    def shares_runs(self, signature: str) -> bool:
        """Tell whether requests may share a run of a signature without a trace in each other's answers."""
        return self.signatures[signature].batched and signature not in self._alone

    def _warm_up(self, engine: Engine) -> None:
        begin = time.perf_counter()
        recorded = list(getattr(engine, "warm_ups", ()))
        for name, feeds in recorded:
            try:
                self.run(feeds, name)
            except RequestError as error:
                raise BadInputError(f"A request that was recorded for the warm-up failed: {error.message}.") from None
        for name in self.signatures:
            if all(name != other for other, _ in recorded):
                self._run_zeros(name)
            if self.signatures[name].batched and not answers_each_alone(engine, name):
                _log.warning(
                    "%s version %d answers samples together: its requests share no run", self.name, self.version
                )
                self._alone.add(name)
        if self._counters is not None:
            self._counters.count_warm_up(self.name, time.perf_counter() - begin)

    def _run_zeros(self, name: str) -> None:
        inputs = self.signatures[name].inputs
        if any(-1 in tensor.shape[1:] or tensor.unknown_rank or tensor.dtype == "string" for tensor in inputs):
            return  # no way to know what a real input looks like
        feeds = {one.name: np.zeros([max(size, 1) for size in one.shape], dtype=one.dtype) for one in inputs}
        for _ in range(_WARMUPS):
            self._sample_seconds = None  # what counts is the last
            with self.in_use():
                self.execute(feeds, name)

    def _fail(self, error: str) -> None:
        self.close()
        self.error = error


def _check(tensor: Tensor, array: Array) -> None:
    if not tensor.advisory and not tensor.admits(array.shape):
        raise invalid(f"Input {tensor.name} must be of shape {list(tensor.shape)} but got: {list(array.shape)}")
    if array.dtype != (np.object_ if tensor.dtype == "string" else np.dtype(tensor.dtype)):
        raise invalid(f"Input {tensor.name} must be of type {tensor.type_name} but got: {type_name_of(array.dtype)}")
