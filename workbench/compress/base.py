"""What all compression methods have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from workbench.core.plugins import Registry
from workbench.core.settings import Settings

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext


class Method(Settings, ABC):
    """A way to compress; its fields are its settings, its name is its file's."""

    @property
    def name(self) -> str:
        """The unit's name."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def apply(self, artifact: Artifact, data: Dataset, context: StageContext) -> Artifact:
        """Compress inside a job and write the result with its manifest into the run's result folder.

        A method always starts from the file, so it works on a fresh copy of the model.

        Args:
            artifact: What to compress.
            data: Its training split may be learnt from, its test split only be compared on.
            context: The run.

        Raises:
            BadInputError: The model cannot be compressed in this way.
        """


methods: Registry[Method] = Registry(
    "methods",
    "workbench.compress",
    Method,  # type: ignore[type-abstract]
)
