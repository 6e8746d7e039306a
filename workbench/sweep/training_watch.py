"""Ends a trial that others did better than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.core.events import Event


class PoorTrialError(WorkbenchError):
    """A trial was ended because others did better by that epoch."""


@dataclass
class Watch:
    """Reports a training's epochs to its trial and ends it where the pruner says so."""

    trial: Any

    def __call__(self, event: Event) -> None:
        """Look at one event.

        Raises:
            PoorTrialError: The pruner says that it is not worth going on.
        """
        if event.type != "epoch":
            return
        epoch, accuracy = event.data["epoch"], event.data["val_accuracy"]
        self.trial.report(accuracy, epoch)
        if self.trial.should_prune():
            raise PoorTrialError(
                f"ended after epoch {epoch}: validation accuracy {accuracy:.4f} is below the median of the trials "
                "before it"
            )
