"""What every file of a package is written from: which model, and where it lies."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from workbench.core.artifact import Numeric  # noqa: TC001 - pydantic reads it
from workbench.core.errors import BadInputError
from workbench.core.records import Record

FACTS = "package.json"
SUMS = "SHA256SUMS"
SIGNATURE = "model.sig"
CARD = "model_card.json"
VERDICT = "verdict.json"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
MAX_VERSION = (1 << 63) - 1

_LONGEST_DNS = 50  # of 63, so that what a cluster appends fits


class PackageFacts(Record):
    """The first thing that is read of a package.

    Attributes:
        layout: Version of the archive's form.
        name: Model name in URLs.
        version: Its number.
        format: Artifact format.
        numeric: Numeric type of the weights.
        file: The model file in the version's folder; empty for a SavedModel, whose files lie there themselves.
        sha256: Of the model, as its manifest says.
        workbench: Version of the program that packed it.
    """

    layout: Literal[1] = 1
    name: str = Field(pattern=f"^{NAME.pattern}$")
    version: int = Field(ge=0, le=MAX_VERSION)
    format: Literal["onnx", "tflite", "saved_model", "packed"]
    numeric: Numeric
    file: str
    sha256: str
    workbench: str

    @property
    def top(self) -> str:
        """The one folder that the archive unpacks to."""
        return f"{self.name}-{self.version}"

    @property
    def folder(self) -> str:
        """The version's folder, as TensorFlow Serving wants it."""
        return f"models/{self.name}/{self.version}"

    @property
    def dns(self) -> str:
        """The name as Kubernetes takes it: a letter, then lower-case letters, digits and `-`."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:_LONGEST_DNS].rstrip("-")
        return plain if re.match(r"[a-z]", plain) else f"model-{plain}".rstrip("-")

    @property
    def for_tensorflow_serving(self) -> bool:
        """Whether the original opens it; our server opens every format."""
        return self.format == "saved_model"


def require_name(name: str) -> str:
    """Return a model's name that is one folder of a store and one part of a URL.

    Raises:
        BadInputError: It could leave one of the two.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name:
        raise BadInputError.of(
            "name", rule="must start with a letter or digit and hold only letters, digits, . _ -", got=name
        )
    return name
