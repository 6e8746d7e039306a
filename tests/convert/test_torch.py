import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench.convert
import workbench.evaluate
from tests.convert import torch_files
from tests.convert.mutations import mutated
from workbench.convert.adopt import adopt
from workbench.convert.incoming import Arrival, incoming, kind_of
from workbench.convert.onnx import OnnxConverter
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, MissingExtraError, UntrustedModelError, WorkbenchError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory
from workbench.evaluate.runtimes.torch import open_program


def examine(path: Path, *, trust: bool = False) -> Any:
    arrival = Arrival(path=path, target=path.parent, trust=trust, signature=None, note=lambda _: None)
    return kind_of(path)().examine(arrival)


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize(
    ("members", "error", "said"),
    [
        (torch_files.PICKLE, UntrustedModelError, r"is a pickle of torch\.save, .*torch\.export\.save\(program"),
        (torch_files.SCRIPT, BadInputError, r"is TorchScript, .*torch\.export\.save\(program"),
        (torch_files.OLD_PROGRAM, BadInputError, "in a format that torch has given up"),
        (torch_files.program(), UntrustedModelError, "can run code that came with the file .*trust=True"),
        (
            torch_files.program() | {"m/models/other.json": b"{}"},
            BadInputError,
            r"must hold one torch\.export program, got \['models/model\.json', 'models/other\.json'\]",
        ),
        (
            torch_files.program(extra={"data/aotinductor/model/model.so": b"\x7fELF"}),
            BadInputError,
            "got 'code that was compiled for one machine'",
        ),
        (torch_files.program(operations=100_001), BadInputError, "must have at most 100,000 operations, got 100001"),
        (
            torch_files.program() | {"m/models/model.json": b"{"},
            BadInputError,
            r"must be a whole torch\.export program",
        ),
    ],
)
def test_what_a_file_of_torch_is_refused_for(
    members: dict[str, bytes], error: type[WorkbenchError], said: str, tmp_path: Path
) -> None:
    path = torch_files.written(tmp_path / "model.pt2", members)
    with pytest.raises(error, match=said) as told:
        examine(path)
    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)


@pytest.mark.usefixtures("without_torch")
def test_a_legacy_pickle_is_known_from_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(torch_files.LEGACY)
    with pytest.raises(UntrustedModelError, match=r"is a pickle of torch\.save"):
        examine(path)


@pytest.mark.usefixtures("without_torch")
def test_an_archive_that_grows_when_it_is_unpacked_is_refused(tmp_path: Path) -> None:
    members = torch_files.program(extra={"extra/zeros": bytes(1 << 20)})
    path = torch_files.written(tmp_path / "model.pt2", members, zipfile.ZIP_DEFLATED)
    with pytest.raises(BadInputError, match=r"must be an archive as torch writes it, got '.*, which is compressed'"):
        examine(path, trust=True)


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize("share", [0.15, 0.5, 0.95])
def test_a_truncated_program_is_one_sentence(share: float, tmp_path: Path) -> None:
    path = torch_files.written(tmp_path / "model.pt2", torch_files.program())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadInputError, match=r"must be a whole torch\.export program, got .* it may be truncated"):
        examine(path, trust=True)


@pytest.mark.usefixtures("without_torch")
def test_an_archive_inside_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    inner = torch_files.written(tmp_path / "inner.pt", torch_files.PICKLE).read_bytes()
    members = torch_files.program() | {"m/data/sample_inputs/model.pt": inner}
    whole = torch_files.written(tmp_path / "model.pt2", members).read_bytes()
    end = whole.index(inner) + len(inner)
    (tmp_path / "model.pt2").write_bytes(whole[:end])
    with pytest.raises(BadInputError, match="its list of members is missing"):
        examine(tmp_path / "model.pt2", trust=True)


@pytest.mark.usefixtures("without_torch")
def test_damaged_programs_end_with_a_sentence(tmp_path: Path) -> None:
    whole = torch_files.written(tmp_path / "model.pt2", torch_files.program()).read_bytes()
    path, said = tmp_path / "damaged.pt2", 0
    for number in range(150):
        path.write_bytes(mutated(whole, random.Random(number)) or b"P")
        with pytest.raises(WorkbenchError) as told:
            examine(path)
        assert "\n" not in str(told.value)
        said += "whole torch.export program" in str(told.value)
    assert said > 50


@pytest.mark.usefixtures("without_torch")
def test_missing_torch_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    path = torch_files.written(tmp_path / "model.pt2", torch_files.program())
    with pytest.raises(MissingExtraError, match=r"pip install 'lastmile-workbench\[torch\]'"):
        examine(path, trust=True)
    with pytest.raises(MissingExtraError, match="torch, which is not installed"):
        open_program(path)


def test_two_programs_go_from_torch_to_onnx() -> None:
    tools = OnnxConverter.tools("torch", "float32")
    assert [(tool.name, tool.package, tool.extra) for tool in tools] == [
        ("torch-dynamo", "onnxscript", "torch"),
        ("torch-classic", "torch", "torch"),
    ]


def test_a_live_module_is_known_without_importing_torch() -> None:
    class Module:
        pass

    Module.__module__ = "torch.nn.modules.module"
    assert incoming.get("torch").takes(type("Net", (Module,), {})())
    assert not incoming.get("keras").takes(type("Net", (Module,), {"save": print})())
    assert not incoming.get("torch").takes(Path())


# From here on, with torch itself: seconds to import, in this process and in each job.


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="needs the extra torch")


@pytest.fixture(scope="module")
def network(torch: Any, digits: Dataset) -> Any:
    """A CNN with channels first, trained on digits for a moment, in training mode."""
    nn = torch.nn
    # Its threads would wait for each other where other processes have the cores.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(24 * 49, 10), nn.Softmax(dim=1),
    )  # fmt: skip
    x = torch.tensor(digits.floats("train", slice(None))).permute(0, 3, 1, 2).contiguous()
    y = torch.tensor(np.array(digits.labels("train")))
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(6):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.nll_loss(torch.log(module(x[batch]) + 1e-9), y[batch]).backward()
            optimizer.step()
    return module


@pytest.fixture(scope="module")
def example(digits: Dataset) -> np.ndarray:
    return digits.floats("train", slice(0, 3)).transpose(0, 3, 1, 2)


@pytest.fixture(scope="module")
def artifact(network: Any, example: np.ndarray, workspace: Workspace) -> Artifact:
    network[7].eval()
    return adopt(network, example=example, workspace=workspace)


@pytest.fixture
def convert(digits: Dataset, workspace: Workspace) -> Any:
    def converted(source: Artifact, form: Any, numeric: Any = "float32", **settings: Any) -> Artifact:
        return workbench.convert(source, form, numeric=numeric, dataset=digits, workspace=workspace, **settings)

    return converted


@pytest.mark.thorough
def test_a_live_module_comes_in_and_is_left_as_it_was(
    torch: Any, network: Any, artifact: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    assert artifact.label == "torch/float32"
    assert [module.training for module in (network, network[1], network[7])] == [True, True, False]
    assert artifact.metrics["parity"]["passed"]
    assert artifact.metrics["inputs"] == [{"name": "image", "dtype": "float32", "shape": [-1, 28, 28, 1]}]
    assert "takes images with channels first" in artifact.metrics["notes"][0]
    assert artifact.metrics["lost"] == ["the Python code of the module", "training mode"]
    assert str(Path(__file__).parent) not in artifact.path.read_bytes().decode("latin-1")
    # Without torch, in this process or another.
    named = {each.name: each.shape for each in inventory(artifact).tensors}
    assert named["module.8.weight"] == (10, 24 * 49)
    given = torch.tensor(digits.floats("test", slice(None))).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        right = network.eval()(given).argmax(1).numpy() == digits.labels("test")
    network.train()
    assert workbench.evaluate(artifact, digits, workspace=workspace).accuracy.value == pytest.approx(right.mean())


@pytest.mark.thorough
def test_both_exporters_are_tried_and_the_better_is_kept(artifact: Artifact, convert: Any) -> None:
    made = convert(artifact, "onnx", tool="best")
    tried = {each["tool"]: each for each in made.metrics["tried"]}
    assert {name: each["status"] for name, each in tried.items()} == {
        "torch-dynamo": "passed",
        "torch-classic": "passed",
    }
    assert made.metrics["parity"]["max_abs"] == min(each["parity"]["max_abs"] for each in tried.values()) < 1e-4
    old = convert(artifact, "onnx", opset=13)
    assert old.metrics["tool"] == "torch-classic"
    assert "opset must be at least 18" in old.metrics["notes"][0]


@pytest.mark.thorough
@pytest.mark.parametrize("tool", ["torch-dynamo", "torch-classic"])
def test_int8_with_channels_first_inside_keeps_its_labels(tool: str, artifact: Artifact, convert: Any) -> None:
    made = convert(artifact, "onnx", "int8", tool=tool)
    assert made.metrics["parity"]["agreement"] >= 0.99
    assert made.sizes().raw < 0.5 * artifact.sizes().raw


@pytest.mark.thorough
def test_a_module_ends_as_int8_tflite_and_as_a_model_to_compress(artifact: Artifact, convert: Any) -> None:
    twin = convert(convert(artifact, "onnx", tool="torch-classic"), "tf_keras")
    assert twin.metrics["parity"]["max_abs"] < 1e-5
    small = convert(twin, "tflite", "int8")
    assert small.metrics["parity"]["agreement"] >= 0.99
    assert convert(twin, "saved_model").metrics["parity"]["passed"]


@pytest.mark.thorough
def test_channels_first_can_stay(network: Any, example: np.ndarray, workspace: Workspace, digits: Dataset) -> None:
    kept = adopt(network, example=example, layout="keep", workspace=workspace)
    assert kept.metrics["inputs"][0]["shape"] == [-1, 1, 28, 28]
    with pytest.raises(BadInputError, match=r"must have samples of the model's shape \(1, 28, 28\)"):
        workbench.evaluate(kept, digits, workspace=workspace)


def _sequence_models(torch: Any) -> Iterator[tuple[str, Any]]:
    nn = torch.nn

    class Last(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner, self.head = inner, nn.Linear(28, 10)

        def forward(self, rows: Any) -> Any:
            rows = rows.squeeze(-1)
            inner, _ = (
                self.inner(rows, rows, rows) if isinstance(self.inner, nn.MultiheadAttention) else self.inner(rows)
            )
            return self.head(inner[:, -1])

    yield "lstm", Last(nn.LSTM(28, 28, batch_first=True))
    yield "attention", Last(nn.MultiheadAttention(28, 4, batch_first=True))


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["lstm", "attention"])
def test_sequences_go_to_onnx_by_either_exporter(
    name: str, torch: Any, digits: Dataset, convert: Any, workspace: Workspace
) -> None:
    torch.manual_seed(0)
    module = dict(_sequence_models(torch))[name]
    taken = adopt(module, example=digits.floats("train", slice(0, 2)), workspace=workspace)
    made = convert(taken, "onnx", tool="best", parity_samples=200)
    assert {each["status"] for each in made.metrics["tried"]} == {"passed"}
    with pytest.raises(BadInputError, match="has no tf_keras twin"):
        convert(made, "tf_keras")


@pytest.mark.thorough
def test_a_batch_that_is_fixed_is_fed_one_by_one(
    torch: Any, digits: Dataset, convert: Any, workspace: Workspace
) -> None:
    nn = torch.nn
    torch.manual_seed(0)

    class One(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(784, 10)

        def forward(self, image: Any) -> Any:
            return self.dense(image.reshape(1, 784))

    taken = adopt(One(), example=digits.floats("train", slice(0, 1)), workspace=workspace)
    assert "answered 1 at a time" in taken.metrics["notes"][0]
    assert convert(taken, "onnx", parity_samples=50).metrics["parity"]["max_abs"] < 1e-4


@pytest.mark.thorough
def test_a_file_of_ones_own_comes_in_once_it_is_trusted(
    torch: Any, network: Any, artifact: Artifact, example: np.ndarray, tmp_path: Path, workspace: Workspace
) -> None:
    given = torch.tensor(example)
    network.eval()
    program = torch.export.export(network, (given,), dynamic_shapes=[{0: torch.export.Dim("batch")}])
    network.train()
    torch.export.save(program, tmp_path / "model.pt2", extra_files={"notes.txt": "of mine"})
    with pytest.raises(UntrustedModelError, match="trust=True"):
        adopt(tmp_path / "model.pt2", workspace=workspace)
    taken = adopt(tmp_path / "model.pt2", trust=True, workspace=workspace)
    assert taken.metrics["lost"] == ["example inputs", "notes.txt"]
    # The same weights and operations make the same file, wherever they were traced.
    assert taken.sha256 == artifact.sha256


@pytest.mark.thorough
def test_what_torch_pickles_is_refused(torch: Any, network: Any, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "state.pth")
    torch.save(network, tmp_path / "whole.pt", _use_new_zipfile_serialization=False)
    for name in ("state.pth", "whole.pt"):
        with pytest.raises(UntrustedModelError, match=r"is a pickle of torch\.save"):
            examine(tmp_path / name, trust=True)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_what_cannot_be_traced_is_one_sentence_and_quiet(
    torch: Any, network: Any, example: np.ndarray, capfd: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    nn = torch.nn

    class Branching(nn.Module):  # type: ignore[name-defined,misc]
        def forward(self, given: Any) -> Any:
            return given * 2 if given.sum() > 1 else given

    class Twice(nn.Module):  # type: ignore[name-defined,misc]
        def forward(self, given: Any) -> Any:
            return given, given

    cases = [
        (network, None, "example must be given for a PyTorch module"),
        (network, "digits", "example must be an array of numbers"),
        (network, np.zeros((0, 1, 28, 28)), r"example must have the shape \(samples, …\)"),
        (network, example.transpose(0, 2, 3, 1), r"example must be what Sequential takes.*give channels first"),
        (Branching(), example, r"must be one that torch\.export can trace, got 'Branching"),
        (Twice(), example, "must give one tensor, got 'Twice that gives 2'"),
        (torch.jit.script(nn.ReLU()), example, "must be a module as it was written, got 'TorchScript"),
        (nn.Linear(28, 2).bfloat16(), example, "got 'bfloat16'; call module.float"),
    ]
    for module, given, said in cases:
        with pytest.raises(BadInputError, match=said) as told:
            adopt(module, example=given, workspace=workspace)
        assert "\n" not in str(told.value)
    assert capfd.readouterr() == ("", "")
