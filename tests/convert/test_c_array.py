"""Arrays for microcontrollers: written, compiled where there is a compiler, and read back."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench.convert
from workbench.convert.c_array import identifier
from workbench.convert.micro import method_of, micro_facts
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.c_source import array_in, array_of
from workbench.evaluate.inventory import inventory
from workbench.evaluate.runtimes.base import open_runtime


@pytest.fixture(scope="module")
def array(converted: dict[str, Artifact], workspace: Workspace) -> Artifact:
    return workbench.convert(converted["tflite/int8"], "c_array", workspace=workspace)


def test_it_holds_the_very_file_and_answers_like_it(
    array: Artifact, converted: dict[str, Artifact], digits: Dataset
) -> None:
    source = converted["tflite/int8"]
    assert array.label == "c_array/int8"
    assert array.metrics["parity"]["max_abs"] == 0
    assert array_in(array.path) == source.path.read_bytes()
    samples = digits.floats("test", slice(0, 9))
    with open_runtime(array) as ours, open_runtime(source) as theirs:
        assert np.array_equal(ours.predict(samples), theirs.predict(samples))
    assert inventory(array).tensors == inventory(source).tensors


def test_the_example_says_what_code_must_know(array: Artifact) -> None:
    example, header = ((array.path / file).read_text() for file in ("example.cc", "model.h"))
    name = array.metrics["array"]
    assert f"extern const unsigned char {name}[];" in header
    assert f"tflite::GetModel({name})" in example
    for method in ("AddConv2D", "AddFullyConnected", "AddSoftmax"):
        assert f"resolver.{method}();" in example
    assert "Input: " in header
    assert "int8, 1 x 28 x 28 x 1; real value = (0.0039" in header
    assert "int8, 1 x 10; real value = (0.00390625) * (stored - (-128))" in header
    # Conv2D's 28 by 28 by 1 in, and 26 by 26 by 16 or more out, live at the same time.
    assert array.metrics["arena_bytes"] > 28 * 28 + 10_000
    assert f"uint8_t arena[{array.metrics['arena_bytes']}]" in example


def test_the_same_model_gives_the_same_files(array: Artifact, converted: dict[str, Artifact]) -> None:
    content = converted["tflite/int8"].path.read_bytes()
    assert array_of(content, array.metrics["array"]) in (array.path / "model.cc").read_text()
    assert micro_facts(content).arena == array.metrics["arena_bytes"]


def test_a_compiler_reads_the_same_bytes(array: Artifact, converted: dict[str, Artifact], tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here")
    name = array.metrics["array"]
    (tmp_path / "main.cc").write_text(
        f'#include <cstdint>\n#include <cstdio>\n#include "model.h"\n'
        f"int main() {{\n  if (reinterpret_cast<uintptr_t>({name}) % 16) return 1;\n"
        f"  return fwrite({name}, 1, {name}_len, stdout) != {name}_len;\n}}\n"
    )
    program = tmp_path / "program"
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{array.path}"]
    subprocess.run(
        [compiler, *flags, str(array.path / "model.cc"), str(tmp_path / "main.cc"), "-o", str(program)], check=True
    )
    written = subprocess.run([str(program)], capture_output=True, check=True).stdout
    assert written == converted["tflite/int8"].path.read_bytes()


def test_only_tflite_becomes_an_array(trained: Artifact, converted: dict[str, Artifact], workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="must be one of tflite to become c_array"):
        workbench.convert(trained, "c_array", workspace=workspace)
    with pytest.raises(BadInputError, match=r"must be int8 like the source.*convert to tflite/float16 first"):
        workbench.convert(converted["tflite/int8"], "c_array", numeric="float16", workspace=workspace)


@given(st.binary(min_size=1, max_size=64), st.sampled_from(["model_tflite", "a", "_1"]))
def test_an_array_comes_back(content: bytes, name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        text = f'#include "model.h"\n\n{array_of(content, name)}'.encode()
        patch.setattr(Path, "is_file", lambda _: True)
        patch.setattr(Path, "stat", lambda _: type("Stat", (), {"st_size": len(text)}))
        patch.setattr(Path, "read_bytes", lambda _: text)
        assert array_in(Path("nowhere")) == content


TEXT = array_of(b"\x00\x01\xfe\xff" * 8, "model_tflite")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "int main() {}",
        TEXT[: len(TEXT) // 2],
        TEXT[:-3],
        TEXT.replace("0xfe", "0xgg", 1),
        TEXT.replace("0xfe", "0xf", 1),
        TEXT.replace("0xfe", "fe", 1),
        TEXT.replace("0xfe", "0xfe, 0xfe", 1),
        TEXT.replace("0xfe", "0xfe0", 1),
        TEXT.replace("len = 32", "len = 31"),
        TEXT.replace("len = 32", "len = 9999999999"),
        TEXT.replace("const unsigned int model_tflite_len", "const unsigned int other_len"),
        TEXT.replace("alignas(16) ", ""),
        TEXT.replace("0xfe", "system()", 1),
        TEXT + "int more;\n",
        "\x00" * 5000 + TEXT,
    ],
)
def test_what_is_no_such_array_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.cc").write_text(text)
    with pytest.raises(BadInputError, match="must hold one array of hexadecimal bytes and its length") as error:
        array_in(tmp_path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_missing_or_too_large_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="must be a file of at most 256 MiB, got 'nothing'"):
        array_in(tmp_path)
    with (tmp_path / "model.cc").open("wb") as file:
        file.truncate(2**31)  # no byte of it is written
    with pytest.raises(BadInputError, match="got '2147483648 bytes'"):
        array_in(tmp_path)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("CONV_2D", "AddConv2D"), ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"), ("FULLY_CONNECTED", "AddFullyConnected"),
        ("MAX_POOL_2D", "AddMaxPool2D"), ("L2_POOL_2D", "AddL2Pool2D"), ("RELU6", "AddRelu6"), ("PADV2", "AddPadV2"),
        ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"), ("SPLIT_V", "AddSplitV"), ("BATCH_MATMUL", "AddBatchMatMul"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"), ("RSQRT", "AddRsqrt"),
        ("SELECT_V2", "AddSelectV2"), ("CUMSUM", "AddCumSum"), ("LOG_SOFTMAX", "AddLogSoftmax"),
    ],
)  # fmt: skip
def test_operators_are_called_as_the_resolver_calls_them(kind: str, method: str) -> None:
    assert method_of(kind) == method


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("baseline", "baseline_tflite"), ("My model (2)", "my_model_2_tflite"), ("7 nets", "model_7_nets_tflite"),
        ("é", "model_tflite"), ("", "model_tflite"), ("int", "int_tflite"), ("x" * 99, f"{'x' * 40}_tflite"),
        ('a"; system("', "a_system_tflite"),
    ],
)  # fmt: skip
def test_an_array_has_a_name_that_compilers_take(name: str, array: str) -> None:
    assert identifier(name) == array
