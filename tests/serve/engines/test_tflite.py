"""TFLite: several inputs, outputs and signatures by name, and real values whatever the file stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.serve.engines import lite_models
from workbench.core.errors import BadInputError
from workbench.serve.engines import Engine, ModelFile
from workbench.serve.engines.tflite import TfliteEngine

if TYPE_CHECKING:
    from pathlib import Path


def opened(folder: Path, content: bytes) -> Engine:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return TfliteEngine(ModelFile(path, "tflite"), 1)


def numbers(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).random((rows, 4)).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 5])
def test_signatures_by_name(tmp_path: Path, rows: int) -> None:
    engine = opened(tmp_path, lite_models.two_signatures())
    assert set(engine.signatures) == {"serving_default", "other"}
    main = engine.signatures["serving_default"]
    assert main.batched
    assert {tensor.name: (tensor.dtype, tensor.shape) for tensor in main.inputs} == {
        "left": ("float32", (-1, 4)),
        "right": ("float32", (-1, 4)),
    }
    left, right = numbers(rows), numbers(rows + 7)[:rows]
    outputs = engine.run("serving_default", {"left": left, "right": right})
    np.testing.assert_allclose(outputs["sum"], left + right, rtol=1e-6)
    np.testing.assert_allclose(outputs["product"], left * right, rtol=1e-6)
    np.testing.assert_allclose(engine.run("other", {"x": left})["twice"], 2 * left, rtol=1e-6)


def test_inputs_that_do_not_fit_are_refused_and_harm_nothing(tmp_path: Path) -> None:
    engine = opened(tmp_path, lite_models.two_signatures())
    for _ in range(2):
        with pytest.raises(BadInputError):
            engine.run("serving_default", {"left": numbers(2), "right": numbers(3)})
        x = numbers(6)
        np.testing.assert_allclose(engine.run("serving_default", {"left": x, "right": x})["sum"], 2 * x, rtol=1e-6)


def test_quantised_values_are_hidden(tmp_path: Path) -> None:
    engine = opened(tmp_path, lite_models.quantised())
    one = engine.signatures["serving_default"]
    assert [tensor.dtype for tensor in (*one.inputs, *one.outputs)] == ["float32", "float32"]
    x = np.array([[-2.0, -0.25, 0.0, 3.1]], np.float32)  # the last is stored as 3.0
    answer = engine.run("serving_default", {"x": x})["y"]
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, 1 / (1 + np.exp(-np.array([[-2, -0.25, 0, 3]]))), atol=1.5 / 256)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_a_fixed_batch_takes_any_number(tmp_path: Path, rows: int) -> None:
    engine = opened(tmp_path, lite_models.fixed(3))
    one = engine.signatures["serving_default"]
    assert (one.inputs[0].shape, one.made_for, one.batched) == ((-1, 4), 3, False)
    x = numbers(rows)
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(engine.run("serving_default", {"x": x})["y"], expected, rtol=1e-5)


def test_threads_do_not_mix_answers(tmp_path: Path) -> None:
    engine = opened(tmp_path, lite_models.two_signatures())

    def ask(rows: int) -> bool:
        x = numbers(rows)
        return all(np.allclose(engine.run("other", {"x": x})["twice"], 2 * x) for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(1, 9)))
