"""Several seeds of one question: asked as one, told apart from other questions, summed up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import workbench
from workbench.core.artifact import Artifact
from workbench.panels.parts.seed_runs import alike, call_for, seeds_in, spread
from workbench.panels.train import TrainPanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.workspace import Workspace

LONG = 120.0
# Settings that no other test asks for.
ASKED = {"dataset": "digits", "epochs": 2, "seed": 40, "seeds": 3, "validation_fraction": 0.3, "architecture": "mlp"}


@pytest.fixture
def panel(workspace: Workspace) -> Iterator[TrainPanel]:
    made = TrainPanel(workspace=workspace)
    yield made
    made.close()


def shows(panel: TrainPanel, name: str) -> bool:
    return any(action["name"] == name and action.get("shown", True) for action in panel._actions.actions)


def wait_for(panel: TrainPanel, state: str) -> None:
    turned = threading.Event()
    look = lambda _change: turned.set() if panel.heading.chip == state else None  # noqa: E731
    panel.heading.observe(look, "chip")
    assert panel.heading.chip == state or turned.wait(LONG), (panel.heading.chip, panel.errors.message)


def test_three_seeds_are_three_runs_and_one_sentence(panel: TrainPanel, workspace: Workspace) -> None:
    panel.form.write(ASKED)
    panel.start()
    done = threading.Event()
    panel._view._progress.observe(lambda change: done.set() if "3 seeds" in change["new"] else None, "text")
    assert done.wait(LONG), (panel.state, panel.errors.message)
    assert [job.settings["seed"] for job in panel.runs] == [40, 41, 42]
    assert alike(panel.runs[0], workspace) == panel.runs
    shares = [Artifact.load(job.result).metrics["val_accuracy"] for job in panel.runs]
    assert f"validation accuracy {100 * sum(shares) / 3:.2f} % ± " in spread(panel.runs)
    assert spread(panel.runs[:1]) == ""
    assert set(panel._compared.table.selected) == {job.id for job in panel.runs}


def test_a_panel_made_ahead_takes_the_settings_of_the_run_it_shows(panel: TrainPanel, workspace: Workspace) -> None:
    workbench.train("digits", architecture="mlp", epochs=3, seed=77, workspace=workspace)
    panel.refresh()
    assert (panel.settings.epochs, panel.settings.seed) == (3, 77)
    panel.form.write({"epochs": 9})
    workbench.train("digits", architecture="mlp", epochs=2, seed=78, workspace=workspace)
    panel.refresh()
    assert panel.settings.epochs == 9, "what somebody has set stays"


def test_a_pause_rests_after_the_epoch_and_resume_goes_on(panel: TrainPanel) -> None:
    panel.form.write({**ASKED, "architecture": "small_cnn", "epochs": 60, "seeds": 1, "batch_size": 8})
    panel.start()
    wait_for(panel, "running")
    assert (shows(panel, "pause"), shows(panel, "resume")) == (True, False)
    panel.pause()
    wait_for(panel, "paused")
    assert (shows(panel, "pause"), shows(panel, "resume")) == (False, True)
    assert "Paused after" in panel._view._progress.text
    panel.resume()
    wait_for(panel, "running")
    panel.cancel()
    wait_for(panel, "cancelled")


def test_code_for_several_seeds_is_read_back() -> None:
    code = call_for("wb.train('digits', 'docs', epochs=2)", 5, 3)
    assert code == "models = [wb.train('digits', 'docs', epochs=2, seed=seed) for seed in range(5, 8)]"
    assert seeds_in(code) == ("wb.train('digits', 'docs', epochs=2, seed=5)", {"seeds": 3})
    assert seeds_in("model = wb.train('digits')") == ("model = wb.train('digits')", {})
    assert seeds_in("not Python(") == ("not Python(", {})
