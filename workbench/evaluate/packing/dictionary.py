"""What model files have in common, known to deflate beforehand: a file's skeleton then costs what is its own.

A change of one byte here makes all packed files unreadable: a new dictionary needs a new version of the container.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.evaluate.packing.coder import varint

_NAME = "docs_cnn"
_CONVOLUTIONS = ("conv1", "conv2", "conv3")
_DENSE = ("dense", "probabilities")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def _node(kind: str, name: str, inputs: tuple[str, ...], *attributes: bytes) -> bytes:
    parts = [_field(1, each.encode()) for each in inputs]
    parts += [_field(2, f"{name}:0".encode()), _field(3, name.encode()), _field(4, kind.encode())]
    return _field(1, b"".join([*parts, *(_field(5, each) for each in attributes), _field(7, b"")]))


def _integers(name: str, *values: int) -> bytes:
    return _field(1, name.encode()) + b"".join(b"\x40" + varint(each) for each in values) + b"\xa0\x01\x07"


def _convolution(layer: str, given: str, channels: int, filters: int) -> tuple[bytes, bytes]:
    kernel, bias = f"{_NAME}/{layer}/Conv2D/ReadVariableOp:0", f"{_NAME}/{layer}/BiasAdd/ReadVariableOp:0"
    group = _field(1, b"group") + b"\x18\x01\xa0\x01\x02"
    attributes = (_integers("dilations", 1, 1), _integers("strides", 1, 1), _integers("kernel_shape", 3, 3), group)
    nodes = _node("Conv", f"{_NAME}/{layer}/BiasAdd", (given, kernel, bias), *attributes)
    nodes += _node("Relu", f"{_NAME}/{layer}/Relu", (f"{_NAME}/{layer}/BiasAdd:0",))
    return nodes, _tensor(kernel, filters, channels, 3, 3) + _tensor(bias, filters)


def _dense(layer: str, given: str, inputs: int, outputs: int) -> tuple[bytes, bytes]:
    kernel, bias = f"{_NAME}/{layer}/MatMul/ReadVariableOp:0", f"{_NAME}/{layer}/BiasAdd/ReadVariableOp:0"
    nodes = _node("MatMul", f"{_NAME}/{layer}/MatMul", (given, kernel))
    nodes += _node("Add", f"{_NAME}/{layer}/BiasAdd", (f"{_NAME}/{layer}/MatMul:0", bias))
    return nodes, _tensor(kernel, inputs, outputs) + _tensor(bias, outputs)


def _tensor(name: str, *shape: int) -> bytes:
    size = 4
    for axis in shape:
        size *= axis
    head = b"".join(b"\x08" + varint(each) for each in shape) + b"\x10\x01" + _field(8, name.encode())
    head += b"\x4a" + varint(size)
    return b"\x2a" + varint(len(head) + size) + head


def _onnx() -> bytes:
    first, reshaped = f"{_NAME}/conv1/BiasAdd__62", f"{_NAME}/flatten/Reshape"
    nodes, tensors = _node("Reshape", first, ("image", "new_shape__83")), b""
    pools, given, channels = iter(("pool1", "pool2")), f"{first}:0", 1
    for layer, filters in zip(_CONVOLUTIONS, (32, 64, 64), strict=True):
        made, held = _convolution(layer, given, channels, filters)
        nodes, tensors, given, channels = nodes + made, held + tensors, f"{_NAME}/{layer}/Relu:0", filters
        if pool := next(pools, None):
            sizes = (_integers("strides", 2, 2), _integers("kernel_shape", 2, 2))
            nodes += _node("MaxPool", f"{_NAME}/{pool}/MaxPool", (given,), *sizes)
            given = f"{_NAME}/{pool}/MaxPool:0"
    turned = f"{_NAME}/conv3/BiasAdd__80"
    nodes += _node("Transpose", turned, (given,), _integers("perm", 0, 2, 3, 1))
    nodes += _node("Reshape", reshaped, (f"{turned}:0", "const_fold_opt__84"))
    given = f"{reshaped}:0"
    for layer, (inputs, outputs) in zip(_DENSE, ((576, 64), (64, 10)), strict=True):
        made, held = _dense(layer, given, inputs, outputs)
        nodes, tensors = nodes + made, held + tensors
        if layer != _DENSE[-1]:
            nodes += _node("Relu", f"{_NAME}/{layer}/Relu", (f"{_NAME}/{layer}/BiasAdd:0",))
            given = f"{_NAME}/{layer}/Relu:0"
    nodes += _node("Softmax", f"{_NAME}/probabilities/Softmax", (f"{_NAME}/probabilities/BiasAdd:0",))
    shapes = b"*5\x08\x04\x10\x07B\rnew_shape__83J **\x08\x02\x10\x07B\x12const_fold_opt__84J\x10"
    ends = (
        b"R)converted from b'__inference_serve_17833'Z&\n\x05image\x12\x1d\n\x1b\x08\x01\x12\x17\n\x07\x12\x05batch"
        b"\n\x02\x08\x1c\n\x02\x08\x1c\n\x02\x08\x01b&\n\rprobabilities\x12\x15\n\x13\x08\x01\x12\x0f\n\x07\x12\x05batch\n\x02"
        b"\x08\nB\x04\n\x00\x10\x11B\x0e\n\nai.onnx.ml\x10\x02"
    )
    others = b"BatchNormalization GlobalAveragePool AveragePool Flatten Concat Clip auto_pad pads transB alpha beta"
    return _quantised() + others + b"\x08\x08\x12\x07tf2onnx\x1a\x0b1.17.0 None:\xda\xfc\x16" + nodes + _field(
        2, b"tf2onnx"
    ) + tensors + shapes + ends  # fmt: skip


def _quantised() -> bytes:
    """Return what ONNX Runtime's quantizer writes around an operator."""
    written = (
        b"DynamicQuantizeLinear MatMulInteger ConvInteger _quant_scales_mul _output_quantized _output_cast_output Gemm"
    )
    for layer, kind in (("dense", "MatMul"), ("conv1", "Conv2D")):
        kernel, bias = (f"{_NAME}/{layer}/{part}/ReadVariableOp:0" for part in (kind, "BiasAdd"))
        for name, scale in ((bias, f"{bias}_quantized"), (kernel, kernel), (f"{_NAME}/{layer}/Relu:0", "")):
            given = (f"{name}_quantized", f"{scale or name}_scale", f"{scale or name}_zero_point")
            axis = _field(5, _field(1, b"axis") + b"\x18\x00\xa0\x01\x02")
            for operator in ("QuantizeLinear", "DequantizeLinear"):
                parts = [_field(1, each.encode()) for each in given]
                parts += [_field(2, f"{name}_{operator}_Output".encode()), _field(3, f"{name}_{operator}".encode())]
                written += _field(1, b"".join([*parts, _field(4, operator.encode()), axis]))
            shape = b"\x12\x1c\n\x1a\x08\x01\x12\x16\n\x08\x12\x06unk__0\n\x02\x08 \n\x02\x08\x1a\n\x02\x08\x1a"
            written += b"j5" + _field(1, name.encode()) + shape
    domains: tuple[str, ...] = (
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview",
        "com.microsoft",
        "ai.onnx.preview.training",
    )
    domains += ("com.microsoft.experimental", "com.microsoft.nchwc", "org.pytorch.aten")
    written += b"".join(_field(8, _field(1, each.encode()) + b"\x10\x01") for each in domains)
    for key in (b"onnx.infer", b"onnx.quant.pre_process"):
        written += _field(14, _field(1, key) + _field(2, b"onnxruntime.quant"))
    return b"\x08\x08\x12\ronnx.quantize\x1a\x050.1.0:" + written


def _keras() -> bytes:
    shared: dict[str, Any] = {
        "use_bias": True,
        "kernel_initializer": _initializer("GlorotUniform", {"seed": None}),
        "bias_initializer": _initializer("Zeros", {}),
        "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
        "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    planar = {"padding": "valid", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1}
    pool = {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}
    layers = [
        _layer("Dropout", "dropout", {"rate": 0.25, "noise_shape": None, "seed": None}, []),
        _layer("Flatten", "flatten", {"data_format": "channels_last"}, [3, 3, 64]),
        _layer("Dense", "dense", {"units": 64, "activation": "relu", **shared}, [576]),
        _layer("Dense", "probabilities", {"units": 10, "activation": "softmax", **shared}, [64]),
    ]
    for number, filters in ((3, 64), (2, 64), (1, 32)):
        convolution = {"filters": filters, "kernel_size": [3, 3], "strides": [1, 1], **planar, "activation": "relu"}
        after = [_layer("MaxPooling2D", f"pool{number}", pool, [26, 26, 32])] if number < len(_CONVOLUTIONS) else []
        layers = [_layer("Conv2D", f"conv{number}", convolution | shared, [28, 28, 1]), *after, *layers]
    image = {"batch_input_shape": [None, 28, 28, 1], "dtype": "float32", "sparse": False, "ragged": False}
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": image | {"name": "image", "optional": False},
    }
    model = {
        "module": "keras", "class_name": "Sequential",
        "config": {"name": _NAME, "layers": [first | {"registered_name": None}, *layers]},
        "registered_name": None, "build_config": {"input_shape": [None, 28, 28, 1]},
    }  # fmt: skip
    metadata = {"keras_version": "2.21.0", "date_saved": "1980-01-01@00:00:00"}
    return (json.dumps(metadata) + "model.weights.h5" + json.dumps(model)).encode() + _hdf5()


def _initializer(name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.initializers", "class_name": name, "config": config, "registered_name": None}


def _layer(kind: str, name: str, config: dict[str, Any], shape: list[int]) -> dict[str, Any]:
    return {
        "module": "keras.layers", "class_name": kind,
        "config": {"name": name, "trainable": True, "dtype": "float32", **config}, "registered_name": None,
        "build_config": {"input_shape": [None, *shape]},
    }  # fmt: skip


def _hdf5() -> bytes:
    nothing = b"\xff" * 8
    names = b"".join(f"{name}".encode().ljust(-(-len(name) // 8) * 8 + 8, b"\0") for name in (
        "max_pooling2d_1", "max_pooling2d", "flatten", "dense_1", "dense", "conv2d_2", "conv2d_1", "conv2d", "layers",
        "vars", "0", "1",
    ))  # fmt: skip
    zip_ends = b"PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0PK\x05\x06\0\0\0\0\x03\0\x03\0PK\x03\x04\x14\0\0\0\0\0\0\0!\0"
    heap = b"HEAP\0\0\0\0X\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0"
    tree = b"TREE\0\0\x01\0" + nothing + nothing + b"\0\0\0\0\0\0\0\0"
    header = b"\x01\0\x01\0\x01\0\0\0\x18\0\0\0\0\0\0\0\x11\0\x10\0\0\0\0\0"
    values = (
        b"\x01\0\x06\0\x01\0\0\0\x08\x01\0\0\0\0\0\0\x01\0\x28\0\0\0\0\0\x01\x02\x01\0\0\0\0\0\x40\0\0\0\0\0\0\0"
        b"\x03\0\x18\0\x01\0\0\0\x11\x20\x1f\0\x04\0\0\0\0\0\x20\0\x17\x08\0\x17\x7f\0\0\0"
        b"\x05\0\x08\0\x01\0\0\0\x02\x02\x02\x01\0\0\0\0\x08\0\x18\0\0\0\0\0\x03\x01"
        b"\x12\0\x08\0\0\0\0\0\x01\0\0\0"
    )
    start = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0" + nothing
    return zip_ends + names + start + values + heap + tree + b"SNOD\x01\0\x02\0" + header


def _tflite() -> bytes:
    fused = [f"{_NAME}/{name}/{kind}" for name in _CONVOLUTIONS for kind in ("Relu", "BiasAdd", "Conv2D")]
    texts = [f"{_NAME}/{name}/MatMul;{_NAME}/{name}/Relu;{_NAME}/{name}/BiasAdd" for name in _DENSE]
    texts += [f"{';'.join(fused[at : at + 3])};{fused[at + 1]}/ReadVariableOp1" for at in range(0, len(fused), 3)]
    texts += [f"{_NAME}/pool1/MaxPool", f"{_NAME}/pool2/MaxPool", f"{_NAME}/flatten/Reshape", "arith.constant"]
    texts += ["StatefulPartitionedCall:0", "serving_default_image:0", "MLIR Converted.", "main", "tfl.quantize"]
    texts += ["min_runtime_version", "CONVERSION_METADATA", "serving_default", "probabilities", "image"]
    names = b"".join(len(text).to_bytes(4, "little") + text.encode() + b"\0\0" for text in texts)
    records = (
        b"\xff\xff\x00\x00\x00\x01\x10\0\0\0\x10\0\0\0\x0c\0\0\0\x7c\0\0\0\x98\xfb\xff\xff"
        b"\xff\xff\x00\x00\x00\x01\x14\0\0\0\x24\0\0\0\x24\0\0\0\x0f\0\0\0\x90\0\0\0\x04\0\0\0\xff\xff\xff\xff\x0b\0\0\0"
        b"\x00\0\x04\0\0\0\x01\0\0\0\x0b\0\0\0\x0b\0\0\0\x40\0\0\0\x9a\xfa\xff\xff\x00\x00\x00\x01\x14\0\0\0\x1c\0\0\0\x1c\0\0\0"
        b"\0\0\x0e\0\x18\0\x14\0\x10\0\x0c\0\x0b\0\x04\0\x0e\0\0\0\x14\0\0\0\0\0\0\x05\x24\0\0\0\x28\0\0\0\x01\0\0\0"
        b"\0\0\x0e\0\x1a\0\x14\0\x10\0\x0c\0\x0b\0\x04\0\x0e\0\0\0\0\0\x16\0\x1c\0\x18\0\x17\0\x10\0\x0c\0\x08\0\0\0\0\0\0\0\x07\0"
        b"\x16\0\0\0\0\0\0\x01\x14\0\0\0\x02\0\0\0\x01\0\0\0\xff\xff\xff\xff\0\0\0\x01\x01\0\0\0\x01\0\0\0\0\0\0\x01\x01\0\0\0"
        b"\x1c\0\0\0TFL3\x14\0\x20\0\x1c\0\x18\0\x14\0\x10\0\x0c\0\0\0\x08\0\x04\0\x14\0\0\0\x1c\0\0\0\x88\0\0\0\xe0\0\0\0"
    )
    return names + records


DICTIONARY = _tflite() + _keras() + _onnx()
