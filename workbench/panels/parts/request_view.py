"""Trying a request: samples of the data that the model knows, as a form, as curl, as Python, and the answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import Field

from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.doing import Doing
from workbench.panels.parts.servers import data_of, served_model
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.code_view import CodeView
from workbench.widgets.data_table import DataTable
from workbench.widgets.pixel_images import PixelImages
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.datasets import Dataset
    from workbench.panels.base import Panel
    from workbench.panels.parts.servers import Servers
    from workbench.serve.handle import Sandbox

_MOST_IMAGES = 8
_DIGITS = 4
_SCORES = 2  # axes of an answer that scores classes


class RequestPlan(Settings):
    """Which samples are sent, and who is to answer."""

    sample: int = Field(default=0, ge=0, le=10**7, description="first sample of the test split")
    samples: int = Field(default=1, ge=1, le=64, description="samples in the request")
    version: int | None = Field(default=None, ge=0, description="version that shall answer; the one that answers all")
    client_id: str = Field(default="", description="sent as x-client-id, which keeps a client at one version")


class Asked(NamedTuple):
    """A request, and what came of it."""

    data: Dataset
    which: np.ndarray[Any, Any]
    images: np.ndarray[Any, Any]
    answer: np.ndarray[Any, Any]
    milliseconds: float


class RequestView:
    """Sends test samples to the server.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self, panel: Panel, servers: Servers) -> None:
        self._panel, self._servers = panel, servers
        self._server: Sandbox | None = None
        self.form = Form(
            RequestPlan,
            values=RequestPlan().model_dump(),
            looks={
                "sample": {"label": _("Test sample"), "half": True},
                "samples": {"label": _("How many"), "half": True},
                "version": {"label": _("Version"), "placeholder": _("the one that answers")},
                "client_id": {"label": _("Client"), "half": False},
            },
            shown=("sample", "samples"),
            label=_("Request"),
        )
        self._bar = ActionBar(label=_("Request"), actions=[{"name": "ask", "label": _("Send the request")}])
        self._bar.on_press("ask", panel.guard(self.ask))
        self.doing = Doing(panel, self._buttons, label=_("Request"), empty=_("No server is chosen"))
        self._images = PixelImages(title=_("What was sent"), empty=_("The samples that are sent are shown here"))
        self._tiles = StatTiles(label=_("Answer"))
        self._table = DataTable(title=_("Answers"), columns=_columns())
        self._curl = CodeView(title=_("The same request with curl"))
        self._python = CodeView(title=_("The same request in Python"))
        self.widget = stack(
            grid(
                "aside",
                stack(self.form.widget, self._bar, self._images),
                stack(self.doing.line, self._tiles, self._table),
            ),
            self._curl,
            self._python,
        )
        self.form.on_change(panel.guard(self._buttons))
        self._buttons()

    def attach(self, server: Sandbox | None) -> None:
        """Ask another server."""
        self._server = server
        self._images.images, self._tiles.tiles, self._table.rows = [], [], []
        self._curl.code = self._python.code = ""
        self.doing.say(_("Nothing was asked yet") if server else _("No server is chosen"))
        self._buttons()

    def gather(self, server: Sandbox) -> None:
        """Nothing changes by itself here."""

    def show(self, found: None) -> None:
        """Nothing to show."""

    def ask(self) -> None:
        """Send the samples; the answer is shown when it is there."""
        server, plan = self._server, self.form.read().model_dump()
        if server is None:
            return
        self.doing.do(_("Asking"), lambda: self._ask(server, plan), lambda asked: self._show(server, plan, asked))

    def _ask(self, server: Sandbox, plan: dict[str, Any]) -> Asked:
        data = data_of(served_model(server, self._servers.store()), self._panel.session)
        which = np.arange(plan["sample"], plan["sample"] + plan["samples"]) % data.test_size
        images = data.floats("test", which)
        headers = {"x-client-id": plan["client_id"]} if plan["client_id"] else {}
        client = server.client
        client.ready()  # the connection is made beforehand, so that its time is not the answer's
        begun = time.perf_counter()
        answer = client.predict(images, version=plan["version"], headers=headers)
        taken = 1000 * (time.perf_counter() - begun)
        first = next(iter(answer.values())) if isinstance(answer, dict) else answer
        return Asked(data, which, images, np.asarray(first), taken)

    def _show(self, server: Sandbox, plan: dict[str, Any], asked: Asked) -> str:
        rows = _rows(asked)
        self._images.images = _pictures(asked)
        self._table.rows = rows
        right = sum(row.get("said") == row["true"] for row in rows)
        each = asked.milliseconds / len(asked.which)
        self._tiles.tiles = [
            {"label": _("Answered after"), "value": f"{asked.milliseconds:.1f} ms", "detail": _("there and back")},
            {"label": _("A sample"), "value": f"{each:.2f} ms", "detail": _("{n} in the request").format(n=len(rows))},
            {"label": _("Right"), "value": f"{right} / {len(rows)}", "detail": asked.data.name},
        ]
        self._curl.code = curl_of(server.url, server.name, plan, asked.images)
        self._python.code = python_of(server.url, server.name, plan, asked)
        return _("Answered in {ms} ms").format(ms=f"{asked.milliseconds:.1f}")

    def _buttons(self) -> None:
        self._bar.change("ask", enabled=self._server is not None and not self.doing.busy and self.form.valid)


def curl_of(url: str, name: str, plan: dict[str, Any], images: np.ndarray[Any, Any]) -> str:
    """Return the request as a command for a shell; values are rounded to 4 decimals."""
    where = f"{url}/v1/models/{name}" + ("" if plan["version"] is None else f"/versions/{plan['version']}") + ":predict"
    said = json.dumps({"instances": np.round(images.astype(float), _DIGITS).tolist()}, separators=(",", ":"))
    client = f" \\\n  -H 'x-client-id: {plan['client_id']}'" if plan["client_id"] else ""
    return f"curl -s -X POST {where}{client} \\\n  -d '{said}'\n"


def python_of(url: str, name: str, plan: dict[str, Any], asked: Asked) -> str:
    """Return the request as Python."""
    begin, end = plan["sample"], plan["sample"] + plan["samples"]
    more = "" if plan["version"] is None else f", version={plan['version']}"
    more += f", headers={ {'x-client-id': plan['client_id']} }" if plan["client_id"] else ""
    return (
        "import workbench as wb\n\n"
        f"data = wb.Dataset.open({str(asked.data.folder)!r})\n"
        f"client = wb.client({url!r}, {name!r})\n"
        f'print(client.predict(data.floats("test", slice({begin}, {end})){more}))\n'
    )


def _rows(asked: Asked) -> list[dict[str, Any]]:
    classes, truth = asked.data.classes, np.asarray(asked.data.y_test)[asked.which]
    scored = asked.answer.ndim == _SCORES and asked.answer.shape[1] == len(classes)
    return [
        {
            "sample": str(number),
            "true": classes[int(true)],
            **(_said(scores, classes, int(true)) if scored else {"said": str(np.ravel(scores)[:4].tolist())}),
        }
        for number, scores, true in zip(asked.which, asked.answer, truth, strict=True)
    ]


def _said(scores: np.ndarray[Any, Any], classes: tuple[str, ...], true: int) -> dict[str, Any]:
    best = int(np.argmax(scores))
    return {"said": classes[best], "score": float(scores[best]), "right": _("right") if best == true else _("wrong")}


def _pictures(asked: Asked) -> list[dict[str, Any]]:
    if asked.images.ndim < 3:  # noqa: PLR2004 - rows of a table are no images
        return []
    images = asked.images[:_MOST_IMAGES]
    flat = images.mean(axis=-1) if images.ndim == 4 else images  # noqa: PLR2004 - channels
    return [
        {"title": str(number), "rows": np.round(image.astype(float), 3).tolist()}
        for number, image in zip(asked.which, flat, strict=False)
    ]


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "sample", "label": _("Sample")},
        {"name": "said", "label": _("Answer")},
        {"name": "score", "label": _("Score"), "format": "share"},
        {"name": "true", "label": _("True class")},
        {"name": "right", "label": _("Verdict")},
    ]
