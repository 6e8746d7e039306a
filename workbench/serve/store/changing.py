"""How a change to a store is made: judged and tried first, then made while the model's lock is held."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.serve.store.blessing import BLESSED, bless_version
from workbench.serve.store.copies import clear
from workbench.serve.store.files import write_durably
from workbench.serve.store.gates import require_gate
from workbench.serve.store.history import mend_history, noted
from workbench.serve.store.labels import LABELS, check_label
from workbench.serve.store.reading import StoreReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.records.store import Override, StoreChange

Blessing = Callable[[Path], None]
"""Tries a version's folder, and raises a `WorkbenchError` where no label may move to it."""

_LOCK = ".lock"


@dataclass(frozen=True)
class StoreWriter(StoreReader):
    """What all changes have in common."""

    def _admit(self, name: str, label: str, version: int, bless: Blessing | None, override: Override | None) -> None:
        check_label(label)
        self._require(name, version)
        require_gate(label, version, self.gate(name, version), override)
        if label not in BLESSED or bless is None or self.labels(name).get(label) == version:
            return
        if bless is bless_version:
            bless = partial(bless_version, home=self.home)
        bless(self.versions(name)[version])

    def _require(self, name: str, version: int | None = None) -> None:
        known = self.versions(name)
        if not known:
            raise BadInputError.of("name", rule=f"must be a model in {self.base}", got=name)
        if version is not None and version not in known:
            raise BadInputError.of(
                "version", rule=f"must be one of {', '.join(map(str, known)) or 'none'}", got=version
            )

    def _move(self, folder: Path, planned: StoreChange) -> None:
        self._require(folder.name, planned.version)  # it may have been deleted while it was tried
        labels = self.labels(folder.name)
        before = labels.get(planned.label)
        if before == planned.version:
            return
        with noted(folder, planned.model_copy(update={"previous": before})):
            write_durably(folder / LABELS, {**labels, planned.label: planned.version})

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        from workbench.jobs.lock import locked  # 20 ms that the server's start need not wait for

        folder = self._folder(name)
        with locked(folder / _LOCK):
            mend_history(folder)
            clear(folder)
            yield folder
