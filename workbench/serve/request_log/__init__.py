"""What a server notes of the requests that it answers: written here, read by `monitor`."""

from workbench.serve.request_log.log import RequestLog
from workbench.serve.request_log.settings import RequestLogSettings

__all__ = ["RequestLog", "RequestLogSettings"]
