"""A retraining that runs while a server is watched."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError
from workbench.pipeline.retrain import RetrainSettings, retrain
from workbench.pipeline.rolling_back import BY

if TYPE_CHECKING:
    import os

    from workbench.core.records import RetrainReport
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate
    from workbench.pipeline.budget import RetrainBudget
    from workbench.pipeline.hard_set import HardSet

_LOG = logging.getLogger("workbench.pipeline")


class Relearning:
    """Retrains one model in a thread of its own, one time after the other.

    Attributes:
        rule: Title of the rule whose alarm the last one answers.
    """

    def __init__(
        self,
        name: str,
        dataset: str | os.PathLike[str] | Dataset,
        hard: HardSet,
        *,
        gate: Gate | None,
        budget: RetrainBudget | None,
        workspace: Workspace,
    ) -> None:
        """Begin nothing yet.

        Args:
            name: Of the model in the store.
            dataset: The old data.
            hard: The hard set.
            gate: As of `retrain`.
            budget: As of `retrain`.
            workspace: As of `retrain`.
        """
        self.rule = ""
        self._hard = hard
        self._retrain = partial(
            retrain, name, dataset, hard, gate=gate, settings=RetrainSettings(by=BY), budget=budget,
            workspace=workspace,
        )  # fmt: skip
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self._outcome: RetrainReport | Exception | None = None
        self._told = False
        self._tried = -1

    @property
    def runs(self) -> bool:
        """It has been started and its outcome was not taken yet."""
        return self._thread is not None

    def start(self, rule: str) -> bool:
        """Begin, and tell whether it was: not twice with the same hard set, and not while one runs."""
        size = len(self._hard)
        if self.runs or size == self._tried:
            return False
        self._tried, self.rule, self._outcome = size, rule, None
        self._begun.clear()
        self._told = False
        self._thread = threading.Thread(target=self._work, name=f"retraining {self._hard.name}", daemon=True)
        self._thread.start()
        return True

    def forget(self) -> None:
        """Let the same hard set be tried again: there is another alarm."""
        self._tried = -1

    def has_begun(self) -> bool:
        """Tell, once, that nothing hindered it and training begins."""
        if self._told or not self._begun.is_set():
            return False
        self._told = True
        return True

    def outcome(self) -> RetrainReport | Exception | None:
        """Return, once, what came of it; None where it still runs or none was started."""
        if self._thread is None or self._outcome is None:
            return None
        self._thread.join()
        self._thread = None
        return self._outcome

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until none runs, and tell whether that is so."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._outcome = self._retrain(on_event=lambda _: self._begun.set())
        except WorkbenchError as error:
            self._outcome = error
        except Exception as error:  # noqa: BLE001 - the watch must know that it is over, whatever it was
            _LOG.exception("A retraining failed.")
            self._outcome = error
