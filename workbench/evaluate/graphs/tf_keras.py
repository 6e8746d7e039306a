"""Graphs of `.keras` archives of tf_keras."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, ClassVar

from workbench.evaluate.graphs.base import GraphReader
from workbench.evaluate.graphs.keras_graph import FAMILY, keras_graph
from workbench.evaluate.graphs.keras_weights import ArchiveWeights

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.evaluate.graphs.base import ModelGraph


class TfKerasGraph(GraphReader):
    """Reads `.keras` with h5py: configuration and weights, no layer is built."""

    family: ClassVar[str] = FAMILY

    def read(self, path: Path) -> ModelGraph:
        """Read layers and weights.

        Raises:
            MissingExtraError: h5py is not installed.
            BadInputError: The model is neither Sequential nor functional.
        """
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read("config.json"))
        return keras_graph(description, ArchiveWeights(path))
