"""What a new configuration may ask, in TensorFlow Serving's words where it may not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from workbench.serve.control import Refusal
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.versions.served_model import ServedModel

LabelRule = Literal["available", "new", "loaded"]
"""When a label may be set: to versions that answer already (TensorFlow Serving's rule); a label that is new, to any
version (its `--allow_version_labels_for_unavailable_models`); or as soon as its version has been loaded."""


def check_names(configs: Iterable[ModelConfig]) -> None:
    """Refuse two models of one name.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    for name, times in Counter(config.name for config in configs).items():
        if times > 1:
            raise invalid(f"Illegal to list model {name} multiple times in config list")


def check_labels(configs: Iterable[ModelConfig], models: Mapping[str, ServedModel], *, new_may_wait: bool) -> None:
    """Refuse labels for versions that do not answer yet.

    Args:
        configs: What is asked.
        models: What there is.
        new_may_wait: A label that means nothing yet may be given to any version.

    Raises:
        RequestError: FAILED_PRECONDITION.
    """
    for config in configs:
        model = models.get(config.name)
        available = model.available() if model is not None else set()
        known = model.labels if model is not None else {}
        for label, version in config.labels.items():
            may_wait = new_may_wait and known.get(label, version) == version
            if version not in available and not may_wait:
                raise RequestError(Code.FAILED_PRECONDITION, _not_for(config.name, version))


def unset_labels(models: Mapping[str, ServedModel]) -> list[Refusal]:
    """Return the labels that are asked and could not be set, because their versions do not answer."""
    return [
        Refusal(name=name, version=version, label=label, reason=_not_for(name, version))
        for name, model in sorted(models.items())
        for label, version in sorted(model.config.labels.items())
        if model.labels.get(label) != version
    ]


def not_available(models: list[ServedModel]) -> str:
    """Return the sentence for models that have no version that answers."""
    parts = []
    for model in models:
        name = model.config.name
        failures = [
            f"{{{{name: {name} version: {one.version}}} due to error: {one.reason}}}" for one in model.failures()
        ]
        parts += failures or [f"{{{{name: {name}}} due to error: no versions found}}"]
    return f"{len(models)} model(s) did not become available: {{{', '.join(parts)}}}"


def _not_for(name: str, version: int) -> str:
    return (
        f"Request to assign label to version {version} of model {name}, which is not currently available for inference"
    )
