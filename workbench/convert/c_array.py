"""A C++ array for microcontrollers: a `.tflite` file as source code, with an example that runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from workbench.convert.base import Converter, Tool, engine
from workbench.convert.c_example import example_of, header_of, source_of
from workbench.convert.micro import micro_facts
from workbench.core.artifact import Format, Numeric
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source

_LONGEST_NAME = 40


class CArrayConverter(Converter):
    """Writes `model.h`, `model.cc` and `example.cc` for TensorFlow Lite for Microcontrollers; needs no TensorFlow."""

    file: ClassVar[str] = "c_array"
    numerics: ClassVar[tuple[Numeric, ...]] = get_args(Numeric)
    sources: ClassVar[tuple[Format, ...]] = ("tflite",)
    tool: ClassVar[Tool] = Tool("LiteRT schema", "ai-edge-litert")
    keeps_numeric: ClassVar[bool] = True

    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Representative,  # noqa: ARG002 - the face of all converters
    ) -> dict[str, Any]:
        """Write the file's bytes as they are, and what code must know to use them.

        Raises:
            BadInputError: Another numeric type is asked for than the source has.
        """
        artifact = source.artifact
        if settings.numeric != artifact.numeric:
            raise BadInputError.of(
                "numeric", rule=f"must be {artifact.numeric} like the source, for source code changes no weight",
                got=settings.numeric, hint=f"convert to tflite/{settings.numeric} first, and that to c_array",
            )  # fmt: skip
        content = artifact.path.read_bytes()
        facts, name = micro_facts(content), identifier(artifact.name)
        target.mkdir()
        for file, text in {
            "model.h": header_of(name, facts),
            "model.cc": source_of(content, name),
            "example.cc": example_of(name, facts),
        }.items():
            (target / file).write_text(text, encoding="ascii", newline="\n")
        missing = ", ".join(facts.missing)
        notes = [f"TensorFlow Lite for Microcontrollers has no {missing}: the example will not run."] if missing else []
        return {
            "engine": engine(self.tool.package),
            "array": name,
            "operators": list(facts.methods),
            "arena_bytes": facts.arena,
            "notes": notes,
        }


def identifier(name: str) -> str:
    """Return a name that C++ takes for an array, told from the model's: letters, digits and `_`, and no keyword."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()[:_LONGEST_NAME]
    return f"{plain or 'model'}_tflite" if not plain[:1].isdigit() else f"model_{plain}_tflite"
