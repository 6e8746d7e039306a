"""What the methods that train have in common: their settings, and the way from one file to the next."""

from __future__ import annotations

import math
from abc import abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from workbench.compress.base import Method
from workbench.compress.distillation import Distillation, origin_of
from workbench.compress.learnable import require_learnable
from workbench.compress.reached import (
    kernels_of,
    layer_facts,
    lost,
    overall_sparsity,
    quantized_layers,
    require_unwrapped,
)
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import write_json, writing
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext
    from workbench.train.settings import LearningSettings

MODEL, CURVE = "model.keras", "curve.json"


@dataclass(frozen=True)
class Wrapped:
    """A fresh model made ready to be fine-tuned.

    Attributes:
        model: A tf_keras model; not compiled.
        callbacks: Keras callbacks that it needs.
        facts: For the manifest's metrics.
        notes: What a person should know, one sentence each.
    """

    model: Any
    callbacks: tuple[Any, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class FineTuned(Method):
    """A method that trains: load a fresh copy, wrap, learn, strip, measure, write.

    Attributes:
        made: What its result is called.
    """

    made: ClassVar[str]

    epochs: int = Field(2, ge=1, le=100, description="passes over the training data")
    min_steps: int = Field(
        200, ge=0, le=100_000, description="least steps of fine-tuning: small data gets more epochs than asked for"
    )
    batch_size: int = Field(64, ge=1, le=4096, description="samples a step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="step size of adam; its peak where there is a schedule")
    rate_schedule: Literal["constant", "cosine"] = Field(
        "constant", description="how the learning rate moves over the fine-tuning"
    )
    shift_pixels: int = Field(
        0, ge=0, le=8, description="each image is moved by up to so many pixels, anew every epoch"
    )
    distillation_weight: float = Field(
        0.0, ge=0, le=1,
        description="how much the answers of the model that the chain began with count beside the labels; 0 is off",
    )  # fmt: skip
    temperature: float = Field(
        4.0, ge=1, le=100, description="how much those answers are softened; only with a distillation weight"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the order")

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        return self.name.replace("_", " ")

    @abstractmethod
    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Make a fresh model ready.

        Args:
            model: A tf_keras model with one input and one output, loaded for this call alone.
            steps: Of the whole fine-tuning.

        Raises:
            BadInputError: It cannot be compressed in this way.
        """

    @abstractmethod
    def strip(self, model: Any) -> Any:
        """Return the fine-tuned model without what `wrap` added; `model` is of no use afterwards."""

    def saving(self) -> AbstractContextManager[Any]:
        """Surround the writing of the file, where Keras has to find classes that are not its own."""
        return nullcontext()

    def shortfalls(self, layers: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
        """Say which layers are not what was asked for, one sentence each.

        Args:
            layers: `elements`, `sparsity` and `unique` by layer, measured on the weights or on the file.
            metrics: The manifest's, as far as `wrap` told them.
        """
        del layers, metrics
        return []

    def apply(self, artifact: Artifact, data: Dataset, context: StageContext) -> Artifact:
        """Fine-tune a fresh copy and write it with its measures.

        Raises:
            BadInputError: The model is no tf_keras model, cannot learn the data or cannot be compressed in this way.
        """
        from workbench.train.loop import learn, seed_everything

        seed_everything(self.seed)
        model = load_model(artifact)
        require_learnable(model, data)
        if quantized := quantized_layers(model):
            raise BadInputError.of(
                "model", rule="must not be quantization-aware already", got=f"{artifact.name}: {', '.join(quantized)}",
                hint=f"run {self.name} before quantization_aware_training",
            )  # fmt: skip
        before = kernels_of(model)
        learning = self.learning(data)
        wrapped = self.wrap(model, learning.epochs * math.ceil(data.train_size / self.batch_size))
        for note in wrapped.notes:
            context.emit("note", text=note)
        curve = learn(
            wrapped.model, data, learning, context,
            label=self.label, callbacks=wrapped.callbacks, lesson=self.lesson(artifact),
        )  # fmt: skip
        write_json(context.result / CURVE, curve.to_json())
        facts = wrapped.facts | ({"notes": list(wrapped.notes)} if wrapped.notes else {})
        facts |= {"epochs": len(curve.points), "seconds": sum(point.seconds for point in curve.points)}
        return self.keep(self.strip(wrapped.model), before, artifact, data, context, facts=facts)

    def keep(
        self,
        model: Any,
        before: Mapping[str, list[NDArray[Any]]],
        artifact: Artifact,
        data: Dataset,
        context: StageContext,
        *,
        facts: dict[str, Any],
        folder: Path | None = None,
    ) -> Artifact:
        """Measure a fine-tuned, stripped model, note where it is not what was asked for, and write it.

        Args:
            model: A tf_keras model.
            before: The kernels that it began with, by layer.
            artifact: What it was made from.
            data: What it was fine-tuned on.
            context: The run.
            facts: More for the manifest's metrics.
            folder: Where to; None is the run's result.

        Raises:
            WorkbenchError: A wrapper is left.
        """
        require_unwrapped(model)
        after = kernels_of(model)
        layers = layer_facts(after)
        metrics = facts | {
            "layers": layers,
            "sparsity": overall_sparsity(after),
            "sparsity_by_layer": {name: each["sparsity"] for name, each in layers.items()},
        }
        if missed := self.shortfalls(layers, metrics):
            # What was trained stays: it is what its manifest says, if not what was asked for.
            metrics["shortfalls"] = missed
            context.emit("note", text=f"Not all that was asked for was reached: {' '.join(missed)}")
        if gone := lost(before, after):
            metrics["lost"] = gone
            said = "; ".join(f"{layer}: {reason}" for layer, reason in gone.items())
            context.emit("note", text=f"Lost what the model had ({said}).")
        return self._written(model, folder or context.result, artifact, data, context, metrics)

    def learning(self, data: Dataset) -> LearningSettings:
        """Return how it is fine-tuned on a dataset."""
        from workbench.train.settings import LearningSettings

        steps = math.ceil(data.train_size / self.batch_size)
        return LearningSettings(
            epochs=max(self.epochs, math.ceil(self.min_steps / steps)),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule=self.rate_schedule,
            shift_pixels=self.shift_pixels,
            seed=self.seed,
        )

    def lesson(self, artifact: Artifact) -> Distillation | None:
        """Return what is learnt besides the labels."""
        if not self.distillation_weight:
            return None
        return Distillation(load_model(origin_of(artifact)), self.distillation_weight, self.temperature)

    def _written(
        self,
        model: Any,
        folder: Path,
        artifact: Artifact,
        data: Dataset,
        context: StageContext,
        metrics: dict[str, Any],
    ) -> Artifact:
        from workbench.train.saving import save_model

        with writing(folder):
            folder.mkdir(exist_ok=True)
        with self.saving():
            save_model(model, folder / MODEL)
        made = Artifact.write(
            folder,
            file=MODEL,
            name=self.made,
            format="tf_keras",
            numeric="float32",
            parent=artifact.sha256,
            settings={
                **self.model_dump(mode="json"),
                "method": self.name,
                "dataset": data.spec,
                "source": {"artifact": str(artifact.folder), "sha256": artifact.sha256},
            },
            metrics=metrics,
            seed=self.seed,
        )
        # Layers of Keras with other weights: who vouched for the one vouched for the other.
        if context.workspace.trusts(artifact.sha256):
            context.workspace.trust(made.sha256)
        return made
