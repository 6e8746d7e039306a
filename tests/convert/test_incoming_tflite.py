import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.convert.lite_files import crashing_file, custom, lite_file, weights
from workbench.convert.adopt import adopt
from workbench.convert.incoming import Arrival, kind_of
from workbench.convert.incoming import tflite_file as unit
from workbench.convert.incoming.tflite_numeric import numeric_of
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes.base import open_runtime
from workbench.jobs import submit


def _written(content: bytes, folder: Path) -> Path:
    path = folder / "called.keras"
    path.write_bytes(content)
    return path


def _examined(content: bytes, folder: Path) -> Any:
    path = _written(content, folder)
    return kind_of(path)().examine(Arrival(path, folder, trust=False, signature=None, note=print))


def _refused(content: bytes, folder: Path, named: str) -> None:
    with pytest.raises(BadInputError, match=named) as told:
        _examined(content, folder)
    assert "\n" not in str(told.value)


def test_a_model_comes_in_byte_for_byte(tmp_path: Path, workspace: Workspace) -> None:
    content = lite_file()
    artifact = adopt(_written(content, tmp_path), workspace=workspace)
    assert artifact.label == "tflite/float32"
    assert artifact.path.read_bytes() == content
    assert artifact.metrics["lost"] == []
    assert artifact.metrics["operators"] == {"FULLY_CONNECTED": 1}
    assert [artifact.metrics[side][0]["shape"] for side in ("inputs", "outputs")] == [[-1, 4], [-1, 2]]
    with open_runtime(artifact) as runtime:
        expected = np.ones((3, 4), np.float32) @ (np.arange(8, dtype=np.float32).reshape(2, 4) / 8).T
        assert runtime.predict(np.ones((3, 4))) == pytest.approx(expected)


def test_a_file_that_crashes_the_parser_is_one_sentence(tmp_path: Path, workspace: Workspace) -> None:
    path = _written(crashing_file(), tmp_path)
    sentence = (
        rf"{re.escape(str(path))} must be a model that can be opened, but the process that read it was killed by SIG"
    )
    with pytest.raises(BadInputError, match=sentence):
        adopt(path, workspace=workspace)


def _graph(model: Any) -> Any:
    return model.subgraphs[0]


def _several_inputs(model: Any) -> None:
    _graph(model).inputs = [0, 1]


def _no_output(model: Any) -> None:
    _graph(model).outputs = []


def _strings(model: Any) -> None:
    _graph(model).tensors[0].type = schema.TensorType.STRING


def _large(model: Any) -> None:
    _graph(model).tensors[2].shape = [1 << 15, 1 << 15]


def _claiming(model: Any) -> None:
    _graph(model).tensors[1].shape = [1 << 14, 1 << 14]


def _astray(model: Any) -> None:
    _graph(model).operators[0].inputs = [0, 77, -1]


def _without_buffer(model: Any) -> None:
    _graph(model).tensors[1].buffer = 9


def _of_the_future(model: Any) -> None:
    model.operatorCodes[0].builtinCode = 9_999


def _elsewhere(model: Any) -> None:
    group, buffer = schema.ExternalBufferGroupT(), schema.ExternalBufferT()
    group.name = "/etc/passwd"
    model.externalBufferGroups, model.externalBuffers = [group], [buffer]


def _quantised(scales: list[float], points: list[int] | None = None) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint, quantization.quantizedDimension = scales, points, 0
        tensor = _graph(model).tensors[1]
        tensor.quantization, tensor.type = quantization, schema.TensorType.INT8
        model.buffers[1].data = [1] * 8

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_several_inputs, r"must have one input, got \['x', 'weights'\]"),
        (_no_output, r"must have one output, got \[\]"),
        (_strings, "must have numbers as input, got 'string'"),
        (custom("TFLite_Detection_PostProcess"), "LiteRT only, got 'TFLite_Detection_PostProcess'; a custom operation"),
        (custom("FlexErf"), "LiteRT only, got 'FlexErf'; it is TensorFlow's own"),
        (weights([float("nan")] * 8), "must have finite weights, got '8 NaN in weights'"),
        (weights([1, 2, 3, 4, 5, 6, 7, float("inf")]), "must have finite weights, got '1 infinite values in weights'"),
        (_large, r"tensors under 2 GiB, got 'y of shape \(32768, 32768\)'"),
        (_claiming, r"weights of shape \(16384, 16384\) in 32 bytes"),
        (_astray, "inputs ask for a tensor that is not there"),
        (_without_buffer, "there is no buffer 9"),
        (_of_the_future, "operations that this LiteRT knows, got 'number 9999'"),
        (_elsewhere, "must hold its weights itself"),
        (_quantised([1.0] * 3), r"weights has 3 scales for the shape \(2, 4\)"),
        (_quantised([float("inf")]), "weights has scales that no values have"),
        (_quantised([0.0]), "weights has scales that no values have"),
        (_quantised([1.0], [-16_512]), "weights has a zero point that is no int8"),
        (_quantised([1.0, 1.0], [0, 0, 0]), "weights has 3 zero points for 2 scales"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_used_is_one_sentence(change: Callable[[Any], object], named: str, tmp_path: Path) -> None:
    _refused(lite_file(change), tmp_path, named)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_one_sentence(share: float, tmp_path: Path) -> None:
    content = lite_file()
    _refused(content[: int(share * len(content))], tmp_path, "must be a whole TFLite file")


def test_a_length_of_two_gigabytes_is_not_believed(tmp_path: Path) -> None:
    content = lite_file()
    at = content.index(struct.pack("<I", 32) + struct.pack("<2f", 0, 1 / 8))
    _refused(content[:at] + struct.pack("<I", 2**31 - 1) + content[at + 4 :], tmp_path, "must be a whole TFLite file")


def test_there_is_a_limit_to_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "_MOST_OPERATORS", 3)

    def many(model: Any) -> None:
        _graph(model).operators *= 4

    _refused(lite_file(many), tmp_path, "must have at most 3 operators, got 4")


def test_an_endless_mask_is_no_weight(tmp_path: Path) -> None:
    _examined(lite_file(weights([0, -np.inf] * 4)), tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("numeric", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_the_numeric_type_is_told_from_the_tensors(numeric: str, workspace: Workspace) -> None:
    asked = {"names": [numeric]}
    path = Path(submit("foreign_models:write", asked, kind="probe", workspace=workspace).wait(300)[numeric])
    assert numeric_of(unit.read(path)) == numeric
    artifact = adopt(path, workspace=workspace)
    assert artifact.numeric == numeric
    with open_runtime(artifact) as runtime:
        assert runtime.predict(np.zeros((3, 6, 6, 1))).sum(axis=1) == pytest.approx(1, abs=0.1)


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "named"), [("flex", "Flex"), ("custom", "Betainc"), ("lite_two_inputs", "x0")])
def test_what_converters_write_and_we_cannot_use_is_named(name: str, named: str, workspace: Workspace) -> None:
    path = submit("foreign_models:write", {"names": [name]}, kind="probe", workspace=workspace).wait(300)[name]
    with pytest.raises(BadInputError, match=named):
        adopt(path, workspace=workspace)
