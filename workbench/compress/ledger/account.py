"""The verb `ledger`: why is a model not smaller, not faster?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.compress.ledger.faster import cpu_features, why_not_faster
from workbench.compress.ledger.holdings import elements, entropy_bytes, holdings, parts_of
from workbench.compress.ledger.smaller import why_not_smaller
from workbench.core.artifact import cpu_name
from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError
from workbench.core.records.ledger import BytePart, Ledger
from workbench.evaluate.profile import PROFILED, call_times, profile
from workbench.evaluate.sizes import measure_sizes

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.records.ledger import Profile
    from workbench.datasets import Dataset

_SAMPLES = 64


def ledger(
    artifact: Artifact,
    data: Dataset | None = None,
    *,
    baseline: Artifact | None = None,
    batch: int = 1,
    threads: int = 1,
    runs: int = 50,
    timed: bool = True,
) -> Ledger:
    """Account for a model's bytes and time, and say in words what keeps it from being smaller or faster.

    No framework is loaded: models that only TensorFlow runs, and packed ones, are accounted for by bytes.

    Args:
        artifact: Any model; it stays as it is.
        data: Its test samples are what calls are timed with; None draws some.
        baseline: A model to compare the time with, such as the float32 one that an int8 one was made from.
        batch: Samples a call.
        threads: Threads of one call.
        runs: Timed calls.
        timed: False accounts for bytes only, and opens the model in no engine.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: Nothing here reads the format, or a number is below 1.
        MissingExtraError: A `.keras` file needs h5py, which the extra `train` brings.
    """
    require_artifact(artifact)
    if baseline is not None:
        require_artifact(baseline, "baseline")
    if data is not None and not hasattr(data, "floats"):
        raise BadInputError.of("data", rule="must be a Dataset", got=data, hint="open it with workbench.load_dataset")
    sizes = measure_sizes(artifact)
    held = holdings(artifact)
    features = cpu_features()

    profiles: list[Profile] = []
    if timed and artifact.format in PROFILED:
        samples = data.floats("test", slice(0, _SAMPLES)) if data is not None else None
        pair = [artifact] if baseline is None or baseline.format not in PROFILED else [artifact, baseline]
        calls = call_times(pair, samples, batch=batch, threads=threads, runs=runs)
        for model, call in zip(pair, calls, strict=True):
            profiles.append(profile(model, samples, batch=batch, threads=threads, runs=runs, call_ms=call))
    ours, theirs = (*profiles, None, None)[:2]
    if artifact.format == "packed":
        parts: tuple[BytePart, ...] = (BytePart(purpose="packed, all of it", bytes=sizes.raw),)
    else:
        parts = parts_of(artifact, held, sizes.raw)
    return Ledger(
        artifact=artifact.sha256,
        label=artifact.label,
        sizes=sizes,
        parts=parts,
        entropy_bytes=entropy_bytes(held.every),
        weights=elements(held.kernels) + elements(held.vectors),
        sparsity=held.sparsity,
        profile=ours,
        cpu=cpu_name(),
        features=features,
        findings=(
            *why_not_smaller(artifact, held, sizes),
            *why_not_faster(
                artifact.numeric,
                held.sparsity,
                ours,
                features,
                baseline=theirs,
                name=f"{baseline.name!r} ({baseline.label})" if baseline is not None else "",
            ),
        ),
    )
