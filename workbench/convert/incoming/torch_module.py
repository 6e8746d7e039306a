"""A live PyTorch module written down as a `torch.export` program, in the process that has the module."""

from __future__ import annotations

import contextlib
import copy
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
_FEWEST_AXES = 2


def write_program(module: Any, example: Any, file: Path) -> None:
    """Trace a module with a free batch axis, compare the program with it, and save it with what there is to tell.

    The module itself is left as it was: it is traced as in inference, and then is in its own mode again.

    Args:
        module: An `nn.Module` of one tensor in and one out; or an `ExportedProgram`, which is saved as it is.
        example: (samples, …), an array or a tensor.
        file: Ends in `.pt2`.

    Raises:
        BadInputError: There is no example, the module cannot take it, or it cannot be traced.
        ParityError: The program does not answer like the module.
    """
    import torch

    if isinstance(module, torch.export.ExportedProgram):
        with _quietly():
            torch.export.save(module, file)
        return
    module = _as_written(module)
    given = _tensor(module, example)
    with _in_inference(module), torch.no_grad(), _quietly():
        _answers(module, given, module)
        program, fixed = _traced(module, given)
        compared = _compared(module, program, given, fixed=fixed)
        story = {"module": type(module).__name__, "parity": compared.to_json()}
        _forget_where_it_was_made(program)
        torch.export.save(program, file, extra_files={STORY: json.dumps(story)})


def _as_written(module: Any) -> Any:
    """Return a module on the CPU, without the compiler's wrapper."""
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        raise BadInputError.of(
            "model", rule="must be a module as it was written", got="TorchScript, which torch.export cannot trace",
            hint="adopt the module that it was made from",
        )  # fmt: skip
    module = getattr(module, "_orig_mod", module)
    weights = (each for each in (*module.parameters(), *module.buffers()))
    return module if all(each.device.type == "cpu" for each in weights) else copy.deepcopy(module).cpu()


def _tensor(module: Any, example: Any) -> Any:
    """Return the example as a tensor, floats of the kind that the module's weights are."""
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
    kinds = [each.dtype for each in module.parameters() if each.dtype.is_floating_point]
    if torch.bfloat16 in kinds:
        raise BadInputError.of(
            "model", rule="must calculate in numbers that NumPy has", got="bfloat16", hint="call module.float() before"
        )
    given = given.cpu()
    return given.to((kinds or [torch.float32])[0]) if given.dtype.is_floating_point else given


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


def _traced(module: Any, given: Any) -> tuple[Any, bool]:
    """Return the program, and whether its batch is one sample."""
    import torch

    # Of a batch of one, torch takes the 1 to be meant.
    several = given if len(given) > 1 else torch.cat([given, given])
    try:
        return torch.export.export(module, (several,), dynamic_shapes=[{0: torch.export.Dim("batch")}]), False
    except Exception:  # noqa: BLE001 - torch raises whatever it meets; the next attempt says what is wrong
        _answers(module, given[:1], module)
    try:
        return torch.export.export(module, (given[:1],)), True
    except Exception as error:
        raise BadInputError.of(
            "model", rule="must be one that torch.export can trace", got=f"{type(module).__name__} ({_reason(error)})",
            hint="what depends on the values of its input must go through torch.cond or be left out",
        ) from error  # fmt: skip


def _compared(module: Any, program: Any, given: Any, *, fixed: bool) -> Parity:
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
        np.concatenate([_answers(module, batch, module) for batch in batches]),
        np.concatenate([_answers(answering, batch, module) for batch in batches]),
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


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
