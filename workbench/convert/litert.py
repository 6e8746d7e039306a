"""LiteRT's own quantizer: a float32 `.tflite` file becomes a smaller one in hundredths of a second, without TensorFlow.

Compared with `TFLiteConverter` on the docs' CNN, a perceptron and a depthwise CNN: the same answers, no byte more.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.flatbuffer import (
    filled_ranges,
    float_operators,
    saturated_biases,
    signed,
    without_widened_shapes,
)
from workbench.core.errors import BadInputError, WorkbenchError

if TYPE_CHECKING:
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.core.artifact import Numeric

PACKAGE = "ai-edge-quantizer"
NUMERICS: tuple[Numeric, ...] = ("float16", "dynamic", "int8", "int16x8", "int4")
# TensorFlow Lite's own limit: smaller kernels save next to nothing, cost accuracy, and a depthwise one is slower.
LEAST_WEIGHTS = 1024
_EVERYTHING = ".*"
_ACTIVATION_BITS = {"int8": 8, "int16x8": 16}


class NotWholeError(WorkbenchError):
    """The quantised model is not what it should be: a part stayed float, or a number did not fit.

    Another program is asked then; where there is none, the model is not one that can become this.
    """

    def to_dict(self) -> dict[str, str]:
        """Return it as other processes know it."""
        return BadInputError(str(self)).to_dict()


def quantised(content: bytes, settings: ConvertSettings, representative: Representative) -> bytes:
    """Quantise a float32 TFLite model.

    Args:
        content: The flatbuffer.
        settings: Their numeric type is one of `NUMERICS`; `io` is `int8` or `float32`.
        representative: Read by int8 and int16x8.

    Raises:
        NotWholeError: An operator stayed float, or a bias does not fit.
        BadInputError: A representative sample is not finite.
    """
    from ai_edge_quantizer.quantizer import Quantizer

    content = signed(content)
    quantizer = Quantizer(content)
    _write_recipe(quantizer, settings)
    ranges = _ranges(quantizer, content, representative) if quantizer.need_calibration else None
    if ranges is not None and settings.per_channel:
        ranges |= filled_ranges(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all tensors, which is why it is asked
        result = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    made = bytes(result.quantized_model)
    if settings.numeric in _ACTIVATION_BITS:
        made = without_widened_shapes(made)
        if left := float_operators(made):
            raise NotWholeError(f"{', '.join(sorted(set(left)))} must calculate in integers, but stayed float32.")
        if cut := saturated_biases(made):
            raise NotWholeError(f"{cut[0]} must fit into 32 bits, but was cut off.")
    return made


def _write_recipe(quantizer: Any, settings: ConvertSettings) -> None:
    from ai_edge_quantizer import qtyping

    every = qtyping.TFLOperationName.ALL_SUPPORTED
    granularity = qtyping.QuantGranularity.CHANNELWISE if settings.per_channel else qtyping.QuantGranularity.TENSORWISE
    if bits := _ACTIVATION_BITS.get(settings.numeric):
        quantizer.add_static_config(_EVERYTHING, every, bits, 8, granularity)
        if settings.io == "float32":
            for border in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
                quantizer.update_quantization_recipe(_EVERYTHING, border, algorithm_key="no_quantize")
        return
    if settings.numeric == "float16":
        half = qtyping.TensorQuantizationConfig(16, dtype=qtyping.TensorDataType.FLOAT)
        config = qtyping.OpQuantizationConfig(
            weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
        )
        quantizer.update_quantization_recipe(_EVERYTHING, every, config, "float_casting")
        return
    # Four bits leave no room for outliers: OCTAV clips them (Sakr et al., "Optimal clipping and magnitude-aware
    # differentiation for improved quantization-aware training", 2022).
    algorithm = "OCTAV" if settings.numeric == "int4" else "min_max_uniform_quantize"
    weights = qtyping.TensorQuantizationConfig(4 if settings.numeric == "int4" else 8, granularity=granularity)
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.INTEGER,
        min_weight_elements=LEAST_WEIGHTS,
    )
    quantizer.update_quantization_recipe(_EVERYTHING, every, config, algorithm)


def _ranges(quantizer: Any, content: bytes, representative: Representative) -> dict[str, Any]:
    """Return the smallest and largest value that each tensor takes.

    The quantizer would average the ranges of successive batches, which cuts off what it saw once; ours are exact.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer.calibrator import CalibrationMode

    interpreter = Interpreter(model_content=content)
    ((signature, names),) = interpreter.get_signature_list().items()
    (name,), (given,) = names["inputs"], interpreter.get_input_details()
    size = int(given["shape_signature"][0])
    merged: dict[str, Any] = {}
    for batch in representative.batches(size) if size > 0 else representative.batches():
        if size > 0 and len(batch) != size:
            break  # what is left over would not fit
        samples = {signature: [{name: batch.astype(given["dtype"])}]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = quantizer.calibrate(samples, num_threads=1, mode=CalibrationMode.CALIBRATION_PROFILER_BASED)
        for tensor, found in seen.items():
            known = merged.setdefault(tensor, found)
            if found and known is not found:
                known["min"], known["max"] = (
                    np.minimum(known["min"], found["min"]),
                    np.maximum(known["max"], found["max"]),
                )
    return merged
