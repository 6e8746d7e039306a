"""Which role a request needs.

Health stays open, for whoever starts the server must be able to ask whether it is alive. What changes the server
(reload, load, unload) is for admins. All else, metrics, status and metadata included, needs a key that may predict:
they name the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from workbench.serve.security.settings import Role

_OPEN_PATHS = frozenset({"/healthz", "/v2/health/live", "/v2/health/ready"})
_REPOSITORY = "/v2/repository"
_REPOSITORY_READ = "/v2/repository/index"
_OPEN_RPCS = frozenset({"ServerLive", "ServerReady"})
_READ_RPCS = frozenset(
    {
        *("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata", "GetModelStatus"),
        *("ServerMetadata", "ModelReady", "ModelMetadata", "ModelInfer", "ModelStreamInfer", "ModelStatistics"),
        *("ModelConfig", "RepositoryIndex"),
    }
)


def role_of_path(path: str) -> Role | None:
    """Return the role that an HTTP path needs, None where it is open to everyone.

    Args:
        path: The path as it was sent, percent-encoded, without the query.
    """
    if path in _OPEN_PATHS:
        return None
    # However it is spelled: a router may be more generous than this list.
    plain = unquote(path).lower()
    return "admin" if plain.startswith(_REPOSITORY) and plain != _REPOSITORY_READ else "predict"


def role_of_rpc(method: str) -> Role | None:
    """Return the role that a gRPC method needs, None where it is open to everyone.

    Args:
        method: Full name, e.g. `/tensorflow.serving.PredictionService/Predict`.
    """
    service, _, name = method.lstrip("/").rpartition("/")
    if service.startswith("grpc.health.") or name in _OPEN_RPCS:
        return None
    return "predict" if name in _READ_RPCS else "admin"
