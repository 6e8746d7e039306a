"""What every compression method keeps to, on networks of several kinds; a new file is tested by being there."""

from __future__ import annotations

import contextlib
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import workbench.compress
import workbench.convert
import workbench.evaluate
import workbench.train
from workbench.compress.base import Method, methods
from workbench.compress.fine_tuning import FineTuned
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.run import STAGE
from workbench.compress.weight_clustering import WeightClustering
from workbench.convert.adopt import adopt
from workbench.core.artifact import Artifact
from workbench.core.errors import JobCancelledError
from workbench.evaluate.inventory import inventory
from workbench.evaluate.runtimes.base import runtimes
from workbench.jobs import submit

if TYPE_CHECKING:
    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

pytestmark = pytest.mark.thorough

NETWORKS = ("docs_cnn", "mlp", "depthwise")
# Short fine-tuning on a small dataset; a method that broke the model would lose tens of points.
POINTS = 0.06


@pytest.fixture(scope="module")
def networks(trained: Artifact, digits: Dataset, workspace: Workspace) -> dict[str, Artifact]:
    file = submit("compression_stages:write_depthwise", {}, kind="probe", workspace=workspace).wait(120)
    return {
        "docs_cnn": trained,
        "mlp": workbench.train(digits, architecture="mlp", epochs=8, workspace=workspace),
        "depthwise": adopt(file, workspace=workspace),
    }


@dataclass(frozen=True)
class Case:
    method: Method
    source: Artifact
    sha256: str
    made: Artifact

    @property
    def float_kernels(self) -> bool:
        return isinstance(self.method, FineTuned) and "quantization" not in self.method.gives

    def layers_of_the_file(self) -> dict[str, dict[str, Any]]:
        """The manifest's `layers`, counted anew in the file."""
        found = defaultdict(list)
        for each in inventory(self.made).tensors:
            if each.prunable:
                found[each.name.split("/")[0]].append(each)
        return {
            layer: {
                "elements": sum(each.elements for each in kernels),
                "sparsity": sum(each.zeros for each in kernels) / sum(each.elements for each in kernels),
                "unique": max(each.unique for each in kernels),
            }
            for layer, kernels in found.items()
        }


@pytest.fixture(
    scope="module",
    params=[(name, network) for name in methods.names() for network in NETWORKS],
    ids="-".join,
)
def case(request: pytest.FixtureRequest, networks: dict[str, Artifact], digits: Dataset, workspace: Workspace) -> Case:
    name, network = request.param
    method, source = methods.get(name)(), networks[network]
    sha256 = source.sha256
    return Case(method, source, sha256, workbench.compress(source, method, digits, workspace=workspace))


def test_it_is_another_model_and_the_source_is_unchanged(case: Case) -> None:
    assert case.source.verify().sha256 == case.sha256 == case.made.parent
    assert case.made.verify().sha256 != case.sha256
    assert case.made.settings["method"] == case.method.name


def test_it_answers_about_as_well(case: Case, digits: Dataset, workspace: Workspace) -> None:
    assert case.made.format in runtimes.names()
    before = workbench.evaluate(case.source, digits, workspace=workspace).accuracy.value
    assert workbench.evaluate(case.made, digits, workspace=workspace).accuracy.value >= before - POINTS


def test_no_wrapper_is_left(case: Case) -> None:
    if case.method.final:
        assert case.made.format != "tf_keras"
        return
    with zipfile.ZipFile(case.made.path) as archive:
        config = archive.read("config.json")
    assert b"PruneLowMagnitude" not in config
    assert b"ClusterWeights" not in config
    assert (b"QuantizeWrapper" in config) == ("quantization" in case.method.gives)


def test_what_was_asked_is_reached_in_the_file_and_the_manifest_is_true(case: Case) -> None:
    if not case.float_kernels:
        assert case.method.final or set(case.made.metrics["quantized"]) >= case.made.metrics["layers"].keys()
        return
    assert isinstance(case.method, FineTuned)
    layers = case.layers_of_the_file()
    assert case.method.shortfalls(layers, case.made.metrics) == []
    assert layers == {name: pytest.approx(facts) for name, facts in case.made.metrics["layers"].items()}
    gained = sum(facts["sparsity"] for facts in layers.values())
    assert (gained > 0.3) == ("sparsity" in case.method.gives)


def test_the_same_question_is_the_same_run(case: Case, digits: Dataset, workspace: Workspace) -> None:
    again = workbench.compress(case.source, case.method, digits, workspace=workspace)
    assert again.folder == case.made.folder


def test_it_becomes_tflite(case: Case, digits: Dataset, workspace: Workspace) -> None:
    if case.method.final:
        return
    numeric = "int8" if "quantization" in case.method.gives else "float32"
    made = workbench.convert(case.made, "tflite", numeric=numeric, dataset=digits, workspace=workspace)
    assert inventory(made).sparsity >= inventory(case.made).sparsity - 0.02


def test_the_same_seed_gives_the_same_bytes(
    networks: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    first, second = (
        submit(STAGE, _request(networks["depthwise"], digits, MagnitudePruning(distillation_weight=0.3)),
               kind="compress", workspace=workspace, reuse=False)
        for _ in range(2)
    )  # fmt: skip
    for job in (first, second):
        job.wait(180)
    assert Artifact.load(first.result).sha256 == Artifact.load(second.result).sha256


def test_a_clustering_that_was_stopped_goes_on_as_if_it_had_not_been(
    networks: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    method = WeightClustering(epochs=6, min_steps=0)
    whole = workbench.compress(networks["mlp"], method, digits, workspace=workspace)
    job = submit(STAGE, _request(networks["mlp"], digits, method), kind="compress", workspace=workspace, reuse=False)

    def stop(event: Event) -> None:
        if event.type == "epoch" and event.data["epoch"] == 2:
            job.cancel()

    with contextlib.suppress(JobCancelledError):
        job.wait(120, on_event=stop)
    if job.state == "cancelled":
        job.resume().wait(120)
    assert Artifact.load(job.result).sha256 == whole.sha256


def _request(artifact: Artifact, data: Dataset, method: Method) -> dict[str, Any]:
    return {
        "artifact": str(artifact.folder), "sha256": artifact.sha256, "dataset": data.spec,
        "method": method.name, "settings": method.model_dump(mode="json"),
    }  # fmt: skip
