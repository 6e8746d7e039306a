"""What a rollout does to the labels of its model, so that the store's history tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError
from workbench.serve.store.labels import CANARY, STABLE

if TYPE_CHECKING:
    from workbench.core.records.store import Override
    from workbench.serve.store import Store

_BY = "rollout"


class Books:
    """The labels `stable` and `canary` of one model."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    def versions(self) -> list[int]:
        """Return the versions that are published."""
        return sorted(self._store.versions(self._name))

    def stable(self) -> int | None:
        """Return the version that is called stable."""
        return self._store.labels(self._name).get(STABLE)

    def begin(self, canary: int, why: str, by: str) -> str:
        """Call a version canary; return what the store said to it, empty where it did."""
        try:
            self._store.label(self._name, CANARY, canary, bless=None, by=by or _BY, why=why)  # it answers already
        except WorkbenchError as error:
            return str(error)
        return ""

    def promote(self, canary: int, why: str, by: str, override: Override | None) -> str:
        """Call the version stable; return why the store does not, where that hinders nobody.

        Raises:
            WorkbenchError: The store refuses it, and the model has a stable version or somebody answers for this one.
        """
        note = ""
        try:
            self._store.label(self._name, STABLE, canary, bless=None, override=override, by=by or _BY, why=why)
        except WorkbenchError as error:
            if override is not None or self.stable() is not None:
                raise
            note = f"the store calls no version stable: {error}"
        ended = self._end(f"promoted, {why or 'by hand'}", by)
        return "; ".join(each for each in (note, ended) if each)

    def before(self) -> int | None:
        """Return the version that was called stable before; None where none was that is still there."""
        return self._store.before(self._name, STABLE)

    def rollback(self, to: int, why: str, by: str) -> str:
        """Call an earlier version stable again; return why the store does not, where it has none that is stable."""
        try:
            self._store.rollback(self._name, STABLE, to, bless=None, by=by or _BY, why=why)
        except WorkbenchError as error:
            if self.stable() is not None:
                raise
            return f"the store calls no version stable: {error}"
        return ""

    def abort(self, why: str, by: str) -> str:
        """Call no version canary any more; return what the store said to it."""
        return self._end(f"aborted, {why or 'by hand'}", by)

    def _end(self, why: str, by: str) -> str:
        try:
            self._store.unlabel(self._name, CANARY, by=by or _BY, why=why)
        except WorkbenchError as error:
            return str(error)
        return ""
