"""A version of the store in an MLflow model registry."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, MissingExtraError, ServingError, WorkbenchError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.records.store import StoredVersion

_VARIABLE = "MLFLOW_TRACKING_URI"
_EXPERIMENT = "lastmile-workbench"
_LONGEST_REASON = 400


def export_version(name: str, folder: Path, stands: StoredVersion) -> str:
    """Upload a version folder as a run's files and register it; return the registered version's address.

    The registry counts versions itself; the tag `workbench.version` holds ours.

    Raises:
        BadInputError: `MLFLOW_TRACKING_URI` is not set.
        MissingExtraError: MLflow is not installed.
        ServingError: The MLflow server refused it.
    """
    uri = os.environ.get(_VARIABLE, "")
    if not uri:
        raise BadInputError.of(
            _VARIABLE, rule="must be set to export", got=uri, hint="set it to the address of an MLflow server"
        )
    try:
        mlflow: Any = import_module("mlflow")
        errors: Any = import_module("mlflow.exceptions")
    except ImportError:
        raise MissingExtraError.of("Exporting a model", "mlflow", "mlflow") from None
    try:
        return _exported(mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri), name, folder, stands)
    except (errors.MlflowException, OSError, ImportError) as error:  # a database needs packages of its own
        reason = " ".join(str(error).split())[:_LONGEST_REASON].rstrip(".")
        raise ServingError(f"MLflow at {uri} did not take version {stands.version} of {name}: {reason}.") from error


def _exported(client: Any, name: str, folder: Path, stands: StoredVersion) -> str:
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    where = experiment.experiment_id if experiment is not None else client.create_experiment(_EXPERIMENT)
    tags = {"workbench.version": str(stands.version), "workbench.gate": stands.gate, "workbench.sha256": stands.sha256}
    run = client.create_run(where, run_name=f"{name}-{stands.version}", tags=tags)
    number = run.info.run_id
    client.log_param(number, "format", stands.format)
    client.log_param(number, "numeric", stands.numeric)
    for key, value in _metrics(folder).items():
        client.log_metric(number, key, value)
    client.log_artifacts(number, str(folder), "model")
    client.set_terminated(number)
    if not any(model.name == name for model in client.search_registered_models(f"name='{name}'")):
        client.create_registered_model(name)
    source = f"{run.info.artifact_uri}/model"
    made = client.create_model_version(name, source, number, tags=tags)
    return f"models:/{name}/{made.version}"


def _metrics(folder: Path) -> dict[str, float]:
    try:
        found = Artifact.load(folder).metrics
    except WorkbenchError:  # laid there by somebody else
        return {}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float)}
