"""A model on disk and the manifest that vouches for it.

An artifact is a folder: one model file (or SavedModel directory) and `manifest.json` with its sha256, parent,
settings, metrics, versions, CPU and seed. A step takes an artifact and returns a new one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import Record, Sizes, read_record
from workbench.core.workspace import write_json

Format = Literal["tf_keras", "keras", "h5", "saved_model", "tflite", "onnx", "packed", "torch", "c_array"]
Numeric = Literal["float32", "float16", "dynamic", "int8", "int16x8", "int4"]

MANIFEST = "manifest.json"
_GZIP_LEVEL = 6
_PACKAGES = (
    "lastmile-workbench", "numpy", "tensorflow", "tf_keras", "keras", "tensorflow-model-optimization",
    "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "ai-edge-quantizer", "constriction", "torch",
)  # fmt: skip


class Artifact(Record):
    """A model in one format, frozen.

    Attributes:
        folder: Where it lies, absolute.
        name: What people call it, e.g. `baseline` or `pruned`.
        format: Which file format.
        numeric: Numeric type of the weights.
        file: Name of the model file or directory inside the folder.
        sha256: Content address of the model file(s).
        parent: `sha256` of the artifact it was made from.
        settings: What was asked of the step that made it.
        metrics: What that step measured.
        versions: Packages that took part.
        cpu: The machine's processor.
        seed: Random seed, where one was used.
        created: UTC time, ISO 8601.
    """

    folder: Path
    name: str
    format: Format
    numeric: Numeric
    file: str
    sha256: str
    parent: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    cpu: str = ""
    seed: int | None = None
    created: str = ""

    @field_validator("file")
    @classmethod
    def _in_the_folder(cls, file: str) -> str:
        if file in ("", ".", "..") or any(sign in file for sign in "/\\\0"):
            raise BadInputError.of("file", rule="must be a plain name in the artifact's folder", got=file)
        return file

    @classmethod
    def write(  # noqa: PLR0913 - the manifest has that many facts
        cls,
        folder: Path,
        *,
        file: str,
        name: str,
        format: Format,  # noqa: A002 - the field's name
        numeric: Numeric,
        parent: str | None = None,
        settings: dict[str, Any] | None = None,
        metrics: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Artifact:
        """Write the manifest of a model file that lies in `folder` and return the artifact."""
        artifact = cls(
            folder=folder.absolute(),
            name=name,
            format=format,
            numeric=numeric,
            file=file,
            sha256=content_sha256(folder / file),
            parent=parent,
            settings=settings or {},
            metrics=metrics or {},
            versions=installed_versions(),
            cpu=cpu_name(),
            seed=seed,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_json(folder / MANIFEST, artifact.model_dump(mode="json", exclude={"folder"}))
        return artifact

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Artifact:
        """Read an artifact's manifest.

        Raises:
            BadInputError: The folder holds no manifest, or the manifest names a file outside.
            WorkspaceError: The manifest cannot be read.
        """
        if not str(folder):
            raise BadInputError.of("artifact", rule="must be a folder", got=folder, hint="choose a model first")
        path = Path(folder).absolute()
        if not (path / MANIFEST).is_file():
            raise BadInputError.of(
                "artifact", rule=f"must be a folder with a {MANIFEST}", got=str(path),
                hint="bring a model of your own in with `workbench.adopt(path)`",
            )  # fmt: skip
        return read_record(path / MANIFEST, cls, folder=path)

    def __repr__(self) -> str:
        right = self.metrics.get("val_accuracy")
        learnt = f"val_accuracy={right:.4f}, " if isinstance(right, float) else ""
        return f"Artifact({self.name!r}, {self.label}, {learnt}sha256={self.sha256[:12]}…, folder={str(self.folder)!r})"

    __str__ = __repr__

    @property
    def path(self) -> Path:
        """The model file or directory."""
        return self.folder / self.file

    @property
    def label(self) -> str:
        """Format and numeric type, e.g. `tflite/int8`."""
        return f"{self.format}/{self.numeric}"

    def verify(self, sha256: str | None = None) -> Artifact:
        """Check the file against its manifest and return the artifact.

        Args:
            sha256: What the file was when it was asked for; a manifest written anew since then is refused.

        Raises:
            WorkspaceError: The file is missing, truncated or changed, or a link that leads out of the folder.
        """
        if sha256 not in (None, self.sha256):
            raise WorkspaceError(
                f"{self.folder} must hold the model {str(sha256)[:12]}… that was asked for, got {self.sha256[:12]}…: "
                "it was made anew meanwhile; load it again."
            )
        if leading_out := _leading_out(self.folder, self.path):
            raise WorkspaceError(f"{leading_out} is a link that leads out of {self.folder}; copy the file instead.")
        if not self.path.exists():
            raise WorkspaceError(f"{self.path} is missing although its manifest names it; make it again.")
        found = content_sha256(self.path)
        if found != self.sha256:
            raise WorkspaceError(
                f"{self.path} must have sha256 {self.sha256[:12]}… as its manifest says, got {found[:12]}… "
                f"({_bytes_of(self.path)} bytes): it was truncated or changed; make it again."
            )
        return self

    def sizes(self) -> Sizes:
        """Measure bytes on disk and gzip'd."""
        return Sizes(raw=_bytes_of(self.path), gzip=sum(gzip_length(file.read_bytes()) for file in _files(self.path)))


def gzip_length(data: bytes) -> int:
    """Return the bytes of a file once gzip'd, as the command does it unless told otherwise (level 6), without a name.

    Level 9 saves some 2 % more of pruned weights (12 % where values are shared) and takes ten times as long, too long
    for a figure that follows a slider.
    """
    return len(gzip.compress(data, _GZIP_LEVEL, mtime=0))


def content_sha256(path: Path) -> str:
    """Return the sha256 of a file, or of a directory's sorted names and their contents' sha256."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    total = hashlib.sha256()
    for file in _files(path):
        total.update(f"{content_sha256(file)}  {file.relative_to(path).as_posix()}\n".encode())
    return total.hexdigest()


def _leading_out(folder: Path, path: Path) -> Path | None:
    home = folder.resolve()
    return next((p for p in (path, *path.rglob("*")) if p.is_symlink() and not p.resolve().is_relative_to(home)), None)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


@lru_cache(maxsize=1)
def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that make or run models, where installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@lru_cache(maxsize=1)
def cpu_name() -> str:
    """Return the processor's model name and the number of usable cores."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores"
