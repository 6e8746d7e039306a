"""A model as a Ray Serve application, and the handle to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from workbench.core.errors import ServingError
from workbench.core.workspace import Workspace
from workbench.serve.client import client
from workbench.serve.config.model_config import ModelConfig, Specific
from workbench.serve.on_ray.cluster import connect
from workbench.serve.on_ray.replica import build_door
from workbench.serve.on_ray.settings import Replicas
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from starlette.types import ASGIApp

    from workbench.core.artifact import Artifact
    from workbench.serve.client import Client

_HOST = "127.0.0.1"
_PORT = 8000  # Ray's own


def serve_on_ray(
    artifact: Artifact | Mapping[int, Artifact],
    name: str = "model",
    *,
    port: int = 0,
    replicas: Replicas | None = None,
    settings: ServeSettings | None = None,
    address: str | None = None,
    workspace: Workspace | None = None,
) -> RayServer:
    """Publish a model in the workspace's store and serve it with Ray Serve; returns when its replicas answer.

    Ray's own proxy stands before the replicas and costs several milliseconds of CPU a request: it is for models that
    take longer than that, or need more machines. `serve_on_nodes` puts the plain server on each node instead.

    Args:
        artifact: The model, which becomes the next version, or one for each version number.
        name: Model name in the URL and in the store; also the Ray application's.
        port: TCP port of Ray's proxy, 8000 where 0; a cluster that has a proxy already keeps that one.
        replicas: How many, and when more.
        settings: Limits, keys, batching and so on; ports and workers are Ray's matter.
        address: The cluster; None joins the one at hand or starts one on this machine.
        workspace: Where the store is; with several nodes a folder that all of them see.

    Raises:
        BadInputError: The artifact cannot be served, Ray is missing, or a setting breaks its rule.
        ServingError: The application did not come up; the message says why.
    """
    workspace = Workspace.of(workspace)
    store = Store.of(workspace)
    versions = store.publish_all(artifact, name)
    asked = (settings or ServeSettings()).replace(name=name, port=port or _PORT)
    server = RayServer(asked, replicas or Replicas(), store, connect(address))
    server.deploy(versions)
    return server


class RayServer:
    """The handle to a model's application in a Ray cluster.

    Attributes:
        settings: What was asked.
        versions: Versions it serves.
    """

    def __init__(self, settings: ServeSettings, replicas: Replicas, store: Store, ray: Any) -> None:
        self.settings = settings
        self.versions: tuple[int, ...] = ()
        self._replicas = replicas
        self._store = store
        self._ray = ray
        self._client: Client | None = None

    @property
    def name(self) -> str:
        """Model name, and the application's."""
        return self.settings.name

    @property
    def url(self) -> str:
        """Address of Ray's proxy with the application's prefix."""
        return f"http://{_HOST}:{self.settings.port}"

    @property
    def client(self) -> Client:
        """A client for the model served."""
        if self._client is None:
            self._client = client(self.url, self.name)
        return self._client

    @property
    def state(self) -> str:
        """Ray's word for the application: `RUNNING` where it answers."""
        from ray import serve

        found = serve.status().applications.get(self.name)
        return "NOT_STARTED" if found is None else str(found.status.value)

    @property
    def replicas(self) -> int:
        """Replicas that answer now."""
        from ray import serve

        found = serve.status().applications.get(self.name)
        deployments = found.deployments.values() if found is not None else ()
        return sum(each.replica_states.get("RUNNING", 0) for each in deployments)

    def deploy(self, versions: list[int]) -> None:
        """Serve these versions of the store; Ray exchanges the replicas one after the other, none waits.

        Raises:
            ServingError: They did not come up; what was served before goes on.
        """
        from ray import serve

        config = ModelConfig(
            name=self.name, base_path=str(self._store.base / self.name), policy=Specific(versions=tuple(versions)),
            labels={label: each for label, each in self._store.labels(self.name).items() if each in versions},
        )  # fmt: skip
        configs, settings = [config.model_dump(mode="json")], self.settings.model_dump(mode="json")

        def door() -> ASGIApp:  # Ray takes only a function without arguments for one that makes the application
            return build_door(configs, settings)

        replica = serve.deployment(**self._replicas.options())(serve.ingress(door)(_Door))
        serve.start(http_options={"host": _HOST, "port": self.settings.port})
        try:
            serve.run(replica.bind(), name=self.name, route_prefix="/")
        except RuntimeError as error:
            raise ServingError(f"the application {self.name} did not come up: {_reason(error)}") from error
        self.versions = tuple(sorted(versions))

    def publish(self, artifact: Artifact) -> int:
        """Serve an artifact as the next version, and return its number; requests meanwhile are answered by the old."""
        version = self._store.publish(artifact, self.name)
        self.deploy([*self.versions[1:], version])
        return version

    def stop(self) -> None:
        """End the application; the cluster stays."""
        from ray import serve

        if self._client is not None:
            self._client.close()
        serve.delete(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"RayServer({self.name!r}, {self.state}, {self.url})"


class _Door:
    """What Ray makes replicas of; the ingress application does the work."""


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "no reason given")
