"""A search over trainings as people see it: a sweep whose points were trained and judged by a validation split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.records import Variant
from workbench.core.workspace import read_json, write_json
from workbench.sweep.axes import axis_from_json
from workbench.sweep.handle import Sweep
from workbench.sweep.listening import telling
from workbench.sweep.settings import require_workers
from workbench.train.search import SearchSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import SweepPoint
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

STAGE = "workbench.sweep.search:run"
_TESTED = "tested.json"


@dataclass(frozen=True, repr=False)
class TrainingSearch(Sweep):
    """One search. Its points' accuracy was measured on the validation split; what `tested()` gives, on the test split.

    Its dataset (`data()`) has the validation split where others have their test split; `whole_data()` is what was
    given.
    """

    @classmethod
    def attach(cls, name: str, workspace: Workspace) -> TrainingSearch:
        """Return a search that was asked for earlier or elsewhere.

        Raises:
            BadInputError: There is none of that name, or it is another kind of sweep.
        """
        found = super().attach(name, workspace)
        assert isinstance(found, TrainingSearch)
        if "tuning" not in found.folder.asked():
            raise BadInputError.of("name", rule="must be a search's", got=name, hint="attach a sweep with attach_sweep")
        return found

    @classmethod
    def named(cls, name: str, workspace: Workspace) -> TrainingSearch:
        """Return the handle of a name, asked for or not."""
        found = super().named(name, workspace)
        assert isinstance(found, TrainingSearch)
        return found

    def __repr__(self) -> str:
        points = self.points()
        done = sum(point.state == "done" for point in points)
        ended = len(points) - done
        return f"TrainingSearch({self.name!r}, {self.state}, {done} measured, {ended} refused or ended early)"

    @property
    def tuning(self) -> SearchSettings:
        """How it searches."""
        return SearchSettings.parse(self.folder.asked()["tuning"]["settings"])

    @property
    def axes(self) -> dict[str, Any]:
        """What it varies: values by axis, or a `Range`."""
        return {name: axis_from_json(name, axis) for name, axis in self.folder.asked()["tuning"]["axes"].items()}

    @property
    def train(self) -> dict[str, Any]:
        """What all its trainings share."""
        found: dict[str, Any] = self.folder.asked()["tuning"]["train"]
        return found

    def whole_data(self) -> Dataset:
        """Open the dataset that was given; its test split is for the very end.

        Raises:
            WorkspaceError: It is not in the workspace any more.
        """
        from workbench.datasets import Dataset

        return Dataset.open_spec(self.folder.asked()["tuning"]["data"], self.workspace)

    def tested(self) -> dict[str, Variant]:
        """Return, by key, what the points on the frontier do on the test split; empty until the search is done."""
        path = self.folder.path / _TESTED
        found = read_json(path) if path.is_file() else {}
        return {key: Variant.from_json(variant) for key, variant in found.items()}

    def keep_tested(self, variants: dict[str, Variant]) -> None:
        """Write what was measured on the test split."""
        write_json(self.folder.path / _TESTED, {key: variant.to_json() for key, variant in variants.items()})

    def importance(self, metric: str = "accuracy") -> dict[str, float]:
        """Return how much each axis decides the validation accuracy, largest first, as Optuna's fANOVA says.

        Raises:
            BadInputError: Another metric, or too few trials were finished.
        """
        from workbench.sweep.training_proposer import TrainingProposer

        if metric != "accuracy":
            raise BadInputError.of("metric", rule="must be accuracy, which the search maximises", got=metric)
        return TrainingProposer.open(self.folder, self.tuning, self.axes, reading=True).importance()

    def resume(
        self,
        *,
        workers: int | None = None,
        retry_failed: bool = False,
        on_point: Callable[[SweepPoint], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
    ) -> TrainingSearch:
        """Go on in this process and return when it ends or is paused; nothing that is finished is made again.

        Args:
            workers: Trials under way at once; None is one a core.
            retry_failed: Must be False: what a search refused or ended it would refuse or end again.
            on_point: As in `search`.
            on_event: As in `search`.

        Raises:
            BadInputError: Another process drives it.
            JobCancelledError: Somebody cancelled it.
            WorkspaceError: The disk refused it.
        """
        from workbench.jobs import here

        if retry_failed:
            raise BadInputError.of("retry_failed", rule="must be False for a search", got=retry_failed,
                                   hint="begin another with other settings")  # fmt: skip
        asked = {"sweep": self.name, "workers": require_workers(workers)}
        if self.state != "done" or self._lost_points():
            here(STAGE, asked, kind="sweep", workspace=self.workspace, on_event=telling(on_point, on_event))
        return self

    def _program(self) -> str:
        from workbench.sweep.program import search_program

        return search_program(self, self.axes)
