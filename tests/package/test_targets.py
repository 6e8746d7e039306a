"""What is written for other programs is what their schemas and our own command line take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from workbench.core.records import ModelCard, Sizes
from workbench.package.facts import PackageFacts
from workbench.package.targets.base import targets
from workbench.pipeline.config import read_config
from workbench.serve.config.flags import read_flags
from workbench.serve.config.launch import launch_of

if TYPE_CHECKING:
    from workbench.core.artifact import Format
    from workbench.core.records import Evaluation, Verdict

NAMES = ["digits", "1", "null", "My_Model.v2", "a" * 128, "-".join("x" * 60)]
SCHEMAS = Path(__file__).parent / "schemas"


def facts(name: str, format: Any = "saved_model", version: int = 3) -> PackageFacts:  # noqa: A002 - the field's name
    return PackageFacts(
        name=name, version=version, format=format, numeric="float32", file="", sha256="a" * 64, workbench="0.1.0"
    )


def files(given: PackageFacts, verdict: Verdict | None = None, evaluation: Evaluation | None = None) -> dict[str, str]:
    card = ModelCard(
        name=given.name, version=given.version, format=given.format, numeric="float32", model=given.sha256,
        parent=None, created="", sizes=Sizes(raw=1, gzip=1), evaluation=evaluation, verdict=verdict,
    )  # fmt: skip
    return {path: text for name in targets.names() for path, text in targets.get(name)().files(given, card).items()}


def held(text: str, schema: str) -> list[Any]:
    """The documents of a file, each held to a schema."""
    found = list(yaml.load_all(text, Loader=_Words))
    checker = jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{schema}.json").read_text()))
    for document in found:
        checker.validate(document)
    return found


class _Words(yaml.SafeLoader):
    """YAML 1.2, as Kubernetes, Compose and GitHub read it: `on` is a word."""


_Words.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in pairs if tag != "tag:yaml.org,2002:bool" or first in "tfTF"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize("schema", ["kubernetes", "kserve", "compose", "actions_workflow"])
def test_the_schemas_are_schemas(schema: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((SCHEMAS / f"{schema}.json").read_text()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("server", ["tensorflow-serving", "sandbox"])
def test_kubernetes_takes_the_manifests(server: str, name: str) -> None:
    deployment, service, scaler = held(files(facts(name))[f"kubernetes/{server}.yaml"], "kubernetes")
    labels = deployment["spec"]["selector"]["matchLabels"]
    assert deployment["spec"]["template"]["metadata"]["labels"] == labels == service["spec"]["selector"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert {one["targetPort"]: one["port"] for one in service["spec"]["ports"]} == ports
    volumes = {one["name"] for one in deployment["spec"]["template"]["spec"].get("volumes", [])}
    assert {one["name"] for one in container.get("volumeMounts", [])} == volumes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("server", ["tensorflow-serving", "sandbox"])
def test_kserve_takes_the_services(server: str, name: str) -> None:
    (service,) = held(files(facts(name))[f"kserve/{server}.yaml"], "kserve")
    predictor = service["spec"]["predictor"]
    if server == "tensorflow-serving":
        assert predictor["model"]["storageUri"] == f"pvc://models/{name}"
    else:
        assert f"--model_name={name}" in predictor["containers"][0]["args"]


@pytest.mark.parametrize("name", NAMES)
def test_compose_takes_the_file(name: str) -> None:
    (found,) = held(files(facts(name))["compose.yaml"], "compose")
    assert found["services"].keys() == {"tensorflow-serving", "sandbox"}
    assert found["services"]["sandbox"]["secrets"] == list(found["secrets"])


@pytest.mark.parametrize("format_", ["onnx", "tflite", "packed"])
def test_only_saved_models_are_given_to_the_original(format_: Format) -> None:
    found = files(facts("digits", format_))
    assert "Dockerfile" not in found
    assert not any("tensorflow-serving" in path or "tensorflow/serving" in text for path, text in found.items())
    held(found["compose.yaml"], "compose")
    held(found["kubernetes/sandbox.yaml"], "kubernetes")


@pytest.mark.parametrize("name", NAMES)
def test_our_command_takes_the_flags_of_its_image(name: str, tmp_path: Path) -> None:
    found = files(facts(name))
    image = found["Dockerfile.sandbox"]
    given = json.loads(re.search(r"^CMD (\[.*\])$", image, re.MULTILINE)[1])  # type: ignore[index]
    (keys,) = [one for one in given if one.startswith("--api_keys_file=")]
    (tmp_path / "keys.json").write_text(json.dumps({"a" * 64: "predict"}))
    (service,) = held(found["kserve/sandbox.yaml"], "kserve")
    assert service["spec"]["predictor"]["containers"][0]["args"] == [*given, "--oip_port=8080"]
    flags, ignored = read_flags([*given, "--oip_port=8080", f"--api_keys_file={tmp_path / 'keys.json'}"])
    launch = launch_of(flags, tmp_path)
    assert (keys, ignored) == ("--api_keys_file=/run/secrets/api_keys.json", ())
    assert (launch.settings.host, launch.models[0].base_path) == ("0.0.0.0", f"/models/{name}")


def test_the_original_is_told_the_models_name() -> None:
    image = files(facts("digits"))["Dockerfile"].splitlines()
    assert "FROM tensorflow/serving:2.19.1" in image
    assert {"COPY models /models", "ENV MODEL_BASE_PATH=/models MODEL_NAME=digits"} <= set(image)


def test_github_takes_the_workflow_and_our_command_what_is_in_it() -> None:
    (found,) = held(files(facts("digits"))["ci/train-gate-publish.yaml"], "actions_workflow")
    steps = found["jobs"]["train-gate"]["steps"]
    commands = [line for step in steps for line in step.get("run", "").splitlines() if line.startswith("workbench ")]
    assert [line.split()[1] for line in commands] == ["run", "package", "verify"]
    assert found["jobs"]["publish"]["needs"] == "train-gate"
    assert found["jobs"]["publish"]["if"].startswith("startsWith(github.ref, 'refs/tags/v')")


def test_a_run_is_asked_for_what_the_model_was_held_to(passed: Verdict, evaluation: Evaluation, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(files(facts("digits"), passed, evaluation)["ci/run.yaml"])
    config = read_config(file)
    assert config.road.dataset == "digits"
    assert config.gate is not None
    assert (config.gate.min_accuracy, config.gate.max_bytes) == (0.9, 100_000)
    file.write_text(files(facts("digits"))["ci/run.yaml"])
    assert read_config(file).gate is None


def test_no_file_names_a_host_of_a_registry() -> None:
    for path, text in files(facts("digits")).items():
        images = re.findall(r"^\s*(?:image:|FROM)\s+\"?([^\s\"]+)", text, re.MULTILINE)
        assert not [image for image in images if "." in image.split("/")[0].split(":")[0]], path
