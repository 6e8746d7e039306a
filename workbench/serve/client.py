"""Asking a server from Python: arrays in, arrays out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import orjson

from workbench.core.errors import BadInputError, ServingError
from workbench.core.records import Record, ServingStats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]

_STATS_PATH = "/monitoring/stats"
_HTTP_ERRORS = 400


class VersionStatus(Record):
    """One version as the server tells it; `state` is `AVAILABLE` where it answers, `END` with an error where not."""

    version: int
    state: str
    error: str


def client(url: str, model: str = "model", *, timeout: float = 30.0) -> Client:
    """Return a client for one model of a server that speaks TensorFlow Serving's REST.

    Args:
        url: Address of the server, e.g. `http://127.0.0.1:8501`.
        model: Model name.
        timeout: Seconds to wait for one answer.
    """
    return Client(url, model, timeout=timeout)


class Client:
    """Keeps its connections; may be used from many threads.

    Attributes:
        url: Address of the server.
        model: Model name.
    """

    def __init__(self, url: str, model: str, *, timeout: float = 30.0) -> None:
        import urllib3

        if not url.startswith(("http://", "https://")):
            raise BadInputError.of("url", rule="must start with http:// or https://", got=url)
        self.url = url.rstrip("/")
        self.model = model
        # A prediction changes nothing, so it may be asked again where the connection broke.
        retry = urllib3.Retry(total=2, status=0, redirect=0, backoff_factor=0.05, allowed_methods=None)
        self._pool = urllib3.PoolManager(maxsize=16, retries=retry, timeout=urllib3.Timeout(timeout))

    def __repr__(self) -> str:
        return f"Client({self.url!r}, model={self.model!r})"

    def predict(
        self,
        inputs: ArrayLike | Mapping[str, ArrayLike],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
    ) -> Any:
        """Ask the model.

        Args:
            inputs: A batch [n, …] for the model's one input, or a batch for each input by name.
            version: Version that shall answer; the newest where None.
            label: Label of the version that shall answer.
            signature: Signature name; the default one where None.

        Returns:
            A float array [n, …], or one by name where the model has several outputs.

        Raises:
            BadInputError: Both a version and a label are given.
            ServingError: The server refused, with its own reason, or does not answer.
        """
        if version is not None and label is not None:
            raise BadInputError.of("label", rule="must not be given beside a version", got=label)
        document: dict[str, Any] = {} if signature is None else {"signature_name": signature}
        if isinstance(inputs, dict):
            document["inputs"] = {name: np.asarray(value) for name, value in inputs.items()}
        else:
            document["inputs"] = np.asarray(inputs)
        where = f"/versions/{version}" if version is not None else f"/labels/{quote(label)}" if label else ""
        reply = self._ask("POST", f"{self._path}{where}:predict", _write(document))
        outputs = reply["outputs"]
        if isinstance(outputs, dict):
            return {name: _array(value) for name, value in outputs.items()}
        return _array(outputs)

    def status(self) -> tuple[VersionStatus, ...]:
        """Return the versions the server knows, newest first.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        reply = self._ask("GET", self._path)
        return tuple(
            VersionStatus(version=int(one["version"]), state=one["state"], error=one["status"]["error_message"])
            for one in reply["model_version_status"]
        )

    def metadata(self) -> dict[str, Any]:
        """Return how the model can be called, as the server's metadata document says.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        reply: dict[str, Any] = self._ask("GET", f"{self._path}/metadata")
        return reply

    def stats(self) -> ServingStats:
        """Return what the server has counted for this model; only our own servers tell.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        rows = {row["model"]: row for row in self._ask("GET", _STATS_PATH)["models"]}
        if self.model not in rows:
            raise ServingError(f"{self.url} must serve {self.model} to count it, but serves {', '.join(rows)}.")
        return ServingStats.from_json(rows[self.model])

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    @property
    def _path(self) -> str:
        return f"/v1/models/{quote(self.model, safe='')}"

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        import urllib3

        headers = {"content-type": "application/json"} if body is not None else None
        try:
            response = self._pool.request(method, self.url + path, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ServingError(
                f"{self.url} does not answer ({_reason(error)}); start a server with `workbench.serve(artifact)`."
            ) from error
        reply = _read(response.data)
        if response.status >= _HTTP_ERRORS:
            message = reply.get("error") if isinstance(reply, dict) else None
            raise ServingError(f"{self.url} answered {response.status}: {message or response.reason}")
        if reply is None:
            raise ServingError(f"{self.url} must answer with JSON, got {response.data[:40]!r}.")
        return reply


def _write(document: dict[str, Any]) -> bytes:
    try:
        values = document["inputs"]
        arrays = values.values() if isinstance(values, dict) else [values]
        # orjson writes NaN as null and knows no text or object arrays.
        if all(array.dtype.kind in "iub" or np.isfinite(array).all() for array in arrays):
            return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=_plain)
    except TypeError:
        pass
    return json.dumps(document, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError


def _read(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)  # NaN and Infinity
    except ValueError:
        return None


def _array(value: Any) -> Array:
    array = np.array(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).rpartition(": ")[2]
