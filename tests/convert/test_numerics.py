"""Every numeric type, from the float32 file: the quantizers need no TensorFlow, so this is fast."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import workbench.convert
from tests.convert.lite_files import flattening_file
from workbench.convert.adopt import adopt
from workbench.convert.base import converters
from workbench.convert.flatbuffer import float_operators, operators, saturated_biases, signed
from workbench.convert.litert import quantised as quantised_by_litert
from workbench.convert.representative import Representative
from workbench.convert.settings import ConvertSettings
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.evaluate.runtimes.base import open_runtime
from workbench.jobs import submit

# Bytes of the file against its float32 one, at most.
SHARES = {
    "tflite/float16": 0.52, "tflite/dynamic": 0.29, "tflite/int8": 0.29, "tflite/int16x8": 0.29, "tflite/int4": 0.17,
    "onnx/float16": 0.52, "onnx/dynamic": 0.3, "onnx/int8": 0.32,
}  # fmt: skip


@pytest.fixture(scope="module")
def quantised(converted: dict[str, Artifact], digits: Dataset, workspace: Workspace) -> dict[str, Artifact]:
    def make(label: str) -> Artifact:
        format_, numeric = label.split("/")
        source = converted[f"{format_}/float32"]
        return workbench.convert(source, format_, numeric=numeric, dataset=digits, workspace=workspace)

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(SHARES, threads.map(make, SHARES), strict=True))


def test_the_table_holds_every_numeric_type() -> None:
    known = {f"{name}/{numeric}" for name in ("tflite", "onnx") for numeric in converters.get(name).numerics}
    assert known - {"tflite/float32", "onnx/float32"} == SHARES.keys()


@pytest.mark.thorough
@pytest.mark.parametrize("label", SHARES)
def test_it_is_smaller_and_answers_any_batch(
    label: str, quantised: dict[str, Artifact], converted: dict[str, Artifact], digits: Dataset
) -> None:
    made, source = quantised[label], converted[f"{label.split('/', maxsplit=1)[0]}/float32"]
    assert made.label == label
    assert made.parent == source.sha256
    assert made.metrics["parity"]["passed"]
    assert made.metrics["engine"] == {
        "name": "onnxruntime" if made.format == "onnx" else "ai-edge-quantizer",
        "version": made.versions["onnxruntime" if made.format == "onnx" else "ai-edge-quantizer"],
    }
    assert made.sizes().raw <= SHARES[label] * source.sizes().raw
    samples = digits.floats("test", slice(0, 9))
    with open_runtime(made) as runtime:
        assert (runtime.inputs[0].name, runtime.inputs[0].dtype) == ("image", "float32")
        whole = runtime.predict(samples)
        parts = np.concatenate([runtime.predict(part) for part in (samples[:1], samples[1:4], samples[4:])])
    assert whole.shape == (9, 10)
    # Dynamic ranges are those of the batch, so its answers depend on it a little.
    assert np.abs(whole - parts).max() < (0.1 if label == "onnx/dynamic" else 1e-4)


def test_an_old_file_without_a_signature_can_be_quantised(converted: dict[str, Artifact], digits: Dataset) -> None:
    content = converted["tflite/float32"].path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    model.signatureDefs = []
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    settings = ConvertSettings(format="tflite", numeric="int8", representative_samples=32)
    made = quantised_by_litert(bytes(builder.Output()), settings, Representative.pick(digits, settings))
    interpreter = Interpreter(model_content=made)
    assert [*interpreter.get_signature_list()] == ["serving_default"]
    assert interpreter.get_input_details()[0]["dtype"] is np.int8
    assert signed(made) == made


@pytest.mark.parametrize("numeric", ["int8", "int16x8"])
@pytest.mark.parametrize("io", ["int8", "float32"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_file_that_asks_for_a_shape_becomes_integers(numeric: Any, io: Any, at_once: Any, digits: Dataset) -> None:
    settings = ConvertSettings(format="tflite", numeric=numeric, io=io, representative_samples=32)
    content = flattening_file(at_once=at_once)
    made = quantised_by_litert(content, settings, Representative.pick(digits, settings))
    assert float_operators(made) == []
    assert ("DEQUANTIZE" in operators(made)) == (io == "float32")
    image = digits.floats("test", slice(0, 1))
    assert _answer(made, image) == pytest.approx(_answer(content, image), rel=0.02)


def _answer(content: bytes, image: Any) -> Any:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    if taken["dtype"] is not np.float32:
        scale, zero = taken["quantization"]
        image = np.round(image / scale + zero).astype(taken["dtype"])
    interpreter.set_tensor(taken["index"], image)
    interpreter.invoke()
    answer = interpreter.get_tensor(given["index"])[0]
    if given["dtype"] is np.float32:
        return answer
    scale, zero = given["quantization"]
    return (answer.astype(np.float32) - zero) * scale


@pytest.mark.thorough
def test_the_one_from_the_keras_model_is_the_one_from_the_float_file(
    quantised: dict[str, Artifact], converted: dict[str, Artifact]
) -> None:
    assert converted["tflite/int8"].sha256 == quantised["tflite/int8"].sha256


@pytest.mark.thorough
def test_integers_throughout(quantised: dict[str, Artifact]) -> None:
    for label in ("tflite/int8", "tflite/int16x8"):
        content = quantised[label].path.read_bytes()
        assert float_operators(content) == []
        assert saturated_biases(content) == []
    assert float_operators(quantised["tflite/dynamic"].path.read_bytes())


@pytest.mark.thorough
@pytest.mark.parametrize(("io", "dtype"), [("int8", np.int8), ("float32", np.float32)])
def test_what_goes_in_and_out_can_be_chosen(
    io: str, dtype: type, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.convert(
        converted["tflite/float32"], "tflite", numeric="int8", io=io, dataset=digits, workspace=workspace
    )
    interpreter = Interpreter(model_path=str(made.path))
    assert interpreter.get_input_details()[0]["dtype"] is dtype
    assert interpreter.get_output_details()[0]["dtype"] is dtype


@pytest.mark.thorough
def test_unsigned_integers_come_from_tensorflow(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    made = workbench.convert(trained, "tflite", numeric="int8", io="uint8", dataset=digits, workspace=workspace)
    assert made.metrics["engine"]["name"] == "tensorflow"
    assert Interpreter(model_path=str(made.path)).get_input_details()[0]["dtype"] is np.uint8


@pytest.mark.thorough
@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_one_scale_a_kernel_is_smaller(
    format_: str, quantised: dict[str, Artifact], converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.convert(
        converted[f"{format_}/float32"], format_, numeric="int8", per_channel=False, dataset=digits,
        workspace=workspace,
    )  # fmt: skip
    assert made.sizes().gzip < 0.95 * quantised[f"{format_}/int8"].sizes().gzip


@pytest.mark.thorough
@pytest.mark.parametrize("calibration", ["entropy", "percentile"])
def test_onnx_ranges_can_be_found_in_other_ways(
    calibration: str, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.convert(
        converted["onnx/float32"], "onnx", numeric="int8", calibration=calibration, dataset=digits, workspace=workspace
    )
    assert made.metrics["parity"]["passed"]


@pytest.mark.thorough
@pytest.mark.parametrize("numeric", ["int8", "int16x8"])
def test_a_kernel_with_empty_channels_keeps_its_biases(numeric: Any, workspace: Workspace, digits: Dataset) -> None:
    files = submit("probe_models:write_all", {}, kind="probe", workspace=workspace).wait(120)
    source = adopt(files["empty_channels"], workspace=workspace)
    made = workbench.convert(
        source, "tflite", numeric=numeric, dataset=digits, workspace=workspace, min_agreement=0.9, max_abs=0.05
    )
    assert made.metrics["engine"]["name"] == "ai-edge-quantizer"
    assert saturated_biases(made.path.read_bytes()) == []


@pytest.mark.parametrize(
    ("label", "asked", "named"),
    [
        ("tflite/int8", {"numeric": "float16"}, "must be float32 to become another numeric type of tflite"),
        ("tflite/float32", {"numeric": "float32"}, "must be float32 to become another numeric type of tflite"),
        ("tflite/float32", {"numeric": "int8", "io": "uint8"}, "io must be int8 or float32 where a .tflite file is"),
        ("onnx/float32", {"numeric": "int4"}, "numeric must be one of float32, float16, dynamic, int8 for onnx"),
    ],
)
def test_what_does_not_exist_is_one_sentence(
    label: str, asked: dict[str, Any], named: str, converted: dict[str, Artifact], workspace: Workspace
) -> None:
    format_: Any = label.split("/", maxsplit=1)[0]
    with pytest.raises(BadInputError, match=named):
        workbench.convert(converted[label], format_, workspace=workspace, **asked)


@pytest.mark.thorough
def test_inventory_counts_what_is_stored(quantised: dict[str, Artifact]) -> None:
    kernels = [each for each in inventory(quantised["tflite/int8"]).tensors if each.prunable]
    assert {each.dtype for each in kernels} == {"int8"}


@pytest.mark.thorough
def test_four_bits_are_counted(quantised: dict[str, Artifact], converted: dict[str, Artifact]) -> None:
    layers = quantised["tflite/int4"].metrics["layers"]
    assert sum(facts["elements"] for facts in layers.values()) == sum(
        facts["elements"] for facts in converted["tflite/float32"].metrics["layers"].values()
    )
    # The first and the last kernel have too few weights to be worth it.
    assert sorted(facts["unique"] <= 16 for facts in layers.values()) == [False, False, True, True, True]
