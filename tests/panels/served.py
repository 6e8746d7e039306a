"""What tests of the panels around a server share: a model of a few bytes with data of its own, and how to wait."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact
from workbench.datasets import Dataset
from workbench.panels.base import _leaves

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.panels.base import Panel

LONG = 120
SIDE = 4


def tiny_model(folder: Path, workspace: Workspace, *, darkest: bool = False) -> Artifact:
    """Write a model that answers with the brightest (or darkest) of 16 pixels, and the data that it knows."""
    from onnx import TensorProto, helper

    labels = np.arange(96) % SIDE**2
    images = np.zeros((96, SIDE, SIDE), np.uint8)
    images.reshape(96, -1)[np.arange(96), labels] = 255
    data = Dataset.from_arrays(images, labels, images, labels, name="pixels", workspace=workspace)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIDE, SIDE, 1])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", SIDE**2])
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Neg" if darkest else "Identity", ["flat"], ["weighed"]),
        helper.make_node("Softmax", ["weighed"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, folder.name, [image], [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return Artifact.write(
        folder, file="model.onnx", name=folder.name, format="onnx", numeric="float32", settings={"dataset": data.spec}
    )


def look_at(panel: Panel) -> None:
    """Say that a page has drawn the panel, as the page does."""
    panel.session.presence._handle_custom_msg({"type": "shown"}, [])


def until(panel: Panel, condition: Callable[[], bool], *, errors: bool = False) -> None:
    """Wait for a condition that what is on the page decides; an error ends the waiting."""
    turned = threading.Event()

    def look(_change: object) -> None:
        if condition() or (panel.errors.message and not errors):
            turned.set()

    leaves = _leaves(panel)
    for leaf in leaves:
        leaf.observe(look)
    look(None)
    came = turned.wait(LONG)
    for leaf in leaves:
        leaf.unobserve(look)
    assert came, (panel.heading.chip, panel.errors.message)
    assert errors or not panel.errors.message


def press(panel: Panel, name: str) -> None:
    """Press the button of that name, wherever it is on the panel."""
    for leaf in _leaves(panel):
        if any(action["name"] == name for action in getattr(leaf, "actions", ())):
            leaf._handle_custom_msg({"type": "press", "name": name}, [])
