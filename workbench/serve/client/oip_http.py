"""The Open Inference Protocol v2 over HTTP, with the binary tensor extension where the server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from workbench.core.errors import BadInputError
from workbench.serve.client.face import RefusedError, VersionStatus, Who
from workbench.serve.client.http import Http
from workbench.serve.client.json_values import read_json, write_json
from workbench.serve.client.oip_tensors import read_inputs, read_outputs, write_head
from workbench.serve.client.rest import read_stats
from workbench.serve.client.signatures import Signatures, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.core.records import ServingStats
    from workbench.serve.client.access import Access
    from workbench.serve.client.face import Array
    from workbench.serve.client.http import Reply

HEAD_LENGTH = "inference-header-content-length"

# TensorFlow Serving's states by the model repository's; any other is `END`.
_STATES = {"READY": "AVAILABLE", "LOADING": "LOADING", "UNLOADING": "UNLOADING"}
_NO_INDEX = ("400", "401", "403", "404", "405", "501")


class OipHttp:
    """Asks `/v2/models/…`."""

    def __init__(self, access: Access) -> None:
        self._base = access.url.rstrip("/")
        self._name = access.model
        self._model = f"{self._base}/models/{quote(access.model, safe='')}"
        self._http = Http(access)
        self._binary: bool | None = None
        self._signatures = Signatures(self._inputs)

    def predict(self, inputs: Array | Mapping[str, Array], who: Who, seconds: float) -> dict[str, Array]:
        """Return the outputs by name."""
        url = self._url(who)
        feeds = named(inputs, self._signatures.inputs(who, seconds))
        head, parts = write_head(feeds, binary=self.binary(seconds))
        body, headers = write_json(head), {"content-type": "application/json"}
        if parts:
            headers = {"content-type": "application/octet-stream", HEAD_LENGTH: str(len(body))}
        headers |= who.headers
        try:
            reply = self._http.ask("POST", f"{url}/infer", seconds, b"".join([body, *parts]), headers)
        except RefusedError as refused:
            if not refused.again:
                self._signatures.forget(who)
            raise
        return read_reply(reply)

    def binary(self, seconds: float) -> bool:
        """Tell whether the server takes and gives tensors as bytes; asked once."""
        if self._binary is None:
            extensions = self._http.ask("GET", self._base, seconds).document().get("extensions", [])
            self._binary = "binary_tensor_data" in extensions
        return self._binary

    def status(self, seconds: float) -> tuple[VersionStatus, ...]:
        """Return the versions, newest first: the repository's, or, where it is not listed, those that are ready."""
        rows: list[Any] = []
        try:
            rows = self._http.ask("POST", f"{self._base}/repository/index", seconds, b"{}").document()
        except RefusedError as refused:
            if refused.status not in _NO_INDEX:
                raise
        return versions_of(rows, self._name) or versions_ready(self.metadata(seconds))

    def metadata(self, seconds: float) -> dict[str, Any]:
        """Return name, versions, inputs and outputs."""
        found: dict[str, Any] = self._http.ask("GET", self._model, seconds).document()
        return found

    def ready(self, seconds: float) -> bool:
        """Tell whether the model is ready."""
        try:
            reply = self._http.ask("GET", f"{self._model}/ready", seconds)
        except RefusedError as refused:
            if refused.status:
                return False
            raise
        found = read_json(reply.body)  # Triton sends none
        return not isinstance(found, dict) or found.get("ready") is not False

    def stats(self, seconds: float) -> ServingStats:
        """Return what the server has counted; our own servers tell it beside the protocol."""
        return read_stats(self._http, self._base.removesuffix("/v2"), self._name, seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _inputs(self, who: Who, seconds: float) -> Any:
        return read_inputs(self._http.ask("GET", self._url(who), seconds).document()["inputs"])

    def _url(self, who: Who) -> str:
        refuse_unknown(who)
        return self._model if who.version is None else f"{self._model}/versions/{who.version}"


def refuse_unknown(who: Who) -> None:
    """Refuse what the protocol has no place for.

    Raises:
        BadInputError: A label or a signature is asked for.
    """
    for name in ("label", "signature"):
        if (value := getattr(who, name)) is not None:
            raise BadInputError.of(
                name, rule="must not be given over the Open Inference Protocol, which has none", got=value,
                hint="ask TensorFlow Serving's REST or gRPC",
            )  # fmt: skip


def versions_of(rows: Sequence[Mapping[str, Any]], model: str) -> tuple[VersionStatus, ...]:
    """Return a model's versions of a repository's index, newest first."""
    mine = [row for row in rows if row.get("name") == model and str(row.get("version", "")).isdigit()]
    return tuple(
        VersionStatus(
            version=int(row["version"]),
            state=_STATES.get(str(row.get("state")), "END"),
            error=str(row.get("reason") or ""),
        )
        for row in sorted(mine, key=lambda row: -int(row["version"]))
    )


def versions_ready(metadata: Mapping[str, Any]) -> tuple[VersionStatus, ...]:
    """Return the versions of a model's metadata, which only ready ones have; 0 where the server does not number."""
    found = [int(version) for version in metadata.get("versions") or () if str(version).isdigit()]
    return tuple(VersionStatus(version=one, state="AVAILABLE", error="") for one in sorted(found or [0], reverse=True))


def read_reply(reply: Reply) -> dict[str, Array]:
    """Return the outputs of an answer, whose tensors may follow its JSON part as bytes.

    Raises:
        RefusedError: It is no such answer.
    """
    length = reply.headers.get(HEAD_LENGTH)
    at = int(length) if length is not None and length.isdigit() else len(reply.body)
    document = read_json(reply.body[:at])
    if not isinstance(document, dict) or not isinstance(document.get("outputs"), list):
        raise RefusedError("with something else than outputs", repr(reply.body[:40]))
    return read_outputs(document["outputs"], reply.body[at:])
