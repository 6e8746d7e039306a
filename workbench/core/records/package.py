"""What is handed over with a model, and what became of it on the way."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.core.records.base import Record

# pydantic reads these names when it builds the classes.
from workbench.core.records.evaluation import Evaluation, Verdict  # noqa: TC001
from workbench.core.records.files import Sizes  # noqa: TC001
from workbench.core.records.store import Override  # noqa: TC001


class ModelCard(Record):
    """What a stranger should know of a model before it answers for somebody.

    Attributes:
        name: Model name in URLs.
        version: Its number.
        format: Artifact format.
        numeric: Numeric type of the weights.
        model: sha256 of the model's files, as their manifest says.
        parent: sha256 of the model that it was made from.
        created: When, UTC, ISO 8601.
        sizes: Bytes of the model.
        evaluation: How it answers on one split of one dataset; None where nobody measured it.
        verdict: What a gate said of it; None where no gate was asked.
        override: Who let it through where the gate refused it, and why.
        settings: What was asked of the step that made it.
        versions: Packages that took part.
        cpu: Of the machine that made it.
        seed: Random seed, where one was used.
    """

    name: str
    version: int
    format: str
    numeric: str
    model: str
    parent: str | None
    created: str
    sizes: Sizes
    evaluation: Evaluation | None
    verdict: Verdict | None
    override: Override | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    cpu: str = ""
    seed: int | None = None


FaultKind = Literal["archive", "unsafe", "added", "missing", "changed", "contradiction", "signature", "sha256"]


class PackageFault(Record):
    """One thing that is not as it was packed.

    Attributes:
        kind: `archive` its bytes, `unsafe` a member that leads out of the folder or is no file, `added`, `missing` and
            `changed` a file, `contradiction` two files that speak of different models, `signature`, and `sha256` the
            whole archive is not the one that was expected.
        file: Which file; empty where it is the archive as a whole.
        reason: A sentence.
    """

    kind: FaultKind
    file: str
    reason: str


class PackageCheck(Record):
    """What `verify` found.

    Attributes:
        path: The archive or folder.
        sha256: Of the archive; empty for a folder.
        name: Model name, where that could be read.
        version: Its number, where that could be read.
        files: How many there are.
        bytes: Their length in all.
        signature: `none`, `unchecked` (no public key was given), `valid` or `wrong`.
        faults: What is not as it was packed, the gravest first.
    """

    path: str
    sha256: str
    name: str
    version: int | None
    files: int
    bytes: int
    signature: Literal["none", "unchecked", "valid", "wrong"]
    faults: tuple[PackageFault, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as it was packed."""
        return not self.faults

    @property
    def reasons(self) -> str:
        """The faults' sentences, or that there is none."""
        return " ".join(fault.reason for fault in self.faults) if self.faults else "every file is as it was packed"
