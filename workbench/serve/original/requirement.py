"""What the original needs to serve a model, said before anything is started."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, ServingError
from workbench.serve.original.options import BINARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.settings import ServeSettings
    from workbench.serve.store import Store


def require_original(settings: ServeSettings, store: Store, versions: Sequence[int]) -> None:
    """Hold a wish for the original to what it can do.

    Args:
        settings: What is asked.
        store: Where the models lie.
        versions: Which versions it shall serve.

    Raises:
        BadInputError: A version is no SavedModel, the only format that it opens.
        ServingError: It is not installed.
    """
    require_saved_models(settings.name, store, versions)
    if shutil.which(BINARY) is None:
        raise ServingError(
            f"{BINARY} is not on PATH; install TensorFlow's package tensorflow-model-server, take the line that "
            '`workbench serve --print-command docker` prints, or leave out engine="tensorflow-serving".'
        )


def require_saved_models(name: str, store: Store, versions: Sequence[int]) -> None:
    """Hold versions to being SavedModels.

    Raises:
        BadInputError: One is not.
    """
    folders = store.versions(name)
    for version in versions:
        if version not in folders or not (folders[version] / "saved_model.pb").is_file():
            raise BadInputError.of(
                "artifact", rule="must be a SavedModel for tensorflow-serving, which opens nothing else",
                got=f"version {version} of {name}",
                hint='convert it with `workbench.convert(artifact, "saved_model")`',
            )  # fmt: skip
