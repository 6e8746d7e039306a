"""ONNX Runtime's quantizer: a float32 ONNX model becomes a smaller one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.core.artifact import Numeric

PACKAGE = "onnxruntime"
NUMERICS: tuple[Numeric, ...] = ("float16", "dynamic", "int8")


def quantised(model: Any, settings: ConvertSettings, representative: Representative) -> Any:
    """Quantise an ONNX model.

    Args:
        model: A float32 `onnx.ModelProto`; may be changed.
        settings: Their numeric type is one of `NUMERICS`.
        representative: Read by int8.

    Raises:
        BadInputError: A representative sample is not finite.
    """
    if settings.numeric == "float16":
        return _halved(model)
    import onnx

    with tempfile.TemporaryDirectory(prefix="workbench-onnx-") as folder:
        given, target = Path(folder) / "float.onnx", Path(folder) / "quantised.onnx"
        # By file: given in memory, its quantizer moves the weights of the one it was given out of it.
        onnx.save(model, given)
        if settings.numeric == "dynamic":
            _write_dynamic(given, target, settings)
        else:
            _write_static(given, target, model.graph.input[0], settings, representative)
        return onnx.load(target)


def _halved(model: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    # What goes in and out stays float32. The casts that this takes are added at the end, where no graph may have them.
    half = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
    half.topological_sort()
    return half.model


def _write_dynamic(given: Path, target: Path, settings: ConvertSettings) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Signed weights of a convolution have no fast kernel on the CPU: ten times slower than unsigned ones.
    quantize_dynamic(given, target, weight_type=QuantType.QUInt8, per_channel=settings.per_channel)


def _write_static(
    given: Path, target: Path, fed: Any, settings: ConvertSettings, representative: Representative
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quant_pre_process, quantize_static

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    prepared = target.with_name("prepared.onnx")
    # Fuses MatMul and Add, so that a bias is quantised with its kernel.
    quant_pre_process(given, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        target,
        _reader(fed, representative),
        quant_format=QuantFormat.QDQ,
        per_channel=settings.per_channel,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=methods[settings.calibration],
    )


def _reader(fed: Any, representative: Representative) -> Any:
    """Give the samples by the name of the graph's input, in its type and, where it is fixed, its batch size."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader

    tensor = fed.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    size = tensor.shape.dim[0].dim_value

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = representative.batches(size) if size else representative.batches()

        def get_next(self) -> Any:
            batch = next(self._batches, None)
            if batch is None or (size and len(batch) != size):
                return None
            return {fed.name: batch.astype(dtype)}

    return Reader()
