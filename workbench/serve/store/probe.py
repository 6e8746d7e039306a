"""The process that tries a version: `python -m workbench.serve.store.probe FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.evaluate.probe import limit_memory
from workbench.serve.engines.opening import open_engine
from workbench.serve.servable import Servable
from workbench.serve.spread import GRAPH

_BYTES_ALWAYS, _BYTES_A_BYTE = 2 * 2**30, 8


def main(path: str) -> None:
    """Load a version, warm it up and end; what is wrong with it is said on standard output."""
    folder = Path(path)
    if not (folder / GRAPH).is_file():  # TensorFlow reserves far more than it takes
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        limit_memory(_BYTES_ALWAYS + _BYTES_A_BYTE * size)
    servable = Servable(folder.parent.name, int(folder.name), lambda: open_engine(folder, threads=1, foreign=True))
    servable.load()
    if servable.error is not None:
        print(servable.error, flush=True)  # noqa: T201 - how it tells its parent
    os._exit(0 if servable.error is None else 1)


if __name__ == "__main__":
    main(sys.argv[1])
