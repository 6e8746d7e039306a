"""The server that is chosen: how it stands, where it is reached, and what becomes of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.panels.base import stack
from workbench.widgets.data_table import DataTable
from workbench.widgets.progress import Progress
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records import ServingStats
    from workbench.panels.parts.servers import Servers
    from workbench.serve.handle import Sandbox
    from workbench.serve.supervision.status import WorkerStatus

TONES = {"starting": "accent", "loading": "accent", "ready": "good", "draining": "warn", "failed": "bad"}
BEFORE_READY = ("starting", "loading")
ENDED = ("failed", "stopped")


class Standing(NamedTuple):
    """How a server stands; None where it does not say."""

    state: str
    versions: tuple[int, ...]
    workers: tuple[WorkerStatus, ...]
    stats: ServingStats | None


class ServerView:
    """Words and figures.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._line = Progress(label=_("Server"), text=_NONE())
        self._fate = Progress(label=_("What becomes of it"))
        self._tiles = StatTiles(label=_("Server"))
        self._doors = DataTable(title=_("Where it is reached"), columns=_columns())
        self.widget = stack(self._line, self._fate, self._tiles, self._doors)

    def attach(self, server: Sandbox | None) -> None:
        """Show another server."""
        self._tiles.tiles, self._doors.rows = [], []
        self._fate.text = "" if server is None else self._fate_of(server)
        self.say(_NONE() if server is None else _("Asking the server of {name}").format(name=server.name))

    def gather(self, server: Sandbox) -> Standing:
        """Ask it; blocks."""
        versions: tuple[int, ...] = ()
        workers: tuple[WorkerStatus, ...] = ()
        stats = None
        if server.state not in (*BEFORE_READY, *ENDED):
            with contextlib.suppress(WorkbenchError):  # how it stands says enough
                versions, workers = server.versions, server.workers
                stats = server.stats()
        return Standing(server.state, versions, workers, stats)

    def show(self, server: Sandbox, found: Standing) -> None:
        """Show what was gathered."""
        self.say(_words(server, found), active=found.state in BEFORE_READY, tone=TONES.get(found.state, "accent"))
        self._fate.text = "" if found.state in ENDED else self._fate_of(server)
        ended = found.state in ENDED
        self._tiles.tiles = _tiles(found) if found.workers else []
        self._doors.rows = [] if ended else _doors(server)

    def _fate_of(self, server: Sandbox) -> str:
        return fate_of(server, is_ours=self._servers.is_ours(server))

    def say(self, text: str, *, active: bool = False, tone: str = "accent") -> None:
        """Say how it stands."""
        with self._line.hold_sync():
            self._line.text, self._line.active, self._line.tone = text, active, tone
            self._line.share = -1.0 if active else 0.0


def chip_of(state: str) -> str:
    """Return a state in a word; empty where there is no server."""
    return {
        "starting": _("starting"), "loading": _("loading"), "ready": _("ready"), "draining": _("ending"),
        "failed": _("failed"), "stopped": _("stopped"),
    }.get(state, "")  # fmt: skip


def fate_of(server: Sandbox, *, is_ours: bool) -> str:
    """Say what becomes of a server when this page is closed.

    Args:
        server: Which.
        is_ours: This process has started it.
    """
    if server.keep:
        return _("It goes on when this page is closed, until somebody stops it.")
    if is_ours:
        return _("It ends with this page's kernel; “Keep running” would let the next one go on.")
    return _("Another program has started it, and it ends with that program.")


def _NONE() -> str:  # noqa: N802
    return _("No server is chosen: start one, or choose one that runs")


def _words(server: Sandbox, found: Standing) -> str:
    name = server.name
    if found.state == "ready":
        versions = ", ".join(map(str, found.versions)) or "–"
        said = _("{name} is ready; version {versions} answers").format(name=name, versions=versions)
        return f"{said}. {server.note}" if server.note else said
    return {
        "starting": _("The server of {name} is starting"),
        "loading": _("{name} is loaded"),
        "draining": _("The server of {name} answers what it has and ends"),
        "failed": _("The server of {name} failed"),
        "stopped": _("The server of {name} was stopped"),
    }[found.state].format(name=name)


def _tiles(found: Standing) -> list[dict[str, str]]:
    ready = sum(worker.state == "ready" for worker in found.workers)
    restarts = sum(worker.restarts for worker in found.workers)
    tiles = [
        {
            "label": _("Workers ready"),
            "value": f"{ready} / {len(found.workers)}" if found.workers else "–",
            "detail": _("{n} restarts").format(n=restarts),
        }
    ]
    if (stats := found.stats) is not None:
        p50, p95 = ("–" if ms is None else f"{ms:.3g} ms" for ms in (stats.p50_ms, stats.p95_ms))
        tiles += [
            {"label": _("Requests"), "value": f"{stats.requests:,}", "detail": _("since it began")},
            {"label": _("Errors"), "value": f"{stats.errors:,}", "detail": _("since it began")},
            {"label": "p95", "value": p95, "detail": _("median {p50}").format(p50=p50)},
        ]
    return tiles


def _doors(server: Sandbox) -> list[dict[str, Any]]:
    found = []
    with contextlib.suppress(WorkbenchError):
        found.append({"door": _("REST, TensorFlow Serving's"), "address": f"{server.url}/v1/models/{server.name}"})
        found.append({"door": _("Open Inference Protocol"), "address": f"{server.v2_url}/models/{server.name}"})
        if server.proxy_url:
            found.append({"door": _("Through the hub"), "address": server.proxy_url})
        found.append({"door": "gRPC", "address": server.grpc})
    return found


def _columns() -> list[dict[str, Any]]:
    return [{"name": "door", "label": _("Door")}, {"name": "address", "label": _("Address"), "wrap": True}]
