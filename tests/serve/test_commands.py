"""Commands that serve the same folder elsewhere are shell lines that do what they say."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.serve.commands import print_command
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from pathlib import Path

# What a shell makes of the command: the program is replaced by one that prints what it was given.
SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two versions of a SavedModel `m`; the label `live` means the first."""
    store = Store.of(Workspace.at(tmp_path / "a home"))
    for text in ("one", "two"):
        folder = tmp_path / text
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "saved_model.pb").write_text(text)
        store.publish(Artifact.write(folder, file="model", name="m", format="saved_model", numeric="float32"), "m")
    store.label("m", "live", 1)
    return store


def given(command: str, program: str, folder: Path) -> list[str]:
    """Run the lines in a folder with another program in place of the real one; return its arguments."""
    import shlex
    import sys

    place = folder / "bin"
    place.mkdir(parents=True)
    (place / program).write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(SHOW)} "$@"\n')
    (place / program).chmod(0o755)
    done = subprocess.run(
        ["sh", "-e"], input=command, cwd=folder, env={"PATH": f"{place}:/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout)
    return found


def test_binary(store: Store, tmp_path: Path) -> None:
    settings = ServeSettings(name="m", port=8700, cors=True, batching={"mode": "on"})
    flags = given(print_command("binary", settings, store, [1, 2]), "tensorflow_model_server", tmp_path / "there")
    assert {"--rest_api_port=8700", "--port=8500", "--model_config_file=models.config"} <= {*flags}
    assert {"--enable_batching=true", "--rest_api_enable_cors_support=true"} <= {*flags}
    said = (tmp_path / "there" / "models.config").read_text()
    assert f'base_path: "{store.base / "m"}"' in said
    assert "specific { versions: 1 versions: 2 }" in said
    assert 'version_labels { key: "live" value: 1 }' in said
    assert "max_batch_size { value: 64 }" in (tmp_path / "there" / "batching.config").read_text()


def test_docker(store: Store, tmp_path: Path) -> None:
    settings = ServeSettings(name="m", port=9000, policy="latest", num_versions=2)
    parts = given(print_command("docker", settings, store, [2]), "docker", tmp_path / "there")
    image = parts.index("tensorflow/serving")
    assert parts[:3] == ["run", "--rm", "-p"]
    command = print_command("docker", settings, store, [2])
    assert "docker run --rm \\\n  -p 127.0.0.1:9000:8501 \\\n" in command  # an option and its value are one line
    assert "\\\n  tensorflow/serving \\\n  --port=" in command
    assert "127.0.0.1:9000:8501" in parts[:image]
    assert f"{store.base / 'm'}:/models/m:ro" in parts[:image]
    assert "--rest_api_port=8501" in parts[image:]
    said = (tmp_path / "there" / "models.config").read_text()
    assert 'base_path: "/models/m"' in said
    assert "latest { num_versions: 2 }" in said


def test_kserve(store: Store, tmp_path: Path) -> None:
    command = print_command("kserve", ServeSettings(name="m"), store, [1])
    assert given(command, "kubectl", tmp_path / "there") == ["apply", "-f", "-"]
    assert "kind: InferenceService" in command
    assert "storageUri: pvc://models/m" in command


def test_what_cannot_be_served_there_is_refused(store: Store, tiny_onnx: Artifact) -> None:
    with pytest.raises(BadInputError, match="print_command must be one of docker, binary, kserve, got 'podman'"):
        print_command("podman", ServeSettings(name="m"), store, [1])  # type: ignore[arg-type]
    store.publish(tiny_onnx, "tiny")
    with pytest.raises(BadInputError, match="must be a SavedModel"):
        print_command("docker", ServeSettings(name="tiny"), store, [1])
    keys = {"api_keys": {"0" * 64: "predict"}}
    with pytest.raises(BadInputError, match="which knows no keys"):
        print_command("binary", ServeSettings(name="m", security=keys), store, [1])
