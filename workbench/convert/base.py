"""What all converters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric


class Converter(ABC):
    """Writes one format; the unit's name is the format's.

    Attributes:
        file: Name of the file or directory it writes.
        numerics: Numeric types it can write.
        sources: Formats it starts from; its own one means a float32 file, which is quantised without TensorFlow.
        calibrated: Numeric types whose ranges are measured on a representative dataset.
    """

    file: ClassVar[str]
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32",)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "saved_model")
    calibrated: ClassVar[tuple[Numeric, ...]] = ()

    @abstractmethod
    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Write the converted model.

        Args:
            source: What is converted; its TensorFlow graph is loaded when first asked for.
            settings: What was asked; the numeric type is one of `numerics`.
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
