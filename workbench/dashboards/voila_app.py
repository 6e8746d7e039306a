"""Voila as we run it: one notebook, a token, our page, sockets that do not wait."""

from __future__ import annotations

import hashlib
import http
import logging
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import tornado.ioloop
import tornado.web
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.utils import url_path_join
from traitlets import Any as AnyTrait
from traitlets import TraitError
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from workbench.dashboards.words import page_words
from workbench.panels.base import house_css, leaf_scripts, plotly_script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tornado.iostream import IOStream

# Ours and plotly's lab extensions have nothing to do on this page; each costs a request and a parse.
_log = logging.getLogger(__name__)
_NOT_LOADED = ("jupyterlab-plotly", "jupyterlab_pygments", "lastmile-workbench")
_PROTOCOL, _PROTOCOL_ERROR = "v1.kernel.websocket.jupyter.org", 1002
_TRIES_TO_STOP = 5
_MOST_PAGES = "wb_most_pages"
_SECONDS_UNTIL_CULLED = 120
_SECONDS_BETWEEN_CULLS = 30
_SECONDS_BEFORE_REFILL = 5.0


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A kernel socket that sends small messages at once, and nothing to pages that are gone.

    Voila takes every binary message for one of protocol v1 to read its header. One in the older framing, which the
    server falls back to when the page has just left, makes it count to 2**60 and stand still for ever.
    """

    def connect(self) -> Any:
        """Connect with Nagle's algorithm switched off: the kernel's answer need not wait for a full packet."""
        stream: IOStream | None = getattr(self.websocket_handler.ws_connection, "stream", None)
        if stream is not None and stream.socket is not None and stream.socket.family != socket.AF_UNIX:
            stream.set_nodelay(True)
        if self.subprotocol != _PROTOCOL:
            self.websocket_handler.close(_PROTOCOL_ERROR, f"speak {_PROTOCOL}")
        return super().connect()

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        """Pass a message of the kernel on, if there is still somebody to read it."""
        if self.subprotocol == _PROTOCOL:
            super().handle_outgoing_message(stream, outgoing_msg)


class PageHandler(TornadoVoilaHandler):  # type: ignore[misc]
    """The dashboard's page; the token leaves the address as soon as the cookie holds."""

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        """Show the page.

        The query reaches the kernel's environment and the logs, so the token must not stay in it.
        """
        if self._visitors >= self.settings[_MOST_PAGES]:
            self.set_status(http.HTTPStatus.SERVICE_UNAVAILABLE)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            await self.finish(f"{self._visitors} pages of this dashboard are open, as many as may be; try again later.")
            return
        query = parse_qsl(self.request.query, keep_blank_values=True)
        if any(name == "token" for name, _ in query):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            self.redirect(self.request.path + (f"?{rest}" if rest else ""))
            return
        # Sets the cookie that the page proves itself with when it gives its kernel back.
        _ = self.xsrf_token
        await super().get(path)

    @property
    def _visitors(self) -> int:
        return sum(self._has_page(kernel) for kernel in self.kernel_manager.list_kernel_ids())

    def _has_page(self, kernel: str) -> bool:
        try:
            return bool(self.kernel_manager.kernel_model(kernel)["connections"] > 0)
        except (tornado.web.HTTPError, KeyError, TraitError):
            return False  # it is just coming, and was never active yet, or just going


class LeavesHandler(tornado.web.RequestHandler):
    """The scripts of all leaf widgets, which a page fetches once and asks for by their content (`?v=`)."""

    def get(self) -> None:
        """Send them, to be kept for ever."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.write(leaf_scripts())


class Packed(tornado.web.GZipContentEncoding):
    """Compression that costs little: most of what is saved is saved at the first levels."""

    GZIP_LEVEL = 2


class DashboardApp(Voila):  # type: ignore[misc]
    """Voila for one notebook.

    Attributes:
        on_listening: Called with the port once the server answers.
        most_pages: So many may be open at once.
    """

    on_listening = AnyTrait()
    most_pages = AnyTrait()

    @classmethod
    def for_notebook(
        cls,
        notebook: Path,
        *,
        port: int,
        token: str,
        on_listening: Callable[[int], None],
        host: str = "127.0.0.1",
        most_pages: int = 64,
    ) -> DashboardApp:
        """Build and configure the app; `start()` serves until a signal.

        Args:
            notebook: What is shown.
            port: Where it listens; it is free.
            token: Who knows it may look.
            on_listening: Called with the port once the server answers.
            host: Address to listen on.
            most_pages: So many may be open at once; each has a kernel of its own.
        """
        for noisy in ("tornado.general", "tornado.access"):
            # Refused and vanished visitors are no news for the terminal, nor is how their sockets are asked.
            logging.getLogger(noisy).setLevel(logging.ERROR)
        app = cls(
            config=_configuration(),
            notebook_path=str(notebook),
            ip=host,
            port=port,
            token=token,
            open_browser=False,
            # A voila.json that lies about in somebody's folder must not change what is served.
            config_file_paths=[],
            kernel_websocket_connection_class=PromptConnection,
            on_listening=on_listening,
            most_pages=most_pages,
        )
        app.initialize([])
        return app

    def init_handlers(self) -> list[Any]:
        """Put our page and the compression in."""
        self.app.transforms.append(Packed)
        self.app.settings[_MOST_PAGES] = self.most_pages
        # Figures ask for it by version (`?v=`), so a browser keeps it for ever.
        script = plotly_script()
        own = (url_path_join(self.server_url, rf"/workbench/({script.name})"),
               tornado.web.StaticFileHandler, {"path": str(script.parent)})  # fmt: skip
        leaves = (url_path_join(self.server_url, "/workbench/leaves.json"), LeavesHandler)
        return [own, leaves, *(
            (rule[0], PageHandler, *rule[2:]) if rule[1] is TornadoVoilaHandler else rule
            for rule in super().init_handlers()
        )]  # fmt: skip

    def start(self) -> None:
        """Serve until SIGINT or SIGTERM, then end all kernels."""
        self.ioloop = tornado.ioloop.IOLoop.current()
        # Like SIGTERM: an interrupt in the middle of some callback would leave half-started kernels.
        signal.signal(signal.SIGINT, self._handle_signal_stop)
        self.ioloop.add_callback(lambda: self.on_listening(self.port))
        super().start()

    def stop(self) -> None:
        """End the kernels; one that comes or goes in the same moment is tried again and ends with us at the latest."""
        for _ in range(_TRIES_TO_STOP):
            try:
                super().stop()
            except Exception:  # noqa: BLE001 - whatever a half-started kernel raises, we are ending
                _log.debug("a kernel did not end in order", exc_info=True)
                continue
            return


def _configuration() -> Config:
    return Config(
        {
            "Voila": {"log_level": "ERROR"},
            "VoilaConfiguration": {
                "template": "workbench",
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "strip_sources": True,
                "show_tracebacks": False,
                "file_allowlist": [],
                "extension_denylist": list(_NOT_LOADED),
                "preheat_kernel": True,
                "default_pool_size": 1,
                "resources": {"house_css": house_css(), "words": page_words(), "leaves": _leaves_version()},
            },
            # No port to listen on that a neighbour could knock at. Elsewhere temporary paths are too long for it.
            "KernelManager": {"transport": "ipc" if sys.platform.startswith("linux") else "tcp"},
            "VoilaKernelManager": {"fill_delay": _SECONDS_BEFORE_REFILL},
            "MappingKernelManager": {
                "cull_idle_timeout": _SECONDS_UNTIL_CULLED,
                "cull_interval": _SECONDS_BETWEEN_CULLS,
                "cull_connected": False,
                # A page that comes back asks for the whole state; what was said meanwhile is in it.
                "buffer_offline_messages": False,
            },
        }
    )


def _leaves_version() -> str:
    return hashlib.sha256(leaf_scripts()).hexdigest()[:16]
