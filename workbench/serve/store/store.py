"""The model store in TensorFlow Serving's own layout: `<base>/<name>/<version>/`.

A version folder holds the model file and its manifest. It appears whole or not at all: it is copied under a temporary
name, then renamed. Beside the versions lie `labels.json` and `history.jsonl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.serve.store.blessing import bless_version
from workbench.serve.store.changing import StoreWriter
from workbench.serve.store.copies import clear, fill, new_copy, old_names
from workbench.serve.store.files import rename_folder, write_durably
from workbench.serve.store.gates import gate_facts, said_by
from workbench.serve.store.history import change, changes, enter, noted
from workbench.serve.store.labels import LABELS, STABLE, check_label
from workbench.serve.store.moves import meant
from workbench.serve.store.numbers import check_publishable, claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records import Verdict
    from workbench.core.records.store import Override
    from workbench.core.workspace import Workspace
    from workbench.serve.store.changing import Blessing


@dataclass(frozen=True)
class Store(StoreWriter):
    """A folder of models; many processes may write to it at once, and none loses what another wrote.

    A writer that is killed at any moment leaves whole versions, labels that mean versions, and a history that the
    next writer completes.
    """

    @classmethod
    def of(cls, workspace: Workspace) -> Store:
        """Return a workspace's store."""
        return cls(workspace.models, workspace.home)

    def publish(
        self,
        artifact: Artifact,
        name: str,
        version: int | None = None,
        *,
        verdict: Verdict | None = None,
        override: Override | None = None,
        by: str = "",
        why: str = "",
    ) -> int:
        """Copy an artifact into the store.

        The same file again, as the newest version or under the same number, is not copied twice. What comes without
        a verdict and without an override is noted as ungated, and is not called `stable` on its own.

        Args:
            artifact: An ONNX, TFLite, SavedModel or packed artifact, checked against its manifest.
            name: Model name.
            version: Number it shall have; None gives the next.
            verdict: What its gate said.
            override: Who lets it through, and why, where its gate did not.
            by: Who publishes it; empty is who lets it through, else who runs this process.
            why: Kept in the history.

        Returns:
            The version's number.

        Raises:
            BadInputError: The format cannot be served, the name or number may not be used, or the number holds
                another model.
            GateFailedError: It did not pass its gate, and nobody lets it through.
            WorkspaceError: The artifact's file was changed, or the store cannot be written.
        """
        check_publishable(artifact, version)
        facts = said_by(by, why, override) | gate_facts(name, verdict, override)
        planned = partial(change, "publish", sha256=artifact.sha256, **facts)
        artifact.verify()
        with ExitStack() as undo:
            with self._writing(name) as folder:
                copy = undo.enter_context(new_copy(folder))
            fill(artifact, copy)
            with self._writing(name) as folder:
                return claim(folder, copy, artifact, version, planned)

    def publish_all(self, artifact: Artifact | Mapping[int, Artifact], name: str) -> list[int]:
        """Copy an artifact into the store as the next version, or one for each number, and return the numbers.

        Raises:
            BadInputError: As `publish`, or it is no artifact.
            WorkspaceError: As `publish`.
        """
        if isinstance(artifact, Artifact):
            return [self.publish(artifact, name)]
        every = artifact if isinstance(artifact, Mapping) else {}
        if not every or not all(type(key) is int and isinstance(each, Artifact) for key, each in every.items()):
            raise BadInputError.of(
                "artifact", rule="must be an Artifact, or some by their version numbers", got=artifact,
                hint="`workbench.Artifact.load(folder)` opens one, `workbench.adopt(file)` makes one",
            )  # fmt: skip
        return [self.publish(one, name, version) for version, one in sorted(every.items())]

    def label(
        self,
        name: str,
        label: str,
        version: int,
        *,
        bless: Blessing | None = bless_version,
        override: Override | None = None,
        by: str = "",
        why: str = "",
    ) -> None:
        """Make a label mean a version; of writers at the same time none undoes another's label.

        Args:
            name: Model name.
            label: `stable` means only what passed a gate or was let through; `stable` and `canary` only what was tried.
            version: One of the model's.
            bless: Tries the version before `stable` or `canary` moves to it; None where it answers already.
            override: Who calls an ungated version stable, and why.
            by: Who moves it; empty is who lets it through, else who runs this process.
            why: Kept in the history.

        Raises:
            BadInputError: The label has other signs than letters, digits and `_`, there is no such version, or it may
                not be called stable.
            GateFailedError: The version does not load or does not answer; the label stays where it is.
            WorkspaceError: The labels are damaged, or the store cannot be written.
        """
        self._admit(name, label, version, bless, override)
        with self._writing(name) as folder:
            self._move(folder, change("label", version, label=label, **said_by(by, why, override)))

    def unlabel(self, name: str, label: str, *, by: str = "", why: str = "") -> None:
        """Take a label away; nothing to do where it means no version.

        Raises:
            BadInputError: It is no label, or there is no such model.
            WorkspaceError: The labels are damaged, or the store cannot be written.
        """
        check_label(label)
        self._require(name)
        with self._writing(name) as folder:
            labels = self.labels(name)
            if label in labels:
                with noted(folder, change("unlabel", labels.pop(label), by, label=label, why=why)):
                    write_durably(folder / LABELS, labels)

    def rollback(
        self,
        name: str,
        label: str = STABLE,
        to: int | None = None,
        *,
        bless: Blessing | None = bless_version,
        override: Override | None = None,
        by: str = "",
        why: str = "",
    ) -> int:
        """Make a label mean what it meant before, and return that version.

        Once more goes forth again, as a rollback is a change as well. A program that may do it twice by mistake says
        `to=`. A version that the label has meant before is neither judged nor tried again.

        Args:
            name: Model name.
            label: The label.
            to: Version it shall mean; None is the one it meant before this one, or before that where it is gone.
            bless: Tries a version that the label has never meant.
            override: Who calls an ungated version stable, and why.
            by: Who does it; empty is who runs this process.
            why: Kept in the history.

        Raises:
            BadInputError: The label meant no other version that is still there, or as `label`.
            GateFailedError: As `label`.
            WorkspaceError: The labels are damaged, or the store cannot be written.
        """
        check_label(label)
        self._require(name)
        if to is not None and to not in meant(changes(self._folder(name)), label):
            self._admit(name, label, to, bless, override)
        with self._writing(name) as folder:
            target = self.before(name, label) if to is None else to
            if target is None:
                raise BadInputError.of(
                    "label", rule="must have meant another version that is still there", got=label,
                    hint=_others(self.versions(name), self.labels(name).get(label)),
                )  # fmt: skip
            self._move(folder, change("rollback", target, label=label, **said_by(by, why, override)))
        return target

    def collect(self, name: str, keep: int, *, by: str = "", why: str = "") -> list[int]:
        """Delete a model's oldest versions and return their numbers.

        Kept are the newest, those that a label means, and those that a rollback of a label would go to.

        Args:
            name: Model name.
            keep: How many of the newest stay, at least 1.
            by: Who does it; empty is who runs this process.
            why: Kept in the history.

        Raises:
            BadInputError: `keep` is below 1, or there is no such model.
            WorkspaceError: The labels are damaged, or the store cannot be written.
        """
        if type(keep) is not int or keep < 1:
            raise BadInputError.of("keep", rule="must be a whole number of at least 1", got=keep)
        self._require(name)
        with self._writing(name) as folder:
            known, labels = list(self.versions(name)), self.labels(name)
            kept = {*known[-keep:], *labels.values(), *(self.before(name, label) for label in labels)}
            gone = [version for version in known if version not in kept]
            for version in gone:
                with noted(folder, change("delete", version, by, why=why)):
                    for path, aside in old_names(folder, version):
                        rename_folder(path, aside)
            clear(folder)
        return gone

    def export(self, name: str, version: int, *, by: str = "") -> str:
        """Register a version in the MLflow server that `MLFLOW_TRACKING_URI` names, and return its address there.

        Raises:
            BadInputError: There is no such version, or the variable is not set.
            MissingExtraError: MLflow is not installed.
            ServingError: The MLflow server refused it.
            WorkspaceError: The store cannot be written.
        """
        from workbench.serve.store.export import export_version

        self._require(name, version)
        stands = next(each for each in self.stored(name) if each.version == version)
        uri = export_version(name, self.versions(name)[version], stands)
        with self._writing(name) as folder:
            enter(folder, change("export", version, by, why=uri))
        return uri


def _others(known: Iterable[int], current: int | None) -> str:
    """Say where a label could go that has not been anywhere else."""
    others = ", ".join(str(version) for version in known if version != current)
    return f"say which with `to=` (`--to`): {others}" if others else "publish another one first"
