"""The doctor tells what is here and never falls over what is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import workbench.panels
from workbench.core.records.environment import Environment
from workbench.core.workspace import Workspace
from workbench.pipeline.doctor import doctor

if TYPE_CHECKING:
    from workbench.core.records.environment import PackageFacts

NO_PANELS = {"__init__", "base", "form", "live", "session"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return doctor(Workspace.at(tmp_path_factory.mktemp("doctor") / "home"))


def package(found: Environment, name: str) -> PackageFacts:
    return next(each for each in found.packages if each.name == name)


def test_versions_are_those_that_are_installed(found: Environment) -> None:
    assert package(found, "tensorflow").version == version("tensorflow")
    assert package(found, "numpy").needed
    assert not package(found, "tensorflow").needed
    assert found.healthy


def test_every_panel_is_told_of(found: Environment) -> None:
    files = Path(workbench.panels.__path__[0]).glob("*.py")
    names = {f"panel: {path.stem}" for path in files if path.stem not in NO_PANELS}
    assert names == {each.name for each in found.abilities if each.name.startswith("panel: ")}


def test_all_edges_are_told_of(found: Environment) -> None:
    assert {each.target for each in found.edges} >= {"onnx/int8", "tflite/int8", "saved_model/float32"}


def test_it_is_plain_json(found: Environment) -> None:
    assert Environment.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_what_is_missing_or_at_odds_is_told_with_the_line_that_mends_it(tmp_path: Path) -> None:
    # A tree of installed packages of our own: no TensorFlow, and a numpy that onnxruntime does not take.
    fake = tmp_path / "packages"
    for name, number, needs in (
        ("lastmile-workbench", "0.1.0", ["numpy>=2", "onnxruntime", "tensorflow; extra == 'train'"]),
        ("onnxruntime", "1.32.0", ["numpy>=3"]),
        ("numpy", "2.4.6", []),
    ):
        folder = fake / f"{name.replace('-', '_')}-{number}.dist-info"
        folder.mkdir(parents=True)
        lines = [
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}",
            *(f"Requires-Dist: {each}" for each in needs),
        ]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = (
        "import sys, json, importlib.metadata as m\n"
        "from workbench.pipeline.doctor import doctor\n"
        "from workbench.core.workspace import Workspace\n"
        "finder = m.MetadataPathFinder.find_distributions\n"
        "m.MetadataPathFinder.find_distributions = staticmethod(lambda context=None: finder("
        f"m.DistributionFinder.Context(name=context.name, path=[{str(fake)!r}])))\n"
        f"print(json.dumps(doctor(Workspace.at({str(tmp_path / 'home')!r})).to_json()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = Environment.from_json(json.loads(done.stdout))
    assert package(found, "tensorflow").mend == "pip install 'lastmile-workbench[train]'"
    assert "numpy>=3" in package(found, "onnxruntime").conflict
    assert package(found, "onnxruntime").mend == "pip install 'numpy>=3'"
    assert not found.healthy
    closed = [each for each in found.edges if each.target == "saved_model/float32"]
    assert closed
    assert not any(each.available for each in closed)
    assert closed[0].alternative == "pip install 'lastmile-workbench[train]'"


def test_a_home_that_cannot_be_used_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    found = doctor(Workspace.at(tmp_path / "file" / "home"))
    assert any("file" in sentence for sentence in found.warnings)
