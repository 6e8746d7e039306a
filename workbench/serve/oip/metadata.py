"""What the protocol tells of a server and its models, the same over HTTP and gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import workbench
from workbench.serve.control import NoControl
from workbench.serve.oip.datatypes import datatype_of
from workbench.serve.status import Code, RequestError, not_found

if TYPE_CHECKING:
    from workbench.serve.control import Control, Indexed
    from workbench.serve.inference import Inference
    from workbench.serve.models import Models, Target
    from workbench.serve.servable import Servable
    from workbench.serve.signature import Tensor

_SERVER = "lastmile-workbench"
_STATES = {"START": "LOADING", "LOADING": "LOADING", "AVAILABLE": "READY", "UNLOADING": "UNLOADING"}


def server_metadata(control: Control) -> dict[str, Any]:
    """Return the server's name, version and the extensions that it really has."""
    # The repository's listing is always there, but who asks for the extension wants to load and unload.
    extensions = (
        ["binary_tensor_data"] if isinstance(control, NoControl) else ["binary_tensor_data", "model_repository"]
    )
    return {"name": _SERVER, "version": workbench.__version__, "extensions": extensions}


def model_metadata(inference: Inference, target: Target) -> dict[str, Any]:
    """Return how a model can be called.

    Raises:
        RequestError: NOT_FOUND, no such model or version answers.
    """
    servable = find(inference, target)
    model = inference.models.model(target.name)
    versions = [servable] if target.version is not None or model is None else model.available()
    signature = servable.signature("")
    return {
        "name": servable.name,
        "versions": [str(one.version) for one in versions],
        "platform": servable.platform,
        "inputs": [_tensor(one) for one in signature.inputs],
        "outputs": [_tensor(one) for one in signature.outputs],
    }


def find(inference: Inference, target: Target, *, to_run: bool = False) -> Servable:
    """Return the version that answers, or say in the protocol's words that there is none.

    Args:
        inference: The core.
        target: Whom a request asks.
        to_run: It asks for an inference, in which a new version may have its turn.

    Raises:
        RequestError: NOT_FOUND.
    """
    try:
        return inference.choose(target) if to_run else inference.find(target)
    except RequestError as error:
        if error.code is not Code.NOT_FOUND:
            raise
    known = inference.models.model(target.name) is not None
    if target.version is not None and known:
        raise not_found(f"Request for unknown model: '{target.name}' version {target.version} is not found")
    raise not_found(
        f"Request for unknown model: '{target.name}' {'has no available versions' if known else 'is not found'}"
    )


def is_ready(models: Models, target: Target) -> bool | None:
    """Tell whether a model, or one version of it, answers; None where it is not known here at all."""
    model = models.model(target.name)
    if model is None:
        return None
    if target.version is not None and all(one.version != target.version for one in model.listed()):
        return None
    return any(target.version in (None, one.version) for one in model.available())


def repository_index(control: Control, *, ready: bool) -> list[dict[str, str]]:
    """Return every version there is, by name and version.

    Args:
        control: What knows them.
        ready: List those alone that answer.
    """
    found = sorted(control.index(), key=lambda one: (one.name, one.version))
    rows = [_indexed(one) for one in found]
    return [row for row in rows if row["state"] == "READY"] if ready else rows


def _indexed(one: Indexed) -> dict[str, str]:
    row = {"name": one.name, "version": str(one.version), "state": _STATES.get(one.state, "UNAVAILABLE")}
    return row | {"reason": one.reason} if one.reason else row


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "datatype": datatype_of(tensor.dtype),
        "shape": [-1] if tensor.unknown_rank else list(tensor.shape),
    }
