"""Bring in a model that was made elsewhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from workbench.convert.incoming import Arrival, incoming, kind_of, live_kind_of
from workbench.convert.incoming.base import CHANNELS_LAST, Layout
from workbench.convert.incoming.private_copy import describe, private_copy, require_unchanged
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, JobFailedError, WorkbenchError
from workbench.evaluate.probe import limit_memory, verdict_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.jobs.stage import StageContext

STAGE = "workbench.convert.adopt:run"
# Nobody vouches for the file yet: what it makes the parsers do ends here.
_LIMITS = {"seconds": 300.0, "memory_bytes": 4.0 * 2**30}


def adopt(
    model: Any,
    trust: bool = False,  # noqa: FBT001, FBT002 - `adopt(path, trust=True)` reads well
    *,
    example: Any = None,
    signature: str | None = None,
    layout: Layout = CHANNELS_LAST,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Artifact:
    """Bring a model into the workspace.

    What it is, is told from its content. It is read in a job of its own with limits on time and memory, and whatever
    it makes the parsers do ends with that job.

    Args:
        model: A path or a live model. Paths: `.keras` of Keras 3 or tf_keras, legacy `.h5`, a SavedModel directory,
            `.tflite`, `.onnx` (with its external data beside it), `.packed`, and a `torch.export` program. Live: a
            model of either Keras, an `onnx.ModelProto`, or a PyTorch module.
        trust: Run code that comes with it, such as a Lambda layer's or operations that read files.
        example: For a live model that must be traced: an input array of one batch, (samples, …).
        signature: The signature of a SavedModel to keep; None is `serving_default`.
        layout: For a PyTorch model of images, (samples, 1 or 3, height, width): `channels_last` has the artifact take
            them as data here is and turn them, `keep` leaves them as they are.
        workspace: Where it is kept; None is the default one.
        on_event: Called with each event of the job.

    Returns:
        An artifact of the same format, except that Keras models become `tf_keras` ones, which is what compression
        takes: Keras 3 is rebuilt as its twin and both are compared. Where a layer has no twin it stays `keras`.
        `metrics["lost"]` lists what was lost on the way in.

    Raises:
        BadInputError: It is none of these, damaged, or has several inputs or outputs; or a setting is none of its.
        UntrustedModelError: It would run code of its own and `trust` is false.
    """
    live = live_kind_of(model)
    if live is not None:
        with tempfile.TemporaryDirectory(prefix="workbench-adopt-") as folder:
            file = live.save(model, Path(folder), example)
            trust = trust or live.of_the_caller
            try:
                return adopt(file, trust, signature=signature, layout=layout, workspace=workspace, on_event=on_event)
            except WorkbenchError as error:
                # Who gave the live model has never heard of the file.
                raise type(error)(str(error).replace(str(file), f"the model {file.stem}")) from error
    if not isinstance(model, (str, os.PathLike)):
        raise BadInputError.of("model", rule="must be a path or a model that can be saved", got=model)
    from workbench.jobs import finish, submit

    path = _absolute(model)
    if signature is not None and kind_of(path) is not incoming.get("saved_model"):
        raise BadInputError.of("signature", rule="must be left out for what is no SavedModel", got=signature)
    if layout not in get_args(Layout):
        raise BadInputError.of("layout", rule=f"must be one of {', '.join(get_args(Layout))}", got=layout)
    asked = {**describe(path), "trust": bool(trust), "signature": signature, "layout": layout}
    job = submit(STAGE, asked, kind="adopt", workspace=workspace, limits=_LIMITS)
    try:
        finish(job, on_event=on_event)
    except JobFailedError as error:
        raise verdict_on(path, error) from error
    return Artifact.load(job.result)


def _absolute(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # `~name` of nobody
        raise BadInputError.of("path", rule="must be of a person this machine knows", got=str(path)) from None


def run(context: StageContext) -> dict[str, Any]:
    """Adopt in a job; returns the folder of the artifact as `artifact`."""
    asked = context.settings
    path, trust = Path(asked["path"]), bool(asked["trust"])
    limit_memory(_LIMITS["memory_bytes"])
    with private_copy(asked, context.folder / "source") as copy:
        require_unchanged(asked, copy)
        arrival = Arrival(
            path=copy,
            target=context.result,
            trust=trust,
            signature=asked["signature"],
            note=lambda text: context.emit("note", text=text),
            layout=asked.get("layout", CHANNELS_LAST),
        )
        brought = kind_of(copy)().bring_in(arrival)
    artifact = Artifact.write(
        context.result,
        file=brought.file,
        name=path.stem,
        format=brought.format,
        numeric=brought.numeric,
        settings={
            "path": str(path),
            "source_sha256": asked["sha256"],
            **brought.settings,
            # For people to read; what counts is the workspace's own note.
            "trusted": trust,
        },
        metrics={
            **brought.metrics,
            "inputs": [spec.to_json() for spec in brought.inputs],
            "outputs": [spec.to_json() for spec in brought.outputs],
            "lost": list(brought.lost),
        },
    )
    if trust:
        context.workspace.trust(artifact.sha256)
    return {"artifact": str(artifact.folder)}
