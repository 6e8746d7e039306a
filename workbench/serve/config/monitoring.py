"""`--monitoring_config_file`: tensorflow.serving.MonitoringConfig."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings
from workbench.serve.config.fields import Fields
from workbench.serve.config.text_proto import parse
from workbench.serve.settings import METRICS_PATH

TYPE = "tensorflow.serving.MonitoringConfig"


class Monitoring(Settings):
    """The page of metrics."""

    enable: bool = Field(default=False, description="whether the page is there")
    path: str = Field(default=METRICS_PATH, pattern=r"^/[^?#\s]*$", description="path of the page on the REST port")


def read_monitoring(text: str) -> Monitoring:
    """Read whether and where there is a page of metrics.

    Raises:
        TextProtoError: It is no such message; the line and the column are named.
        BadInputError: The path is none.
    """
    top = Fields(parse(text), TYPE)
    fields = top.message("prometheus_config", "tensorflow.serving.PrometheusConfig")
    top.end()
    if fields is None:
        return Monitoring()
    found = Monitoring(enable=fields.boolean("enable"), path=fields.text("path") or METRICS_PATH)
    fields.end()
    return found
