import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, UntrustedModelError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.runtimes import Runtime, open_runtime, runtimes
from workbench.evaluate.runtimes.tflite import dequantise, quantise
from workbench.jobs import submit

IN_PROCESS = ("onnx/float32", "tflite/float32", "tflite/int8")


@pytest.fixture(params=IN_PROCESS)
def runtime(request: pytest.FixtureRequest, converted: dict[str, Artifact]) -> Iterator[Runtime]:
    with open_runtime(converted[request.param]) as opened:
        yield opened


@given(
    arrays(np.float32, 20, elements=st.floats(-4, 4, width=32)),
    st.floats(0.01, 0.1),
    st.integers(-128, 127),
)
def test_quantising_and_back_is_off_by_half_a_step_at_most(values: np.ndarray, scale: float, zero_point: int) -> None:
    details = {"dtype": np.int8, "quantization": (scale, zero_point)}
    low, high = ((limit - zero_point) * scale for limit in (-128, 127))
    back = dequantise(quantise(values, details), details)
    assert np.abs(back - np.clip(values, low, high)).max() <= scale / 2 * 1.001


def test_integers_without_a_scale_pass_as_they_are() -> None:
    details = {"dtype": np.uint8, "quantization": (0.0, 0)}
    assert quantise(np.float32([0, 7, 300]), details).tolist() == [0, 7, 255]


def test_every_format_has_a_runtime_and_those_without_tensorflow_may_run_in_a_kernel() -> None:
    kernel = {name for name in runtimes.names() if runtimes.get(name).in_process}
    assert {"onnx", "tflite", "c_array"} <= kernel
    assert {"keras", "tf_keras", "h5", "saved_model", "packed"} <= {*runtimes.names()} - kernel


def test_real_values_go_in_and_probabilities_come_out(runtime: Runtime, digits: Dataset) -> None:
    (given_,), (answered,) = runtime.inputs, runtime.outputs
    assert (given_.name, given_.dtype, given_.shape) == ("image", "float32", (-1, 28, 28, 1))
    assert (answered.name, answered.dtype, answered.shape) == ("probabilities", "float32", (-1, 10))
    answers = runtime.predict(digits.floats("test", slice(0, 50)))
    assert answers.dtype == np.float32
    assert answers.sum(axis=1) == pytest.approx(1, abs=0.05)
    assert (answers.argmax(axis=1) == digits.labels("test", slice(0, 50))).mean() > 0.8


def test_any_batch_gives_the_same_answers(runtime: Runtime, digits: Dataset) -> None:
    samples = digits.floats("test", slice(0, 7))
    whole = runtime.predict(samples)
    singly = np.concatenate([runtime.predict(samples[i : i + 1]) for i in range(7)])
    assert np.abs(whole - singly).max() < 1e-5


def test_threads_do_not_mix_their_answers(runtime: Runtime, digits: Dataset) -> None:
    samples = digits.floats("test", slice(0, 8))
    expected = runtime.predict(samples)
    wrong: list[int] = []

    def ask(size: int) -> None:
        answers = (runtime.predict(samples[:size]) for _ in range(20))
        wrong.extend(size for each in answers if np.abs(each - expected[:size]).max() > 1e-5)

    threads = [threading.Thread(target=ask, args=(size,)) for size in (1, 3, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("shape", [(28, 28, 1), (1, 28, 28), (1, 27, 28, 1), (0, 28, 28, 1)])
def test_another_shape_is_refused(converted: dict[str, Artifact], shape: tuple[int, ...]) -> None:
    with open_runtime(converted["onnx/float32"]) as opened, pytest.raises(BadInputError, match="batch must"):
        opened.predict(np.zeros(shape, np.float32))


def test_a_model_made_for_one_batch_size_answers_any(workspace: Workspace) -> None:
    path = Path(submit("probe_models:fixed_batch", {}, kind="probe", workspace=workspace).wait(60))
    artifact = Artifact.write(path.parent, file=path.name, name="fixed", format="tflite", numeric="float32")
    weights = np.load(path.parent / "weights.npy")
    samples = np.random.default_rng(1).random((5, 28, 28, 1), np.float32)
    logits = samples.reshape(5, 784) @ weights
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    with open_runtime(artifact) as opened:
        for size in (5, 2, 1):
            expected = (powers / powers.sum(axis=1, keepdims=True))[:size]
            assert opened.predict(samples[:size]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("batch", "calls"), [(1, 5), (2, 3), ("free", 1)])
def test_an_onnx_model_is_asked_for_as_many_samples_as_it_was_made_for(
    batch: int | str, calls: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.random.default_rng(0).random((5, 3), np.float32)
    artifact = _tripling(workspace.new_run("probe") / "result", batch, onnx.TensorProto.FLOAT)
    asked: list[int] = []
    run = onnxruntime.InferenceSession.run

    def counted(self: onnxruntime.InferenceSession, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        asked.extend(len(values) for values in feed.values())
        return list(run(self, names, feed))

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", counted)
    with open_runtime(artifact) as opened:
        assert opened.inputs[0].shape == opened.outputs[0].shape == (-1, 3)
        assert opened.predict(samples) == pytest.approx(3 * samples)
    assert len(asked) == calls
    assert {*asked} == {5 if batch == "free" else batch}


def test_whole_numbers_go_in_where_a_model_takes_those(workspace: Workspace) -> None:
    artifact = _tripling(workspace.new_run("probe") / "result", "free", onnx.TensorProto.INT32)
    with open_runtime(artifact) as opened:
        assert opened.inputs[0].dtype == "int32"
        answers = opened.predict([[1, 2, 3], [4.0, 5.0, 6.0]])
    assert answers.dtype == np.float32
    assert answers.tolist() == [[3, 6, 9], [12, 15, 18]]


def _tripling(folder: Path, batch: int | str, kind: int) -> Artifact:
    """Write an ONNX model that answers three times what it is given."""
    given, answered = (onnx.helper.make_tensor_value_info(name, kind, (batch, 3)) for name in "xy")
    three = onnx.helper.make_tensor("three", kind, (), [3])
    node = onnx.helper.make_node("Mul", ["x", "three"], ["y"])
    graph = onnx.helper.make_graph([node], "tripling", [given], [answered], [three])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    return Artifact.write(folder, file="model.onnx", name="tripling", format="onnx", numeric="float32")


@pytest.mark.parametrize("label", ["onnx/float32", "tflite/int8"])
def test_a_truncated_file_is_one_sentence(label: str, converted: dict[str, Artifact], tmp_path: Path) -> None:
    broken = _truncated(converted[label], tmp_path)
    with pytest.raises(WorkspaceError, match="truncated or changed") as error:
        open_runtime(broken)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("label", ["onnx/float32", "tflite/int8"])
def test_a_broken_file_that_someone_vouched_for_is_one_sentence_too(
    label: str, converted: dict[str, Artifact], tmp_path: Path
) -> None:
    broken = _truncated(converted[label], tmp_path)
    vouched = Artifact.write(
        tmp_path / "copy", file=broken.file, name="broken", format=broken.format, numeric=broken.numeric
    )
    with pytest.raises(BadInputError, match=f"must be a model that the {broken.format} runtime can open") as error:
        open_runtime(vouched)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_sentence(converted: dict[str, Artifact], tmp_path: Path) -> None:
    broken = _truncated(converted["onnx/float32"], tmp_path)
    broken.path.unlink()
    with pytest.raises(WorkspaceError, match="is missing"):
        open_runtime(broken)


@pytest.mark.parametrize("label", ["tf_keras/float32", "saved_model/float32"])
def test_what_can_run_code_is_opened_in_its_workspace_only(
    label: str, trained: Artifact, converted: dict[str, Artifact], tmp_path: Path
) -> None:
    artifact = {trained.label: trained, **converted}[label]
    # Even a folder that looks like a workspace is none.
    copy = tmp_path / "home" / "runs" / artifact.folder.parent.name / "result"
    shutil.copytree(artifact.folder, copy)
    with pytest.raises(UntrustedModelError, match=r"bring it in with `workbench\.adopt"):
        open_runtime(Artifact.load(copy))


def _truncated(artifact: Artifact, folder: Path) -> Artifact:
    copy = folder / "copy"
    shutil.copytree(artifact.folder, copy)
    half = artifact.path.read_bytes()[: artifact.path.stat().st_size // 2]
    (copy / artifact.file).write_bytes(half)
    return Artifact.load(copy)
