"""The running server's answer to a drawing, asked as any client asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.language import _
from workbench.datasets.drawn import Preprocessing, as_seen, is_image
from workbench.panels.parts.contestants import Answer, probabilities
from workbench.panels.parts.server_view import ENDED
from workbench.panels.parts.servers import Servers, answering, data_of, served_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.panels.session import Session
    from workbench.serve.handle import Sandbox

_SECONDS = 5.0


class Served(NamedTuple):
    """A server that is asked.

    Attributes:
        server: Its handle.
        version: Of its model, that answers now.
        shape: Of the model's sample; empty where it takes no images.
        note: Why it answers no more; empty while it does.
    """

    server: Sandbox
    version: int
    shape: tuple[int, ...]
    note: str = ""

    @property
    def run(self) -> str:
        """Its run id."""
        return self.server.folder.name

    @property
    def name(self) -> str:
        """What its card is called."""
        return _("server {name}").format(name=self.server.name)

    @property
    def detail(self) -> str:
        """Which version it is."""
        return _("served, version {version}").format(version=self.version)

    def answer(self, ink: NDArray[np.float32], preprocessing: Preprocessing) -> Answer:
        """Answer a drawing; blocks.

        Raises:
            ServingError: The server does not answer.
        """
        begun, seen = time.perf_counter(), as_seen(ink, self.shape, preprocessing=preprocessing)
        given = self.server.client.predict(seen[None], timeout=_SECONDS)
        return Answer(probabilities(given[0]), 1000 * (time.perf_counter() - begun))


def reached(session: Session, run: str) -> Served:
    """Attach to a server, once it is up; blocks.

    Raises:
        BadInputError: No such server runs, or what it serves is not in the store.
        ServingError: It does not answer.
    """
    servers = Servers.of(session)
    server: Sandbox = servers.handle(run).wait()
    version = answering(server)
    shape = data_of(served_model(server, servers.store()), session).shape
    return Served(server, version, shape if is_image(shape) else ())


def followed(session: Session, served: Served) -> Served:
    """Return how a server stands by now: the same, with another version, or with a note that it has ended; blocks.

    Raises:
        BadInputError: What it serves is not in the store.
        ServingError: It does not answer.
    """
    if served.server.state in ENDED:
        return served._replace(note=served.server.error or _("{name} has ended").format(name=served.server.name))
    return served if answering(served.server) == served.version else reached(session, served.run)
