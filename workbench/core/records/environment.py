"""What the machine and its installation can do, for people who ask why something does not work."""

from __future__ import annotations

from workbench.core.records.base import Record

# pydantic reads this name when it builds the class.
from workbench.core.records.formats import Edge  # noqa: TC001


class PackageFacts(Record):
    """One package that something here needs.

    Attributes:
        name: Its distribution.
        version: What is installed; None where it is not.
        needed: The base installation brings it, so that something is wrong where it is missing.
        conflict: A sentence where it needs another version of a package than the installed one, or nothing.
        mend: The exact command that mends it, or nothing.
    """

    name: str
    version: str | None
    needed: bool = False
    conflict: str = ""
    mend: str = ""


class Ability(Record):
    """Something that people come for.

    Attributes:
        name: What it is, e.g. `panel: train`.
        works: Whether all that it needs is here.
        reason: Why not; a sentence, or nothing.
        mend: The exact command that mends it, or nothing.
    """

    name: str
    works: bool
    reason: str = ""
    mend: str = ""


class Machine(Record):
    """The machine as this process sees it.

    Attributes:
        python: Version of Python.
        system: Operating system and its version.
        cpu: Model of the processor and its usable cores.
        cores: How many this process may use.
        features: Instruction sets that matter to inference, of those the processor has; none where it cannot be told.
        memory_bytes: All memory.
        memory_free_bytes: What programs could still take.
        home: Folder of the workspace.
        disk_free_bytes: Free where the workspace lies.
        gpus: Graphics processors that the driver tells of.
    """

    python: str
    system: str
    cpu: str
    cores: int
    features: tuple[str, ...]
    memory_bytes: int
    memory_free_bytes: int
    home: str
    disk_free_bytes: int
    gpus: tuple[str, ...] = ()


class Environment(Record):
    """All that the doctor found.

    Attributes:
        machine: The machine.
        packages: What is installed.
        abilities: What works with it.
        edges: Every edge of the map of formats, open or closed with its reason.
        warnings: Sentences on what is likely to hurt.
    """

    machine: Machine
    packages: tuple[PackageFacts, ...]
    abilities: tuple[Ability, ...]
    edges: tuple[Edge, ...]
    warnings: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether no installed package contradicts another and nothing that the base installation brings is missing."""
        return not any(each.conflict or (each.needed and each.version is None) for each in self.packages)
