"""The stream of batches that a model learns from: the same seed and epoch always give the same batches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BATCHES_AHEAD = 4
_EPOCH_STRIDE = 2**32  # above every seed, so no epoch of one seed meets another seed's


@dataclass(frozen=True)
class Batches:
    """Samples of one split in memory, as TensorFlow takes them.

    Attributes:
        samples: (N, …), uint8 grey levels of images, or float32 or int32, which are taken as they are.
        labels: (N,), int64.
        classes: Count of classes.
        batch_size: Samples a batch; the last one of an epoch may be smaller.
        seed: Of order and shifts.
        shift_pixels: Each image is moved by up to so many pixels in both directions; what it leaves is black.
    """

    samples: NDArray[Any]
    labels: NDArray[np.int64]
    classes: int
    batch_size: int = 64
    seed: int = 0
    shift_pixels: int = 0

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return math.ceil(len(self.samples) / self.batch_size)

    def shuffled(self, first: int, last: int) -> Any:
        """Return the batches of epochs `first` (counted from 0) up to, not with, `last`, one after the other.

        An epoch's order and shifts depend on the seed and its number alone, so a resumed run sees what an
        uninterrupted one would have seen.

        Returns:
            A `tf.data.Dataset` of (float32 (B, …), images in [0, 1], one-hot float32 (B, classes)).
        """
        import tensorflow as tf

        samples, labels, count = tf.constant(self.samples), tf.constant(self.labels), len(self.samples)

        def batch(epoch: Any, number: Any, index: Any) -> Any:
            chosen = tf.gather(samples, index)
            if self.shift_pixels:
                chosen = _shifted(chosen, self.shift_pixels, tf.stack([self.seed + epoch * _EPOCH_STRIDE, number]))
            return self._pair(chosen, tf.gather(labels, index))

        def epoch_batches(epoch: Any) -> Any:
            order = tf.random.experimental.stateless_shuffle(
                tf.range(count, dtype=tf.int64), seed=tf.stack([tf.constant(self.seed, tf.int64), epoch])
            )
            indices = tf.data.Dataset.from_tensor_slices(order).batch(self.batch_size).enumerate()
            return indices.map(_as_written(partial(batch, epoch)), num_parallel_calls=2)

        return tf.data.Dataset.range(first, last).flat_map(_as_written(epoch_batches)).prefetch(_BATCHES_AHEAD)

    def in_order(self) -> Any:
        """Return all samples once, unshifted, in their order, in batches."""
        import tensorflow as tf

        samples = tf.data.Dataset.from_tensor_slices((self.samples, self.labels)).batch(self.batch_size)
        return samples.map(_as_written(self._pair)).prefetch(_BATCHES_AHEAD)

    def _pair(self, samples: Any, labels: Any) -> Any:
        import tensorflow as tf

        floats = tf.cast(samples, tf.float32)
        return (floats / 255.0 if samples.dtype == tf.uint8 else floats), tf.one_hot(labels, self.classes)


def _as_written(function: Any) -> Any:
    # There is no Python loop or condition on tensors to translate, and each translation leaves a file in /tmp.
    import tensorflow as tf

    return tf.autograph.experimental.do_not_convert(function)


def _shifted(images: Any, most: int, seed: Any) -> Any:
    """Move each image of a batch by −most..most pixels down and right, each by its own draw."""
    import tensorflow as tf

    size = tf.shape(images)
    padded = tf.pad(images, [[0, 0], [most, most], [most, most], [0, 0]])
    corner = tf.random.stateless_uniform([size[0], 2], seed, minval=0, maxval=2 * most + 1, dtype=tf.int32)
    moved = tf.gather(padded, corner[:, :1] + tf.range(size[1]), axis=1, batch_dims=1)
    return tf.gather(moved, corner[:, 1:] + tf.range(size[2]), axis=2, batch_dims=1)
