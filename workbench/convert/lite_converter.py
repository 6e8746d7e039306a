"""TensorFlow's TFLite converter: a TensorFlow graph becomes a `.tflite` file, quantised on the way where that is asked.

It makes the float32 file, carries over what quantization-aware training has fixed, and quantises where LiteRT's own
quantizer cannot. TFLite's own operators only: those that would need TensorFlow inside the runtime are no way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.convert.flatbuffer import operators
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Numeric

PACKAGE = "tensorflow"
NUMERICS: tuple[Numeric, ...] = ("float16", "dynamic", "int8", "int16x8")
_INTEGERS = ("int8", "int16x8")
_ONE_SAMPLE = "It takes one sample a call, since TFLite cannot loop over time steps of any number of samples."


class Flatbuffer(NamedTuple):
    """A TFLite model.

    Attributes:
        content: The file.
        notes: What is to be said of it.
        one_sample: It takes one sample a call.
    """

    content: bytes
    notes: tuple[str, ...] = ()
    one_sample: bool = False


def converted(source: Source) -> Flatbuffer:
    """Return the float32 model; a quantization-aware one keeps its simulated quantization.

    Raises:
        ValueError: It loops over time steps with operators that only TensorFlow has.
    """
    try:
        return Flatbuffer(bytes(_converter(source, one_sample=False).convert()))
    except Exception as error:
        if not source.graph.loops:
            raise
        return Flatbuffer(_of_one_sample(source, error), (_ONE_SAMPLE,), one_sample=True)


def _of_one_sample(source: Source, first: Exception) -> bytes:
    try:
        return bytes(_converter(source, one_sample=True).convert())
    except Exception:  # noqa: BLE001 - it says the same of the same operators
        raise ValueError("it loops over time steps (LSTM, GRU) with operators that LiteRT has not") from first


def quantised(source: Source, settings: ConvertSettings, representative: Representative) -> Flatbuffer:
    """Return a quantised model.

    Args:
        source: In TensorFlow.
        settings: Their numeric type is one of `NUMERICS`.
        representative: Read by int8 and int16x8, but not where the model was trained with its quantization.

    Raises:
        BadInputError: It loops over time steps, which has no integer form.
    """
    import tensorflow as tf

    plain = converted(source) if source.graph.loops else Flatbuffer(b"")
    require_no_loop(plain.content, settings)
    converter = _converter(source, one_sample=plain.one_sample)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.numeric == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif settings.numeric in _INTEGERS:
        _set_integers(converter, source, settings, representative, 1 if plain.one_sample else None)
    if not settings.per_channel:
        # Private, and the only way there is: TensorFlow has no public switch for one scale a tensor.
        converter._experimental_disable_per_channel = True  # noqa: SLF001
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    return Flatbuffer(bytes(converter.convert()), plain.notes, plain.one_sample)


def require_no_loop(content: bytes, settings: ConvertSettings) -> None:
    """Refuse integers for a graph with a loop: TensorFlow's calibration crashes on one, LiteRT's finds no ranges in it.

    Args:
        content: The float32 model; an empty one has no loop.
        settings: What was asked.

    Raises:
        BadInputError: It has a loop.
    """
    if settings.numeric in _INTEGERS and content and "WHILE" in operators(content):
        raise BadInputError.of(
            "numeric", rule="must be float32, float16 or dynamic for a model that loops over time steps (LSTM, GRU)",
            got=settings.numeric,
            hint="convert it to onnx, take an LSTM of tf_keras, or build recurrent layers with unroll=True",
        )  # fmt: skip


def _set_integers(
    converter: Any, source: Source, settings: ConvertSettings, representative: Representative, batch: int | None
) -> None:
    import tensorflow as tf

    given = source.graph.signature.dtype
    if settings.numeric == "int8":
        converter.inference_output_type = getattr(tf, settings.io)
        if given.is_floating:  # numbers of words stay whole numbers
            converter.inference_input_type = converter.inference_output_type
    if source.quantization_aware:
        return  # its ranges are in the graph

    def samples() -> Iterator[list[NDArray[Any]]]:
        for each in representative.batches() if batch is None else representative.batches(batch):
            yield [each.astype(given.as_numpy_dtype)]

    converter.representative_dataset = samples
    # Nothing but integer operators: a model that cannot be quantised whole fails here, not staying float in parts.
    kinds = tf.lite.OpsSet
    small = kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS_INT8 if settings.numeric == "int8" else small]


def _converter(source: Source, *, one_sample: bool) -> Any:
    import tensorflow as tf

    if source.artifact.format == "saved_model" and not one_sample:
        path = str(source.artifact.path)
        return tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=["serving_default"])
    # Tracing is enough: the signature's names come along without a SavedModel on disk.
    graph = source.graph.of_one_sample() if one_sample else source.graph
    return tf.lite.TFLiteConverter.from_concrete_functions([graph.function.get_concrete_function()], graph.module)
