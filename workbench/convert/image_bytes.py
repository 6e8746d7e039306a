"""A signature that takes image files in place of arrays, with the preprocessing inside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.source import OUTPUT
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from workbench.convert.source import Graph

BYTES_SIGNATURE, BYTES_INPUT = "serving_bytes", "image_bytes"
_CHANNELS = (1, 3, 4)
_AXES = 3


def from_bytes(graph: Graph) -> Any:
    """Return a `tf.function` of any number of strings, each the bytes of a PNG, JPEG, BMP or GIF file.

    Each image is decoded to the model's channels, resized to its height and width (bilinear, antialiased) and scaled
    to [0, 1], as data sets of images are here. TensorFlow Serving's clients send `{"image_bytes": {"b64": "…"}}`.

    Args:
        graph: Of a model that takes (height, width, channels).

    Raises:
        BadInputError: It takes something else, or one sample a call only.
    """
    import tensorflow as tf

    batch, *shape = graph.signature.shape.as_list()
    floating = graph.signature.dtype.is_floating
    if batch is not None or len(shape) != _AXES or None in shape or shape[2] not in _CHANNELS or not floating:
        raise BadInputError.of(
            "bytes_signature", rule="must be off for a model that does not take any number of images with "
            "1, 3 or 4 channels and a fixed height and width", got=(batch, *shape),
        )  # fmt: skip
    height, width, channels = shape

    def pixels(file: Any) -> Any:
        image = tf.io.decode_image(file, channels=channels, expand_animations=False)
        # Antialiasing matters where a photograph shrinks to a few pixels; it changes nothing of the model's own size.
        image = tf.image.resize(image, [height, width], antialias=True)
        return tf.cast(tf.ensure_shape(image, shape) / 255.0, graph.signature.dtype)

    def answer(files: Any) -> dict[str, Any]:
        images = tf.map_fn(pixels, files, fn_output_signature=tf.TensorSpec(shape, graph.signature.dtype))
        (probabilities,) = graph.answer(images).values()
        return {OUTPUT: probabilities}

    return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name=BYTES_INPUT)])
