"""One program's try at a conversion, and which of several tries is kept."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, MissingExtraError, WorkbenchError, WorkspaceError
from workbench.core.workspace import writing

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.base import Converter, Tool
    from workbench.convert.comparison import Comparison
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.records import Parity
    from workbench.core.workspace import Workspace

BEST = "best"
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Made:
    """What one program wrote.

    Attributes:
        draft: Its manifest is not written yet.
        facts: The converter's, for the manifest's metrics.
        parity: With the source.
    """

    draft: Artifact
    facts: dict[str, Any]
    parity: Parity


@dataclass(frozen=True)
class Trial:
    """What one program came to.

    Attributes:
        tool: The program.
        seconds: It took to write the file, or to give up.
        outcome: What it wrote, or why there is nothing.
    """

    tool: Tool
    seconds: float
    outcome: Made | WorkbenchError

    def to_json(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        said: dict[str, Any] = {
            "tool": self.tool.name, "version": self.tool.installed, "seconds": self.seconds, "status": "failed",
            "error": None, "bytes": None, "parity": None,
        }  # fmt: skip
        if isinstance(self.outcome, WorkbenchError):
            return {**said, "error": str(self.outcome)}
        parity = self.outcome.parity
        return {
            **said,
            "status": "passed" if parity.passed else "parity failed",
            "bytes": self.outcome.draft.sizes().raw,
            "parity": parity.to_json(),
        }


def chosen(tools: tuple[Tool, ...], name: str | None, edge: str) -> tuple[Tool, ...]:
    """Return the programs that a name asks for: all of them where it is None or `best`.

    Raises:
        BadInputError: None of them is called so.
    """
    if name in (None, BEST):
        return tools
    found = tuple(tool for tool in tools if tool.name == name)
    if not found:
        known = ", ".join(tool.name for tool in tools)
        raise BadInputError.of("tool", rule=f"must be one of {known} or {BEST} for {edge}", got=name)
    return found


@dataclass(frozen=True)
class Task:
    """A conversion that programs may try, each in a folder of its own.

    Attributes:
        converter: The unit.
        source: What is converted.
        settings: What was asked.
        representative: Samples for ranges.
        comparison: The source's answers.
        workspace: Where a person may have vouched for the source's code.
    """

    converter: Converter
    source: Source
    settings: ConvertSettings
    representative: Representative
    comparison: Comparison
    workspace: Workspace

    def attempt(self, tool: Tool, folder: Path) -> Trial:
        """Write the target format with one program, and compare what was written with its source.

        Args:
            tool: One of the converter's.
            folder: Where to; empty.

        Raises:
            BadInputError: The converter refused what was asked, which no other program would take either.
            WorkspaceError: The disk refused it.
        """
        if tool.installed is None:
            needed = MissingExtraError.of(f"Converting with {tool.name}", tool.package, tool.extra or "train")
            return Trial(tool, 0.0, needed)
        target = folder / self.converter.file
        began = time.perf_counter()
        try:
            with writing(target):
                settings = self.settings.replace(tool=tool.name)
                facts = self.converter.write(self.source, settings, target, self.representative)
        except (BadInputError, WorkspaceError):
            raise
        except Exception as error:  # noqa: BLE001 - converters raise whatever their engines do
            return Trial(tool, time.perf_counter() - began, self._told(error))
        seconds = time.perf_counter() - began
        try:
            return Trial(tool, seconds, self._compared(target, facts))
        except WorkbenchError as error:
            return Trial(tool, seconds, error)

    def _compared(self, target: Path, facts: dict[str, Any]) -> Made:
        artifact = self.source.artifact
        draft = Artifact(
            folder=target.parent.absolute(),
            name=artifact.name,
            format=self.settings.format,
            numeric=self.settings.numeric,
            file=target.name,
            sha256=content_sha256(target),
        )
        # It holds the code that was vouched for, and nothing else.
        if self.workspace.trusts(artifact.sha256):
            self.workspace.trust(draft.sha256)
        return Made(draft, facts, self.comparison.with_target(draft))

    def _told(self, error: Exception) -> WorkbenchError:
        """Return an engine's error as one sentence; the traceback goes to the run's log."""
        if isinstance(error, WorkbenchError):
            return error
        traceback.print_exception(error)
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        instead, artifact = self.converter.instead, self.source.artifact
        return BadInputError.of(
            artifact.file, rule=f"must be convertible to {self.settings.format}/{self.settings.numeric}", got=reason,
            hint=f"convert it to {instead} instead" if instead and instead != artifact.format else "",
        )  # fmt: skip


def best(trials: list[Trial]) -> tuple[Trial, Made]:
    """Return the trial whose file is kept: of those that pass the one with the least difference, then fewest bytes.

    Raises:
        WorkbenchError: Nothing was written; what the first program said.
    """
    written = [(trial, trial.outcome) for trial in trials if isinstance(trial.outcome, Made)]
    if not written:
        raise next(trial.outcome for trial in trials if isinstance(trial.outcome, WorkbenchError))
    return min(written, key=lambda each: _rank(each[1]))


def _rank(made: Made) -> tuple[bool, float, int]:
    return not made.parity.passed, made.parity.max_abs, made.draft.sizes().raw
