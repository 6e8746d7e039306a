"""Images: the original for SavedModels, our server for every format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.package.targets.base import GRPC, REST, Target, server_flags

if TYPE_CHECKING:
    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts

_ORIGINAL = "tensorflow/serving:2.19.1"
_PYTHON = "python:3.11-slim"


class Docker(Target):
    """`Dockerfile` for TensorFlow Serving and `Dockerfile.sandbox` for our server; both hold the model."""

    def files(self, facts: PackageFacts, card: ModelCard) -> dict[str, str]:
        """Return one or both."""
        del card
        found = {"Dockerfile.sandbox": _sandbox(facts)}
        if facts.for_tensorflow_serving:
            found["Dockerfile"] = _original(facts)
        return found


def _original(facts: PackageFacts) -> str:
    return f"""\
# TensorFlow Serving with the model inside: docker build -t {facts.dns}:{facts.version} .
FROM {_ORIGINAL}
COPY models /models
# Its start script serves $MODEL_BASE_PATH/$MODEL_NAME, REST on {REST} and gRPC on {GRPC}.
ENV MODEL_BASE_PATH=/models MODEL_NAME={facts.name}
EXPOSE {GRPC} {REST}
"""


def _sandbox(facts: PackageFacts) -> str:
    extra = "[train]" if facts.for_tensorflow_serving else ""
    return f"""\
# Our server with the model inside: docker build -f Dockerfile.sandbox -t {facts.dns}-sandbox:{facts.version} .
# It listens beyond its machine, so it asks for keys: see README.md.
FROM {_PYTHON}
ARG WORKBENCH="lastmile-workbench{extra}=={facts.workbench}"
# Wheels that lie beside this file are taken before those of a package index.
COPY package.json *.whl /wheels/
RUN pip install --no-cache-dir --find-links /wheels "$WORKBENCH"
COPY models /models
RUN useradd --create-home --uid 1000 workbench
USER 1000
EXPOSE {GRPC} {REST}
ENTRYPOINT ["workbench-model-server"]
CMD {json.dumps(server_flags(facts))}
"""
