"""A load test: how hard a server is asked, and how late its answers come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.core.settings import Settings
from workbench.panels.base import grid, stack
from workbench.panels.form import Form
from workbench.panels.parts.doing import Doing
from workbench.panels.parts.servers import data_of, served_model
from workbench.panels.parts.serving_plan import like
from workbench.serve.load.settings import LoadSettings
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.code_view import CodeView
from workbench.widgets.figure import Figure
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records import LoadResult
    from workbench.panels.base import Panel
    from workbench.panels.parts.servers import Servers
    from workbench.serve.handle import Sandbox

_SAMPLES = 64
_SECONDS = 5.0  # long enough to see, short enough to wait for


class LoadPlan(Settings):
    """What of `LoadSettings` is of use at a desk."""

    connections: int = like(LoadSettings, "connections")
    seconds: float = like(LoadSettings, "seconds")
    rate: float | None = like(LoadSettings, "rate")
    batch: int = like(LoadSettings, "batch")
    warmup_seconds: float = like(LoadSettings, "warmup_seconds")
    timeout_seconds: float = like(LoadSettings, "timeout_seconds")
    seed: int = like(LoadSettings, "seed")


class LoadView:
    """Runs the generator in a process of its own.

    Attributes:
        widget: What is put on the page.
        result: The last test; None before the first.
    """

    def __init__(self, panel: Panel, servers: Servers) -> None:
        self._panel, self._servers = panel, servers
        self._server: Sandbox | None = None
        self.result: LoadResult | None = None
        self.form = Form(
            LoadPlan,
            values={**LoadPlan().model_dump(), "seconds": _SECONDS},
            looks={
                "connections": {"label": _("Connections"), "half": True},
                "seconds": {"label": _("Time"), "unit": "s", "half": True},
                "rate": {"label": _("Requests a second"), "placeholder": _("as fast as it answers")},
                "batch": {"label": _("Samples a request")},
            },
            shown=("connections", "seconds", "rate", "batch"),
            label=_("Load test"),
        )
        self._bar = ActionBar(label=_("Load test"), actions=[{"name": "load", "label": _("Run the load test")}])
        self._bar.on_press("load", panel.act(self.start))
        self.doing = Doing(panel, self._buttons, label=_("Load test"), empty=_("No server is chosen"))
        self._tiles = StatTiles(label=_("Load test"))
        self._figure = Figure(title=_("Latency"), height=300, empty=_("The histogram of answer times appears here"))
        self._code = CodeView(title=_("The same load test in Python"))
        self.widget = stack(
            grid("aside", stack(self.form.widget, self._bar), stack(self.doing.line, self._tiles, self._figure)),
            self._code,
        )
        self.form.on_change(panel.guard(self._on_form))
        self._buttons()

    def attach(self, server: Sandbox | None) -> None:
        """Ask another server."""
        self._server, self.result = server, None
        self._tiles.tiles = []
        self._figure.clear()
        self.doing.say(_("Nothing was measured yet") if server else _("No server is chosen"))
        self._on_form()

    def gather(self, server: Sandbox) -> None:
        """Nothing changes by itself here."""

    def show(self, found: None) -> None:
        """Nothing to show."""

    def start(self) -> None:
        """Begin; the outcome is shown when it is there."""
        from workbench.serve.load import load

        server, plan = self._server, self.form.read().model_dump()
        if server is None:
            return
        remote = not server.settings.host.startswith("127.")

        def work() -> tuple[LoadResult, str]:
            data = data_of(served_model(server, self._servers.store()), self._panel.session)
            samples = data.floats("test", slice(0, min(_SAMPLES, data.test_size)))
            result = load(server.url, server.name, samples, allow_remote=remote, **plan)
            return result, _drawn(result)

        words = _("The server is asked for {s} s from {n} connections").format(
            s=f"{plan['seconds']:g}", n=plan["connections"]
        )
        self.doing.do(words, work, self._show)

    def _show(self, found: tuple[LoadResult, str]) -> str:
        result, figure = found
        self.result = result
        self._tiles.tiles = _tiles(result)
        words = line_of(result)
        self._figure.show(figure, words, _columns(), _rows(result))
        return _("Measured for {s} s").format(s=f"{result.seconds:.1f}")

    def _on_form(self) -> None:
        if self.form.valid and self._server is not None:
            plan = self.form.read().model_dump()
            usual = LoadSettings().model_dump()
            changed = "".join(f", {name}={value!r}" for name, value in plan.items() if value != usual[name])
            self._code.code = (
                "import workbench as wb\n\n"
                f"server = wb.attach_server({self._server.folder.name!r})\n"
                f"print(wb.load(server.url, server.name{changed}))\n"
            )
        self._buttons()

    def _buttons(self) -> None:
        free = self._server is not None and not self.doing.busy
        self._bar.change("load", enabled=free and self.form.valid)


def line_of(result: LoadResult) -> str:
    """Say in one line what a load test found."""
    asked = result.requests + result.failed
    return _(
        "{rate} answers a second: half of them within {p50} ms, 99 of a hundred within {p99} ms; "
        "{failed} of {asked} failed"
    ).format(
        rate=f"{result.throughput:,.0f}", p50=_ms(result.p50_ms), p99=_ms(result.p99_ms), failed=result.failed,
        asked=f"{asked:,}",
    )  # fmt: skip


def _drawn(result: LoadResult) -> str:
    from workbench.figures.latency_histogram import latency_histogram

    return str(latency_histogram(result).to_json())


def _tiles(result: LoadResult) -> list[dict[str, str]]:
    slowest = _ms(result.max_ms)
    errors = ", ".join(f"{count} × {what}" for what, count in result.errors.items())
    return [
        {
            "label": _("Answers a second"),
            "value": f"{result.throughput:,.0f}",
            "detail": _("measured on {n} answers").format(n=f"{result.requests:,}"),
        },
        {"label": "p50", "value": f"{_ms(result.p50_ms)} ms", "detail": _("median")},
        {
            "label": "p99",
            "value": f"{_ms(result.p99_ms)} ms",
            "detail": _("slowest {ms} ms").format(ms=slowest),
        },
        {"label": _("Failed"), "value": str(result.failed), "detail": errors or _("none")},
    ]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _rows(result: LoadResult) -> list[dict[str, Any]]:
    names = (("p50", result.p50_ms), ("p90", result.p90_ms), ("p99", result.p99_ms), ("p99.9", result.p999_ms))
    return [{"name": name, "ms": value} for name, value in (*names, ("max", result.max_ms))]


def _columns() -> list[dict[str, Any]]:
    return [{"name": "name", "label": _("Percentile")}, {"name": "ms", "label": _("ms"), "format": "number"}]
