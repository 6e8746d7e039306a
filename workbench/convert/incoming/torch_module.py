"""A live PyTorch module written down as a `torch.export` program, in the process that has the module."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.parity import Tolerance, parity, require_parity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.records import Parity

STORY = "workbench.json"
_LONGEST_REASON = 300
_SAMPLES = 64
_IMAGES = 4
_COLOURS = (1, 3)
_FEWEST_AXES = 2


def write_program(module: Any, example: Any, file: Path) -> None:
    """Trace a module with a free batch axis, compare the program with it, and save it with what there is to tell.

    Images that it takes with channels first are taken with channels last, as all data here is. The module itself is
    left as it was: it is traced as in inference, and then is in its own mode again.

    Args:
        module: An `nn.Module` of one tensor in and one out.
        example: (samples, …), an array or a tensor.
        file: Ends in `.pt2`.

    Raises:
        BadInputError: There is no example, the module cannot take it, or it cannot be traced.
        ParityError: The program does not answer like the module.
    """
    import torch

    given = _tensor(module, example)
    story: dict[str, Any] = {"module": type(module).__name__, "notes": []}
    with _in_inference(module), torch.no_grad(), _quietly():
        _answers(module, given, module)
        asked: Any = module
        if _has_channels_first(given):
            asked, given = _channels_last(module).eval(), given.permute(0, 2, 3, 1).contiguous()
            story["notes"].append(
                f"The module takes images with channels first; the artifact takes them as data here is, {_shape(given)}"
                ", and turns them. To keep channels first, adopt a .pt2 file that torch.export.save wrote."
            )
        program, fixed = _traced(asked, given, module)
        if fixed:
            story["notes"].append("The module fixes the size of its batch, so that samples are answered one by one.")
        story["parity"] = _compared(asked, program, given, fixed=fixed).to_json()
        _forget_where_it_was_made(program)
        torch.export.save(program, file, extra_files={STORY: json.dumps(story)})


def _tensor(module: Any, example: Any) -> Any:
    """Return the example as a tensor where the module's weights are."""
    import torch

    if example is None:
        raise BadInputError.of(
            "example", rule="must be given for a PyTorch module, an input array (samples, …)", got=None,
            hint="adopt(module, example=x[:2])",
        )  # fmt: skip
    try:
        given = example.detach() if isinstance(example, torch.Tensor) else torch.tensor(np.asarray(example))
    except (TypeError, ValueError) as error:
        raise BadInputError.of("example", rule="must be an array of numbers", got=example) from error
    if given.ndim < _FEWEST_AXES or given.numel() == 0:
        raise BadInputError.of("example", rule="must have the shape (samples, …)", got=tuple(given.shape))
    weight = next((each for each in module.parameters()), None)
    if given.dtype == torch.float64:
        given = given.float()
    return given if weight is None else given.to(weight.device)


@contextlib.contextmanager
def _in_inference(module: Any) -> Iterator[None]:
    modes = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for each, training in modes:
            each.training = training


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what torch says while it traces to itself: graphs and warnings for its developers; errors are raised."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.split(".")[0] == "torch"]
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        for handler in [handler for logger in loggers for handler in logger.handlers]:
            handler.addFilter(_nothing)
            stack.callback(handler.removeFilter, _nothing)
        yield


def _nothing(record: logging.LogRecord) -> bool:
    del record
    return False


def _answers(asked: Any, batch: Any, module: Any) -> NDArray[np.float32]:
    """Return what a module or program gives for a batch.

    Args:
        asked: Is called.
        batch: A tensor.
        module: The person's own, for errors.
    """
    import torch

    name = type(module).__name__
    try:
        answer = asked(batch)
    except Exception as error:
        hint = "give channels first, (samples, channels, height, width)" if batch.ndim == _IMAGES else ""
        raise BadInputError.of(
            "example", rule=f"must be what {name} takes", got=f"{tuple(batch.shape)} ({_reason(error)})", hint=hint
        ) from error
    leaves = torch.utils._pytree.tree_leaves(answer)  # noqa: SLF001 - what torch.export itself takes apart with
    if len(leaves) != 1 or not isinstance(leaves[0], torch.Tensor):
        raise BadInputError.of("model", rule="must give one tensor", got=f"{name} that gives {len(leaves)}")
    if leaves[0].ndim == 0 or len(leaves[0]) != len(batch):
        got = f"{tuple(leaves[0].shape)} for {len(batch)}"
        raise BadInputError.of("model", rule="must give (samples, …) for any count of samples", got=got)
    return np.asarray(leaves[0].float().cpu().numpy(), np.float32)


def _has_channels_first(given: Any) -> bool:
    return given.ndim == _IMAGES and given.shape[1] in _COLOURS and given.shape[3] not in _COLOURS


def _channels_last(module: Any) -> Any:
    """Return a module that takes images with channels last and asks a module that takes them first."""
    import torch

    class ChannelsLast(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, image: Any) -> Any:
            # A copy in the usual order: turned only, one channel counts as either, and what follows cannot be viewed.
            return self.module(image.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format))

    return ChannelsLast()


def _traced(asked: Any, given: Any, module: Any) -> tuple[Any, bool]:
    """Return the program, and whether its batch is one sample."""
    import torch

    # Of a batch of one, torch takes the 1 to be meant.
    several = given if len(given) > 1 else torch.cat([given, given])
    try:
        return torch.export.export(asked, (several,), dynamic_shapes=[{0: torch.export.Dim("batch")}]), False
    except Exception:  # noqa: BLE001 - torch raises whatever it meets; the next attempt says what is wrong
        _answers(asked, given[:1], module)
    try:
        return torch.export.export(asked, (given[:1],)), True
    except Exception as error:
        raise BadInputError.of(
            "model", rule="must be one that torch.export can trace", got=f"{type(module).__name__} ({_reason(error)})",
            hint="what depends on the values of its input must go through torch.cond or be left out",
        ) from error  # fmt: skip


def _compared(asked: Any, program: Any, given: Any, *, fixed: bool) -> Parity:
    """Answer the example, noise and single samples with both."""
    import torch

    some = given[:_SAMPLES]
    batches = [some] if fixed else [some, some[:1]]
    if given.dtype.is_floating_point:
        batches.append(torch.rand(_SAMPLES, *given.shape[1:], generator=torch.Generator().manual_seed(0)).to(given))
    if fixed:
        batches = [sample for batch in batches for sample in batch.split(1)]
    answering = program.module()
    compared = parity(
        np.concatenate([_answers(asked, batch, asked) for batch in batches]),
        np.concatenate([_answers(answering, batch, asked) for batch in batches]),
        source="module/float32",
        target="torch/float32",
        tolerance=Tolerance.default("float32"),
    )
    return require_parity(compared)


def _forget_where_it_was_made(program: Any) -> None:
    """Leave out the example and the lines of source that each operation came from: the file is to be given away."""
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)


def _shape(given: Any) -> str:
    return f"({', '.join(['samples', *map(str, given.shape[1:])])})"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
