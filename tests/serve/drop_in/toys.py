"""The toy models of TensorFlow Serving's documentation and tests, in a folder of the original's layout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 123
NAMES = ("half_plus_two", "half_plus_three")

MODELS = """
model_config_list: {{

  config: {{
    name: "half_plus_two",
    base_path: "{base}/half_plus_two",
    model_platform: "tensorflow"
  }},
  config: {{
    name: "half_plus_three",
    base_path: "{base}/half_plus_three",
    model_platform: "tensorflow"
  }}

}}
"""
MONITORING = """prometheus_config: {
  enable: true,
  path: "/monitoring/prometheus/metrics"
}
"""
BATCHING = """max_batch_size { value: 128 }
batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 1000000 }
num_batch_threads { value: 8 }
"""


def half_plus(number: float) -> bytes:
    """An ONNX model that calculates y = x / 2 + number."""
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "y"))
    numbers = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in (("a", 0.5), ("b", number))]
    nodes = [helper.make_node("Mul", ["x", "a"], ["half"]), helper.make_node("Add", ["half", "b"], ["y"])]
    graph = helper.make_graph(nodes, "half_plus", [x], [y], numbers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def write_onnx(base: Path, versions: Iterable[str] = ("00000123",)) -> Path:
    """Write both models as ONNX files and return their folder."""
    for name, number in zip(NAMES, (2.0, 3.0), strict=True):
        for version in versions:
            (base / name / version).mkdir(parents=True)
            (base / name / version / "model.onnx").write_bytes(half_plus(number))
    return base


def write_saved_models(base: Path) -> Path:
    """Write both as the SavedModels they are, and one of functions, and return their folder; takes 10 s."""
    program = Path(__file__).with_name("saved_models.py")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, program, base], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return base
