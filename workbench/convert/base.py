"""What all converters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric


class Converter(ABC):
    """Writes one format; the unit's name is the format's.

    Attributes:
        file: Name of the file or directory it writes.
        numerics: Numeric types it can write.
        sources: Formats it starts from.
        calibrated: Numeric types whose ranges are measured on a representative dataset.
    """

    file: ClassVar[str]
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32",)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "saved_model")
    calibrated: ClassVar[tuple[Numeric, ...]] = ()

    @abstractmethod
    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Iterator[NDArray[np.float32]],
    ) -> None:
        """Write the converted model.

        Args:
            source: The loaded model.
            settings: What was asked; the numeric type is one of `numerics`.
            target: The file or directory to write; does not exist yet.
            representative: Training samples one by one, (1, …) float32; read by calibrated types only.
        """


converters: Registry[Converter] = Registry(
    "converters",
    "workbench.convert",
    Converter,  # type: ignore[type-abstract]
)
