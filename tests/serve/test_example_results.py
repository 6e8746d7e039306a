"""Outputs for examples: classes with scores, or values, and forms that are neither."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.serve.example_results import read_classes, read_values
from workbench.serve.status import Code, RequestError

LABELS = np.array([[b"a", "é".encode()], [b"\xff", b""]], object)
SCORES = np.array([[0.25, 0.75], [1, 0]], np.float32)


def test_classes_and_scores() -> None:
    found = read_classes({"classes": LABELS, "scores": SCORES}, 2)
    assert found == [[("a", 0.25), ("é", 0.75)], [("\ufffd", 1.0), ("", 0.0)]]


def test_either_alone() -> None:
    assert read_classes({"classes": LABELS[:1]}, 1) == [[("a", 0.0), ("é", 0.0)]]
    assert read_classes({"scores": SCORES[:1]}, 1) == [[("", 0.25), ("", 0.75)]]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_values(shape: tuple[int, ...]) -> None:
    assert read_values({"outputs": np.array([1.5, 2], np.float32).reshape(shape)}, 2) == [1.5, 2.0]


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({}, "Expected classification signature outputs to contain at least one of"),
        ({"scores": SCORES[0]}, r"Expected Tensor shape: \[batch_size num_classes\] but got \[2\]"),
        ({"scores": LABELS}, r"Expected scores Tensor of DT_FLOAT\. Got: string"),
        ({"classes": SCORES}, "Expected classes Tensor of DT_STRING"),
        ({"scores": SCORES[:1]}, "Expected scores output batch size of 2. Got: 1"),
        ({"classes": LABELS, "scores": SCORES[:, :1]}, r"should match in dim_size\(1\). Got 2 vs. 1"),
    ],
)
def test_no_classes(outputs: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        read_classes(outputs, 2)
    assert refused.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({}, "No regression outputs found in SignatureDef"),
        ({"outputs": SCORES}, r"either \[batch_size\] or \[batch_size, 1\] but got \[2,2\]"),
        ({"outputs": SCORES[0, :1]}, "Input batch size did not match output batch size: 2 vs. 1"),
        ({"outputs": np.array([1, 2])}, "Expected output Tensor of DT_FLOAT. Got: int64"),
        ({"outputs": LABELS[0]}, "Expected output Tensor of DT_FLOAT. Got: string"),
    ],
)
def test_no_values(outputs: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_values(outputs, 2)
