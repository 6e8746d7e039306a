"""One retraining on old data and a hard set."""

from __future__ import annotations

from workbench.core.records.base import Record
from workbench.core.records.evaluation import Proportion, Verdict  # noqa: TC001 - pydantic reads it
from workbench.core.records.road import Published  # noqa: TC001


class RetrainReport(Record):
    """What a retraining made, and whether it may follow the model it comes after.

    Attributes:
        run: Name of the run's folder.
        model: Name in the model store; empty where an artifact was given.
        dataset: Name of the old dataset.
        hard_set: Name of the hard set.
        before: sha256 of the model that is to be followed.
        after: sha256 of the new one.
        artifact: Folder of the new one.
        samples: In the hard set.
        trained_on: Those of them that were trained on.
        corrected: Samples of the old training split whose label the hard set changed.
        attempts: How often it was trained until the gate passed, or the attempts were used up.
        old_before: Right answers of the old model on the old test split.
        old_after: The same of the new one.
        drop: What the new one lost there, in [−1, 1].
        drop_low: Lower end of the paired 95 % interval of the loss.
        drop_high: Upper end.
        hard_before: Right answers of the old model on the hard samples that were held back; None where there are none.
        hard_after: The same of the new one.
        verdict: The gate's word, with the rule on the hard set.
        published: None where it failed, or nobody asked for it.
        runs_left: Retrainings that the budget still allows in its time.
        seconds: Duration of all.
    """

    run: str
    model: str
    dataset: str
    hard_set: str
    before: str
    after: str
    artifact: str
    samples: int
    trained_on: int
    corrected: int
    attempts: int
    old_before: Proportion
    old_after: Proportion
    drop: float
    drop_low: float
    drop_high: float
    hard_before: Proportion | None
    hard_after: Proportion | None
    verdict: Verdict
    published: Published | None
    runs_left: int
    seconds: float

    def __str__(self) -> str:
        """Return what the gate said, what is published, and how often the budget allows it again."""
        done = self.published
        store = f"version {done.version} of {done.name}" if done else "nothing is published"
        return f"{self.verdict}\nstore   {store}\nbudget  {self.runs_left} more in its time"
