"""What the serving panel sets, how its controls look, and the Python that says the same."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.panels.parts.arguments import arguments_in
from workbench.serve.batching import Batching
from workbench.serve.settings import ServeSettings

if TYPE_CHECKING:
    from workbench.panels.session import Session

SERVABLE = ("onnx", "tflite", "saved_model", "packed")
SHOWN = ("artifact", "name", "workers", "port", "keep", "request_log")
_MOST_CONVERSIONS = 12
_BATCHING = ("mode", "max_batch_size", "batch_timeout_micros")


def like(settings: type[Settings], name: str) -> Any:
    """Return the declaration of a setting for a form that asks for it beside others: limits and words are one."""
    return copy(settings.model_fields[name])


class ServePlan(Settings):
    """The model, and what a sandbox can be told that is of use at a desk."""

    artifact: str = Field(default="", description="folder of the model, in a format that can be served")
    name: str = like(ServeSettings, "name")
    workers: int = like(ServeSettings, "workers")
    port: int = like(ServeSettings, "port")
    keep: bool = Field(default=True, description="it goes on when this page is closed, until somebody stops it")
    request_log: bool = Field(default=True, description="note what is asked, which drift and accuracy are judged by")
    grpc_port: int | None = like(ServeSettings, "grpc_port")
    oip_port: int | None = like(ServeSettings, "oip_port")
    threads: int = like(ServeSettings, "threads")
    mode: Literal["auto", "off", "on"] = like(Batching, "mode")
    max_batch_size: int = like(Batching, "max_batch_size")
    batch_timeout_micros: int = like(Batching, "batch_timeout_micros")
    drain_seconds: float = like(ServeSettings, "drain_seconds")
    poll_seconds: float = like(ServeSettings, "poll_seconds")
    policy: Literal["specific", "latest", "all"] = like(ServeSettings, "policy")
    cors: bool = like(ServeSettings, "cors")
    grpc_health: bool = like(ServeSettings, "grpc_health")
    trust: bool = like(ServeSettings, "trust")


def defaults() -> dict[str, Any]:
    """Return what the controls hold at first."""
    return ServePlan().model_dump()


def asked_of_serve(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `workbench.serve` beside model and name: only what is not usual."""
    usual = defaults() | {"keep": False, "request_log": False}
    changed = {name: value for name, value in plan.items() if value != usual[name]}
    batching = {name: changed.pop(name) for name in _BATCHING if name in changed}
    asked = {name: value for name, value in changed.items() if name not in ("artifact", "name")}
    return asked | ({"batching": batching} if batching else {})


def code_of(plan: dict[str, Any]) -> str:
    """Return the Python that starts the server."""
    said = [f"name={plan['name']!r}", *(f"{name}={value!r}" for name, value in asked_of_serve(plan).items())]
    return (
        "import workbench as wb\n\n"
        f"model = wb.Artifact.load({plan['artifact']!r})\n"
        f"server = wb.serve(model, {', '.join(said)})\n"
    )


def plan_in(text: str) -> dict[str, Any]:
    """Read what the controls held out of code like `code_of` gives.

    Raises:
        BadInputError: There is no such call in it, or an argument is no plain value.
    """
    said = arguments_in(text, "serve")
    batching = said.pop("batching", {})
    loaded = arguments_in(text, "load", ("artifact",)) if "load(" in text else {}
    return {"keep": False, "request_log": False} | loaded | said | dict(batching)


def models_to_serve(session: Session) -> list[dict[str, str]]:
    """Return what can be served, as choices: the session's models, and what was last converted in its workspace."""
    named = {folder: label for label, folder in session.variants.items()}
    if session.artifact:
        named.setdefault(session.artifact, _("The model made last"))
    for run in session.workspace.list_runs("convert")[:_MOST_CONVERSIONS]:
        if (run / "result" / MANIFEST).is_file():
            named.setdefault(str(run / "result"), "")
    found = []
    for folder, label in named.items():
        try:
            model = Artifact.load(folder)
        except WorkbenchError:
            continue
        if model.format in SERVABLE:
            found.append({"value": str(folder), "label": f"{label or model.name}  ·  {model.format} {model.numeric}"})
    return found


def looks(models: list[dict[str, str]]) -> dict[str, dict[str, Any]]:
    """Return what the declarations cannot say; `models` is what `models_to_serve` gave."""
    return {
        "artifact": {
            "label": _("Model"),
            "kind": "choice",
            "choices": models,
            "other": {"label": _("Another folder…"), "name": _("Folder of the model"), "placeholder": "runs/…/result"},
        },
        "name": {"label": _("Name in the URL")},
        "workers": {"label": _("Workers"), "half": True, "note": _("0 is one a core")},
        "port": {"label": _("REST port"), "half": True, "note": _("0 is a free one")},
        "keep": {"label": _("Keep running")},
        "request_log": {"label": _("Note requests")},
        "mode": {"label": _("Batching")},
        "oip_port": {"label": _("Open Inference port")},
        "grpc_port": {"label": _("gRPC port")},
    }


def note_on(folder: str, offered: list[dict[str, str]]) -> str:
    """Return the remark under the choice of a model."""
    if folder:
        try:
            model = Artifact.load(folder)
        except WorkbenchError as error:
            return str(error)
        if model.format in SERVABLE:
            return ""
        return _("A model in the format {format} is converted first: to ONNX, TFLite or a SavedModel.").format(
            format=model.format
        )
    if offered:
        return ""
    return _("Convert a model to ONNX, TFLite or a SavedModel, and it can be chosen here.")
