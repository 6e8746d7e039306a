"""TensorFlow Serving's REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from workbench.core.records import ServingStats
from workbench.serve.client.face import RefusedError, VersionStatus
from workbench.serve.client.http import Http
from workbench.serve.client.json_values import read_array, write_json
from workbench.serve.signature import DEFAULT, TYPES, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.client.access import Access
    from workbench.serve.client.face import Array, Who

STATS_PATH = "/monitoring/stats"

_JSON = {"content-type": "application/json"}
_DTYPES = {proto: dtype for dtype, (proto, _) in TYPES.items()}


class Rest:
    """Asks `/v1/models/…`; arrays travel column by column (`inputs`) as JSON."""

    def __init__(self, access: Access) -> None:
        self._base = access.url.rstrip("/")
        self._name = access.model
        self._model = f"{self._base}/v1/models/{quote(access.model, safe='')}"
        self._http = Http(access)

    def predict(self, inputs: Array | Mapping[str, Array], who: Who, seconds: float) -> dict[str, Array]:
        """Return the outputs by name; a lone one has none in this protocol, so an empty one."""
        document: dict[str, Any] = {} if who.signature is None else {"signature_name": who.signature}
        document["inputs"] = inputs
        where = ""
        if who.version is not None:
            where = f"/versions/{who.version}"
        elif who.label is not None:
            where = f"/labels/{quote(who.label, safe='')}"
        reply = self._http.ask(
            "POST", f"{self._model}{where}:predict", seconds, write_json(document), {**_JSON, **dict(who.headers)}
        )
        try:
            outputs = reply.document()["outputs"]
            if isinstance(outputs, dict) and outputs.keys() != {"b64"}:
                return {name: read_array(value) for name, value in outputs.items()}
            return {"": read_array(outputs)}
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError("with something else than outputs", repr(error)) from None

    def status(self, seconds: float) -> tuple[VersionStatus, ...]:
        """Return the versions, newest first."""
        found = self._http.ask("GET", self._model, seconds).document()
        try:
            if "ready" in found:  # KServe's form of this protocol, which numbers no versions
                return (VersionStatus(version=0, state="AVAILABLE" if found["ready"] else "LOADING", error=""),)
            return tuple(
                VersionStatus(
                    version=int(one.get("version", 0)),
                    state=one.get("state", "UNKNOWN"),
                    error=one.get("status", {}).get("error_message", ""),
                )
                for one in found["model_version_status"]
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RefusedError("with something else than a status", repr(error)) from None

    def metadata(self, seconds: float) -> dict[str, Any]:
        """Return the `SignatureDef`s as JSON."""
        found: dict[str, Any] = self._http.ask("GET", f"{self._model}/metadata", seconds).document()
        return found

    def ready(self, seconds: float) -> bool:
        """Tell whether a version is `AVAILABLE`."""
        return any(one.state == "AVAILABLE" for one in self.status(seconds))

    def stats(self, seconds: float) -> ServingStats:
        """Return what the server has counted."""
        return read_stats(self._http, self._base, self._name, seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def read_signature(document: Mapping[str, Any], signature: str = DEFAULT) -> tuple[Tensor, ...]:
    """Return the inputs of a signature that a metadata document tells of.

    Raises:
        RefusedError: It does not.
    """
    try:
        inputs = document["metadata"]["signature_def"]["signature_def"][signature]["inputs"]
        return tuple(
            Tensor(name, _DTYPES[info["dtype"]], tuple(int(dim["size"]) for dim in info["tensor_shape"].get("dim", ())))
            for name, info in inputs.items()
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError("with something else than a signature", repr(error)) from None


def read_stats(http: Http, base: str, model: str, seconds: float) -> ServingStats:
    """Return one model's row of our own servers' counters.

    Raises:
        RefusedError: As of `Http.ask`, or the model is not counted there.
    """
    rows = {row["model"]: row for row in http.ask("GET", base + STATS_PATH, seconds).document()["models"]}
    if model not in rows:
        raise RefusedError("404", f"it must serve {model} to count it, but serves {', '.join(rows)}")
    return ServingStats.from_json(rows[model])
