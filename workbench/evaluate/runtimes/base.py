"""What all runtimes have in common: float32 in, float32 out, any batch size, threads as told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from workbench.core.errors import BadInputError, UntrustedModelError, WorkbenchError
from workbench.core.plugins import Registry
from workbench.core.records import Record
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

    from workbench.core.artifact import Artifact

_LONGEST_REASON = 200


class TensorSpec(Record):
    """One named input or output as callers see it; an axis of −1 is free (axis 0 is the batch)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Runtime(ABC):
    """A model that answers.

    Attributes:
        in_process: True where the engine may be loaded in a notebook's kernel (no TensorFlow).
        inputs: The model's inputs as a caller gives them; exactly one.
        outputs: The model's outputs as a caller gets them; exactly one.
        threads: Threads of one call.
        made_for: Samples a call that the model was made for; None is any. Callers give as many as they like.
    """

    in_process: ClassVar[bool] = True
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    threads: int
    made_for: int | None = None

    @abstractmethod
    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Open the model file; a unit's constructor may assume that the file is what its manifest says."""

    @property
    def name(self) -> str:
        """The unit's name, which is the format it runs."""
        return type(self).__module__.rpartition(".")[2]

    def predict(self, batch: ArrayLike) -> NDArray[np.float32]:
        """Answer a batch.

        Args:
            batch: (samples, …) float32 of the input's shape.

        Returns:
            (samples, …) float32, what the model's last layer gives; quantised outputs are scaled back.

        Raises:
            BadInputError: The shape is not the input's.
        """
        values = np.ascontiguousarray(batch, dtype=np.float32)
        wanted = self.inputs[0].shape[1:]
        if not values.ndim or not _fits(values.shape[1:], wanted):
            raise BadInputError.of("batch", rule=f"must have the shape (samples, {wanted})", got=values.shape)
        if not len(values):
            raise BadInputError.of("batch", rule="must hold at least one sample", got=values.shape)
        values = values.astype(self.inputs[0].dtype, copy=False)
        return self._run(values) if self.made_for is None else in_parts(values, self.made_for, self._run)

    @abstractmethod
    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Answer a batch whose shape was checked, of the input's dtype, and of `made_for` samples where that is set."""

    def close(self) -> None:  # noqa: B027 - not every engine has something to let go of
        """Let go of the model; a closed runtime is not used again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


runtimes: Registry[Runtime] = Registry(
    "runtimes",
    "workbench.evaluate.runtimes",
    Runtime,  # type: ignore[type-abstract]
)


def open_runtime(artifact: Artifact, threads: int = 1) -> Runtime:
    """Open a model in the runtime of its format, after its file was checked against its manifest.

    Args:
        artifact: Any artifact; `tf_keras` and `saved_model` need TensorFlow and belong into a job.
        threads: Threads of one call.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: No runtime answers for the format, the engine cannot read the file, or what is not of this
            workspace made a probe end badly.
        UntrustedModelError: The format can run code, and the artifact is not of this workspace.
    """
    if threads < 1:
        raise BadInputError.of("threads", rule="must be at least 1", got=threads)
    from workbench.evaluate.probe import require_probed

    artifact.verify()
    unit = runtimes.get(artifact.format)
    require_probed(artifact)
    try:
        return unit(artifact, threads)
    except (WorkbenchError, ImportError):
        raise
    except Exception as error:
        # Engines raise their own kinds (protobuf, ValueError, RuntimeError, …) for a file they cannot read.
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise BadInputError.of(
            artifact.file,
            rule=f"must be a model that the {artifact.format} runtime can open",
            got=reason or type(error).__name__,
        ) from error


def require_ours(artifact: Artifact) -> None:
    """Refuse a model that can run code and that no job of this workspace made.

    For formats that TensorFlow opens, whose graphs and layers can read and write files. ONNX and TFLite only calculate
    and are opened wherever they lie, by a probe first. A manifest proves nothing of its maker, so the place does: only
    jobs write there. In a job, the default workspace is the job's.

    Raises:
        UntrustedModelError: The folder is not among the workspace's runs and models.
    """
    workspace = Workspace.default()
    if workspace.holds(artifact.folder):
        return
    raise UntrustedModelError(
        f"{artifact.folder} is not in the workspace {workspace.home}, and a {artifact.format} model can run code when "
        f"it is opened; bring it in with `workbench.adopt({str(artifact.path)!r})`."
    )


def in_parts(batch: NDArray[Any], size: int, run: Callable[[NDArray[Any]], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Answer any number of samples with a model that takes `size` at once.

    The last part is filled up with its own last sample, and those answers are cut off.
    """
    missing = -len(batch) % size
    filled = np.concatenate([batch, batch[-1:].repeat(missing, axis=0)]) if missing else batch
    parts = filled.reshape(-1, size, *batch.shape[1:])
    return np.concatenate([run(part) for part in parts])[: len(batch)]


def single(
    inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> tuple[tuple[TensorSpec], tuple[TensorSpec], int | None]:
    """Return a model's one input and one output as callers see them, and how many samples a call it was made for.

    Args:
        inputs: As the file has them; axis 0 is −1 where it takes any number of samples.
        outputs: The same.

    Raises:
        BadInputError: There are several of either.
    """
    require_one_in_one_out(inputs, outputs)
    (given,), (answered,) = inputs, outputs
    fixed = given.shape[0] if given.shape and given.shape[0] > 0 else None
    return (_free_batch(given),), (_free_batch(answered),), fixed


def _free_batch(spec: TensorSpec) -> TensorSpec:
    return TensorSpec(name=spec.name, dtype=spec.dtype, shape=(-1, *spec.shape[1:]))


def require_one_in_one_out(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
    """Refuse a model with several inputs or outputs.

    Raises:
        BadInputError: Naming them.
    """
    for kind, specs in (("inputs", inputs), ("outputs", outputs)):
        if len(specs) != 1:
            raise BadInputError.of(kind, rule="must be exactly one", got=[spec.name for spec in specs])


def require_shape(runtime: Runtime, shape: tuple[int, ...]) -> None:
    """Refuse a dataset whose samples the model does not take.

    Args:
        runtime: An open runtime.
        shape: Of one sample.

    Raises:
        BadInputError: It is another one.
    """
    require_sample_shape(shape, runtime.inputs[0].shape[1:])


def require_sample_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse a dataset whose samples a model does not take.

    Args:
        shape: Of one sample.
        wanted: What the model takes, −1 where an axis is free.

    Raises:
        BadInputError: They differ.
    """
    if not _fits(shape, wanted):
        raise BadInputError.of(
            "dataset", rule=f"must have samples of the model's shape {wanted}", got=shape,
            hint=hint_on_shape(shape, wanted),
        )  # fmt: skip


def hint_on_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Say where samples that a model takes are to be had.

    Args:
        shape: Of the samples that it does not take.
        wanted: What it takes, −1 where an axis is free.
    """
    if _fits((*shape[-1:], *shape[:-1]), wanted):
        return (
            "this model takes channels first, as PyTorch's do: give an .npz file of such arrays with "
            "load_dataset(file, kind='samples'), or adopt the PyTorch model, which is turned"
        )
    return "take the data that the model was trained for"


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Say whether a sample's shape is the model's, whose free axes are −1."""
    return len(shape) == len(wanted) and all(want in (-1, got) for want, got in zip(wanted, shape, strict=True))


def predict_all(
    runtime: Runtime,
    samples: Callable[[slice], NDArray[np.float32]],
    count: int,
    *,
    batch: int = 256,
    progress: Callable[[int, int, str], None] | None = None,
) -> NDArray[np.float32]:
    """Answer many samples in batches.

    Args:
        runtime: An open runtime.
        samples: Gives the inputs of a slice, so that a memory-mapped dataset is scaled piece by piece.
        count: How many samples there are.
        batch: Samples a call.
        progress: Called with samples done, samples in all and a label.
    """
    parts = []
    for start in range(0, count, batch):
        end = min(start + batch, count)
        parts.append(runtime.predict(samples(slice(start, end))))
        if progress is not None:
            progress(end, count, "evaluate")
    return np.concatenate(parts)
