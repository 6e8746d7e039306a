"""`compose.yaml`: the images on one machine, one command each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.package.targets.base import GRPC, KEYS, REST, Target

if TYPE_CHECKING:
    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts

_READY = (
    "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/v2/health/ready', timeout=2)"  # asks for no key
)


class Compose(Target):
    """`docker compose up tensorflow-serving` or `docker compose up sandbox`."""

    def files(self, facts: PackageFacts, card: ModelCard) -> dict[str, str]:
        """Return the one file."""
        del card
        original = _original(facts) if facts.for_tensorflow_serving else ""
        return {"compose.yaml": f"services:\n{original}{_sandbox(facts)}"}


def _original(facts: PackageFacts) -> str:
    # The image has bash and neither curl nor Python.
    return f"""\
  tensorflow-serving:
    build: .
    image: "{facts.dns}:{facts.version}"
    ports:
      - "127.0.0.1:{REST}:{REST}"
      - "127.0.0.1:{GRPC}:{GRPC}"
    healthcheck:
      test: ["CMD", "bash", "-c", {_status_check(facts)}]
      interval: 5s
      timeout: 3s
      retries: 12
    restart: unless-stopped
"""


def _status_check(facts: PackageFacts) -> str:
    ask = f"GET /v1/models/{facts.name} HTTP/1.0\\\\r\\\\n\\\\r\\\\n"
    return f"\"exec 3<>/dev/tcp/127.0.0.1/{REST} && printf '{ask}' >&3 && grep -q AVAILABLE <&3\""


def _sandbox(facts: PackageFacts) -> str:
    return f"""\
  sandbox:
    build:
      context: .
      dockerfile: Dockerfile.sandbox
    image: "{facts.dns}-sandbox:{facts.version}"
    ports:
      - "127.0.0.1:{REST + 10}:{REST}"
      - "127.0.0.1:{GRPC + 10}:{GRPC}"
    secrets:
      - {KEYS}
    healthcheck:
      test: ["CMD", "python", "-c", "{_READY.format(port=REST)}"]
      interval: 5s
      timeout: 3s
      retries: 12
    read_only: true
    tmpfs:
      - /tmp
      - /home/workbench
    restart: unless-stopped
secrets:
  # {{"SHA-256 of a key": "predict"}}; `workbench key` makes both.
  {KEYS}:
    file: ./{KEYS}
"""
