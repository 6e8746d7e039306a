"""Optuna's searches, without a job: points are made of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from points import failed, point

import workbench.sweep
import workbench.train
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.sweep.axes import Range
from workbench.sweep.handle import Sweep
from workbench.sweep.point_proposer import PointProposer, Proposal
from workbench.sweep.settings import SweepSettings
from workbench.sweep.space import Choice, Space

if TYPE_CHECKING:
    from workbench.core.records import SweepPoint
    from workbench.datasets import Dataset

SPACE = Space(
    Choice(("magnitude_pruning", "post_training"), "post_training"),
    {"magnitude_pruning.sparsity": Range(low=0.1, high=0.9), "post_training.numeric": ["dynamic", "int8"]},
)


def asked(tmp_path: Any, space: Space = SPACE, **settings: Any) -> Sweep:
    home = Workspace.at(tmp_path / "home")
    found = Sweep.named("search", home)
    if not found.folder.exists:
        chosen = SweepSettings(search="optuna", objectives=("accuracy", "gzip"), **settings)
        found.folder.begin({
            "space": space.to_json(), "parent": {"folder": "/nowhere", "sha256": "f" * 64},
            "dataset": {"name": "digits", "checksum": "0" * 64}, "settings": chosen.model_dump(mode="json"),
        })  # fmt: skip
    return found


def measured(proposal: Proposal) -> SweepPoint:
    """A world in which less pruning is better and int8 is small."""
    sparsity = proposal.values.get("magnitude_pruning.sparsity", 0)
    small = proposal.values["post_training.numeric"] == "int8"
    return point(
        f"point {proposal.number}", 0.99 - sparsity / 10, int(1000 * (1 - sparsity) / (1 + small)), **proposal.values
    )


def drive(proposer: PointProposer, times: int) -> list[Proposal]:
    found = []
    for _ in range(times):
        found.append(proposer.ask())
        proposer.tell(found[-1], [measured(found[-1])])
    return found


def test_proposals_lie_in_the_space_and_come_again_from_the_same_seed(tmp_path: Any) -> None:
    one, other = (drive(PointProposer.open(asked(tmp_path / name)), 8) for name in "ab")
    assert one == other
    assert {proposal.chain for proposal in one} == {0, 1}
    for proposal in one:
        assert ("magnitude_pruning.sparsity" in proposal.values) is (proposal.chain == 0)
        assert 0.1 <= proposal.values.get("magnitude_pruning.sparsity", 0.1) <= 0.9
    assert drive(PointProposer.open(asked(tmp_path / "c", sampler_seed=1)), 8) != one


def test_a_study_goes_on_where_a_killed_process_left_it(tmp_path: Any) -> None:
    first = PointProposer.open(asked(tmp_path, trials=6))
    drive(first, 2)
    lost = first.ask()  # killed before it told
    again = PointProposer.open(asked(tmp_path))
    assert again.left == 4
    (taken_up,) = drive(again, 1)
    assert (taken_up.chain, taken_up.values) == (lost.chain, lost.values)
    drive(again, 3)
    assert again.left == 0


def test_a_study_that_goes_on_proposes_other_points_than_before(tmp_path: Any) -> None:
    space = Space(
        ("magnitude_pruning", "post_training"),
        {"magnitude_pruning.sparsity": Range(low=0.1, high=0.9), "post_training.numeric": ["dynamic", "int8"]},
    )
    proposed = [each for _ in range(2) for each in drive(PointProposer.open(asked(tmp_path, space)), 3)]
    assert len({each.values["magnitude_pruning.sparsity"] for each in proposed}) == 6


def test_failed_points_count_as_tried_and_are_no_answer(tmp_path: Any) -> None:
    proposer = PointProposer.open(asked(tmp_path, trials=3))
    proposal = proposer.ask()
    proposer.tell(proposal, [failed("gone")])
    assert proposer.left == 2
    proposer = PointProposer.open(asked(tmp_path))
    assert proposer.left == 2, "what was told to have failed is neither forgotten nor counted again"
    drive(proposer, 2)
    assert proposer.left == 0


def test_a_damaged_journal_is_one_sentence_and_stays_as_it_is(tmp_path: Any) -> None:
    sweep = asked(tmp_path, trials=6)
    drive(PointProposer.open(sweep), 2)
    journal = sweep.folder.journal
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged in (
        whole + b"\xff\x00 garbage\n", b"\xff\n" + whole, b"[]\n" + whole,
        lines[0] + b"{}\n" + b"".join(lines[1:]),
    ):  # fmt: skip
        journal.write_bytes(damaged)
        for reading in (True, False):
            with pytest.raises(WorkspaceError, match=r"journal\.log is damaged .*; delete it and resume"):
                PointProposer.open(sweep, reading=reading)
        assert journal.read_bytes() == damaged


def test_half_a_line_in_the_journal_of_a_killed_process_costs_nothing(tmp_path: Any) -> None:
    sweep = asked(tmp_path, trials=6)
    drive(PointProposer.open(sweep), 2)
    with sweep.folder.journal.open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    before = sweep.folder.journal.read_bytes()
    assert PointProposer.open(sweep, reading=True).left == 4
    assert sweep.folder.journal.read_bytes() == before, "another process may be writing that line"
    drive(PointProposer.open(sweep), 1)
    assert PointProposer.open(sweep).left == 3


def test_what_was_told_is_known_with_its_values(tmp_path: Any) -> None:
    proposed = drive(PointProposer.open(asked(tmp_path)), 4)
    assert PointProposer.open(asked(tmp_path), reading=True).told() == proposed


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_constraints_are_told_to_the_sampler(sampler: str, tmp_path: Any) -> None:
    proposer = PointProposer.open(asked(tmp_path, sampler=sampler, constraints=("gzip <= 500 B",), trials=30))
    drive(proposer, 30)
    trials = proposer.study.get_trials(deepcopy=False)
    told = [trial.constraints["gzip <= 500 B"] for trial in trials]
    assert [beyond <= 0 for beyond in told] == [trial.values[1] <= 500 for trial in trials]
    assert any(beyond > 0 for beyond in told)


def test_more_is_proposed_where_constraints_are_kept(tmp_path: Any) -> None:
    def kept(name: str, *constraints: str) -> int:
        proposer = PointProposer.open(asked(tmp_path / name, constraints=constraints, trials=40))
        drive(proposer, 40)
        return sum(trial.values[1] <= 200 for trial in proposer.study.get_trials(deepcopy=False))

    assert kept("limited", "gzip <= 200 B") > kept("free")


def test_importance_is_asked_of_optuna(tmp_path: Any) -> None:
    space = Space(
        ("magnitude_pruning", "post_training"),
        {"magnitude_pruning.sparsity": Range(low=0.1, high=0.9), "post_training.numeric": ["dynamic", "int8"]},
    )
    sweep = asked(tmp_path, space)
    with pytest.raises(BadInputError, match="needs more finished trials"):
        sweep.importance("accuracy")
    drive(PointProposer.open(sweep), 30)
    found = sweep.importance("accuracy")
    assert next(iter(found)) == "magnitude_pruning.sparsity"
    assert sum(found.values()) == pytest.approx(1)
    with pytest.raises(BadInputError, match="metric must be one of accuracy, gzip"):
        sweep.importance("raw")


@pytest.mark.thorough
def test_a_real_search_measures_its_trials(digits: Dataset, workspace: Workspace) -> None:
    parent = workbench.train(digits, architecture="mlp", epochs=2, workspace=workspace)
    space = Space("post_training", {"post_training.numeric": ["dynamic", "int8"]})
    found = workbench.sweep(
        space, parent, digits, name="searched", workspace=workspace, search="optuna", trials=4, runs=20
    )
    assert found.state == "done"
    assert 1 <= len(found.points()) <= 2, "what is proposed again is not made again"
    assert PointProposer.open(found, reading=True).left == 0
    assert found.frontier()
    path = found.folder.path / "points.jsonl"
    held, before = path.read_bytes(), {point.key for point in found.points()}
    path.write_bytes(held[: held.index(b"\n") + 1] + b"\xff no point\n")
    again = workbench.sweep(
        space, parent, digits, name="searched", workspace=workspace, search="optuna", trials=4, runs=20
    )
    assert {point.key for point in again.points()} == before
    assert PointProposer.open(again, reading=True).left == 0


@pytest.mark.thorough
def test_a_proposal_that_does_not_fit_together_is_a_failed_point(digits: Dataset, workspace: Workspace) -> None:
    parent = workbench.train(digits, architecture="mlp", epochs=2, workspace=workspace)
    axes = {"post_training.format": ["tflite", "onnx"], "post_training.numeric": ["int8", "int16x8"]}
    found = workbench.sweep(
        Space("post_training", axes), parent, digits, name="unfit", workspace=workspace, search="optuna", trials=8,
        runs=20,
    )  # fmt: skip
    assert found.state == "done"
    assert all("numeric must be one of" in point.reason for point in found.failed())
    assert found.failed()
