"""The command that serves the same folder with the same options elsewhere."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from workbench.core.errors import BadInputError
from workbench.serve.catalogue import Catalogue
from workbench.serve.original.options import BINARY, flags, texts
from workbench.serve.original.requirement import require_saved_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.serve.settings import ServeSettings
    from workbench.serve.store import Store

Target = Literal["docker", "binary", "kserve"]

_PORTS = {"rest": 8501, "grpc": 8500}
_IMAGE = "tensorflow/serving"
_INSIDE = PurePosixPath("/models")


def print_command(target: Target, settings: ServeSettings, store: Store, versions: Sequence[int]) -> str:
    """Return shell lines that serve versions of a store as our sandbox would.

    Args:
        target: `docker` or `binary` for TensorFlow Serving, `kserve` for a cluster that has KServe.
        settings: What our server would be told; a port of 0 becomes TensorFlow Serving's usual one.
        store: Where the models lie.
        versions: Which are served.

    Raises:
        BadInputError: There is no such target, or it cannot serve these versions with these settings.
    """
    require_target(target)
    makers = {"docker": _docker, "binary": _binary, "kserve": _kserve}
    require_saved_models(settings.name, store, versions)
    return makers[target](settings, store, versions)


def require_target(target: str) -> None:
    """Hold the name of a target to those there are, before anything is written.

    Raises:
        BadInputError: There is no such target.
    """
    if target not in get_args(Target):
        raise BadInputError.of("print_command", rule=f"must be one of {', '.join(get_args(Target))}", got=target)


def _binary(settings: ServeSettings, store: Store, versions: Sequence[int]) -> str:
    (config,) = Catalogue(settings, store.base, versions).configs()
    files = texts(settings, config)
    ports = _ports(settings)
    lines = [_written(name, text) for name, text in files.items()]
    given = flags(settings, ports, {name: name for name in files})
    return "".join(lines) + _command([[BINARY], *([flag] for flag in given)])


def _docker(settings: ServeSettings, store: Store, versions: Sequence[int]) -> str:
    (config,) = Catalogue(settings, store.base, versions).configs()
    inside = config.replace(base_path=str(_INSIDE / settings.name))
    files = texts(settings, inside)
    ports = _ports(settings)
    command = [["docker", "run", "--rm"]]
    # The original listens on every address of its machine; the container's is reached from ours alone.
    command += [["-p", f"{settings.host}:{port}:{_PORTS[door]}"] for door, port in ports.items()]
    command += [["-v", f"{config.base_path}:{inside.base_path}:ro"]]
    command += [["-v", f"./{name}:{_INSIDE / name}:ro"] for name in files]
    given = flags(settings, _PORTS, {name: str(_INSIDE / name) for name in files})
    command += [[_IMAGE], *([flag] for flag in given)]
    return "".join(_written(name, text) for name, text in files.items()) + _command(command)


def _kserve(settings: ServeSettings, store: Store, versions: Sequence[int]) -> str:
    del versions  # the cluster's TensorFlow Serving takes the newest
    name = settings.name.lower().replace("_", "-").replace(".", "-")
    manifest = f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
spec:
  predictor:
    minReplicas: 1
    timeout: {round(settings.limits.request_seconds)}
    model:
      modelFormat:
        name: tensorflow
      storageUri: pvc://models/{settings.name}
"""
    return (
        f"# The claim `models` must hold what lies in {store.base / settings.name}.\n"
        f"kubectl apply -f - <<'EOF'\n{manifest}EOF\n"
    )


def _ports(settings: ServeSettings) -> dict[str, int]:
    ports = {"rest": settings.port or _PORTS["rest"]}
    if settings.grpc_port is not None:
        ports["grpc"] = settings.grpc_port or _PORTS["grpc"]
    return ports


def _written(name: str, text: str) -> str:
    return f"cat > {name} <<'EOF'\n{text}EOF\n"


def _command(lines: Sequence[Sequence[str]]) -> str:
    # An option and its value are one line.
    return " \\\n  ".join(map(shlex.join, lines)) + "\n"
