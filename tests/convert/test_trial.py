"""Several programs for one edge: which are tried, and whose file is kept."""

from pathlib import Path

import pytest

from workbench.convert.base import Tool, converters
from workbench.convert.trial import BEST, Made, Trial, best, chosen
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Parity

ONE, OTHER = Tool("one", "numpy"), Tool("other", "no-such-package", "torch")


def made(tool: Tool, folder: Path, *, max_abs: float, size: int, passed: bool = True) -> Trial:
    (folder / tool.name).mkdir()
    (folder / tool.name / "model.onnx").write_bytes(bytes(size))
    draft = Artifact(
        folder=folder / tool.name, name="m", format="onnx", numeric="float32", file="model.onnx", sha256="0" * 64
    )
    parity = Parity(
        source="keras/float32", target="onnx/float32", samples=1, max_abs=max_abs, mean_abs=0, agreement=1, worst=0,
        max_abs_limit=None, min_agreement=0.99, passed=passed,
    )  # fmt: skip
    return Trial(tool, 1.5, Made(draft, {}, parity))


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        ({"max_abs": 0.1, "size": 9}, {"max_abs": 0.2, "size": 1}, "one"),
        ({"max_abs": 0.2, "size": 1}, {"max_abs": 0.1, "size": 9}, "other"),
        ({"max_abs": 0.1, "size": 9}, {"max_abs": 0.1, "size": 8}, "other"),
        ({"max_abs": 0.1, "size": 9}, {"max_abs": 0.1, "size": 9}, "one"),
        ({"max_abs": 0.1, "size": 1, "passed": False}, {"max_abs": 0.9, "size": 9}, "other"),
    ],
)
def test_the_one_that_passes_and_differs_least_is_kept(
    one: dict[str, float], other: dict[str, float], kept: str, tmp_path: Path
) -> None:
    trials = [made(ONE, tmp_path, **one), made(OTHER, tmp_path, **other)]  # type: ignore[arg-type]
    assert best(trials)[0].tool.name == kept


def test_where_nothing_was_written_the_usual_program_is_heard() -> None:
    trials = [Trial(ONE, 0.1, BadInputError("first")), Trial(OTHER, 0.1, BadInputError("second"))]
    with pytest.raises(BadInputError, match="first"):
        best(trials)


def test_a_manifest_holds_what_each_came_to(tmp_path: Path) -> None:
    said = made(ONE, tmp_path, max_abs=0.25, size=7).to_json()
    assert (said["tool"], said["status"], said["bytes"], said["seconds"]) == ("one", "passed", 7, 1.5)
    assert said["parity"]["max_abs"] == 0.25
    failed = Trial(OTHER, 0.5, BadInputError("no")).to_json()
    assert (failed["status"], failed["error"], failed["bytes"], failed["version"]) == ("failed", "no", None, None)


def test_a_name_chooses_one_and_none_or_best_all() -> None:
    assert chosen((ONE, OTHER), None, "a to b") == chosen((ONE, OTHER), BEST, "a to b") == (ONE, OTHER)
    assert chosen((ONE, OTHER), "other", "a to b") == (OTHER,)
    with pytest.raises(BadInputError, match="tool must be one of one, other or best for a to b, got 'third'"):
        chosen((ONE, OTHER), "third", "a to b")


def test_every_edge_has_a_program_with_a_name_of_its_own() -> None:
    for name in converters.names():
        unit = converters.get(name)
        for source in unit.sources:
            for numeric in unit.numerics:
                tools = [tool.name for tool in unit.tools(source, numeric)]
                assert tools
                assert len({*tools}) == len(tools)
                assert BEST not in tools
