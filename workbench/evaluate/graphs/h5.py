"""Graphs of legacy `.h5` files of Keras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from workbench.core.errors import BadInputError
from workbench.evaluate.graphs.base import GraphReader
from workbench.evaluate.graphs.keras_graph import FAMILY, keras_graph
from workbench.evaluate.graphs.keras_weights import H5Weights, require_h5py

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.evaluate.graphs.base import ModelGraph


class H5Graph(GraphReader):
    """Reads `.h5` with h5py: configuration and weights, no layer is built."""

    family: ClassVar[str] = FAMILY

    def read(self, path: Path) -> ModelGraph:
        """Read layers and weights.

        Raises:
            MissingExtraError: h5py is not installed.
            BadInputError: It holds weights only, or the model is neither Sequential nor functional.
        """
        with require_h5py("Reading an .h5 file").File(path) as file:
            description = file.attrs.get("model_config")
            if description is None:
                raise BadInputError.of(
                    path.name, rule="must hold a model, not its weights only", got="no model_config",
                    hint="save it with model.save(path)",
                )  # fmt: skip
            return keras_graph(json.loads(description), H5Weights(file))
