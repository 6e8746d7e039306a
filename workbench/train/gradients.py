"""TensorFlow's own gradients of a small network whose weights one gives, to check formulas in numpy against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from workbench.jobs.stage import StageContext

STAGE = "workbench.train.gradients:run"
_FILE = "gradients.npz"
_MOST_NUMBERS = 100_000

Activation = Literal["linear", "relu", "sigmoid", "softmax", "tanh"]
Loss = Literal["binary_crossentropy", "categorical_crossentropy", "half_squared_error"]


class Layer(Settings):
    """A layer with its weights: a dense one, or a convolution (no padding, stride 1) where the kernel has 4 axes."""

    kernel: list[Any] = Field(description="(inputs, units), or (height, width, channels, filters), as nested lists")
    bias: list[float] = Field(description="one number a unit or filter")
    activation: Activation = Field(default="linear", description="what the sums go through")

    @model_validator(mode="before")
    @classmethod
    def _of_arrays(cls, values: Any) -> Any:
        """Take arrays too."""
        return {n: value if isinstance(value, str) else np.asarray(value).tolist() for n, value in values.items()}

    @model_validator(mode="after")
    def _fits(self) -> Layer:
        shape = _array("kernel", self.kernel).shape
        if len(shape) not in (2, 4):
            raise BadInputError.of("kernel", rule="must have 2 axes, or 4 for a convolution", got=shape)
        if len(self.bias) != shape[-1]:
            raise BadInputError.of("bias", rule=f"must have {shape[-1]} numbers, one a unit", got=len(self.bias))
        return self


class GradientsSettings(Settings):
    """One question."""

    layers: list[Layer] = Field(min_length=1, description="from the input to the output")
    x: list[Any] = Field(description="inputs, samples first")
    y: list[Any] = Field(description="what the outputs should be, in their shape")
    loss: Loss = Field(description="what is made small; its mean over the samples counts")


class Gradients(NamedTuple):
    """What TensorFlow finds, in float64.

    Attributes:
        loss: Mean over the samples.
        sums: Each layer's z, before its activation.
        outputs: Each layer's a, after it.
        kernels: d loss / d kernel, a layer each, in the kernel's shape.
        biases: d loss / d bias, a layer each.
        deltas: d loss / d z, a layer each, in the shape of `sums`.
        x: d loss / d x.
    """

    loss: float
    sums: tuple[NDArray[np.float64], ...]
    outputs: tuple[NDArray[np.float64], ...]
    kernels: tuple[NDArray[np.float64], ...]
    biases: tuple[NDArray[np.float64], ...]
    deltas: tuple[NDArray[np.float64], ...]
    x: NDArray[np.float64]


def gradients(
    layers: Sequence[Layer], x: ArrayLike, y: ArrayLike, loss: Loss, *, workspace: Workspace | None = None
) -> Gradients:
    """Have TensorFlow differentiate a network in a job of its own.

    Args:
        layers: With their weights. A dense layer that follows an image takes it row by row.
        x: (n, features), or (n, height, width, channels).
        y: (n, units of the last layer).
        loss: `half_squared_error` is half the squared distance, summed over the outputs; the cross-entropies are
            summed over the outputs as well, all are averaged over the samples.
        workspace: Where the run is kept.

    Raises:
        BadInputError: Shapes do not fit one another, or it is more than 100,000 numbers.
    """
    from workbench.jobs import finish, submit

    asked = GradientsSettings(
        layers=list(layers), x=np.asarray(x, float).tolist(), y=np.asarray(y, float).tolist(), loss=loss
    )
    _check(asked)
    job = submit(STAGE, asked, kind="gradients", workspace=Workspace.of(workspace))
    finish(job)
    with np.load(job.result / _FILE, allow_pickle=False) as file:
        several = {
            name: tuple(file[f"{name}_{number}"] for number in range(len(layers)))
            for name in ("sums", "outputs", "kernels", "biases", "deltas")
        }
        return Gradients(loss=float(file["loss"]), x=file["x"], **several)


def run(context: StageContext) -> None:
    """Differentiate; the stage behind `gradients`."""
    import tensorflow as tf

    asked = GradientsSettings.parse(context.settings)
    x, y = (tf.constant(value, tf.float64) for value in (asked.x, asked.y))
    weights = [(tf.constant(layer.kernel, tf.float64), tf.constant(layer.bias, tf.float64)) for layer in asked.layers]
    with tf.GradientTape() as tape:
        tape.watch([x, weights])
        sums, outputs, value = [], [], x
        for (kernel, bias), layer in zip(weights, asked.layers, strict=True):
            z = _product(value, kernel) + bias
            tape.watch(z)
            value = tf.keras.activations.get(layer.activation)(z)
            sums.append(z)
            outputs.append(value)
        loss = tf.reduce_mean(_loss(asked.loss, y, value))
    found = tape.gradient(loss, {"x": x, "weights": weights, "deltas": sums}, unconnected_gradients="zero")
    kernels, biases = zip(*found["weights"], strict=True)
    lists = {"sums": sums, "outputs": outputs, "deltas": found["deltas"], "kernels": kernels, "biases": biases}
    named = {f"{name}_{number}": one.numpy() for name, each in lists.items() for number, one in enumerate(each)}
    np.savez(context.result / _FILE, allow_pickle=False, loss=loss.numpy(), x=found["x"].numpy(), **named)


def _product(value: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if kernel.shape.rank == 4:  # noqa: PLR2004 - a convolution
        return tf.nn.conv2d(value, kernel, strides=1, padding="VALID")
    return tf.reshape(value, (value.shape[0], -1)) @ kernel


def _loss(name: Loss, y: Any, a: Any) -> Any:
    """Return the loss a sample."""
    import tensorflow as tf

    each = {
        "half_squared_error": lambda: (a - y) ** 2 / 2,
        "categorical_crossentropy": lambda: -tf.math.xlogy(y, a),
        "binary_crossentropy": lambda: -tf.math.xlogy(y, a) - tf.math.xlogy(1 - y, 1 - a),
    }[name]()
    return tf.reduce_sum(each, axis=range(1, each.shape.rank))


def _check(asked: GradientsSettings) -> None:
    """Follow the shapes through the layers.

    Raises:
        BadInputError: They do not fit.
    """
    shape, end = _array("x", asked.x).shape, _array("y", asked.y).shape
    numbers = math.prod(shape)
    for number, layer in enumerate(asked.layers):
        kernel = np.shape(layer.kernel)
        image = len(kernel) == 4  # noqa: PLR2004
        inputs = shape[-1] if image else math.prod(shape[1:])
        if (image and len(shape) != 4) or kernel[-2] != inputs:  # noqa: PLR2004
            raise BadInputError.of("layers", rule=f"must take what comes before (layer {number} has a kernel of "
                                   f"shape {kernel})", got=shape[1:])  # fmt: skip
        rows = (shape[1] - kernel[0] + 1, shape[2] - kernel[1] + 1) if image else ()
        if min(rows, default=1) < 1:
            raise BadInputError.of("layers", rule=f"must have kernels no larger than the image before layer {number}",
                                   got=kernel)  # fmt: skip
        shape = (shape[0], *rows, kernel[-1])
        numbers += math.prod(kernel) + math.prod(shape)
    if end != shape:
        raise BadInputError.of("y", rule=f"must have the shape of the outputs, {shape}", got=end)
    if numbers > _MOST_NUMBERS:
        raise BadInputError.of("x", rule=f"must make no more than {_MOST_NUMBERS:,} numbers with the layers",
                               got=numbers, hint="give fewer samples")  # fmt: skip


def _array(name: str, value: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(value, dtype=np.float64)
    except (ValueError, TypeError):
        raise BadInputError.of(name, rule="must be numbers in rows of one length", got=value) from None
