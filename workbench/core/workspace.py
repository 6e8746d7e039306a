"""Where files live. The only module that knows `WORKBENCH_HOME`.

```
runs/<kind>-<UTC time>-<short hash>/   one job: job.json, events.jsonl, stderr.log, result/
sweeps/<name>/                         one search
models/<name>/<version>/               what is served
cache/                                 content-addressed results and prepared datasets
uploads/<sha256, first 12>/            a file or folder of one's own that came through a page
trusted/<sha256>                       a person vouched for the code in that model file
```
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.role import require_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RUN_NAME = re.compile(r"[a-z0-9_]+-\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class Workspace:
    """A folder of plain files; every panel, kernel and job that is given the same one shares it."""

    home: Path

    @classmethod
    def default(cls) -> Workspace:
        """Return the workspace at `WORKBENCH_HOME`, or `~/.workbench`."""
        return cls.at(os.environ.get("WORKBENCH_HOME") or Path.home() / ".workbench")

    @classmethod
    def at(cls, home: str | os.PathLike[str]) -> Workspace:
        """Return the workspace in a folder; the folder is made when something is first written."""
        return cls(Path(home).expanduser().absolute())

    @classmethod
    def of(cls, given: Workspace | None) -> Workspace:
        """Return what a verb was given as its workspace, the default one for None.

        Raises:
            BadInputError: It is something else, such as the path of one.
        """
        if given is None:
            return cls.default()
        if not isinstance(given, cls):
            raise BadInputError.of(
                "workspace", rule="must be a Workspace or None", got=given, hint="make one with Workspace.at(folder)"
            )
        return given

    @property
    def runs(self) -> Path:
        """Folder of all jobs."""
        return self.home / "runs"

    @property
    def sweeps(self) -> Path:
        """Folder of all sweeps, one folder a name."""
        return self.home / "sweeps"

    @property
    def models(self) -> Path:
        """Model store in TensorFlow Serving's layout."""
        return self.home / "models"

    @property
    def cache(self) -> Path:
        """Content-addressed results."""
        return self.home / "cache"

    @property
    def uploads(self) -> Path:
        """Files that came through a page, each in a folder named after its content."""
        return self.home / "uploads"

    def ensure(self) -> Workspace:
        """Make the folders; a home that is new is its owner's alone (0700).

        Raises:
            WorkspaceError: The disk is full, read-only or not ours.
        """
        with writing(self.home):
            # With `parents` the mode is the last folder's only, which is the one that is meant.
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.runs, self.models, self.cache):
                folder.mkdir(parents=True, exist_ok=True)
        return self

    def new_run(self, kind: str) -> Path:
        """Make and return an empty run folder named after its kind and the time."""
        self.ensure()
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        folder = self.runs / f"{kind}-{time}-{secrets.token_hex(4)}"
        with writing(folder):
            (folder / "result").mkdir(parents=True)
        return folder

    def holds(self, folder: Path) -> bool:
        """Say whether a folder lies where only jobs and the model store of this workspace write."""
        real = folder.resolve()
        return any(real.is_relative_to(place.resolve()) for place in (self.runs, self.models))

    def trust(self, sha256: str) -> None:
        """Note that a person vouched for the code in a model file.

        Raises:
            BadInputError: It is no sha256.
            WorkspaceError: The disk refused it.
        """
        self.ensure()
        write_atomic(self._vouched(sha256), "", private=True)

    def trusts(self, sha256: str) -> bool:
        """Say whether a person vouched for the code in a model file; nothing inside the file or its manifest counts.

        Raises:
            BadInputError: It is no sha256.
        """
        return self._vouched(sha256).is_file()

    def _vouched(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise BadInputError.of("sha256", rule="must be 64 hexadecimal digits", got=sha256)
        return self.home / "trusted" / sha256

    def run(self, name: str) -> Path:
        """Return the folder of an existing run.

        Raises:
            BadInputError: There is no such run here.
        """
        folder = self.runs / name
        if not _RUN_NAME.fullmatch(name) or not folder.is_dir():
            raise BadInputError.of(
                "run",
                rule=f"must name a folder in {self.runs}",
                got=name,
                hint="list them with `workbench runs`",
            )
        return folder

    def list_runs(self, kind: str | None = None) -> list[Path]:
        """Return run folders, newest first."""
        if not self.runs.is_dir():
            return []
        found = [p for p in self.runs.iterdir() if _RUN_NAME.fullmatch(p.name)]
        if kind is not None:
            found = [p for p in found if p.name.split("-")[0] == kind]
        return sorted(found, key=lambda p: p.name.split("-")[1:], reverse=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating-system error while writing into one sentence; whatever writes here, writes through this.

    Raises:
        BadInputError: This process is a viewer's.
        WorkspaceError: With the path, the system's reason and the next step.
    """
    require_operator()
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be written ({error.strerror or error}); "
            "free some space or point WORKBENCH_HOME to a folder you can write."
        ) from error


def write_atomic(path: Path, data: bytes | str, *, private: bool = False) -> None:
    """Write a file so that a reader sees the old content or the new, never a half.

    Temporary name in the same folder, fsync, rename. Who may read it is up to the process' umask.

    Args:
        path: Target file; its folder is made if needed.
        data: Content; text is written as UTF-8.
        private: Readable by the owner only (0600).

    Raises:
        WorkspaceError: The file could not be written; nothing is left behind.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The system takes the umask off the mode; asking for the umask first would change it for all threads.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_json(path: Path, value: Any, *, private: bool = False) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", private=private)


def read_json(path: Path) -> Any:
    """Read JSON that we wrote.

    Raises:
        WorkspaceError: The file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceError(f"{path} cannot be read ({error}); delete it to start anew.") from error


def digest(value: Any) -> str:
    """Return the content address (sha256, hex) of a JSON value; key order does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
