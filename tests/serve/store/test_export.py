"""A version of the store in MLflow's registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError, MissingExtraError, ServingError
from workbench.core.records import Override

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.serve.store import Store


@pytest.fixture
def filled(store: Store, make: Callable[[str], Artifact]) -> Store:
    store.publish(make("a"), "m", override=Override(who="anna", why="a test"))
    return store


def test_without_an_address_there_is_nowhere_to_export_to(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(BadInputError, match="MLFLOW_TRACKING_URI must be set to export"):
        filled.export("m", 1)
    with pytest.raises(BadInputError, match="version must be one of 1, got 2"):
        filled.export("m", 2)


def test_without_mlflow_the_extra_is_named(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lastmile-workbench\[mlflow\]'"):
        filled.export("m", 1)
    assert [each.action for each in filled.history("m")] == ["publish"]


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_version_is_registered(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    address = (tmp_path / "tracking").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert filled.export("m", 1, by="anna") == "models:/m/1"
    assert filled.export("m", 1) == "models:/m/2"  # MLflow's numbers are its own
    client = mlflow.MlflowClient(address, address)
    found = client.get_model_version("m", "1")
    assert (found.tags["workbench.version"], found.tags["workbench.gate"]) == ("1", "overridden")
    assert {file.path for file in client.list_artifacts(found.run_id, "model")} == {
        "model/manifest.json", "model/model.onnx"
    }  # fmt: skip
    assert filled.history("m")[1].sentence == "version 1 exported (by anna: models:/m/1)"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "file" / "no folder").as_uri())
    with pytest.raises(ServingError, match="did not take version 1 of m"):
        filled.export("m", 1)
