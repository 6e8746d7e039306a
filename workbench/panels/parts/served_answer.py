"""The running server's answer to a drawing, asked as any client asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.language import _
from workbench.datasets.drawn import Preprocessing, as_seen, is_image
from workbench.panels.parts.contestants import Answer, probabilities
from workbench.panels.parts.servers import Servers, data_of, served_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.panels.session import Session
    from workbench.serve.client import Client
    from workbench.serve.handle import Sandbox

_SECONDS = 5.0


class Served(NamedTuple):
    """A server that is asked.

    Attributes:
        run: Its run id.
        name: What people call it.
        detail: Its version.
        shape: Of the model's sample; empty where it takes no images.
        client: What asks it.
    """

    run: str
    name: str
    detail: str
    shape: tuple[int, ...]
    client: Client

    def answer(self, ink: NDArray[np.float32], preprocessing: Preprocessing) -> Answer:
        """Answer a drawing; blocks.

        Raises:
            ServingError: The server does not answer.
        """
        begun = time.perf_counter()
        given = self.client.predict(as_seen(ink, self.shape, preprocessing=preprocessing)[None], timeout=_SECONDS)
        return Answer(probabilities(given[0]), 1000 * (time.perf_counter() - begun))


def reached(session: Session, run: str) -> Served:
    """Attach to a server, once it is up; blocks.

    Raises:
        BadInputError: No such server runs, or what it serves is not in the store.
        ServingError: It does not answer.
    """
    servers = Servers.of(session)
    server: Sandbox = servers.handle(run).wait()
    shape = data_of(served_model(server, servers.store()), session).shape
    detail = _("served, version {version}").format(version=", ".join(map(str, server.versions)))
    return Served(run, server.name, detail, shape if is_image(shape) else (), server.client)
