import json
from pathlib import Path

import pytest

import workbench.train
from workbench.core.errors import BadInputError
from workbench.core.events import Event
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.report.sweep import SweepProgress
from workbench.sweep.axes import Range
from workbench.sweep.reading import read_space
from workbench.sweep.space import Space


def test_a_space_is_read_from_json_and_toml(tmp_path: Path) -> None:
    space = Space("post_training", {"post_training.numeric": ["dynamic", "int8"]})
    (tmp_path / "space.json").write_text(json.dumps(space.to_json()), encoding="utf-8")
    (tmp_path / "space.toml").write_text(
        'chain = ["post_training"]\n[axes]\n"post_training.numeric" = ["dynamic", "int8"]\n', encoding="utf-8"
    )
    assert read_space(tmp_path / "space.json") == space == read_space(tmp_path / "space.toml")
    (tmp_path / "range.toml").write_text(
        'chain = ["magnitude_pruning"]\n[axes]\n"magnitude_pruning.sparsity" = {low = 0.5, high = 0.9}\n',
        encoding="utf-8",
    )
    ranged = read_space(tmp_path / "range.toml", trained=True)
    assert ranged.axes == {"magnitude_pruning.sparsity": Range(low=0.5, high=0.9)}
    assert ranged.train == {}


def test_a_space_is_read_from_words() -> None:
    found = read_space(
        None, ["magnitude_pruning", "post_training"],
        ["magnitude_pruning.sparsity=0,0.5", "post_training.numeric=none,int8", "magnitude_pruning.schedule=constant"],
    )  # fmt: skip
    assert found.axes == {
        "magnitude_pruning.sparsity": (0, 0.5), "post_training.numeric": (None, "int8"),
        "magnitude_pruning.schedule": ("constant",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("chain = [", "must be a JSON or TOML file"), ("[1]", "got '1'"), ("x = 1", "got 'x'")],
)
def test_a_file_that_is_no_space_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=sentence):
        read_space(file)
    with pytest.raises(BadInputError, match="must be a JSON or TOML file"):
        read_space(tmp_path / "missing.json")
    with pytest.raises(BadInputError, match="axis must be step"):
        read_space(None, ["post_training"], ["post_training.numeric"])
    with pytest.raises(BadInputError, match="method must not be given beside a file"):
        read_space(file, ["post_training"])


def test_a_sweep_from_the_command_line(
    digits: Dataset, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = workbench.train(digits, architecture="mlp", epochs=2, workspace=workspace)
    asked = [
        "run", "--dataset", "digits", "--artifact", str(parent.folder), "--method", "post_training", "--name", "typed",
        "--axis", "post_training.numeric=dynamic,int8", "--runs", "20", "--objective", "gzip", "--json",
    ]  # fmt: skip
    found = json.loads(typed(capsys, *asked))
    assert len(found["points"]) == 2
    assert len(found["frontier"]) == 1
    assert typed(capsys, "list").splitlines()[0].split() == ["done", "2", "points", "typed"]
    assert found["frontier"][0] in typed(capsys, "show", "typed")
    assert typed(capsys, "export", "typed").count("\n") == 3
    assert json.loads(typed(capsys, "resume", "typed", "--json"))["state"] == "done"
    assert "is asked to pause" in typed(capsys, "pause", "typed")
    asked[asked.index("typed")] = "strict"
    assert "the nearest is" in typed(capsys, *asked[:-1], "--constraint", "gzip <= 1 B", code=1)


def test_a_sweep_that_ends_before_its_first_point_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with SweepProgress():
        pass
    assert "?" not in capsys.readouterr().err
    with SweepProgress() as progress:
        progress.show(
            Event(type="progress", time=0.0, data={"done": 1, "total": 4, "label": "pruned", "seconds_left": 9.0})
        )
    assert "1/4" in capsys.readouterr().err


def typed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Run `workbench sweep …` in this process, which has all it needs imported, and return what it printed."""
    from workbench.cli import app

    assert (app(["sweep", *words], standalone_mode=False) or 0) == code
    return capsys.readouterr().out
