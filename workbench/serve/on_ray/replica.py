"""What runs inside a Ray replica: the models of a store, loaded once, behind the REST and v2 doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import ServingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.models import Models
    from workbench.serve.servable import Servable


def build_door(configs: list[dict[str, Any]], settings: dict[str, Any]) -> ASGIApp:
    """Load the models and return the application that answers for them; Ray calls this in each replica.

    A replica's models never change: another version is another deployment, which Ray rolls out replica by replica.

    Args:
        configs: `ModelConfig`s as JSON.
        settings: `ServeSettings` as JSON.

    Raises:
        ServingError: A version cannot be loaded; the deployment then fails with the same sentence.
    """
    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.control import NoControl
    from workbench.serve.counters import Counters
    from workbench.serve.inference import Inference
    from workbench.serve.models import Models
    from workbench.serve.rest.app import rest_app
    from workbench.serve.settings import ServeSettings
    from workbench.serve.versions.making import maker

    asked = ServeSettings.parse(settings)
    models, counters = Models({}), Counters()
    for each in configs:
        _load(ModelConfig.parse(each), maker(asked, counters), models)
    inference = Inference(models, counters, asked.batching)
    return rest_app(
        inference, NoControl(models), asked.limits, asked.security, cors=asked.cors, metrics_path=asked.metrics_path
    )


def _load(config: ModelConfig, make: Callable[[str, int, Path], Servable], models: Models) -> None:
    from workbench.serve.versions.source import Source

    found = Source().look(config) or {}
    if not found:
        raise ServingError(
            f"the store of {config.name} holds none of the versions to serve; nodes must share its folder."
        )
    for version, folder in found.items():
        servable = make(config.name, version, folder)
        servable.load()
        if servable.error is not None:
            raise ServingError(servable.error)
        models.add(servable)
    models.set_labels(config.name, config.labels)
