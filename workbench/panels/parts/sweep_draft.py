"""A plan becomes a sweep: priced before it is begun, driven by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import digest
from workbench.datasets import Dataset, default_dataset
from workbench.panels.parts.chosen_data import chosen_by, open_chosen
from workbench.sweep.draft import Draft
from workbench.sweep.estimate import estimate
from workbench.sweep.folder import SweepFolder
from workbench.sweep.handle import Sweep
from workbench.sweep.results import Results
from workbench.sweep.run import question, require_same
from workbench.sweep.settings import default_workers

if TYPE_CHECKING:
    from workbench.core.records import Estimate
    from workbench.core.workspace import Workspace
    from workbench.panels.parts.sweep_plan import SweepPlan

LOG = "driver.log"
# The one in between ends at once, so nobody has to wait for the driver, which outlives page and kernel.
_APART = (
    "import subprocess, sys; subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, "
    "stderr=open(sys.argv[1], 'wb'), start_new_session=True)"
)


def draft(plan: SweepPlan, workspace: Workspace) -> Draft:
    """Return the question that a plan asks; blocks while data is prepared.

    Raises:
        BadInputError: There is no model, it is of a format that cannot be compressed, or the plan breaks a rule.
        WorkspaceError: The model or its data is missing or changed.
    """
    artifact = Artifact.load(plan.artifact)
    if artifact.format != "tf_keras":
        raise BadInputError.of(
            "artifact", rule="must be a tf_keras model, which can be fine-tuned", got=artifact.label,
            hint="choose what was trained, not what was converted",
        )  # fmt: skip
    settings = plan.sweep_settings
    asked = question(plan.space, artifact, data_of(plan, artifact, workspace), settings)
    return Draft(asked, plan.space, settings, workspace)


def data_of(plan: SweepPlan, artifact: Artifact, workspace: Workspace) -> Dataset:
    """Return the plan's data: what is named, else what the model was made with."""
    spec = artifact.settings.get("dataset")
    if not plan.dataset and isinstance(spec, dict):
        return Dataset.open_spec(spec, workspace)
    return open_chosen(plan.dataset or default_dataset(workspace).name, workspace)


def data_name(plan: SweepPlan, workspace: Workspace) -> str:
    """Return what the data control would have to hold to name the plan's data."""
    if plan.dataset:
        return plan.dataset
    try:
        spec = Artifact.load(plan.artifact).settings.get("dataset") if plan.artifact else None
    except BadInputError:
        spec = None
    return chosen_by(spec, workspace) if isinstance(spec, dict) else default_dataset(workspace).name


def price(plan: SweepPlan, workspace: Workspace) -> Estimate | None:
    """Say how long a plan would take; None while its data is not prepared, for looking prepares nothing.

    Raises:
        BadInputError: As `draft`.
        WorkspaceError: As `draft`.
    """
    if plan.dataset not in ("", data_name(plan.replace(dataset=""), workspace)):
        return None
    asked = draft(plan.replace(dataset=""), workspace)
    folder = _Unwritten(workspace.sweeps / "unwritten", asked.asked)
    return estimate(Results(folder, workspace), default_workers())


def begin(asked: Draft, name: str | None) -> Sweep:
    """Write a question down, or find it written, and have a process of its own drive it.

    Raises:
        BadInputError: It is too large, does not fit together, or its name is taken by another question.
        WorkspaceError: The disk refused it.
    """
    handle = Sweep.named(name or f"{asked.asked['dataset']['name']}-{digest(asked.asked)[:8]}", asked.workspace)
    if handle.folder.exists:
        require_same(asked.asked, handle)
    else:
        asked.require_size(confirm=False)
        handle.folder.begin(asked.asked)
    drive(handle)
    return handle


def drive(handle: Sweep) -> None:
    """Go on with a sweep in a process of its own, which outlives this one."""
    log = handle.folder.path / LOG
    home = str(handle.workspace.home)
    command = [sys.executable, "-m", "workbench", "sweep", "resume", handle.name, "--home", home, "--json"]
    subprocess.run([sys.executable, "-S", "-c", _APART, str(log), *command], check=True)  # noqa: S603 - our own command


def last_words(handle: Sweep) -> str:
    """Return what the process that drove a sweep complained of."""
    log = handle.folder.path / LOG
    return log.read_text(encoding="utf-8", errors="replace").strip() if log.is_file() else ""


@dataclass(frozen=True)
class _Unwritten(SweepFolder):
    """A sweep's folder that nobody has made."""

    question: dict[str, Any]

    def asked(self) -> dict[str, Any]:
        """Return what would be asked."""
        return self.question
