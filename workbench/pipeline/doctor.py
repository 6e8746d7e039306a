"""The environment's doctor: what is installed, what works with it, and the command that mends the rest.

Nothing is imported for it but the converters: packages are read from their metadata, so that a broken one is told of
and not met.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from workbench.convert.edges import edges_here
from workbench.core.artifact import cpu_name
from workbench.core.errors import WorkspaceError
from workbench.core.records.environment import Ability, Environment, Machine, PackageFacts
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = "lastmile-workbench"
_TRAIN = ("tensorflow", "tf_keras", "keras", "tensorflow-model-optimization")
_PANEL = ("ipywidgets", "anywidget", "plotly", "ipykernel")
# What each needs; the extra that brings it is read from our own metadata.
_ABILITIES: dict[str, tuple[str, ...]] = {
    "panel: train": (*_PANEL, *_TRAIN),
    "panel: evaluate": (*_PANEL, *_TRAIN),
    "panel: data": (*_PANEL, "scikit-learn"),
    "panel: compress": (*_PANEL, *_TRAIN, "onnx", "onnxruntime"),
    "panel: sweep": (*_PANEL, *_TRAIN, "optuna"),
    "panel: convert": (*_PANEL, "onnx", "onnxruntime", "ai-edge-litert"),
    "panel: serve": (*_PANEL, "starlette", "uvicorn", "onnxruntime"),
    "panel: monitor": (*_PANEL, "scipy"),
    "panel: draw": (*_PANEL, "onnxruntime", "ai-edge-litert"),
    "panel: stepper": _PANEL,
    "dashboards": (*_PANEL, "voila", "jupyter-server"),
    "notebooks in JupyterLab": (*_PANEL, "jupyterlab"),
    "training and compression": _TRAIN,
    "datasets of scikit-learn": ("scikit-learn",),
    "sweeps and searches": (*_TRAIN, "optuna"),
    "models of PyTorch": ("torch", "onnxscript"),
    "live slider": ("onnx", "onnxruntime"),
    "quantising TFLite files": ("ai-edge-litert", "ai-edge-quantizer"),
    "packing": ("constriction",),
    "serving": ("starlette", "uvicorn", "onnxruntime", "ai-edge-litert"),
    "dashboards behind a hub": ("jupyter-server-proxy",),
}
_ALSO = ("numpy", "protobuf", "tf2onnx", "distributed", "pydantic", "h5py")
_FEATURES = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
    "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
_LEAST_DISK, _LEAST_MEMORY = 5 * 2**30, 4 * 2**30
_SECONDS_FOR_DRIVER = 5


def doctor(workspace: Workspace | None = None) -> Environment:
    """Look at the machine and the installation.

    Args:
        workspace: Whose disk is looked at; None is the default one.
    """
    home = Workspace.of(workspace)
    names = dict.fromkeys([*(name for needed in _ABILITIES.values() for name in needed), *_ALSO])
    ours = _ours()
    packages = tuple(_package(name, ours) for name in names)
    known = {each.name: each for each in packages}
    machine = _machine(home)
    return Environment(
        machine=machine,
        packages=packages,
        abilities=tuple(_ability(name, [known[each] for each in needed]) for name, needed in _ABILITIES.items()),
        edges=edges_here(),
        warnings=tuple(_warnings(machine, home)),
    )


def _package(name: str, ours: dict[str, str | None]) -> PackageFacts:
    brought = canonicalize_name(name) in ours
    extra = ours.get(canonicalize_name(name))
    needed = brought and extra is None
    try:
        found = version(name)
    except PackageNotFoundError:
        mend = f"pip install '{_OURS}[{extra}]'" if extra else f"pip install {name}"
        return PackageFacts(name=name, version=None, needed=needed, mend=mend)
    conflict, mend = _conflict(name)
    return PackageFacts(name=name, version=found, needed=needed, conflict=conflict, mend=mend)


def _ours() -> dict[str, str | None]:
    """Return what our own metadata asks for: package to extra, None where the base installation brings it."""
    found: dict[str, str | None] = {}
    with contextlib.suppress(PackageNotFoundError):
        for wanted in map(Requirement, requires(_OURS) or ()):
            extra = (
                str(wanted.marker).rpartition("extra == ")[2].strip("\"' ") if "extra" in str(wanted.marker) else None
            )
            found.setdefault(canonicalize_name(wanted.name), extra)
    return found


def _conflict(name: str) -> tuple[str, str]:
    """Return what an installed package needs otherwise than it is, and the command that mends it."""
    for line in requires(name) or ():
        with contextlib.suppress(InvalidRequirement, PackageNotFoundError):
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            found = version(wanted.name)
            if not wanted.specifier.contains(found, prereleases=True):
                needed = f"{wanted.name}{wanted.specifier}"
                return f"{name} needs {needed}, and {found} is installed.", f"pip install '{needed}'"
    return "", ""


def _ability(name: str, needed: list[PackageFacts]) -> Ability:
    missing = [each for each in needed if each.version is None]
    if missing:
        reason = f"{', '.join(each.name for each in missing)} not installed."
        return Ability(name=name, works=False, reason=reason, mend=missing[0].mend)
    at_odds = next((each for each in needed if each.conflict), None)
    if at_odds is not None:
        return Ability(name=name, works=True, reason=f"It may fail: {at_odds.conflict}", mend=at_odds.mend)
    return Ability(name=name, works=True)


def _machine(workspace: Workspace) -> Machine:
    memory = psutil.virtual_memory()
    place = next(folder for folder in (workspace.home, *workspace.home.parents) if folder.exists())
    return Machine(
        python=platform.python_version(),
        system=platform.platform(),
        cpu=cpu_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        features=_features(),
        memory_bytes=memory.total,
        memory_free_bytes=memory.available,
        home=str(workspace.home),
        disk_free_bytes=shutil.disk_usage(place).free,
        gpus=_gpus(),
    )


def _features() -> tuple[str, ...]:
    flags: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                flags |= set(line.partition(":")[2].split())
    return tuple(name for name in _FEATURES if name in flags)


def _gpus() -> tuple[str, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        said = subprocess.run(  # noqa: S603 - the driver's own program
            [program, "-L"], capture_output=True, text=True, timeout=_SECONDS_FOR_DRIVER, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.partition(" (UUID")[0] for line in said.splitlines() if line.startswith("GPU"))


def _warnings(machine: Machine, workspace: Workspace) -> Iterator[str]:
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield "PYTHONDONTWRITEBYTECODE is set: every import takes two to three times as long; unset it."
    if os.environ.get("TF_USE_LEGACY_KERAS"):
        yield "TF_USE_LEGACY_KERAS is set, so that `tf.keras` is tf_keras here; jobs set it for themselves: unset it."
    if machine.disk_free_bytes < _LEAST_DISK:
        yield f"Only {machine.disk_free_bytes / 2**30:.1f} GiB are free where the workspace lies ({machine.home})."
    if machine.memory_free_bytes < _LEAST_MEMORY:
        free = f"{machine.memory_free_bytes / 2**30:.1f} GiB"
        yield f"Only {free} of memory are free; a job that trains with TensorFlow takes about 1."
    try:
        workspace.ensure()
    except WorkspaceError as error:
        yield str(error)
