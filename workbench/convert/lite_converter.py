"""TensorFlow's TFLite converter: a TensorFlow graph becomes a `.tflite` file, quantised on the way where that is asked.

It makes the float32 file, carries over what quantization-aware training has fixed, and quantises where LiteRT's own
quantizer cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Numeric

PACKAGE = "tensorflow"
NUMERICS: tuple[Numeric, ...] = ("float16", "dynamic", "int8", "int16x8")


def converted(source: Source) -> bytes:
    """Return the float32 model; a quantization-aware one keeps its simulated quantization."""
    return bytes(_converter(source).convert())


def quantised(source: Source, settings: ConvertSettings, representative: Representative) -> bytes:
    """Return a quantised model.

    Args:
        source: In TensorFlow.
        settings: Their numeric type is one of `NUMERICS`.
        representative: Read by int8 and int16x8, but not where the model was trained with its quantization.
    """
    import tensorflow as tf

    converter = _converter(source)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.numeric == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif settings.numeric in ("int8", "int16x8"):
        _set_integers(converter, source, settings, representative)
    if not settings.per_channel:
        # Private, and the only way there is: TensorFlow has no public switch for one scale a tensor.
        converter._experimental_disable_per_channel = True  # noqa: SLF001
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    return bytes(converter.convert())


def _set_integers(converter: Any, source: Source, settings: ConvertSettings, representative: Representative) -> None:
    import tensorflow as tf

    if settings.numeric == "int8":
        converter.inference_input_type = converter.inference_output_type = getattr(tf, settings.io)
    if source.quantization_aware:
        return  # its ranges are in the graph
    converter.representative_dataset = lambda: ([batch] for batch in representative.batches())
    # Nothing but integer operators: a model that cannot be quantised whole fails here, not staying float in parts.
    kinds = tf.lite.OpsSet
    small = kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS_INT8 if settings.numeric == "int8" else small]


def _converter(source: Source) -> Any:
    import tensorflow as tf

    if source.artifact.format == "saved_model":
        return tf.lite.TFLiteConverter.from_saved_model(str(source.artifact.path))
    # Tracing is enough: the signature's names come along without a SavedModel on disk.
    graph = source.graph
    return tf.lite.TFLiteConverter.from_concrete_functions([graph.function.get_concrete_function()], graph.module)
