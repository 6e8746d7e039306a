"""Each question is one that users of tfmot and ONNX Runtime ask again and again, with a model as they have it."""

import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.evaluate.packed_models import kernel
from workbench.compress.ledger import ledger
from workbench.compress.ledger.faster import cpu_features, why_not_faster
from workbench.compress.ledger.holdings import Holdings
from workbench.compress.ledger.smaller import why_not_smaller
from workbench.core.artifact import Artifact, Numeric
from workbench.core.errors import BadInputError
from workbench.core.records import Sizes
from workbench.core.records.ledger import Ledger, OperatorTime, Profile
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.packing import pack
from workbench.evaluate.profile import profile
from workbench.evaluate.tensors.base import StoredTensor, readers
from workbench.jobs import submit

SIDE = 12


@pytest.fixture(scope="module")
def tfmot(workspace: Workspace) -> Path:
    """Folder of what tfmot makes of one network: plain, wrapped, with_optimizer, stripped, trained_on."""
    return Path(submit("ledger_models:pruned", {}, kind="probe", workspace=workspace).wait(180)["folder"])


def _keras(folder: Path, name: str) -> Artifact:
    return Artifact.write(folder, file=f"{name}.keras", name=name, format="tf_keras", numeric="float32")


def _network(weights: np.ndarray, dense: np.ndarray) -> onnx.ModelProto:
    """Convolution, ReLU, dense layer; takes (N, 1, 12, 12)."""
    shapes = {"x": ["N", 1, SIDE, SIDE], "y": ["N", dense.shape[1]]}
    given, answered = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in shapes)
    nodes = [
        helper.make_node("Conv", ["x", "conv"], ["c"], name="conv", kernel_shape=weights.shape[2:]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="flatten"),
        helper.make_node("MatMul", ["f", "dense"], ["y"], name="dense"),
    ]
    held = [numpy_helper.from_array(array, name) for array, name in ((weights, "conv"), (dense, "dense"))]
    graph = helper.make_graph(nodes, "graph", [given], [answered], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _weights(sparsity: float, values: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    return kernel((8, 1, 3, 3), sparsity, values), kernel((800, 10), sparsity, values)


def _artifact(model: onnx.ModelProto, folder: Path, numeric: Numeric = "float32") -> Artifact:
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    return Artifact.write(folder, file="model.onnx", name="small", format="onnx", numeric=numeric)


def _asked(artifact: Artifact) -> Ledger:
    found = ledger(artifact, runs=3)
    assert sum(part.bytes for part in found.parts) == artifact.path.stat().st_size == found.sizes.raw
    assert all(len(each.text) > 20 and each.text.endswith(".") for each in found.findings)
    return found


def _bytes(found: Ledger, word: str) -> int:
    return sum(part.bytes for part in found.parts if word in part.purpose)


def test_why_is_the_pruned_keras_file_as_large_as_before(tfmot: Path) -> None:
    """tfmot 760 and 570: zeros are stored, and only a compressor makes them cheap."""
    plain, pruned = _asked(_keras(tfmot, "plain")), _asked(_keras(tfmot, "stripped"))
    assert pruned.sizes.raw == pytest.approx(plain.sizes.raw, rel=0.02)
    assert "80% of the weights are zero but the file stores them" in pruned.finding("zeros")
    assert re.search(r"\(222\.\d kB -> \d+\.\d kB gzip'd, \d+\.\d kB packed\)", pruned.finding("zeros"))
    assert pruned.sizes.packed < pruned.sizes.gzip < 0.4 * pruned.sizes.raw
    assert _bytes(pruned, "zeros in kernels") == pytest.approx(0.8 * 51_664 * 4, rel=0.01)
    assert not plain.finding("zeros")


def test_why_is_the_pruned_model_larger_than_the_unpruned_one(tfmot: Path) -> None:
    """tfmot 162 and 760: wrappers with masks, and the optimizer's slots, are in the file."""
    found = _asked(_keras(tfmot, "with_optimizer"))
    assert found.sizes.raw > 4 * _asked(_keras(tfmot, "plain")).sizes.raw
    assert "call `strip_pruning`" in found.finding("wrappers")
    assert "optimizer's slots take 413.8 kB" in found.finding("optimizer")
    # A mask and a copy of each kernel, and a few thresholds and steps.
    assert _bytes(found, "wrappers") == pytest.approx(2 * 51_664 * 4, rel=0.001)


def test_are_the_wrappers_still_there(tfmot: Path) -> None:
    """tfmot 760: `model_for_pruning` was saved in place of what `strip_pruning` returns."""
    found = _asked(_keras(tfmot, "wrapped"))
    assert "call `strip_pruning`" in found.finding("wrappers")
    assert not found.finding("optimizer")
    left = re.search(r"leaves about ([\d.]+) kB", found.finding("wrappers"))
    assert left is not None
    assert float(left[1]) == pytest.approx(_asked(_keras(tfmot, "stripped")).sizes.raw / 1000, rel=0.1)
    assert not _asked(_keras(tfmot, "stripped")).finding("wrappers")


def test_why_is_the_saved_model_three_times_as_large(tfmot: Path) -> None:
    """tensorflow 47838: a compiled model is saved with two slots a weight, which gzip does not shrink."""
    found = _asked(_keras(tfmot, "trained_on"))
    assert "2.0 times the weights" in found.finding("optimizer")
    assert _bytes(found, "optimizer") == pytest.approx(2 * 51_706 * 4, rel=0.01)


def test_why_does_gzip_not_shrink_my_pruned_model(tmp_path: Path) -> None:
    """tensorflow 47838: baseline and 'pruned' model gzip to the same size, for nothing was pruned."""
    found = _asked(_artifact(_network(*_weights(0.0)), tmp_path))
    assert "Only 0.0% of the weights are zero" in found.finding("dense")
    assert "UpdatePruningStep" in found.finding("dense")


def test_why_is_the_pruned_tflite_file_as_large_as_before(converted: dict[str, Artifact], tmp_path: Path) -> None:
    """tfmot 722: the same for a flatbuffer."""
    artifact = converted["tflite/float32"]
    content = bytearray(artifact.path.read_bytes())
    for tensor in readers.get("tflite")().read(artifact.path):
        if tensor.values.ndim > 1:
            at = content.find(tensor.values.tobytes())
            kept = np.where(np.abs(tensor.values) < np.quantile(np.abs(tensor.values), 0.8), 0, tensor.values)
            content[at : at + tensor.values.nbytes] = kept.astype(np.float32).tobytes()
    (tmp_path / "model.tflite").write_bytes(content)
    found = _asked(
        Artifact.write(tmp_path, file="model.tflite", name="pruned", format="tflite", numeric="float32")
    )  # fmt: skip
    assert found.sizes.raw == artifact.path.stat().st_size
    assert "80% of the weights are zero but the file stores them" in found.finding("zeros")
    assert found.sizes.packed < found.sizes.gzip < 0.35 * found.sizes.raw


def test_why_is_the_pruned_model_not_faster(tmp_path: Path) -> None:
    """tfmot 570 and 162: no kernel skips zeros."""
    found = _asked(_artifact(_network(*_weights(0.8)), tmp_path))
    assert "make no call faster" in found.finding("no_sparse_kernel")
    assert found.profile is not None
    assert {each.operator for each in found.profile.operators} & {"Conv", "FusedConv"}
    assert all(each.ms > 0 for each in found.profile.operators if each.operator == "MatMul")


def test_why_is_the_clustered_model_not_smaller(tmp_path: Path) -> None:
    """tfmot 1135: values are shared, but each is stored as a float."""
    found = _asked(_artifact(_network(*_weights(0.0, 16)), tmp_path))
    text = found.finding("shared_values")
    assert "share at most 16 distinct values a kernel" in text
    assert "stored as a 32-bit float" in text
    assert "takes 4 bits" in text
    assert found.sizes.packed < found.sizes.raw / 6
    assert not found.finding("dense")


def test_minus_zero_is_found(tmp_path: Path) -> None:
    weights, dense = _weights(0.8)
    dense[dense == 0] *= np.float32(-1)
    found = _asked(_artifact(_network(weights, dense), tmp_path))
    assert "are -0.0" in found.finding("negative_zeros")


def _static(folder: Path) -> tuple[Artifact, Artifact]:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            draw = np.random.default_rng(0)
            self._left = [{"x": draw.random((1, 1, SIDE, SIDE), np.float32)} for _ in range(8)]

        def get_next(self) -> dict[str, np.ndarray] | None:
            return self._left.pop() if self._left else None

    source = _artifact(_network(*_weights(0.0)), folder / "float")
    (folder / "int8").mkdir()
    quantize_static(str(source.path), str(folder / "int8" / "model.onnx"), Samples(), quant_format=QuantFormat.QDQ)
    made = Artifact.write(folder / "int8", file="model.onnx", name="int8", format="onnx", numeric="int8")
    return source, made


def test_why_is_the_int8_model_slower_than_float(tmp_path: Path) -> None:
    """onnxruntime 20052 and 17389: a small network, whose quantize nodes and calls eat what the products save."""
    source, made = _static(tmp_path)
    found = ledger(made, baseline=source, runs=5)
    assert re.search(r"(times (slower|faster) than|as long as) 'small' \(onnx/float32\): ", found.finding("compared"))
    # What was measured is not said to be possible.
    assert "can be faster" not in found.finding("vnni")
    assert "often slower" not in found.finding("no_vnni")
    assert "quantise or dequantise" in found.finding("quantize_share")
    assert found.finding("vnni") or found.finding("no_vnni")
    assert bool(found.finding("vnni")) == any("vnni" in each or "amx" in each for each in found.features)


def test_why_is_the_dynamic_int8_model_so_slow(tmp_path: Path) -> None:
    """onnxruntime 6732: dynamic quantization measures ranges in every call."""
    from onnxruntime.quantization import quantize_dynamic

    source = _artifact(_network(*_weights(0.0)), tmp_path / "float")
    (tmp_path / "int8").mkdir()
    quantize_dynamic(str(source.path), str(tmp_path / "int8" / "model.onnx"))
    made = Artifact.write(tmp_path / "int8", file="model.onnx", name="int8", format="onnx", numeric="dynamic")
    found = _asked(made)
    assert "quantise anew in every call" in found.finding("dynamic")
    assert "static int8" in found.finding("dynamic")


def _profile(**changed: object) -> Profile:
    operators = (
        OperatorTime(operator="Conv", count=2, ms=0.6),
        OperatorTime(operator="QuantizeLinear", count=3, ms=0.2),
    )
    facts = {
        "runtime": "onnx", "batch": 1, "threads": 1, "runs": 9, "call_ms": 1.0, "operators": operators,
        "overhead_ms": 0.2, "wide_ms": 0.25, "wide_batch": 32,
    }  # fmt: skip
    return Profile(**{**facts, **changed})


def test_what_a_processor_without_vnni_means_for_int8() -> None:
    """onnxruntime 17389 and 20052: without byte products, int8 takes more instructions than float32."""
    said = {each.topic: each.text for each in why_not_faster("int8", 0.0, _profile(), ("avx2",))}
    assert "no instruction that multiplies bytes (VNNI; it has avx2)" in said["no_vnni"]
    assert "3 of 5 operators" in said["quantize_share"]
    assert "(25% of the operators' time)" in said["quantize_share"]
    said = {each.topic: each.text for each in why_not_faster("int8", 0.0, _profile(), ("avx2", "avx512_vnni"))}
    assert "no_vnni" not in said
    assert "avx512_vnni" in said["vnni"]


def test_what_a_call_costs_beside_its_operators() -> None:
    said = {each.topic: each.text for each in why_not_faster("float32", 0.0, _profile(operators=()), ())}
    assert "0.200 of 1.000 ms a call (20%)" in said["overhead"]
    assert "4.0 times less" in said["batch"]
    assert set(said) <= {"overhead", "batch", "threads"}


@pytest.mark.parametrize("features", [("avx2",), ("avx2", "avx512_vnni")])
def test_what_the_processor_can_do_does_not_contradict_what_was_measured(features: tuple[str, ...]) -> None:
    faster, slower = (
        {
            each.topic: each.text
            for each in why_not_faster(
                "int8", 0.0, _profile(), features, baseline=_profile(call_ms=theirs), name="'baseline' (onnx/float32)"
            )
        }
        for theirs in (2.0, 0.5)
    )
    assert "2.00 times faster than 'baseline' (onnx/float32)" in faster["compared"]
    said = "vnni" if len(features) > 1 else "no_vnni"
    for word in ("slower", "too small", "can be"):
        assert word not in faster[said]
    assert "too small" in slower[said] or "gains nothing" in slower[said]


@pytest.mark.parametrize(
    ("theirs", "says"),
    [(1.0, "as long as"), (0.98, "as long as"), (1.02, "as long as"), (0.9, "slower"), (1.04, "faster")],
)
def test_a_difference_within_the_noise_is_called_none(theirs: float, says: str) -> None:
    found = why_not_faster("float32", 0.0, _profile(), (), baseline=_profile(call_ms=theirs), name="'dense'")
    (text,) = (each.text for each in found if each.topic == "compared")
    assert says in text
    assert ("times" in text) == (says != "as long as")
    assert f"1.000 ms a call beside {theirs:.3f} ms" in text


def test_operators_that_take_longer_than_the_call_are_explained() -> None:
    slow = (OperatorTime(operator="Conv", count=2, ms=1.3),)
    said = {each.topic: each.text for each in why_not_faster("float32", 0.0, _profile(operators=slow), ())}
    assert "add up to 1.300 ms, more than the 1.000 ms of a call" in said["profiling"]
    assert "profiling" not in {each.topic for each in why_not_faster("float32", 0.0, _profile(), ())}


@pytest.mark.parametrize(("wide", "words"), [(0.1, "what is fixed a call dominates"), (0.7, "some 31% of a call")])
def test_what_is_fixed_dominates_only_where_it_does(wide: float, words: str) -> None:
    said = {each.topic: each.text for each in why_not_faster("float32", 0.0, _profile(wide_ms=wide), ())}
    assert words in said["batch"]


def test_dashes_beside_the_operators_of_a_tflite_file_are_explained(converted: dict[str, Artifact]) -> None:
    found = _asked(converted["tflite/float32"])
    assert " -  3 x CONV_2D" in found.text()
    assert "counted and not timed (shown as -)" in found.finding("not_by_operator")
    assert not _asked(converted["onnx/float32"]).finding("not_by_operator")


def test_zero_comes_on_top_of_the_shared_values(tmp_path: Path) -> None:
    text = _asked(_artifact(_network(*_weights(0.8, 8)), tmp_path)).finding("shared_values")
    assert "share at most 8 distinct values besides zero a kernel" in text
    assert "takes 4 bits" in text


def test_what_was_never_pruned_is_not_said_to_be_pruned_in_vain(
    trained: Artifact, converted: dict[str, Artifact], tmp_path: Path
) -> None:
    for artifact in (trained, converted["onnx/float32"]):
        text = _dense(artifact)
        assert "It was never pruned." in text
        assert "pruning never reached it" not in text
    copy = tmp_path / "brought"
    shutil.copytree(converted["onnx/float32"].folder, copy)
    assert "If it was pruned, pruning never reached it" in _dense(Artifact.load(copy))


def _dense(artifact: Artifact) -> str:
    return ledger(artifact, runs=1).finding("dense")


def test_quantize_wrappers_are_not_to_be_stripped() -> None:
    def tensor(name: str, *shape: int) -> StoredTensor:
        return StoredTensor(name, np.random.default_rng(0).normal(size=shape).astype(np.float32))

    model = Artifact(folder=Path("/"), name="qat", format="tf_keras", numeric="float32", file="m", sha256="")
    wrappers = (tensor("quant_dense/1"), tensor("quant_dense/2"))
    held = Holdings(kernels=(tensor("dense/0", 40, 30),), vectors=(), integers=(), learning=(), wrappers=wrappers)
    said = {each.topic: each.text for each in why_not_smaller(model, held, Sizes(raw=5000, gzip=4000, packed=3900))}
    assert "do not strip them" in said["quantize_wrappers"]
    assert "wrappers" not in said


def test_names_of_wrappers_in_a_graph_are_those_of_its_weights(tmp_path: Path) -> None:
    weights, dense = _weights(0.8)
    model = _network(weights, dense)
    for tensor in model.graph.initializer:
        tensor.name = f"net/quant_{tensor.name}/LastValueQuant"
    for node in model.graph.node:
        node.input[:] = [
            f"net/quant_{each}/LastValueQuant" if each in ("conv", "dense") else each for each in node.input
        ]
    found = _asked(_artifact(model, tmp_path))
    assert _bytes(found, "wrappers") == 0
    assert found.sparsity > 0.7


def test_float16_saves_bytes_and_no_time() -> None:
    said = {each.topic: each.text for each in why_not_faster("float16", 0.0, _profile(), ())}
    assert "halves the bytes, not the time" in said["float16"]


def test_what_dynamic_range_leaves_float(converted: dict[str, Artifact], tmp_path: Path) -> None:
    """A dynamic-range file is a little more than a quarter of the float one: some of it stays float."""
    from ai_edge_quantizer import quantizer, recipe

    made = quantizer.Quantizer(str(converted["tflite/float32"].path))
    made.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    made.quantize().export_model(str(tmp_path / "model.tflite"))
    artifact = Artifact.write(tmp_path, file="model.tflite", name="dynamic", format="tflite", numeric="dynamic")
    assert "stay floats" in _asked(artifact).finding("float_parts")
    assert not _asked(converted["tflite/int8"]).finding("float_parts")
    assert not _asked(converted["tflite/float32"]).finding("float_parts")


def test_a_packed_model_has_a_ledger_too(converted: dict[str, Artifact], tmp_path: Path) -> None:
    source = converted["onnx/float32"]
    (tmp_path / "model.packed").write_bytes(pack(source.path.read_bytes(), "onnx"))
    packed = Artifact.write(tmp_path, file="model.packed", name="packed", format="packed", numeric="float32")
    found = _asked(packed)
    assert "packed already" in found.finding("packed")
    assert "was not measured" in found.finding("not_timed")
    assert (found.profile, found.entropy_bytes) == (None, ledger(source, runs=1).entropy_bytes)


def test_real_models_are_accounted_for_to_the_byte(
    trained: Artifact, converted: dict[str, Artifact], digits: Dataset
) -> None:
    for artifact in (trained, *converted.values()):
        found = ledger(artifact, digits, runs=3)
        assert sum(part.bytes for part in found.parts) == found.sizes.raw == artifact.sizes().raw
        assert (found.profile is None) == (artifact.format in ("tf_keras", "saved_model"))
        if artifact.format == "saved_model":
            continue
        # Packing knows of channels and pays for tables: near what values cost by themselves.
        assert found.entropy_bytes < found.sizes.packed < 1.05 * found.entropy_bytes + 6000
        text = str(found)
        assert artifact.label in text.splitlines()[0]
        assert Ledger.from_json(found.to_json()) == found


def test_a_profile_tells_operators_and_both_batches(converted: dict[str, Artifact]) -> None:
    found = profile(converted["onnx/float32"], batch=2, runs=3)
    assert (found.batch, found.runs, found.wide_batch) == (2, 3, 32)
    assert found.of("Conv")[0] == 3
    counted = profile(converted["tflite/int8"], runs=3)
    assert counted.of("CONV_2D") == (3, None)
    assert all(each.ms is None for each in counted.operators)


@pytest.mark.parametrize("name", ["batch", "threads", "runs"])
@pytest.mark.parametrize("value", [0, 10**6, 1.5, "2"])
def test_numbers_out_of_range_are_refused(name: str, value: object, converted: dict[str, Artifact]) -> None:
    with pytest.raises(BadInputError, match=f"{name} must be"):
        profile(converted["onnx/float32"], **{name: value})  # type: ignore[arg-type]


def test_only_models_and_data_have_a_ledger(converted: dict[str, Artifact]) -> None:
    with pytest.raises(BadInputError, match="artifact must be an Artifact"):
        ledger("model.onnx")  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="data must be a Dataset"):
        ledger(converted["onnx/float32"], "digits")  # type: ignore[arg-type]


def test_what_tensorflow_runs_is_not_profiled(trained: Artifact) -> None:
    with pytest.raises(BadInputError, match="must be one of onnx, tflite to be profiled"):
        profile(trained)


def test_features_are_those_of_this_processor() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    assert all(f" {name}" in flags for name in cpu_features())
