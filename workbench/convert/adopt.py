"""Bring in a model that was made elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.keras3 import require_one_in_one_out, twin_of
from workbench.convert.model_file import ModelFile, kind_of, read_description, require_harmless
from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, WorkbenchError, WorkspaceError
from workbench.core.workspace import writing
from workbench.datasets.dataset import safe_name
from workbench.evaluate.parity import Tolerance, parity, require_parity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.events import Event
    from workbench.core.records import Parity
    from workbench.core.workspace import Workspace
    from workbench.jobs.stage import StageContext

STAGE = "workbench.convert.adopt:run"
MODEL = "model.keras"
# Nobody vouches for the file yet: what it makes the parsers do ends here.
_LIMITS = {"seconds": 300.0, "memory_bytes": 4.0 * 2**30}
_SAMPLES = 64
_LONGEST_REASON = 300


def adopt(
    model: Any,
    trust: bool = False,  # noqa: FBT001, FBT002 - `adopt(path, trust=True)` reads well
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Artifact:
    """Bring a Keras model into the workspace.

    The file is read in a job of its own with limits on time and memory. A Keras 3 model is rebuilt as its tf_keras
    twin and both are compared; `convert(artifact, "keras")` is the way back.

    Args:
        model: Path of a `.keras` file of Keras 3 or tf_keras or of a legacy `.h5`; or a live model of either, which
            is saved to a temporary file first.
        trust: Run code that comes with the file, such as a Lambda layer's.
        workspace: Where it is kept; None is the default one.
        on_event: Called with each event of the job.

    Returns:
        A `tf_keras` artifact without optimizer state.

    Raises:
        BadInputError: It is no whole model, has several inputs or outputs, or a layer cannot be rebuilt.
        UntrustedModelError: The file would run code of its own and `trust` is false.
        ParityError: The rebuilt model does not answer like the original.
    """
    if callable(getattr(model, "save", None)):
        with _saved(model) as file:
            return adopt(file, trust, workspace=workspace, on_event=on_event)
    from workbench.jobs import finish, submit

    file = Path(model).expanduser().absolute()
    kind_of(file)
    asked = {"path": str(file), "sha256": content_sha256(file), "trust": trust}
    job = submit(STAGE, asked, kind="adopt", workspace=workspace, limits=_LIMITS)
    finish(job, on_event=on_event)
    return Artifact.load(job.result)


@contextlib.contextmanager
def _saved(model: Any) -> Iterator[Path]:
    """Give the file of a live model, in a folder that nobody else can read; its own Keras writes it."""
    name = safe_name(str(getattr(model, "name", "")) or "model")
    with tempfile.TemporaryDirectory(prefix="workbench-adopt-") as folder:
        file = Path(folder) / f"{name}.keras"
        try:
            model.save(file)
        except Exception as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise BadInputError.of("model", rule="must be one that can be saved", got=f"{name} ({reason})") from error
        yield file


def run(context: StageContext) -> dict[str, Any]:
    """Adopt in a job; returns the folder of the artifact as `artifact`."""
    from workbench.train.saving import save_model

    path, trust = Path(context.settings["path"]), bool(context.settings["trust"])
    with _copy(path, context.folder / "source", context.settings["sha256"]) as copy:
        description = read_description(copy)
        if not trust:
            require_harmless(description, copy)
        model, compared = _load(copy, description, trust=trust)
    require_one_in_one_out(model)
    save_model(model, context.result / MODEL)
    artifact = Artifact.write(
        context.result,
        file=MODEL,
        name=path.stem,
        format="tf_keras",
        numeric="float32",
        settings={
            "path": str(path),
            "source_sha256": context.settings["sha256"],
            "source": description.kind,
            "keras": description.version,
            # For people to read; what counts is the workspace's own note.
            "trusted": trust,
        },
        metrics={
            "parameters": int(model.count_params()),
            "parity": compared.to_json() if compared else None,
            "lost": ["optimizer state", "training configuration"],
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
    # Keras goes by the name's ending; ours is right whatever the file was called.
    copy = folder / f"copy.{kind_of(path)}"
    try:
        with writing(copy):
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(path, copy)
        if content_sha256(copy) != sha256 or copy.suffix != f".{kind_of(copy)}":
            raise WorkspaceError(f"{path} was changed while it was adopted; adopt it again.")
        yield copy
    except WorkbenchError as error:
        raise type(error)(str(error).replace(str(copy), str(path))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _load(copy: Path, description: ModelFile, *, trust: bool) -> tuple[Any, Parity | None]:
    """Return the model as tf_keras, and the comparison where it had to be rebuilt."""
    modern = not description.version.startswith(("1.", "2"))
    try:
        if modern:
            import keras as library
        else:
            import tf_keras as library
        loaded = library.models.load_model(copy, compile=False, safe_mode=not trust)
    except WorkbenchError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            "path", rule=f"must be a model that Keras {description.version} can load", got=f"{copy} ({reason})"
        ) from error
    return _rebuilt(loaded, description) if modern else (loaded, None)


def _rebuilt(model: Any, description: ModelFile) -> tuple[Any, Parity]:
    twin = twin_of(model)
    # There is no dataset yet, so both answer the same noise in the range of an image.
    noise = np.random.default_rng(0).random((_SAMPLES, *model.input_shape[1:]), dtype=np.float32)
    compared = parity(
        np.asarray(model(noise, training=False)),
        np.asarray(twin(noise, training=False)),
        source=f"{description.kind}/float32",
        target="tf_keras/float32",
        tolerance=Tolerance.default("float32"),
    )
    return twin, require_parity(compared)
