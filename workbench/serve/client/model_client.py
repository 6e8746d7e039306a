"""The client: one model of one server, over whichever protocol the URL names."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench.core.errors import BadInputError, ServingError
from workbench.serve.client.access import Access
from workbench.serve.client.face import RefusedError, Who
from workbench.serve.client.retries import Patience, Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from numpy.typing import ArrayLike

    from workbench.core.records import ServingStats
    from workbench.serve.client.face import Array, Face, VersionStatus

T = TypeVar("T")

_DEFAULT = Retries()
_NEWEST = 2**63 - 1
_HEADER = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e]{0,1024}")
_KEY_NEEDED = ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED")


def client(
    url: str,
    model: str = "model",
    *,
    timeout: float = 30.0,
    api_key: str | None = None,
    ca: str | None = None,
    certificate: str | None = None,
    private_key: str | None = None,
    retries: Retries = _DEFAULT,
) -> Client:
    """Return a client for one model of a server.

    Args:
        url: Address of the server, which also names the protocol: `http://127.0.0.1:8501` (TensorFlow Serving's REST),
            `http://127.0.0.1:8501/v2` (Open Inference Protocol), `grpc://127.0.0.1:8500` (TensorFlow Serving),
            `grpc+oip://127.0.0.1:8500`; `https`, `grpcs` and `grpcs+oip` over TLS, `grpc+unix:///path` on a socket.
        model: Model name.
        timeout: Seconds to wait for one answer, all attempts together.
        api_key: Key that the server asks for.
        ca: PEM file of those who sign the server's certificate; the system's where None.
        certificate: PEM file of the client's own certificate (mutual TLS).
        private_key: PEM file of its key.
        retries: How to go on where the server is busy or the connection broke.

    Raises:
        BadInputError: The URL is of no known kind, or a file is missing.
    """
    access = Access(url, model, api_key, ca, certificate, private_key)
    return Client(url, model, timeout=timeout, access=access, retries=retries)


class Client:
    """Keeps its connections; may be used from many threads.

    Attributes:
        url: Address of the server.
        model: Model name.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        timeout: float = 30.0,
        access: Access | None = None,
        retries: Retries = _DEFAULT,
    ) -> None:
        if not timeout > 0:
            raise BadInputError.of("timeout", rule="must be above 0 seconds", got=timeout)
        self.url = url.rstrip("/")
        self.model = model
        self._timeout = timeout
        self._access = access or Access(url, model)
        self._face = _face(self._access)
        self._retries = retries
        self._patience = Patience(retries)

    def __repr__(self) -> str:
        return f"Client({self.url!r}, model={self.model!r})"

    def __call__(
        self,
        *,
        api_key: str | None = None,
        ca: str | None = None,
        certificate: str | None = None,
        private_key: str | None = None,
    ) -> Client:
        """Return another client of the same model, with a key or certificates; what is not given is this one's.

        Args:
            api_key: Key that the server asks for.
            ca: PEM file of those who sign the server's certificate.
            certificate: PEM file of the client's own certificate (mutual TLS).
            private_key: PEM file of its key.

        Raises:
            BadInputError: A file is missing.
        """
        given = {"api_key": api_key, "ca": ca, "certificate": certificate, "private_key": private_key}
        access = replace(self._access, **{name: value for name, value in given.items() if value is not None})
        return Client(self.url, self.model, timeout=self._timeout, access=access, retries=self._retries)

    def predict(
        self,
        inputs: ArrayLike | Mapping[str, ArrayLike],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask the model.

        Args:
            inputs: A batch [n, …] for the model's one input, or a batch for each input by name; numbers, texts or
                bytes.
            version: Version that shall answer; the newest where None.
            label: Label of the version that shall answer.
            signature: Signature name; the default one where None.
            timeout: Seconds for this question; the client's where None.
            headers: Sent beside it (over gRPC as metadata): `x-request-id` names it in the server's request log, so
                that a label can follow, `x-client-id` keeps a client at one version while a new one is tried.

        Returns:
            An array [n, …], or one by name where the model has several outputs. Over REST decimals are float32.

        Raises:
            BadInputError: Both a version and a label are given, or what the protocol has no place for, or the inputs
                are no arrays, or a header is none.
            ServingError: The server refused, with its own reason, or does not answer.
        """
        if version is not None and label is not None:
            raise BadInputError.of("label", rule="must not be given beside a version", got=label)
        if version is not None and not (isinstance(version, int | np.integer) and 0 <= version <= _NEWEST):
            raise BadInputError.of("version", rule="must be a whole number from 0 to 2^63 - 1", got=version)
        who = Who(version, label, signature, _beside(headers or {}))
        arrays = _arrays(inputs)
        outputs = self._ask(lambda seconds: self._face.predict(arrays, who, seconds), timeout)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def status(self) -> tuple[VersionStatus, ...]:
        """Return the versions the server knows, newest first.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        return self._ask(self._face.status)

    def metadata(self) -> dict[str, Any]:
        """Return how the model can be called, as the protocol's own metadata document says.

        Raises:
            ServingError: The server does not know the model, or does not answer.
        """
        return self._ask(self._face.metadata)

    def ready(self) -> bool:
        """Tell whether the model answers; asks once."""
        try:
            return self._face.ready(self._timeout)
        except RefusedError:
            return False

    def stats(self) -> ServingStats:
        """Return what the server has counted for this model; only our own servers tell, and over HTTP.

        Raises:
            BadInputError: The client speaks gRPC.
            ServingError: The server does not know the model, or does not answer.
        """
        return self._ask(self._face.stats)

    def close(self) -> None:
        """Close the connections."""
        self._face.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, question: Callable[[float], T], timeout: float | None = None) -> T:
        seconds = self._timeout if timeout is None else timeout
        try:
            return self._patience.ask(question, seconds)
        except RefusedError as refused:
            raise ServingError(sentence(self.url, refused)) from refused


def sentence(url: str, refused: RefusedError) -> str:
    """Say why a question was not answered, in the server's words where it has any."""
    if not refused.status:
        step = refused.step or "start a server with `workbench.serve(artifact)`"
        return f"{url} does not answer ({refused.message}); {step}."
    said = f"{url} answered {refused.status}: {refused.message}"
    if refused.status in _KEY_NEEDED:
        return f"{said}; give a key that may as `api_key=`, e.g. `client(…, api_key=…)`."
    return said if refused.after is None else f"{said} (it asks to wait {refused.after:g} s)"


def _face(access: Access) -> Face:
    # gRPC takes 60 ms to import, and most who ask need one protocol.
    if access.scheme.startswith("grpc"):
        if access.oip:
            from workbench.serve.client.oip_grpc import OipGrpc

            return OipGrpc(access)
        from workbench.serve.client.grpc import Grpc

        return Grpc(access)
    if access.oip:
        from workbench.serve.client.oip_http import OipHttp

        return OipHttp(access)
    from workbench.serve.client.rest import Rest

    return Rest(access)


def _arrays(inputs: Any) -> Any:
    if hasattr(inputs, "keys"):
        return {name: _array(value, f"inputs[{name!r}]") for name, value in inputs.items()}
    return _array(inputs, "inputs")


def _array(value: Any, what: str) -> Array:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInputError.of(what, rule="must be an array, or lists of the same lengths", got=value) from error
    # NumPy's own type for bytes loses zeros at their ends.
    return np.array(value, dtype=object) if array.dtype.kind == "S" and array is not value else array


def _beside(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for name, value in headers.items():
        if not (_HEADER.fullmatch(name) and _VALUE.fullmatch(value)):
            raise BadInputError.of("headers", rule="must be names and values of plain text", got={name: value})
    return tuple((name.lower(), value) for name, value in headers.items())
