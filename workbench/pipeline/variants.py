"""Compress and convert one trained model into the variants of the final table, each measured the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.artifact import Artifact
from workbench.evaluate.variant import DEPLOYED, measure_variant
from workbench.pipeline.settings import accuracy_rules, training_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Format, Numeric
    from workbench.core.events import Event
    from workbench.core.records import Evaluation, Variant
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate

__all__ = ["DEPLOYED", "Bench", "make_variants"]


@dataclass(frozen=True)
class Bench:
    """What every variant is measured against: same data, same baseline, same gate."""

    data: Dataset
    baseline: Evaluation
    gate: Gate
    workspace: Workspace

    def measure(self, name: str, artifact: Artifact) -> Variant:
        """Evaluate, time and judge one artifact; what is not deployed is judged by its accuracy only."""
        gate = self.gate if artifact.format in DEPLOYED else accuracy_rules(self.gate)
        if artifact.sha256 == self.baseline.model:
            gate = training_rules(gate)
        return measure_variant(name, artifact, self.data, self.baseline, gate=gate, workspace=self.workspace)


def make_variants(
    trained: Artifact,
    sparsity: float,
    seed: int,
    bench: Bench,
    *,
    announce: Callable[[str, str], None],
    on_event: Callable[[Event], None],
) -> tuple[list[Artifact], list[Variant]]:
    """Prune, quantize and convert a trained model.

    Args:
        trained: The model that passed its gate.
        sparsity: Share of weights to set to zero; 0 skips pruning.
        seed: Seed of the fine-tuning.
        bench: How each variant is measured.
        announce: Called with step and sentence.
        on_event: Called with each event of the fine-tuning.

    Returns:
        The artifacts and their rows, the trained model first, the ones to serve (ONNX, int8 TFLite) last.
    """
    from workbench.compress.magnitude_pruning import MagnitudePruning
    from workbench.compress.run import compress
    from workbench.convert.run import start_conversion
    from workbench.jobs import finish

    made = {"trained": trained}
    wanted: list[tuple[str, Artifact, Format, Numeric]] = [("trained tflite float32", trained, "tflite", "float32")]
    small, word = trained, "trained"
    if sparsity > 0:
        announce("compress", f"pruning to {sparsity:.0%}, with fine-tuning")
        method = MagnitudePruning(sparsity=sparsity, seed=seed)
        small = compress(trained, method, bench.data, workspace=bench.workspace, on_event=on_event)
        word = "pruned"
        made[word] = small
        wanted.append((f"{word} tflite float32", small, "tflite", "float32"))

    announce("convert", "SavedModel, ONNX, TFLite, each compared with its source")
    wanted += [
        (f"{word} saved_model", small, "saved_model", "float32"),
        (f"{word} onnx float32", small, "onnx", "float32"),
        (f"{word} tflite int8", small, "tflite", "int8"),
    ]
    # Conversions are independent jobs; the cluster decides how many run at once.
    pending = {
        name: start_conversion(source, format_, numeric=numeric, dataset=bench.data, workspace=bench.workspace)
        for name, source, format_, numeric in wanted
    }
    finish(*pending.values())
    made |= {name: Artifact.load(job.result) for name, job in pending.items()}
    announce("convert", "measuring every variant on the test set")
    return list(made.values()), [bench.measure(name, artifact) for name, artifact in made.items()]
