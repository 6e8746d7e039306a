"""Plain Kubernetes: a Deployment, a Service and an autoscaler for each server that opens the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.package.targets.base import GRPC, KEYS, REST, Target

if TYPE_CHECKING:
    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts


class Kubernetes(Target):
    """`kubectl apply -f kubernetes/<server>.yaml` where the image is known to the cluster."""

    def files(self, facts: PackageFacts, card: ModelCard) -> dict[str, str]:
        """Return one file a server."""
        del card
        found = {"kubernetes/sandbox.yaml": _text(facts, _sandbox(facts))}
        if facts.for_tensorflow_serving:
            found["kubernetes/tensorflow-serving.yaml"] = _text(facts, _original(facts))
        return found


class _Server(NamedTuple):
    name: str
    ready: str
    alive: str
    memory: str
    container: str = ""
    pod: str = ""


def _original(facts: PackageFacts) -> _Server:
    # It opens its port when the model is loaded.
    status = f"httpGet:\n              path: /v1/models/{facts.name}\n              port: rest"
    return _Server(facts.dns, status, "tcpSocket:\n              port: rest", "1Gi")


def _sandbox(facts: PackageFacts) -> _Server:
    name = f"{facts.dns}-sandbox"
    return _Server(
        name,
        ready="httpGet:\n              path: /v2/health/ready\n              port: rest",
        alive="httpGet:\n              path: /healthz\n              port: rest",
        memory="2Gi" if facts.for_tensorflow_serving else "1Gi",
        container="""\
          volumeMounts:
            - name: keys
              mountPath: /run/secrets
              readOnly: true
""",
        pod=f"""\
      volumes:
        # kubectl create secret generic {name}-keys --from-file={KEYS}
        - name: keys
          secret:
            secretName: "{name}-keys"
""",
    )


def _text(facts: PackageFacts, server: _Server) -> str:
    labels = f'app.kubernetes.io/name: "{server.name}"'
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "{server.name}"
  labels:
    {labels}
    app.kubernetes.io/version: "{facts.version}"
spec:
  replicas: 2
  selector:
    matchLabels:
      {labels}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {labels}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: server
          image: "{server.name}:{facts.version}"
          imagePullPolicy: IfNotPresent
          ports:
            - name: rest
              containerPort: {REST}
            - name: grpc
              containerPort: {GRPC}
          startupProbe:
            {server.ready}
            periodSeconds: 2
            failureThreshold: 60
          readinessProbe:
            {server.ready}
            periodSeconds: 5
          livenessProbe:
            {server.alive}
            periodSeconds: 10
          resources:
            requests:
              cpu: 500m
              memory: 512Mi
            limits:
              memory: {server.memory}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: ["ALL"]
{server.container}{server.pod}---
apiVersion: v1
kind: Service
metadata:
  name: "{server.name}"
  labels:
    {labels}
spec:
  selector:
    {labels}
  ports:
    - name: rest
      port: {REST}
      targetPort: rest
    - name: grpc
      port: {GRPC}
      targetPort: grpc
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: "{server.name}"
  labels:
    {labels}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: "{server.name}"
  minReplicas: 2
  maxReplicas: 8
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
"""
