import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core.workspace import Workspace

README = Path(__file__).parents[1] / "README.md"


def run_block(number: int, folder: Path) -> subprocess.CompletedProcess[str]:
    code = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[number]
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)


def test_the_ten_lines_run_as_they_stand(workspace: Workspace, tmp_path: Path) -> None:
    done = run_block(0, tmp_path)
    assert done.returncode == 0, done.stderr
    answers, url, *_ = done.stdout.splitlines()
    predicted, true = re.fullmatch(r"\[(.*)\] \[(.*)\]", answers).groups()  # type: ignore[union-attr]
    assert sum(a == b for a, b in zip(predicted.split(), true.split(), strict=True)) >= 2
    assert url.startswith("http://127.0.0.1:")
    assert list(tmp_path.iterdir()) == []
    assert workspace.list_runs("serve")


@pytest.mark.thorough
@pytest.mark.usefixtures("workspace")
def test_the_lines_on_compression_run_as_they_stand(tmp_path: Path) -> None:
    done = run_block(1, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "measured on all 359 test samples" in done.stdout
    assert "of the weights are zero but the file stores them" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("SweepPoint('sparsity")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.thorough
@pytest.mark.usefixtures("workspace")
def test_the_lines_on_formats_run_as_they_stand(tmp_path: Path) -> None:
    done = run_block(2, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tflite/int8: LiteRT quantizer" in done.stdout
    assert "QuantizeLinear" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.thorough
@pytest.mark.usefixtures("workspace")
def test_the_lines_on_serving_run_as_they_stand(tmp_path: Path) -> None:
    done = run_block(3, tmp_path)
    assert done.returncode == 0, done.stderr
    answers = re.findall(r"^(?:http|grpc)\S+ (\d)$", done.stdout, re.MULTILINE)
    assert len(answers) == 3
    assert len(set(answers)) == 1
    assert "canary" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (README.parent / link).exists()] == []
