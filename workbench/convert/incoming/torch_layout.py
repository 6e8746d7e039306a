"""Images with channels first, as PyTorch's networks take them, and with channels last, as data here is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.incoming.trial import noise_for
from workbench.evaluate.parity import Tolerance, parity, require_parity

if TYPE_CHECKING:
    from workbench.evaluate.runtimes.base import TensorSpec

_IMAGES = 4
_COLOURS = (1, 3)
_SAMPLES = 8


def has_channels_first(spec: TensorSpec) -> bool:
    """Say whether an input is one of images, (samples, 1 or 3, height, width)."""
    return len(spec.shape) == _IMAGES and spec.shape[1] in _COLOURS and spec.shape[3] not in _COLOURS


def with_channels_last(program: Any, spec: TensorSpec) -> Any:
    """Return a program that takes (samples, height, width, channels) and turns that into what another one takes.

    Args:
        program: An `ExportedProgram`; its input has channels first.
        spec: Of its input.

    Raises:
        ParityError: The two do not answer alike.
    """
    import torch

    inner = program.module(check_guards=False)

    class ChannelsLast(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.module = inner

        def forward(self, image: Any) -> Any:
            # A copy in the usual order: turned only, one channel counts as either, and what follows cannot be viewed.
            return self.module(image.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format))

    kind = getattr(torch, spec.dtype)
    given = torch.tensor(noise_for(spec)).to(kind).permute(0, 2, 3, 1).contiguous()
    free = {number: torch.export.Dim.AUTO for number, axis in zip((0, 3, 1, 2), spec.shape, strict=True) if axis < 0}
    with torch.no_grad():
        turned = torch.export.export(ChannelsLast(), (given,), dynamic_shapes=[free])
        _compare(program, turned, spec)
    for node in turned.graph.nodes:
        node.meta.pop("stack_trace", None)
    return turned


def _compare(program: Any, turned: Any, spec: TensorSpec) -> None:
    import torch

    noise = torch.tensor(noise_for(spec, _SAMPLES)).to(getattr(torch, spec.dtype))
    before, after = program.module()(noise), turned.module()(noise.permute(0, 2, 3, 1).contiguous())
    leaves = [torch.utils._pytree.tree_leaves(each)[0] for each in (before, after)]  # noqa: SLF001 - as torch.export
    ours, theirs = (np.asarray(each.float().numpy()) for each in leaves)
    tolerance = Tolerance.default("float32")
    require_parity(parity(ours, theirs, source="channels first", target="channels last", tolerance=tolerance))
