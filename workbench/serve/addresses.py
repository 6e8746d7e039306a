"""Where a server of this machine is reached: an address for each of its doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.serve.hub import proxied

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Addresses:
    """Of one server.

    Attributes:
        host: Address that it is bound to.
        ports: Numbers by door: `rest`, and perhaps `grpc` and `oip`.
        secure: It speaks TLS.
    """

    host: str
    ports: Mapping[str, int]
    secure: bool

    @property
    def reached(self) -> str:
        """The host as it is reached from here, without brackets."""
        return _OF_WILDCARDS.get(self.host, self.host)

    @property
    def rest(self) -> str:
        """URL of the REST port."""
        return self._url("rest")

    @property
    def v2(self) -> str:
        """URL of the Open Inference Protocol: a port of its own where there is one, else the REST port."""
        return f"{self._url('oip' if 'oip' in self.ports else 'rest')}/v2"

    @property
    def grpc(self) -> str | None:
        """`host:port` of the gRPC port; None where there is none."""
        return host_port(self.reached, self.ports["grpc"]) if "grpc" in self.ports else None

    @property
    def proxy(self) -> str | None:
        """URL of the REST port for a browser behind JupyterHub; None where there is no hub."""
        return proxied(self.ports["rest"])

    def _url(self, door: str) -> str:
        return f"{'https' if self.secure else 'http'}://{host_port(self.reached, self.ports[door])}"


def host_port(host: str, port: int) -> str:
    """Return an address as URLs and gRPC write it, an IPv6 one in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
