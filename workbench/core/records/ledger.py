"""Why a model is not smaller or faster: where its bytes and its time go, and what to do about it."""

from __future__ import annotations

from workbench.core.records.base import Record
from workbench.core.records.files import Sizes  # noqa: TC001 - pydantic reads it when it builds the class


class BytePart(Record):
    """Bytes of a model file that serve one purpose; all parts add up to the file."""

    purpose: str
    bytes: int


class OperatorTime(Record):
    """One kind of operator.

    Attributes:
        operator: Its type in the file as it runs, e.g. `Conv`.
        count: How many of them the graph has.
        ms: Time of all of them in one call, mean; None where the engine does not tell.
    """

    operator: str
    count: int
    ms: float | None


class Profile(Record):
    """Where the time of one call goes.

    Attributes:
        runtime: Which engine answered, e.g. `onnx`.
        batch: Samples a call.
        threads: Intra-op threads.
        runs: Calls that were timed.
        call_ms: Median of one whole call.
        operators: By type, the slowest first.
        overhead_ms: The call's time outside of all operators; None where operators are not timed.
        wide_ms: Median a sample in calls of `wide_batch` samples.
        wide_batch: Samples of the larger call.
    """

    runtime: str
    batch: int
    threads: int
    runs: int
    call_ms: float
    operators: tuple[OperatorTime, ...]
    overhead_ms: float | None
    wide_ms: float
    wide_batch: int

    @property
    def sample_ms(self) -> float:
        """Time a sample at `batch`."""
        return self.call_ms / self.batch

    def of(self, *operators: str) -> tuple[int, float | None]:
        """Return how many operators of these types there are, and their share of all operators' time in [0, 1]."""
        chosen = [each for each in self.operators if each.operator in operators]
        total = sum(each.ms or 0.0 for each in self.operators)
        share = sum(each.ms or 0.0 for each in chosen) / total if total else None
        return sum(each.count for each in chosen), share


class Finding(Record):
    """One answer: what it is about, and a sentence or two with the figure and the next step.

    Attributes:
        topic: A word that does not change, e.g. `zeros` or `optimizer`.
        text: For people.
    """

    topic: str
    text: str


class Ledger(Record):
    """Where a model's bytes and time go.

    Attributes:
        artifact: sha256 of the model.
        label: Its format and numeric type.
        sizes: Bytes as they are, gzip'd and packed.
        parts: What the bytes of the file are for, the most first.
        entropy_bytes: What all tensors take when each value costs its own information (order-0 entropy), the graph not
            counted.
        weights: How many weights there are.
        sparsity: Share of zeros among the kernels' weights.
        profile: Where the time goes; None where it was not measured.
        cpu: The processor and its cores.
        features: Those of its instruction sets that matter to int8, e.g. `avx512_vnni`.
        findings: Answers, the weightiest first.
    """

    artifact: str
    label: str
    sizes: Sizes
    parts: tuple[BytePart, ...]
    entropy_bytes: int
    weights: int
    sparsity: float
    profile: Profile | None
    cpu: str
    features: tuple[str, ...]
    findings: tuple[Finding, ...]

    def finding(self, topic: str) -> str:
        """Return the sentence on a topic, or nothing where there is none to say."""
        return next((each.text for each in self.findings if each.topic == topic), "")

    def text(self) -> str:
        """Return all of it for a terminal, a few lines each on bytes, time and findings."""
        lines = [f"{self.label}: {_size(self.sizes.raw)}, gzip'd {_size(self.sizes.gzip)}, {self._packed()}"]
        lines += [f"  {part.bytes / max(self.sizes.raw, 1):6.1%}  {part.purpose}" for part in self.parts if part.bytes]
        if self.profile is not None:
            profile = self.profile
            lines.append(
                f"{profile.runtime}: {profile.call_ms:.3f} ms a call of {profile.batch}, threads {profile.threads}; "
                f"{profile.wide_ms:.3f} ms a sample in calls of {profile.wide_batch}"
            )
            lines += [f"  {_time(each):>9}  {each.count} x {each.operator}" for each in profile.operators]
        return "\n".join([*lines, *(f"- {each.text}" for each in self.findings)])

    def __str__(self) -> str:
        return self.text()

    def _packed(self) -> str:
        packed = "not packed" if self.sizes.packed is None else f"packed {_size(self.sizes.packed)}"
        return f"{packed}, entropy of its values {_size(self.entropy_bytes)}"


def _size(count: int) -> str:
    return f"{count:,} B" if count < 10_000 else f"{count / 1000:,.1f} kB"  # noqa: PLR2004 - five digits are read slowly


def _time(operator: OperatorTime) -> str:
    return "-" if operator.ms is None else f"{operator.ms:.3f} ms"
