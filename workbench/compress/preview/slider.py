"""The live slider: what a setting costs and buys, measured at once and without fine-tuning.

It runs in the kernel on ONNX Runtime, on the converted file's bytes with other weights in them; no TensorFlow, nothing
is written.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import numpy as np

from workbench.compress.preview.candidate import Original, require_classes
from workbench.compress.preview.growing_sample import FIRST, GrowingSample
from workbench.compress.preview.measuring import BATCH, Answered, Measuring, answered
from workbench.compress.preview.newest_wins import NewestWins, require_open
from workbench.compress.preview.settings import PreviewSettings, layer_settings
from workbench.compress.preview.weight_map import WeightMap, weight_map
from workbench.core.checks import require_artifact, require_callable, require_whole
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate.metrics import as_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from types import TracebackType

    from numpy.typing import NDArray

    from workbench.compress.preview.candidate import Candidate
    from workbench.compress.preview.perturb import LayerSetting
    from workbench.compress.preview.stored import Stored
    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.records.preview import PreviewAnswer
    from workbench.datasets import Dataset

_MOST_THREADS = 64


def open_preview(
    artifact: Artifact,
    dataset: Dataset | str | PathLike[str],
    *,
    workspace: Workspace | None = None,
    threads: int | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Preview:
    """Prepare the live slider for a model: its ONNX conversion (a job, kept), the weight map, its own answers.

    Args:
        artifact: A trained `tf_keras` model.
        dataset: Its test samples are answered.
        workspace: Where the conversion runs; None is the default one.
        threads: How many images' batches are answered at once; None is the machine's cores, at most 4.
        on_event: Called with each event of the conversion.

    Raises:
        BadInputError: The model is of another format, or does not fit the dataset.
        ParityError: The conversion does not answer like the model.
        WorkspaceError: The model file is missing, truncated or changed.
        MissingExtraError: h5py is not installed.
    """
    from workbench.convert.run import convert
    from workbench.datasets import load_dataset

    if require_artifact(artifact).format != "tf_keras":
        raise BadInputError.of(
            "artifact", rule="must be a tf_keras model", got=artifact.label,
            hint="open the model that it was made from",
        )  # fmt: skip
    workspace = Workspace.of(workspace)
    if threads is not None:
        require_whole("threads", threads, least=1, most=_MOST_THREADS)
    data = load_dataset(dataset, workspace=workspace)
    onnx = convert(artifact, "onnx", dataset=data, workspace=workspace, on_event=on_event)
    content = onnx.verify().path.read_bytes()
    mapped = weight_map(artifact.path, content)
    if not mapped.kernels:
        raise BadInputError.of(
            "artifact", rule="must have a layer whose weights its ONNX file holds", got=sorted(mapped.unmapped),
            hint="compress it without the slider",
        )  # fmt: skip
    require_classes(content, data)
    return Preview(content, mapped, GrowingSample.of(data), threads=threads or _cores())


class Preview:
    """An open slider; close it, or use it in a `with`.

    Attributes:
        map: Which initializer each Keras kernel became.
        parent: How the model itself answers the test samples.
        seconds_an_image: What one image took then, all threads at work.
    """

    def __init__(self, content: bytes, mapped: WeightMap, sample: GrowingSample, *, threads: int) -> None:
        """Answer all test samples once; what `open_preview` does.

        Args:
            content: The ONNX file.
            mapped: Its map.
            sample: The test samples.
            threads: How many batches are answered at once.
        """
        self.map = mapped
        self._original = Original(content, mapped.kernels)
        self._sample = sample
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="preview")
        # Kernels and the packer remember their last results and are not made for two threads at once.
        self._weights, self._packing = threading.Lock(), threading.Lock()
        self._pushed = NewestWins()
        self._open = True
        began = time.perf_counter()
        itself = self._original.with_weights([kernel.unchanged for kernel in self._original.kernels])
        self.parent = self._answer(itself, len(sample))
        self.seconds_an_image = (time.perf_counter() - began) / len(sample)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that a sparsity of their own can be set for."""
        taken = (mapped.kernel for mapped in self.map.kernels if mapped.kernel.compressed)
        return tuple(dict.fromkeys(kernel.layer for kernel in taken))

    @property
    def kernel_names(self) -> tuple[str, ...]:
        """A name for each mapped kernel: its layer's, or the weight's where a layer has several."""
        layers = [mapped.kernel.layer for mapped in self.map.kernels]
        return tuple(
            mapped.kernel.layer if layers.count(mapped.kernel.layer) == 1 else mapped.kernel.weight
            for mapped in self.map.kernels
        )

    def answers(
        self, settings: PreviewSettings, *, limit: int | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[PreviewAnswer]:
        """Answer for a setting on 250 test samples, then on more and more of them, at last on all.

        Args:
            settings: Where the sliders are.
            limit: At most so many images; None is all.
            stop: Asked between two batches whether nobody wants to know any more; the answers then end.

        Yields:
            An answer for each size of the sample; whoever takes no more of them stops the work.

        Raises:
            BadInputError: `sparsity_by_layer` names a layer that cannot be pruned, or the slider was closed.
        """
        began = time.perf_counter()
        require_open(self._open)
        require_callable("stop", stop)
        if limit is not None:
            require_whole("limit", limit, least=1)
        candidate = self.candidate(settings)
        measuring = Measuring(self._pool, self._sample, stop)
        try:
            sizes = measuring.sizes(candidate.stored, self._packed)
            parts = measuring.parts(candidate.answering(), self._sample.stops(limit))
            for part in parts:
                right, known = part.right(), sizes.known()
                if right is None or known is None:
                    return
                yield answered(
                    settings, candidate, right, known, self.parent, self.map,
                    seconds=time.perf_counter() - began, engine_seconds=measuring.engine_seconds,
                )  # fmt: skip
        except (CancelledError, RuntimeError):
            require_open(self._open)  # closing ends what is under way
            raise
        finally:
            measuring.stop()

    def first(self, settings: PreviewSettings) -> PreviewAnswer:
        """Answer for a setting on the first 250 test samples only (all of them where there are fewer)."""
        return next(self.answers(settings, limit=FIRST))

    def final(self, settings: PreviewSettings) -> PreviewAnswer:
        """Answer for a setting on all test samples."""
        return list(self.answers(settings))[-1]

    def ask(self, settings: PreviewSettings, on_answer: Callable[[PreviewAnswer], object]) -> None:
        """Answer for a setting in a thread of the slider's own; a newer setting ends an older one's answers.

        Args:
            settings: Where the sliders are.
            on_answer: Called in that thread with each answer.

        Raises:
            BadInputError: `sparsity_by_layer` names a layer that cannot be pruned.
        """
        layer_settings(settings, self._original.kernels)
        require_callable("on_answer", on_answer)

        def work(outdated: Callable[[], bool]) -> None:
            answers = self.answers(settings, stop=outdated)
            while not outdated():
                try:
                    answer = next(answers, None)
                except BadInputError:
                    if not outdated():
                        raise
                    return
                if answer is None or outdated():
                    return
                on_answer(answer)

        self._pushed.ask(work)

    def candidate(self, settings: PreviewSettings) -> Candidate:
        """Return the model with the weights that a setting means.

        Raises:
            BadInputError: `sparsity_by_layer` names a layer that cannot be pruned.
        """
        kernels = self._original.kernels
        with self._weights:
            asked = layer_settings(settings, kernels)
            perturbed = [kernel.perturbed(each) for kernel, each in zip(kernels, asked, strict=True)]
        if settings.weight_bits is None:
            return self._original.with_weights(perturbed)
        return self._original.with_bits(perturbed, settings.weight_bits)

    def probabilities(self, settings: PreviewSettings) -> NDArray[np.float64]:
        """Return a setting's probabilities for all test samples, (samples, classes), in the test split's order.

        Raises:
            BadInputError: `sparsity_by_layer` names a layer that cannot be pruned, or the slider was closed.
        """
        require_open(self._open)
        answering, sample = self.candidate(settings).answering(), self._sample
        starts = range(0, len(sample), BATCH)
        parts = self._pool.map(lambda at: answering.outputs(sample.images(at, at + BATCH)), starts)
        outputs = np.concatenate(list(parts))
        found = np.empty_like(outputs)
        found[sample.order] = outputs
        return as_probabilities(found)

    def alone(self, kernel: int, setting: LayerSetting, images: int) -> str:
        """Change one kernel only and answer the first images of the sample.

        Args:
            kernel: Its number in the map.
            setting: What is done to it.
            images: How many.

        Returns:
            A "1" for each right answer and a "0" for each wrong one.
        """
        require_open(self._open)
        kernels = self._original.kernels
        with self._weights:
            changed = [
                each.perturbed(setting) if number == kernel else each.unchanged for number, each in enumerate(kernels)
            ]
        return self._answer(self._original.with_weights(changed), images).bits

    def close(self) -> None:
        """Stop what is under way and let go of the threads."""
        self._open = False
        self._pushed.close()
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _packed(self, stored: Stored, gzipped: Callable[[], int]) -> int:
        with self._packing:
            return stored.packed(gzipped)

    def _answer(self, candidate: Candidate, images: int) -> Answered:
        (part,) = Measuring(self._pool, self._sample, lambda: False).parts(candidate.answering(), [images])
        right = part.right()
        assert right is not None, "nobody stopped it"
        return Answered(right)


def _cores() -> int:
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
