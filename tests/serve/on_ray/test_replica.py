"""What runs in a replica, without Ray around it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from workbench.core.errors import ServingError
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.on_ray.replica import build_door
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact

SETTINGS = ServeSettings(name="tiny").model_dump(mode="json")


def test_its_warm_up_is_counted(tiny_onnx: Artifact, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(tiny_onnx, "tiny")
    config = ModelConfig(name="tiny", base_path=str(store.base / "tiny"))
    door = build_door([config.model_dump(mode="json")], SETTINGS)

    async def page() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://replica") as asking:
            return (await asking.get("/monitoring/prometheus/metrics")).text

    assert ':tensorflow:serving:model_warmup_latency_count{model_name="tiny"} 1.0' in asyncio.run(page())


def test_a_store_without_versions_is_said(tmp_path: Path) -> None:
    config = ModelConfig(name="tiny", base_path=str(tmp_path))
    with pytest.raises(ServingError, match="the store of tiny holds none of the versions to serve"):
        build_door([config.model_dump(mode="json")], SETTINGS)
