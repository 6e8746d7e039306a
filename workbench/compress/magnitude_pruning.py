"""Magnitude pruning: the smallest weights become zero while the others are fine-tuned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from workbench.compress.base import Method
from workbench.compress.learnable import require_learnable
from workbench.compress.reached import kernel_sparsity, require_unwrapped, wrapped_layers
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import write_json
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext
    from workbench.train.settings import LearningSettings

MODEL, CURVE = "model.keras", "curve.json"
# How often masks are computed anew on the way; more often costs time and changes nothing.
_UPDATES = 40


class MagnitudePruning(Method):
    """Zhu & Gupta, "To prune, or not to prune" (2017), with TensorFlow Model Optimization."""

    sparsity: float = Field(0.8, ge=0, lt=1, description="share of each kernel's weights to set to zero")
    schedule: Literal["polynomial", "constant"] = Field(
        "polynomial", description="how the sparsity grows: cubically from the initial one, or at once"
    )
    initial_sparsity: float = Field(
        0.5, ge=0, lt=1, description="where a polynomial schedule begins; capped at the sparsity asked for"
    )
    ramp: float = Field(
        0.5, gt=0, le=1, description="share of the fine-tuning after which the full sparsity is reached"
    )
    epochs: int = Field(2, ge=1, le=100, description="passes over the training data")
    min_steps: int = Field(
        200, ge=0, le=100_000, description="least steps of fine-tuning: small data gets more epochs than asked for"
    )
    batch_size: int = Field(64, ge=1, le=4096, description="samples a step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="step size of adam")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the order")

    def apply(self, artifact: Artifact, data: Dataset, context: StageContext) -> Artifact:
        """Wrap a fresh copy, fine-tune it, strip the wrappers and measure the zeros.

        Raises:
            BadInputError: The model is no tf_keras model, or no layer of it can be pruned.
        """
        from workbench.train.loop import learn, seed_everything
        from workbench.train.saving import save_model

        steps = math.ceil(data.train_size / self.batch_size)
        learning = self._learning(max(self.epochs, math.ceil(self.min_steps / steps)))
        seed_everything(self.seed)
        model = load_model(artifact)
        require_learnable(model, data)
        wrapped = self._wrap(model, steps * learning.epochs)
        from tensorflow_model_optimization.sparsity import keras as sparsity

        curve = learn(
            wrapped, data, learning, context,
            label=f"pruning to {self.sparsity:.0%}", callbacks=[sparsity.UpdatePruningStep()],
        )  # fmt: skip
        # The last step's gradients have moved masked weights; a run resumed after it has nothing else to mask them.
        for layer in wrapped.layers:
            if layer.name in wrapped_layers(wrapped):
                layer.pruning_obj.weight_mask_op()
        model = sparsity.strip_pruning(wrapped)
        require_unwrapped(model)
        save_model(model, context.result / MODEL)
        write_json(context.result / CURVE, curve.to_json())
        overall, layers = kernel_sparsity(model)
        made = Artifact.write(
            context.result,
            file=MODEL,
            name="pruned",
            format="tf_keras",
            numeric="float32",
            parent=artifact.sha256,
            settings={
                **self.model_dump(mode="json"),
                "method": self.name,
                "dataset": data.spec,
            },
            metrics={
                "sparsity": overall,
                "sparsity_asked": self.sparsity,
                "sparsity_by_layer": layers,
                "epochs": len(curve.points),
                "seconds": sum(point.seconds for point in curve.points),
            },
            seed=self.seed,
        )
        # The same layers with other weights: who vouched for the one vouched for the other.
        if context.workspace.trusts(artifact.sha256):
            context.workspace.trust(made.sha256)
        return made

    def _learning(self, epochs: int) -> LearningSettings:
        from workbench.train.settings import LearningSettings

        return LearningSettings(
            epochs=epochs, batch_size=self.batch_size, learning_rate=self.learning_rate, seed=self.seed
        )

    def _wrap(self, model: Any, steps: int) -> Any:
        """Wrap the prunable layers of a fresh model; `steps` is the whole fine-tuning's."""
        from tensorflow_model_optimization.sparsity import keras as sparsity

        end = max(1, round(self.ramp * steps))
        frequency = max(1, end // _UPDATES)
        # The schedule acts at steps 0, frequency, 2 × frequency, …: its last one must be among them.
        end -= end % frequency
        if self.schedule == "constant":
            schedule = sparsity.ConstantSparsity(self.sparsity, begin_step=0, frequency=frequency)
        else:
            schedule = sparsity.PolynomialDecay(
                min(self.initial_sparsity, self.sparsity), self.sparsity, 0, end, frequency=frequency
            )
        try:
            wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise BadInputError.of(
                "model", rule="must have layers that tfmot can prune", got=reason,
                hint="leave pruning out for this model",
            ) from error  # fmt: skip
        if not wrapped_layers(wrapped):
            raise BadInputError.of("model", rule="must have a layer with weights to prune", got=model.name)
        return wrapped
