"""The plain server on every node of a Ray cluster, each with a port of its own: no proxy stands before it.

For a model that answers in a fraction of a millisecond Ray Serve's proxy is the larger part of a request; here Ray only
starts the servers, restarts them where a node comes back, and knows where they are. A load balancer, or the client
itself, chooses among their addresses.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from workbench.core.artifact import Artifact
from workbench.core.errors import ServingError
from workbench.core.workspace import Workspace
from workbench.serve.on_ray.cluster import connect
from workbench.serve.settings import ServeSettings

if TYPE_CHECKING:
    from types import TracebackType

_START_SECONDS = 60.0


def serve_on_nodes(
    artifact: Artifact,
    name: str = "model",
    *,
    settings: ServeSettings | None = None,
    cpus: float = 1.0,
    address: str | None = None,
    workspace: Workspace | None = None,
) -> NodeServers:
    """Serve a model with one server on every node that is up; returns when all of them answer.

    Args:
        artifact: The model.
        name: Model name in the URL and in the store.
        settings: As for `workbench.serve`; nodes reach each other only over a wider `host`, which needs keys.
        cpus: Cores that each server takes from its node.
        address: The cluster; None joins the one at hand or starts one on this machine.
        workspace: Where the store and the run folders are; with several nodes a folder that all of them see.

    Raises:
        BadInputError: The artifact cannot be served, Ray is missing, or a setting breaks its rule.
        ServingError: A node's server did not start; the others are stopped.
    """
    workspace = Workspace.of(workspace)
    asked = (settings or ServeSettings()).replace(name=name)
    ray = connect(address)
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote = ray.remote(num_cpus=cpus)(NodeServer)
    actors = []
    for node in ray.nodes():
        if node["Alive"]:
            pinned = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            actor = remote.options(scheduling_strategy=pinned).remote(
                str(artifact.folder), asked.model_dump(mode="json"), str(workspace.home)
            )
            actors.append(actor)
    servers = NodeServers(ray, actors)
    try:
        servers.urls = tuple(ray.get([actor.url.remote() for actor in actors], timeout=_START_SECONDS))
    except ray.exceptions.RayError as error:
        servers.stop()
        raise ServingError(f"a node's server of {name} did not start: {error.__cause__ or error}") from error
    return servers


class NodeServer:
    """One node's server; Ray makes an actor of it."""

    def __init__(self, folder: str, settings: dict[str, Any], home: str) -> None:
        from pathlib import Path

        from workbench.serve.sandbox import serve

        asked = ServeSettings.parse(settings)
        given = {name: getattr(asked, name) for name in asked.model_fields_set - {"name"}}
        self._sandbox = serve(Artifact.load(Path(folder)), asked.name, workspace=Workspace.at(Path(home)), **given)

    def url(self) -> str:
        """Return the server's address."""
        address: str = self._sandbox.url
        return address

    def stop(self) -> None:
        """End the server."""
        self._sandbox.stop()


class NodeServers:
    """The handle to all of them.

    Attributes:
        urls: Their addresses.
    """

    def __init__(self, ray: Any, actors: list[Any]) -> None:
        self.urls: tuple[str, ...] = ()
        self._ray = ray
        self._actors = actors

    def stop(self) -> None:
        """End all servers; the cluster stays."""
        for actor in self._actors:
            with contextlib.suppress(self._ray.exceptions.RayError):  # it is gone already
                self._ray.get(actor.stop.remote(), timeout=_START_SECONDS)
            self._ray.kill(actor)
        self._actors = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
