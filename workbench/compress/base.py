"""What all compression methods have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from workbench.core.plugins import Registry
from workbench.core.settings import Settings

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext

# What a compressed model has that a later step may lose.
Trait = Literal["sparsity", "clusters", "quantization"]


class Method(Settings, ABC):
    """A way to compress; its fields are its settings, its name is its file's.

    Attributes:
        gives: What its result has besides what its source had.
    """

    gives: ClassVar[frozenset[Trait]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put a method's own settings before those that it shares: forms and flags show them in this order."""
        own = {name: cls.model_fields[name] for name in cls.__annotations__ if name in cls.model_fields}
        cls.__pydantic_fields__ = own | cls.model_fields
        super().__pydantic_init_subclass__(**kwargs)

    @property
    def name(self) -> str:
        """The unit's name."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def final(self) -> bool:
        """Whether no other method may follow: one with a `numeric` type converts, and its result cannot be trained."""
        return "numeric" in type(self).model_fields

    def objection(self, present: frozenset[Trait]) -> str | None:
        """Say in one sentence why it must not follow methods that gave these traits; None where it may.

        Args:
            present: What the steps before it gave.
        """
        del present
        return None

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
