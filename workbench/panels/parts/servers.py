"""The servers of a workspace as panels hold them: one handle a server, whichever panel asked for it first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from weakref import WeakKeyDictionary

from pydantic import BeforeValidator

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, ServingError, WorkbenchError
from workbench.core.language import _
from workbench.datasets import Dataset, default_dataset
from workbench.panels.parts.chosen_data import open_chosen

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.panels.session import Session
    from workbench.serve.handle import Sandbox
    from workbench.serve.store import Store

_OF: WeakKeyDictionary[Session, Servers] = WeakKeyDictionary()
_SIGNS_OF_A_RUN = 8

# A page says null where none is chosen.
ServerName = Annotated[str, BeforeValidator(lambda name: "" if name is None else name)]


class RunningServer(NamedTuple):
    """A server that lives.

    Attributes:
        run: Its run id.
        name: Model name.
    """

    run: str
    name: str

    @property
    def label(self) -> str:
        """What a choice of servers calls it."""
        time = self.run.split("-")[1]
        return f"{self.name}  ·  {time[9:11]}:{time[11:13]}:{time[13:15]} UTC  ·  {self.run[-_SIGNS_OF_A_RUN:]}"


class Servers:
    """Handles to the servers of one session. A handle that is let go of stops nothing."""

    def __init__(self, session: Session) -> None:
        self._workspace = session.workspace
        self._handles: dict[str, Sandbox] = {}
        self._begun: set[str] = set()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, session: Session) -> Servers:
        """Return those of a session."""
        return _OF.setdefault(session, cls(session))

    def running(self) -> tuple[RunningServer, ...]:
        """Return the servers of the workspace that live, newest first; reads run folders."""
        from workbench.serve.sandbox import running

        return tuple(RunningServer(folder.name, name) for folder, name in running(self._workspace).items())

    def handle(self, run: str) -> Sandbox:
        """Return the handle of a server; blocks where none of this session's panels has one.

        Raises:
            BadInputError: No such server runs.
            ServingError: It does not answer, or is still starting.
        """
        from workbench.serve.sandbox import attach_server

        with self._lock:
            if run not in self._handles:
                self._handles[run] = attach_server(run, self._workspace)
            return self._handles[run]

    def add(self, server: Sandbox) -> None:
        """Keep the handle of a server that was just started."""
        with self._lock:
            self._handles[server.folder.name] = server
            self._begun.add(server.folder.name)

    def is_ours(self, server: Sandbox) -> bool:
        """Say whether a panel of this session has started it."""
        return server.folder.name in self._begun

    def store(self) -> Store:
        """Return the workspace's store of models."""
        from workbench.serve.store import Store

        return Store.of(self._workspace)


def choices_of(running: tuple[RunningServer, ...], shown: Sandbox | None) -> list[dict[str, str]]:
    """Return the servers that live as choices, and the one that is shown also when it has ended."""
    choices = [{"value": each.run, "label": each.label} for each in running]
    if shown is not None and shown.folder.name not in {each.run for each in running}:
        choices.append({"value": shown.folder.name, "label": _("{name} has ended").format(name=shown.name)})
    return choices


def answering(server: Sandbox) -> int:
    """Return the version that answers who names none, -1 where none does; blocks.

    Raises:
        ServingError: The server does not answer.
    """
    try:
        return server.answering
    except ServingError:  # one without rollouts answers with its newest
        return max(server.versions, default=-1)


def served_model(server: Sandbox, store: Store) -> Artifact:
    """Return the model that answers who names no version; blocks.

    Raises:
        BadInputError: Its folder holds no manifest.
        ServingError: The server does not answer.
    """
    folders: dict[int, Path] = store.versions(server.name)
    version = answering(server)
    if version not in folders:
        raise BadInputError.of("server", rule="must answer with a version of this workspace's store", got=server.name)
    return Artifact.load(folders[version])


def data_of(model: Artifact, session: Session) -> Dataset:
    """Open what a model was trained on, else what is chosen; blocks.

    Raises:
        BadInputError: There is no such data.
        WorkspaceError: What was prepared is not whole.
    """
    spec: Any = model.settings.get("dataset")
    if isinstance(spec, dict):
        try:
            return Dataset.open_spec(spec, session.workspace)
        except WorkbenchError:
            return open_chosen(str(spec["name"]), session.workspace)
    return open_chosen(session.dataset or default_dataset(session.workspace).name, session.workspace)
