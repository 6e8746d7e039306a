"""What every job finds imported: a forkserver that has loaded the frameworks once and never ran an operation.

Each job is forked from it, ready in hundredths of a second and with only its own megabytes. Where fork does not
exist, jobs are spawned and import what they need. Dask calls `dask_setup` when our worker starts.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from functools import lru_cache
from importlib.util import find_spec
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any

VARIABLE = "WORKBENCH_PRELOAD"
_FRAMEWORKS = ("tensorflow", "tf_keras", "tensorflow_model_optimization", "tf2onnx", "ai_edge_quantizer")


def environment() -> dict[str, str]:
    """Return what must be set before the frameworks are first imported.

    tfmot needs the Keras that TensorFlow had up to 2.15; Dask would hold each worker to one thread of BLAS; and a Keras
    3 model becomes a graph of TensorFlow on that backend only, whichever its owner works with.
    """
    cores = str(os.cpu_count() or 1)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), cores)
    return {"TF_USE_LEGACY_KERAS": "1", "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "1", **threads}


def modules() -> list[str]:
    """Return what is to be imported: the installed ones of our frameworks, or those `WORKBENCH_PRELOAD` lists."""
    chosen = os.environ.get(VARIABLE)
    names = _FRAMEWORKS if chosen is None else tuple(filter(None, chosen.split(",")))
    return [name for name in names if name in sys.modules or find_spec(name) is not None]


@lru_cache(maxsize=1)
def context() -> ForkServerContext | SpawnContext:
    """Return how this process starts jobs."""
    os.environ.update(environment())
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["workbench.jobs.child", *modules()])
    return forking


def warm() -> None:
    """Start the forkserver, which begins to import by itself."""
    if isinstance(context(), ForkServerContext):
        from multiprocessing.forkserver import ensure_running

        ensure_running()


def make_up() -> list[str]:
    """Import in a job what its forkserver should have; it swallows a failed import without a word.

    Returns:
        A sentence for each module that was missing.
    """
    said = []
    for name in modules():
        if name in sys.modules:
            continue
        try:
            importlib.import_module(name)
            said.append(f"{name} was not preloaded; this job imported it itself.")
        except Exception as error:  # noqa: BLE001 - a broken framework must not fail a job that may not need it
            said.append(f"{name} cannot be imported here ({type(error).__name__}: {error}).")
    return said


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - Dask's signature
    """Warm up as soon as the worker is there, before the first job is."""
    warm()
