"""Asking the protocol's door in this process."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serve.oip.models import Shelf, small_models
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.limits import Limits
from workbench.serve.oip.app import oip_app
from workbench.serve.oip.handler import Handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp


@dataclass
class Asked:
    """An application as tests use it."""

    app: ASGIApp
    inference: Inference
    runner: asyncio.Runner

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> httpx.Response:
        """Ask once; an underscore in a header's name is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                client.headers.pop("accept-encoding")
                return await client.request(method, path, content=body, headers=named)

        return self.runner.run(ask())

    def __call__(self, method: str, path: str, body: Any = b"") -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.send(method, path, raw)
        return response.status_code, json.loads(response.content) if response.content else None

    def infer(self, model: str, body: Any) -> tuple[int, Any]:
        return self("POST", f"/v2/models/{model}/infer", body)

    def binary(self, model: str, document: Any, data: bytes = b"") -> httpx.Response:
        """Send JSON with bytes behind it."""
        head = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.send(
            "POST", f"/v2/models/{model}/infer", head + data, Inference_Header_Content_Length=str(len(head))
        )


@pytest.fixture
def open_door() -> Iterator[Callable[..., Asked]]:
    """Open a door: `open_door(body_bytes=…)`."""
    stack = ExitStack()

    def begin(**limits: Any) -> Asked:
        models = small_models()
        inference = Inference(models, Counters(models.names()))
        stack.callback(inference.close)
        runner = stack.enter_context(asyncio.Runner())  # the core belongs to one loop
        return Asked(oip_app(Handler(inference, Shelf(models), Limits(**limits)), Limits(**limits)), inference, runner)

    with stack:
        yield begin


@pytest.fixture
def ask(open_door: Callable[..., Asked]) -> Asked:
    """A door of its own for one test."""
    return open_door()
