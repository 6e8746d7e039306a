"""Models of PyTorch: `torch.export` programs and live modules."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.convert.incoming.base import KEEP, Arrival, Brought, Incoming
from workbench.convert.incoming.torch_file import DAMAGE, ProgramFile, kind_of, read_program
from workbench.convert.incoming.torch_layout import has_channels_first, with_channels_last
from workbench.convert.incoming.torch_module import STORY, write_program
from workbench.convert.incoming.trial import answer_noise
from workbench.core.errors import BadInputError, UntrustedModelError, WorkbenchError
from workbench.datasets.dataset import safe_name
from workbench.evaluate.runtimes.base import require_one_in_one_out
from workbench.evaluate.runtimes.torch import open_program, specs_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workbench.core.artifact import Numeric
    from workbench.evaluate.runtimes.base import TensorSpec

MODEL = "model.pt2"
_LONGEST_REASON = 300
_FIXED = "The size of its batch is fixed, so that samples are answered {} at a time."
_TURNED = (
    "It takes images with channels first; the artifact takes them as data here is, (samples, {}), and turns them "
    "(layout='keep' leaves that out)."
)
_SAVE = "trace the module with torch.export.export and save that with torch.export.save(program, 'model.pt2')"
_NO_PROGRAM = {
    "pickle": f"is a pickle of torch.save, which runs code of its own when it is loaded; {_SAVE}, or adopt the live "
    "module with an example",
    "script": f"is TorchScript, which torch has given up; {_SAVE}",
    "old program": f"is a torch.export program in a format that torch has given up; {_SAVE}",
}

_LIVE = ("torch.nn.modules.module.Module", "torch.export.exported_program.ExportedProgram")
_START = 64


class TorchIncoming(Incoming):
    """Becomes a `torch` artifact: a program of torch's own operations, without the Python code that it came from."""

    described: ClassVar[str] = "a .pt2 file of torch.export"
    ending: ClassVar[str] = ".pt2"
    of_the_caller: ClassVar[bool] = True

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether it is an archive with a member that only files of torch have, or a legacy pickle of torch."""
        return kind_of(path, start) is not None

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Say whether an object is an `nn.Module` or an `ExportedProgram`."""
        names = {f"{each.__module__}.{each.__name__}" for each in type(model).__mro__}
        return not names.isdisjoint(_LIVE)

    @classmethod
    def save(cls, model: Any, folder: Path, example: Any = None) -> Path:
        """Trace the module with the example and compare both."""
        written = getattr(model, "_orig_mod", model)  # of what torch.compile made
        file = folder / f"{safe_name(type(written).__name__)}{cls.ending}"
        write_program(model, example, file)
        return file

    def examine(self, arrival: Arrival) -> tuple[ProgramFile, Any]:
        """Return what the file says of itself and the program in it.

        Raises:
            BadInputError: It is damaged, or torch cannot load it.
            UntrustedModelError: It is a pickle, or nobody vouched for it.
        """
        path = arrival.path
        with path.open("rb") as file:
            kind = kind_of(path, file.read(_START))
        if kind == "pickle":
            raise UntrustedModelError(f"{path} {_NO_PROGRAM[kind]}.")
        if kind in _NO_PROGRAM:
            raise BadInputError(f"{path} {_NO_PROGRAM[str(kind)]}.")
        described = read_program(path)
        if not arrival.trust:
            # Example inputs and odd tensors are pickles, and shapes are expressions that Python evaluates.
            raise UntrustedModelError(
                f"{path} is a torch.export program, which can run code that came with the file when torch loads it; "
                "if you know who made it, adopt it with trust=True, or adopt the live module with an example."
            )
        return described, _loaded(path)

    def bring_in(self, arrival: Arrival) -> Brought:
        """Load it and save the program alone, without example inputs and whatever else was in the archive."""
        described, program = self.examine(arrival)
        import torch

        inputs, outputs = specs_of(program)
        require_one_in_one_out(inputs, outputs)
        _require_numpy_type(inputs[0], arrival)
        story = _story(described)
        lost = _lost(described, program, traced_here=bool(story))
        notes = [_FIXED.format(inputs[0].shape[0])] if inputs[0].shape[0] > 0 else []
        with warnings.catch_warnings():
            # Of torch's own parts, to each other.
            warnings.simplefilter("ignore")
            if arrival.layout != KEEP and has_channels_first(inputs[0]):
                program = with_channels_last(program, inputs[0])
                notes.append(_TURNED.format(", ".join(map(str, specs_of(program)[0][0].shape[1:]))))
            program.example_inputs = None
            torch.export.save(program, arrival.target / MODEL)
        for note in notes:
            arrival.note(note)
        numeric = _numeric(program)
        inputs, outputs = answer_noise(arrival, MODEL, "torch", numeric)
        return Brought(
            file=MODEL,
            format="torch",
            numeric=numeric,
            inputs=inputs,
            outputs=outputs,
            lost=lost,
            settings={
                "source": story.get("module", "torch.export"),
                "torch": described.version,
                "layout": arrival.layout,
            },
            metrics={
                "parameters": sum(each.numel() for each in program.parameters()),
                "operators": {name: described.operations.count(name) for name in dict.fromkeys(described.operations)},
                "parity": story.get("parity"),
                "notes": notes,
            },
        )


def _require_numpy_type(spec: TensorSpec, arrival: Arrival) -> None:
    try:
        np.dtype(spec.dtype)
    except TypeError as error:
        raise BadInputError.of(
            str(arrival.path), rule="must take a type that NumPy has", got=f"input {spec.name} of {spec.dtype}",
            hint="call module.float() before",
        ) from error  # fmt: skip


def _lost(described: ProgramFile, program: Any, *, traced_here: bool) -> tuple[str, ...]:
    lost = ["the Python code of the module", "training mode"] if traced_here else []
    if program.example_inputs is not None:
        lost.append("example inputs")
    return (*lost, *sorted(described.extra.keys() - {STORY}))


def _loaded(path: Path) -> Any:
    try:
        return open_program(path)
    except WorkbenchError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            str(path), rule="must be a program that this torch can load", got=reason,
            hint="save it again with the torch that is installed here",
        ) from error  # fmt: skip


def _story(described: ProgramFile) -> Mapping[str, Any]:
    """Return what our own tracing wrote beside the program; nothing where others did."""
    try:
        found = json.loads(described.extra.get(STORY, "{}"))
    except DAMAGE:
        return {}
    return found if isinstance(found, dict) else {}


def _numeric(program: Any) -> Numeric:
    import torch

    half = any(each.dtype in (torch.float16, torch.bfloat16) for each in program.state_dict.values())
    return "float16" if half else "float32"
