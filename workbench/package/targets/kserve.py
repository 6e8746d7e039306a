"""KServe: an `InferenceService` for each server that opens the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.package.targets.base import KEYS, OIP, Target, server_flags

if TYPE_CHECKING:
    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts


class Kserve(Target):
    """`kubectl apply -f kserve/<server>.yaml` in a cluster that has KServe."""

    def files(self, facts: PackageFacts, card: ModelCard) -> dict[str, str]:
        """Return one file a server."""
        del card
        found = {"kserve/sandbox.yaml": _sandbox(facts)}
        if facts.for_tensorflow_serving:
            found["kserve/tensorflow-serving.yaml"] = _original(facts)
        return found


def _original(facts: PackageFacts) -> str:
    return f"""\
# KServe's own TensorFlow Serving; the claim `models` must hold what lies in models/.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: "{facts.dns}"
spec:
  predictor:
    minReplicas: 1
    timeout: 30
    model:
      modelFormat:
        name: tensorflow
      protocolVersion: v1
      storageUri: "pvc://models/{facts.name}"
      resources:
        requests:
          cpu: 500m
          memory: 512Mi
        limits:
          memory: 1Gi
"""


def _sandbox(facts: PackageFacts) -> str:
    name = f"{facts.dns}-sandbox"
    return f"""\
# Our server as a predictor of one's own, on KServe's port in KServe's form (V1 and Open Inference Protocol).
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: "{name}"
spec:
  predictor:
    minReplicas: 1
    timeout: 30
    containers:
      - name: kserve-container
        image: "{name}:{facts.version}"
        args: {json.dumps([*server_flags(facts), f"--oip_port={OIP}"])}
        ports:
          - containerPort: {OIP}
            protocol: TCP
        readinessProbe:
          httpGet:
            path: /v2/health/ready
            port: {OIP}
        resources:
          requests:
            cpu: 500m
            memory: 512Mi
          limits:
            memory: {"2Gi" if facts.for_tensorflow_serving else "1Gi"}
        volumeMounts:
          - name: keys
            mountPath: /run/secrets
            readOnly: true
    volumes:
      # kubectl create secret generic {name}-keys --from-file={KEYS}
      - name: keys
        secret:
          secretName: "{name}-keys"
"""
