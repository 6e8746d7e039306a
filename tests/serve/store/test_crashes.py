"""Writers that are killed, and writers at the same time: nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.store import Store

HERE = Path(__file__).parent
PUBLISH = """
import sys
from pathlib import Path
from workbench.core.artifact import Artifact
from workbench.serve.store import Store
store = Store(Path(sys.argv[1]))
print("here", flush=True)
sys.stdin.readline()
for folder in sys.argv[2:]:
    version = store.publish(Artifact.load(folder), "m")
    store.label("m", Path(folder).name.replace("-", "_"), version)
"""


@pytest.mark.faults
def test_a_store_survives_a_kill_at_every_write(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "crash_points.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    moments = json.loads(done.stdout)
    assert min(moments.values()) > 10, moments  # else the clock is deaf
    assert moments["twice"] > 200, moments


def test_writers_in_two_processes_lose_nothing(store: Store, make: Callable[[str], Artifact]) -> None:
    artifacts = {content: make(content) for content in "abcdefghijkl"}
    folders = [str(one.folder) for one in artifacts.values()]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, str(store.base), *mine],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for mine in (folders[::2], folders[1::2])
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        writer.communicate("go\n")
        assert writer.returncode == 0
    every = {number: Artifact.load(folder).verify().sha256 for number, folder in store.versions("m").items()}
    assert sorted(every) == list(range(1, 13))
    assert {*every.values()} == {one.sha256 for one in artifacts.values()}
    assert {label: every[version] for label, version in store.labels("m").items()} == {
        f"made_{content}": one.sha256 for content, one in artifacts.items()
    }
    said = store.history("m")
    assert {each.version: each.sha256 for each in said if each.action == "publish"} == every
    assert {each.label: each.version for each in said if each.action == "label"} == store.labels("m")
    assert len(said) == 24
