"""The packed container: a model file entropy-coded without loss."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from workbench.convert.base import Converter, Tool
from workbench.core.artifact import Format, Numeric
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import pack

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source


class PackedConverter(Converter):
    """Writes a `.packed` file, which unpacks to the very file that it was made from; needs no TensorFlow."""

    file: ClassVar[str] = "model.packed"
    numerics: ClassVar[tuple[Numeric, ...]] = get_args(Numeric)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "keras", "onnx", "tflite")
    tool: ClassVar[Tool] = Tool("constriction", "constriction")
    keeps_numeric: ClassVar[bool] = True

    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Representative,  # noqa: ARG002 - the face of all converters
    ) -> dict[str, Any]:
        """Pack the source's file.

        Raises:
            BadInputError: Another numeric type is asked for than the source has.
        """
        artifact = source.artifact
        if settings.numeric != artifact.numeric:
            raise BadInputError.of(
                "numeric", rule=f"must be {artifact.numeric} like the source, for packing changes no weight",
                got=settings.numeric, hint="convert first, then pack what that made",
            )  # fmt: skip
        data = artifact.path.read_bytes()
        packed = pack(data, artifact.format)
        target.write_bytes(packed)
        engine = {"name": "constriction", "version": version("constriction")}
        return {"engine": engine, "inside": artifact.format, "unpacked_bytes": len(data)}
