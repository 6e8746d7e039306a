"""tfmot's quantization-aware training, with the preserving of zeros and clusters applied wherever it can be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Preserve = Literal["none", "sparsity", "clusters", "both"]


def scheme_of(preserve: Preserve, *, per_channel: bool) -> Any:
    """Return tfmot's 8 bit scheme that preserves what is asked for.

    tfmot's own preserving schemes share one quantizer among all layers, which forgets about zeros for good where one
    layer has none, and they refuse layers that they know nothing of (batch normalization) although the plain scheme
    takes them; its issues 979 and 1056 tell of clusters that were lost. Here each layer has a quantizer of its own,
    and layers that nothing can be preserved in get the plain one.

    Args:
        preserve: What to keep.
        per_channel: Each output channel of a convolution has a scale of its own.
    """
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_scheme

    plain = default_8bit_quantize_scheme.Default8BitQuantizeScheme
    if preserve == "none":
        return plain(disable_per_axis=not per_channel)

    class Scheme(plain):  # type: ignore[misc, valid-type]
        def get_quantize_registry(self) -> Any:
            return _EachItsOwn(preserve, super().get_quantize_registry())

    return Scheme(disable_per_axis=not per_channel)


@contextmanager
def writable() -> Iterator[None]:
    """Let Keras find tfmot's classes, and write quantization-aware models so that they can be read again.

    Its layer of the input's range does not say that it is built, so Keras would build it twice when it reads that it
    was built, and then find the wrong number of weights. Nothing is lost when the file does not say so.
    """
    from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import QuantizeLayer
    from tensorflow_model_optimization.quantization import keras as quantization

    QuantizeLayer.get_build_config = lambda _layer: None
    try:
        with quantization.quantize_scope():
            yield
    finally:
        del QuantizeLayer.get_build_config


class _EachItsOwn:
    """A registry as tfmot asks it, which gives each layer a preserving quantizer of its own."""

    def __init__(self, preserve: Preserve, plain: Any) -> None:
        self._preserve, self._plain = preserve, plain

    def supports(self, layer: Any) -> bool:
        return bool(self._plain.supports(layer))

    def get_quantize_config(self, layer: Any) -> Any:
        config = self._plain.get_quantize_config(layer)
        import tf_keras

        # tfmot prunes and clusters more kinds, and quantises more; these are the ones that it does both with.
        if type(layer) in (tf_keras.layers.Conv2D, tf_keras.layers.Dense):
            per_channel = type(config).__name__ == "Default8BitConvQuantizeConfig"
            config.weight_quantizer = _quantizer(self._preserve, per_channel=per_channel)
        return config


def _quantizer(preserve: Preserve, *, per_channel: bool) -> Any:
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
        cluster_preserve_quantize_registry as clusters,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
        prune_preserve_quantize_registry as zeros,
    )

    if preserve == "sparsity":
        kinds = zeros.PrunePreserveDefault8BitWeightsQuantizer, zeros.PrunePreserveDefault8BitConvWeightsQuantizer
        return kinds[per_channel]()
    kinds = (
        clusters.ClusterPreserveDefault8BitWeightsQuantizer,
        clusters.ClusterPreserveDefault8BitConvWeightsQuantizer,
    )
    return kinds[per_channel](preserve == "both")
