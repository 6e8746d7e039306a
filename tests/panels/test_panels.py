"""What every panel must do, without a browser."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import VBox

from workbench.core.errors import BadInputError
from workbench.panels.base import _leaves
from workbench.panels.compress import CompressPanel
from workbench.panels.convert import ConvertPanel
from workbench.panels.data import DataPanel
from workbench.panels.draw import DrawPanel
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.monitor import MonitorPanel
from workbench.panels.parts.chosen_data import open_chosen
from workbench.panels.serve import ServePanel
from workbench.panels.stepper import StepperPanel
from workbench.panels.sweep import SweepPanel
from workbench.panels.train import TrainPanel
from workbench.widgets.action_bar import ActionBar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.panels.base import Panel

CHANGES: dict[type[Panel], dict[str, Any]] = {
    DataPanel: {"dataset": "wine"},
    TrainPanel: {"recipe": "best", "epochs": 3, "seed": 7, "validation_fraction": 0.2, "patience": 2, "seeds": 3},
    CompressPanel: {
        "artifact": "/models/a b",
        "sparsity": 0.75,
        "scope": "global",
        "sparsity_by_layer": {"conv1": 0.25},
        "clusters": 16,
        "weight_bits": 4,
        "epochs": 3,
    },
    ConvertPanel: {"artifact": "/models/a b", "format": "onnx", "numeric": "int8", "per_channel": False, "opset": 15},
    StepperPanel: {"place": "convert"},
    SweepPanel: {
        "artifact": "/models/a b",
        "dataset": "digits",
        "epochs": 3,
        "repeats": 2,
        "runs": 50,
        "name": "known",
        "axes": {"magnitude_pruning.sparsity": [0, 0.5], "post_training.numeric": ["int8"]},
    },
    DrawPanel: {"preprocessing": "raw"},
    EvaluatePanel: {"split": "train", "artifact": "/models/a b", "min_accuracy": 0.9, "max_gzip_bytes": 90_000},
    MonitorPanel: {
        "server": "mnist",
        "drift": False,
        "rules": "p95_ms above 50 for 3; accuracy below 0.9",
        "seconds": 2.0,
        "window": 100,
    },
    ServePanel: {"artifact": "/models/a b", "name": "mnist", "workers": 2, "keep": False, "mode": "on"},
}
PANELS = list(CHANGES)


@pytest.fixture(params=PANELS, ids=lambda panel: panel.__name__)
def panel(request: pytest.FixtureRequest, fresh_workspace: Workspace) -> Iterator[Panel]:
    made = request.param(workspace=fresh_workspace)
    yield made
    made.close()


def bars(panel: Panel) -> dict[str, ActionBar]:
    """Return the button rows of a panel by the names of their buttons."""
    return {one["name"]: leaf for leaf in _leaves(panel) if isinstance(leaf, ActionBar) for one in leaf.actions}


def test_nothing_is_locked_on_an_operators_page(panel: Panel) -> None:
    assert all(bar.locked == {} for bar in bars(panel).values())


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (TrainPanel, {"train", "cancel", "resume"}),
        (CompressPanel, {"tune"}),
        (SweepPanel, {"start", "pause", "cancel", "resume"}),
        (ConvertPanel, {"convert", "all"}),
        (ServePanel, {"start", "stop", "publish", "rollback", "rollout", "load"}),
        (MonitorPanel, {"drill"}),
    ],
)
def test_a_page_for_viewing_shows_what_it_may_not_do(
    kind: type[Panel], names: set[str], fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("WORKBENCH_ROLE", "viewer")
        panel = kind(workspace=fresh_workspace)
    found = bars(panel)
    for name in names:
        assert "operator" in found[name].locked[name]
    panel.close()


def test_it_starts_calm(panel: Panel) -> None:
    assert panel.errors.message == ""
    assert panel.heading.title == panel.title
    assert panel.heading.chip == ""
    assert panel.form.valid
    compile(panel.code(), "code", "exec")
    assert repr(panel)  # a cell asks for it, and ipywidgets asks every attribute that it knows


def test_no_attribute_hides_one_of_ipywidgets(panel: Panel) -> None:
    ours = {"children", "layout", "comm", "keys", "tooltip"}
    assert {name for name in vars(panel) if hasattr(VBox, name)} - ours == set()


@pytest.mark.parametrize("kind", [CompressPanel, ConvertPanel, DrawPanel, EvaluatePanel, ServePanel, SweepPanel])
def test_what_shows_a_model_takes_one(kind: type[Panel], fresh_workspace: Workspace) -> None:
    panel = kind(artifact="/models/a b", workspace=fresh_workspace)
    assert panel.session.artifact == "/models/a b"
    panel.close()


@pytest.mark.parametrize("kind", PANELS)
def test_a_misspelt_argument_is_one_error(kind: type[Panel]) -> None:
    with pytest.raises(TypeError, match="misspelt"):
        kind(misspelt=1)  # type: ignore[call-arg]
    gc.collect()  # what is left of it is thrown away without a word


def test_settings_go_both_ways(panel: Panel, fresh_workspace: Workspace) -> None:
    panel.form.write(CHANGES[type(panel)])
    again = type(panel).from_json(panel.to_json(), workspace=fresh_workspace)
    assert again.settings == panel.settings
    assert {name: getattr(again.settings, name) for name in CHANGES[type(panel)]} == CHANGES[type(panel)]
    again.close()


def test_code_goes_both_ways_also_in_a_clean_process(panel: Panel) -> None:
    panel.form.write(CHANGES[type(panel)])
    kind = type(panel)
    script = (
        f"from {kind.__module__} import {kind.__name__} as P; import sys\n"
        f"panel = P.from_code({panel.code()!r})\n"
        "print(panel.to_json())\n"
        "panel.close()\n"
        "heavy = {'tensorflow', 'tf_keras', 'keras', 'sklearn', 'plotly'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == panel.to_json()


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"no_such_setting": 1}'])
def test_bad_json_is_one_sentence(panel: Panel, text: str, fresh_workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="must be"):
        type(panel).from_json(text, workspace=fresh_workspace)


def test_code_is_read_and_never_run(fresh_workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="epochs must be a plain value"):
        TrainPanel.from_code("train('digits', epochs=__import__('os').getpid())", workspace=fresh_workspace)
    with pytest.raises(BadInputError, match="must be Python"):
        TrainPanel.from_code("train(", workspace=fresh_workspace)
    with pytest.raises(BadInputError, match="must hold a call of train"):
        TrainPanel.from_code("print('hello')", workspace=fresh_workspace)


def test_nothing_that_goes_wrong_in_a_callback_vanishes(panel: Panel) -> None:
    @panel.guard
    def callback() -> None:
        raise BadInputError.of("epochs", rule="must be small", got=10**9)

    @panel.guard
    def surprise() -> None:
        raise ZeroDivisionError("oops")

    callback()
    assert panel.errors.message == "epochs must be small, got 1000000000."
    assert "Traceback" in panel.errors.detail
    surprise()
    assert "ZeroDivisionError: oops" in panel.errors.message


def test_close_leaves_no_thread(fresh_workspace: Workspace) -> None:
    before = set(threading.enumerate())
    for kind in PANELS:
        made = kind(workspace=fresh_workspace)
        made.session.live.watch(lambda: None, every=1)
        made.close()
    assert set(threading.enumerate()) == before


def test_a_recipe_writes_its_defaults_and_code_says_only_what_differs(
    fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    panel = TrainPanel(workspace=fresh_workspace)
    assert panel.code().endswith("wb.train('digits', 'docs')\n")
    panel.form.write({"recipe": "best"})
    assert panel.form.values["schedule"] == "cosine"
    panel.form.write({"epochs": 2})
    assert panel.code().endswith("wb.train('digits', 'best', epochs=2)\n")
    panel.close()


def test_a_table_takes_the_network_that_fits_it_and_images_the_recipes(
    fresh_workspace: Workspace, tmp_path: Path
) -> None:
    panel = TrainPanel(workspace=fresh_workspace)
    panel.form.write({"dataset": "wine"})
    assert panel.form.values["architecture"] == "mlp"
    assert panel.code().endswith("wb.train('wine', 'docs', architecture='mlp')\n")
    assert "mlp is the network that fits" in panel.form.widget.notes["dataset"]
    panel.form.write({"recipe": "best"})
    assert (panel.form.values["schedule"], panel.form.values["architecture"]) == ("cosine", "mlp")
    (tmp_path / "own.csv").touch()
    panel.form.write({"dataset": str(tmp_path / "own.csv"), "architecture": "small_cnn"})
    assert panel.form.values["architecture"] == "small_cnn"  # whoever insists is told when it is trained
    panel.form.write({"dataset": "digits"})
    assert panel.form.values["architecture"] == "docs_cnn"
    panel.close()


def test_a_column_of_a_table_is_chosen_as_the_label(workspace: Workspace, tmp_path: Path) -> None:
    rows = [f"{number % 7},{number % 3 * 2.5},{'abc'[number % 3]}" for number in range(60)]
    own = tmp_path / "own.csv"
    own.write_text("\n".join(["size,weight,species", *rows]) + "\n", encoding="utf-8")
    panel = TrainPanel(workspace=workspace)
    panel.form.write({"dataset": str(own), "label": "kind"})
    with pytest.raises(BadInputError, match="label must") as told:
        open_chosen(str(own), workspace, "kind")
    panel._no_data(told.value)
    assert panel.form.widget.errors["label"].startswith("label must")
    panel.form.write({"label": "species"})
    # A panel opens with the settings of the newest training here, so what else is said depends on it.
    assert f"wb.train(wb.load_dataset({str(own)!r}, label='species'), 'docs', " in panel.code()
    assert "architecture='mlp'" in panel.code()
    again = TrainPanel.from_code(panel.code(), workspace=workspace)
    assert again.settings == panel.settings
    plan = panel.settings.model_dump()
    data = open_chosen(plan["dataset"], workspace, plan["label"])
    assert (data.classes, data.shape) == (("a", "b", "c"), (2,))
    panel.form.write({"dataset": "digits"})
    assert panel.form.values["label"] is None
    for one in (panel, again):
        one.close()


def test_data_of_ones_own_is_a_path_and_a_wrong_one_is_named(fresh_workspace: Workspace, tmp_path: Path) -> None:
    panel = TrainPanel(workspace=fresh_workspace)
    field = next(field for field in panel.form.widget.fields if field["name"] == "dataset")
    assert field["other"]["label"] == "Own file or folder…"
    panel.form.write({"dataset": str(tmp_path / "gone.npz")})
    assert panel.form.widget.errors["dataset"].startswith("dataset must be digits, ")
    assert "a .csv or .npz file, or a folder of class folders, got '" in panel.form.widget.errors["dataset"]
    assert not panel.form.valid
    (tmp_path / "here.npz").touch()
    panel.form.write({"dataset": str(tmp_path / "here.npz")})
    assert panel.form.valid
    again = TrainPanel.from_code(panel.code(), workspace=fresh_workspace)
    assert again.settings == panel.settings
    for one in (panel, again):
        one.close()


def test_the_button_waits_for_right_values(fresh_workspace: Workspace) -> None:
    panel = TrainPanel(workspace=fresh_workspace)
    panel.form.write({"epochs": 0})
    button = next(action for action in panel._actions.actions if action["name"] == "train")
    assert button["enabled"] is False
    panel.form.write({"epochs": 1})
    button = next(action for action in panel._actions.actions if action["name"] == "train")
    assert button["enabled"] is True
    panel.close()
