"""Messages of our own that are the protocol's, beside whoever else defines them in the same process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from workbench.serve.grpc.messages import DESCRIPTORS, message
from workbench.serve.grpc.protos.compile import FOLDER, compile_protos

if TYPE_CHECKING:
    from pathlib import Path

BESIDE_TENSORFLOW = """
import sys
def ours():
    from workbench.serve.grpc.messages import message
    from workbench.serve.grpc.tensors import read_tensor, write_tensor
    import grpc, numpy
    assert "workbench" not in grpc.__file__
    proto = message("tensorflow.TensorProto")()
    write_tensor(numpy.arange(6, dtype="float32").reshape(2, 3), proto)
    return proto
def theirs():
    import tensorflow as tf
    return tf.make_tensor_proto([[0., 1, 2], [3, 4, 5]], tf.float32)
first = ours() if sys.argv[1] == "ours" else theirs()
second = theirs() if sys.argv[1] == "ours" else ours()
mine, real = (first, second) if sys.argv[1] == "ours" else (second, first)
import tensorflow as tf
from workbench.serve.grpc.tensors import read_tensor
from workbench.serve.grpc.messages import message
from tensorflow.core.framework import tensor_pb2
there = tensor_pb2.TensorProto.FromString(mine.SerializeToString())
assert tf.make_ndarray(there).tolist() == [[0, 1, 2], [3, 4, 5]]
back = message("tensorflow.TensorProto").FromString(real.SerializeToString())
assert read_tensor(back, "x", 1 << 20).tolist() == [[0, 1, 2], [3, 4, 5]]
model = tf.function(lambda x: x * 2)
assert model(tf.constant([1.0])).numpy().tolist() == [2]
print("both")
"""


def test_the_compiled_file_is_of_these_protos(tmp_path: Path) -> None:
    compile_protos(tmp_path / DESCRIPTORS)
    fresh, kept = (
        descriptor_pb2.FileDescriptorSet.FromString((folder / DESCRIPTORS).read_bytes())
        for folder in (tmp_path, FOLDER)
    )
    assert kept == fresh, "run `python -m workbench.serve.grpc.protos.compile`"


def test_the_default_pool_knows_nothing_of_them() -> None:
    assert message("tensorflow.TensorProto").DESCRIPTOR.file.pool is not descriptor_pool.Default()


@pytest.mark.thorough
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_tensorflow_has_its_own_in_the_same_process(first: str) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    done = subprocess.run(
        [sys.executable, "-c", BESIDE_TENSORFLOW, first], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "both", done.stderr
