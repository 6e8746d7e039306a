"""One version of a model inside the server: its state, its signatures and what answers for it."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.serve.signature import DEFAULT
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
        run_seconds: What one inference took lately.
    """

    def __init__(self, name: str, version: int, open_engine: Callable[[], Engine]) -> None:
        self.name = name
        self.version = version
        self.state: State = "START"
        self.error: str | None = None
        self.signatures: dict[str, Signature] = {}
        self.run_seconds = 1.0
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._running = 0
        self._idle = threading.Condition()

    def load(self) -> None:
        """Open the model and run it once; a failure is kept in `error`."""
        self.state = "LOADING"
        try:
            self._engine = self._open_engine()
            self.signatures = dict(self._engine.signatures)
            self._warm_up()
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
        for tensor in self.signature(signature).inputs:
            _check(tensor, feeds[tensor.name])
        begin = time.perf_counter()
        try:
            with self._in_use() as engine:
                outputs = engine.run(signature or DEFAULT, feeds)
        except (RequestError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - engines raise classes of their own
            raise self._run_error(error) from None
        self.run_seconds += 0.2 * (time.perf_counter() - begin - self.run_seconds)
        return outputs

    @contextmanager
    def _in_use(self) -> Iterator[Engine]:
        with self._idle:
            if self._engine is None:
                raise RequestError(Code.UNAVAILABLE, f"Model {self.name} version {self.version} was unloaded")
            engine = self._engine
            self._running += 1
        try:
            yield engine
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _run_error(self, error: Exception) -> RequestError:
        if isinstance(error, BadInputError):
            return invalid(str(error))
        # The inputs are what the signature asks for, so this is the model's fault, whatever class the engine chose.
        # Its own text names source files and nodes; it stays in the log.
        _log.error("%s version %d failed to run: %s", self.name, self.version, error)
        return RequestError(Code.INTERNAL, "The model failed to run; the server's log says why")

    def _warm_up(self) -> None:
        inputs = self.signature("").inputs
        if any(-1 in tensor.shape[1:] or tensor.dtype == "string" for tensor in inputs):
            return  # no way to know what a real input looks like
        feeds = {one.name: np.zeros([max(size, 1) for size in one.shape], dtype=one.dtype) for one in inputs}
        for _ in range(_WARMUPS):
            begin = time.perf_counter()
            with self._in_use() as engine:
                engine.run(DEFAULT, feeds)
            self.run_seconds = time.perf_counter() - begin

    def _fail(self, error: str) -> None:
        self.close()
        self.error = error


def _check(tensor: Tensor, array: Array) -> None:
    if not tensor.admits(array.shape):
        raise invalid(f"Input {tensor.name} must be of shape {list(tensor.shape)} but got: {list(array.shape)}")
    if array.dtype != (np.object_ if tensor.dtype == "string" else np.dtype(tensor.dtype)):
        raise invalid(f"Input {tensor.name} must be of type {tensor.type_name} but got: {array.dtype.name}")
