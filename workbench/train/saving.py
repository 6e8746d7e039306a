"""Write a model so that the same weights give the same bytes."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.workspace import write_atomic, writing

_METADATA = "metadata.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(model: Any, path: Path) -> None:
    """Write a tf_keras model to a `.keras` file, atomically, without optimizer state.

    Dates are set to a fixed one, so the file's sha256 is the address of its content. A mask leaves −0.0 where it meets
    a negative weight, which is equal to zero but not the same bytes, and costs a file dearly once it is gzip'd or
    packed: it is written as 0.0.

    Args:
        model: Functional or Sequential.
        path: Ends in `.keras`.

    Raises:
        WorkspaceError: The disk refused it; nothing is left behind.
    """
    import tf_keras

    bare = tf_keras.models.clone_model(model)
    bare.set_weights([np.where(weight == 0, np.zeros_like(weight), weight) for weight in model.get_weights()])
    save_undated(bare, path)


def save_undated(model: Any, path: Path) -> None:
    """Write a model of either Keras to a `.keras` file as it is, atomically, with all dates set to a fixed one.

    Raises:
        WorkspaceError: The disk refused it; nothing is left behind.
    """
    with writing(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        draft = Path(folder) / "model.keras"
        model.save(draft)
        data = _undated(draft)
    write_atomic(path, data)


def _undated(draft: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == _METADATA:
                data = json.dumps(json.loads(data) | {"date_saved": "1980-01-01@00:00:00"}).encode()
            target.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()
