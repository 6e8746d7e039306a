import pytest

from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.timetable import Timetable
from workbench.compress.trajectory import prune_along, start_trajectory
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory

LEVELS = (0.5, 0.8, 0.3)
METHOD = MagnitudePruning(min_steps=120, batch_size=64)


@pytest.fixture(scope="module")
def snapshots(trained: Artifact, digits: Dataset, workspace: Workspace) -> dict[float, Artifact]:
    return prune_along(trained, LEVELS, METHOD, digits, workspace=workspace)


@pytest.mark.thorough
def test_each_level_is_a_model_of_its_own_sparsity(snapshots: dict[float, Artifact], trained: Artifact) -> None:
    assert sorted(snapshots) == sorted(LEVELS)
    for level, artifact in snapshots.items():
        found = inventory(artifact)
        assert found.sparsity == pytest.approx(level, abs=0.002)
        assert artifact.settings["sparsity"] == level
        assert artifact.parent == trained.sha256
        kernels = [each for each in found.tensors if each.prunable]
        assert all(each.sparsity == pytest.approx(level, abs=0.01) for each in kernels)


@pytest.mark.thorough
def test_a_level_answers_about_as_well_as_its_parent(
    snapshots: dict[float, Artifact], trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    import workbench.evaluate

    before = workbench.evaluate(trained, digits, workspace=workspace).accuracy.value
    for artifact in snapshots.values():
        assert workbench.evaluate(artifact, digits, workspace=workspace).accuracy.value >= before - 0.02


def test_levels_in_any_order_are_one_question(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    jobs = [
        start_trajectory(trained, levels, METHOD, digits, workspace=workspace)
        for levels in (LEVELS, sorted(LEVELS), (*LEVELS, 0.5))
    ]
    assert len(set(jobs)) == 1


@pytest.mark.parametrize(
    ("levels", "named"), [((), "sparsities must be at least one level"), ((0.5, 1.0), "sparsity must be below 1")]
)
def test_impossible_levels_are_refused(
    levels: tuple[float, ...], named: str, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=named):
        prune_along(trained, levels, METHOD, digits, workspace=workspace)


LADDER = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85)


def test_too_many_levels_for_the_steps_are_refused() -> None:
    with pytest.raises(BadInputError, match="must leave each level 10 steps of the 59"):
        Timetable.over(59, LADDER)


@pytest.mark.parametrize(("steps", "levels"), [(120, LADDER), (1000, (0.0, 0.99)), (938, LADDER), (10, (0.5,))])
def test_a_plan_covers_all_steps_and_looks_last_at_the_end_of_each_climb(steps: int, levels: tuple[float, ...]) -> None:
    timetable = Timetable.over(steps, levels)
    assert [each.start for each in timetable.stretches] == [0, *(each.end for each in timetable.stretches[:-1])]
    assert timetable.stretches[-1].end == steps
    assert timetable.level_at(steps) is None
    for number, each in enumerate(timetable.stretches):
        assert {timetable.level_at(each.start), timetable.level_at(each.end - 1)} == {number}
        assert each.climb % each.frequency == 0
        assert each.averaged >= 1
        # Masks stand still while weights are averaged.
        assert each.start + each.climb < each.end - each.averaged
