"""What all converters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric


@dataclass(frozen=True)
class Tool:
    """A program that goes one edge of the map of formats.

    Attributes:
        name: What it is called in settings and tables, e.g. `tf2onnx`.
        package: Distribution that holds it; where it is not installed, the edge is closed.
        extra: Extra of this library that brings the package; None where the base installation does.
        note: A sentence on what it is known for getting wrong, or nothing.
    """

    name: str
    package: str
    extra: str | None = None
    note: str = ""

    @property
    def installed(self) -> str | None:
        """Version of the installed package; None where it is missing. Nothing is imported."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


class Converter(ABC):
    """Writes one format; the unit's name is the format's.

    Attributes:
        file: Name of the file or directory it writes.
        numerics: Numeric types it can write.
        sources: Formats it starts from; its own one means a float32 file, which is quantised without TensorFlow.
        calibrated: Numeric types whose ranges are measured on a representative dataset.
        tool: The program it works with, where there is one for all edges.
        keeps_numeric: It is a container: the numeric type of the result is the source's.
        instead: A format that takes what this one cannot, to name where a model is refused.
    """

    file: ClassVar[str]
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32",)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "saved_model")
    calibrated: ClassVar[tuple[Numeric, ...]] = ()
    tool: ClassVar[Tool] = Tool("TensorFlow", "tensorflow", "train")
    keeps_numeric: ClassVar[bool] = False
    instead: ClassVar[Format | None] = None

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return the programs that can make this of a source of that format, the usual one first.

        Args:
            source: One of `sources`.
            numeric: One of `numerics`.
        """
        del source, numeric
        return (cls.tool,)

    def tools_for(self, source: Source, settings: ConvertSettings) -> tuple[Tool, ...]:
        """Return those of `tools` that can do what was asked of this very model, the usual one first.

        Args:
            source: What is converted.
            settings: What was asked; `tool` plays no part.

        Raises:
            BadInputError: There is none.
        """
        return self.tools(source.artifact.format, settings.numeric)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Say why this model cannot become this format, as far as its file tells; nothing where nothing is known.

        Args:
            facts: Of the model.
            numeric: One of `numerics`.

        Returns:
            A sentence for people, or an empty one.
        """
        del facts, numeric
        return ""

    @abstractmethod
    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Write the converted model.

        Args:
            source: What is converted; its TensorFlow graph is loaded when first asked for.
            settings: What was asked; the numeric type is one of `numerics`, `tool` the name of one of `tools_for`.
            target: The file or directory to write; does not exist yet.
            representative: Training samples of the source's shape; read by calibrated types only.

        Returns:
            Facts for the manifest's metrics: `engine`, a name and a version; `notes`, sentences for people.
        """


converters: Registry[Converter] = Registry(
    "converters",
    "workbench.convert",
    Converter,  # type: ignore[type-abstract]
)


def engine(package: str) -> dict[str, str]:
    """Return what a manifest says of the package that did the work."""
    from importlib.metadata import version

    return {"name": package, "version": version(package)}
