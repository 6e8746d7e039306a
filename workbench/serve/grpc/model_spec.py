"""Whom a request asks and who answered, as `ModelSpec` says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.serve.models import Target
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from workbench.serve.servable import Servable


def model_spec(request: Any) -> Any:
    """Return a request's `ModelSpec`.

    Raises:
        RequestError: INVALID_ARGUMENT, it has none.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def target_of(spec: Any) -> Target:
    """Return whom a `ModelSpec` means.

    Raises:
        RequestError: INVALID_ARGUMENT, it names no model.
    """
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Target(
        spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )


def write_spec(spec: Any, servable: Servable, signature: str = "") -> None:
    """Say who answered.

    Args:
        spec: An empty `ModelSpec`.
        servable: The version that did.
        signature: What was called, where the reply names it.
    """
    spec.name = servable.name
    spec.version.value = servable.version
    spec.signature_name = signature
