"""What is in a package and how it is used, for whoever finds the archive years later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.package.targets.base import GRPC, KEYS, REST

if TYPE_CHECKING:
    from workbench.package.facts import PackageFacts


def readme(facts: PackageFacts) -> str:
    """Return `README.md`."""
    parts = [_head(facts), _check(), _sandbox(facts), _client(facts), _kubernetes(facts), _again()]
    if facts.for_tensorflow_serving:
        parts.insert(2, _original(facts))
    else:
        parts.insert(2, _not_original(facts))
    return "\n\n".join(parts) + "\n"


def _head(facts: PackageFacts) -> str:
    return f"""\
# {facts.name}, version {facts.version}: a model, packed to be served

A model of format {facts.format} (weights {facts.numeric}) in TensorFlow Serving's layout, and what serving it takes.

| file | what it is |
| --- | --- |
| `{facts.folder}/` | the model and `manifest.json`: its sha256, how it was made |
| `MODEL_CARD.md`, `model_card.json` | how right it is, on which data, what nobody measured |
| `verdict.json` | what its gate said, rule by rule; `passed: null` where no gate was asked |
| `client.py` | asks a server that has it; NumPy and the standard library are enough |
| `Dockerfile*`, `compose.yaml` | images with the model inside |
| `kubernetes/`, `kserve/` | manifests for clusters |
| `ci/` | a workflow that trains, gates and publishes it anew |
| `package.json`, `SHA256SUMS` | which model it is, and the sums of all files |
| `model.sig` | a signature, where somebody signed it |"""


def _check() -> str:
    return """\
## Is it as it was packed?

```sh
workbench verify ARCHIVE            # or the folder that it unpacks to; --key public.pem checks the signature
sha256sum -c SHA256SUMS             # without the workbench: the files alone
```

Sums tell of accidents. Who changes a file can write its sum too: a signature, or the archive's sha256 from a place that
you trust (`--sha256`), tells of that."""


def _original(facts: PackageFacts) -> str:
    return f"""\
## TensorFlow Serving

```sh
docker compose up tensorflow-serving    # REST on 127.0.0.1:{REST}, gRPC on {GRPC}
curl http://127.0.0.1:{REST}/v1/models/{facts.name}
```"""


def _not_original(facts: PackageFacts) -> str:
    return f"""\
## TensorFlow Serving

It opens SavedModels only, and this model is of format {facts.format}. Where it was made,
`workbench.convert(model, "saved_model")` and packing that gives an archive for it."""


def _sandbox(facts: PackageFacts) -> str:
    extra = "[train]" if facts.for_tensorflow_serving else ""
    return f"""\
## The workbench's own server, which speaks the same protocols

```sh
pip install 'lastmile-workbench{extra}'
workbench-model-server --rest_api_port={REST} --model_name={facts.name} --model_base_path="$PWD/models/{facts.name}"
```

In a container it listens beyond its machine, so it asks for a key. `workbench key` makes one and its SHA-256:

```sh
echo '{{"SHA-256": "predict"}}' > {KEYS}
docker compose up sandbox               # REST on 127.0.0.1:{REST + 10}, gRPC on {GRPC + 10}
```

Where no package index has lastmile-workbench, put its wheel beside `Dockerfile.sandbox` before that."""


def _client(facts: PackageFacts) -> str:
    return f"""\
## Ask it

```sh
python client.py http://127.0.0.1:{REST}                       # noise of the right shape
python client.py http://127.0.0.1:{REST} --input images.npy    # the first axis counts the samples
WORKBENCH_API_KEY=… python client.py http://127.0.0.1:{REST + 10}   # a server that asks for a key
```

From Python: `from client import ModelClient; ModelClient("http://127.0.0.1:{REST}", "{facts.name}").predict(array)`."""


def _kubernetes(facts: PackageFacts) -> str:
    server = "tensorflow-serving" if facts.for_tensorflow_serving else "sandbox"
    secret = f"kubectl create secret generic {facts.dns}-sandbox-keys --from-file={KEYS}"
    return f"""\
## Kubernetes and KServe

Push the image to a registry that your cluster knows, put its name into the manifest, then

```sh
kubectl apply -f kubernetes/{server}.yaml    # or kserve/{server}.yaml
{secret}    # for sandbox.yaml
```"""


def _again() -> str:
    return """\
## Train it anew

`ci/run.yaml` is what `workbench run --config run.yaml` does; `ci/train-gate-publish.yaml` does it on every push: copy
it to `.github/workflows/` of a repository that has `run.yaml` in its root."""
