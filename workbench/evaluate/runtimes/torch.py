"""A `torch.export` program answered by PyTorch on the CPU; belongs into a job."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, require_ours, single

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class TorchRuntime(Runtime):
    """Answers for a `.pt2` file."""

    in_process: ClassVar[bool] = False

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Load the program; torch's threads are the process' own, the last one that is opened sets them."""
        program = load_program(artifact)
        import torch

        torch.set_num_threads(threads)
        self.threads = threads
        self._module = program.module()
        self.inputs, self.outputs, self.made_for = single(*specs_of(program))

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        import torch

        with torch.no_grad():
            answer = self._module(torch.tensor(batch))
        (tensor,) = torch.utils._pytree.tree_leaves(answer)  # noqa: SLF001 - as torch.export itself takes it apart
        return np.asarray(tensor.numpy(), np.float32)

    def close(self) -> None:
        """Let go of the program."""
        del self._module


def load_program(artifact: Artifact) -> Any:
    """Return the `ExportedProgram` of an artifact.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        MissingExtraError: PyTorch is not installed.
    """
    require_ours(artifact)
    return open_program(artifact.path)


def open_program(path: Path) -> Any:
    """Return the `ExportedProgram` in a file, which can run code: of a person who was asked, or of this workspace.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError.of("A model of PyTorch", "torch", "torch") from None
    with warnings.catch_warnings():
        # Of torch's own parts, to each other.
        warnings.simplefilter("ignore")
        return torch.export.load(path)


def specs_of(program: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return what a program takes and gives, without its weights; a free axis is −1."""
    nodes = {node.name: node for node in program.graph.nodes}
    signature = program.graph_signature
    names = signature.user_inputs, signature.user_outputs
    inputs, outputs = (tuple(_spec(nodes[name]) for name in each if name in nodes) for each in names)
    return inputs, outputs


def _spec(node: Any) -> TensorSpec:
    tensor = node.meta["val"]
    shape = tuple(int(axis) if isinstance(axis, int) else -1 for axis in tensor.shape)
    return TensorSpec(name=node.name, dtype=str(tensor.dtype).removeprefix("torch."), shape=shape)
