"""Bring in a model that was made elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.convert.incoming import Arrival, kind_of, live_kind_of
from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import WorkbenchError, WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Artifact:
    """Bring a model into the workspace.

    What it is, is told from its content. It is read in a job of its own with limits on time and memory. A Keras 3
    model is rebuilt as its tf_keras twin and both are compared; `convert(artifact, "keras")` is the way back.

    Args:
        model: Path of a `.keras` file of Keras 3 or tf_keras or of a legacy `.h5`; or a live model of either, which
            is saved to a temporary file first.
        trust: Run code that comes with the file, such as a Lambda layer's.
        example: For a live model that must be traced: an input array of one batch.
        signature: Of a SavedModel that has several, the one to keep; None is `serving_default`.
        workspace: Where it is kept; None is the default one.
        on_event: Called with each event of the job.

    Returns:
        A `tf_keras` artifact without optimizer state.

    Raises:
        BadInputError: It is no whole model, has several inputs or outputs, or a layer cannot be rebuilt.
        UntrustedModelError: The file would run code of its own and `trust` is false.
        ParityError: The rebuilt model does not answer like the original.
    """
    live = live_kind_of(model)
    if live is not None:
        with tempfile.TemporaryDirectory(prefix="workbench-adopt-") as folder:
            file = live.save(model, Path(folder), example)
            return adopt(file, trust, signature=signature, workspace=workspace, on_event=on_event)
    from workbench.jobs import finish, submit

    file = Path(model).expanduser().absolute()
    kind_of(file)
    asked = {"path": str(file), "sha256": content_sha256(file), "trust": trust, "signature": signature}
    job = submit(STAGE, asked, kind="adopt", workspace=workspace, limits=_LIMITS)
    finish(job, on_event=on_event)
    return Artifact.load(job.result)


def run(context: StageContext) -> dict[str, Any]:
    """Adopt in a job; returns the folder of the artifact as `artifact`."""
    path, trust = Path(context.settings["path"]), bool(context.settings["trust"])
    with _copy(path, context.folder / "source", context.settings["sha256"]) as copy:
        arrival = Arrival(
            path=copy,
            target=context.result,
            trust=trust,
            signature=context.settings.get("signature"),
            note=lambda text: context.emit("note", text=text),
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
            "source_sha256": context.settings["sha256"],
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


@contextlib.contextmanager
def _copy(path: Path, folder: Path, sha256: str) -> Iterator[Path]:
    """Give a copy of a file that nobody else can change between being read and being loaded.

    Raises:
        WorkspaceError: It is not the file that was asked for any more.
        WorkbenchError: What the block raises, told of the file itself.
    """
    kind = kind_of(path)
    # Libraries go by the name's ending; ours is right whatever the file was called.
    copy = folder / f"copy{kind.ending}"
    try:
        with writing(copy):
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(path, copy)
        if content_sha256(copy) != sha256 or kind_of(copy) is not kind:
            raise WorkspaceError(f"{path} was changed while it was adopted; adopt it again.")
        yield copy
    except WorkbenchError as error:
        raise type(error)(str(error).replace(str(copy), str(path))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
