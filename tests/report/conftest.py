import pytest

from workbench.core.records import (
    CalibrationBin,
    ClassScore,
    EpochPoint,
    Evaluation,
    GateLine,
    Latency,
    LearningCurve,
    Parity,
    Proportion,
    RoadReport,
    ServingStats,
    Sizes,
    Variant,
    Verdict,
)

ACCURACY = Proportion(value=0.9, low=0.85, high=0.94, successes=90, total=100)
FAILED = Verdict(
    passed=False, lines=(GateLine(rule="max_drop", limit=0.005, value=0.02, passed=False, reason="it lost too much."),)
)
PASSED = Verdict(passed=True, lines=(GateLine(rule="max_drop", limit=0.005, value=0, passed=True, reason="it holds."),))


def variant(name: str, format_: str, gzip: int, *, verdict: Verdict = PASSED) -> Variant:
    timed = Latency(runtime=format_, batch=1, threads=1, runs=9, warmup_ms=3, p50_ms=0.1, p95_ms=0.2, p99_ms=0.3)
    parity = Parity(
        source="tf_keras/float32", target=f"{format_}/float32", samples=9, max_abs=1e-6, mean_abs=1e-7, agreement=1,
        worst=3, max_abs_limit=1e-4, min_agreement=0.99, passed=True,
    )  # fmt: skip
    return Variant(
        name=name, format=format_, numeric="float32", artifact="/a", sparsity=0.8, accuracy=ACCURACY, drop=0.02,
        drop_low=0.0, drop_high=0.04, sizes=Sizes(raw=2 * gzip, gzip=gzip),
        latency=None if format_ == "tf_keras" else timed, parity=None if format_ == "tf_keras" else parity,
        verdict=verdict,
    )  # fmt: skip


@pytest.fixture
def report() -> RoadReport:
    evaluation = Evaluation(
        model="abc", dataset="digits", checksum="c", split="test", accuracy=ACCURACY, log_loss=0.3,
        calibration_error=0.02, confusion=((45, 5), (5, 45)), correct="1" * 90 + "0" * 10,
        classes=tuple(ClassScore(label=str(i), precision=0.9, recall=0.9, f1=0.9, support=50) for i in (0, 1)),
        calibration=(CalibrationBin(low=0.8, high=1, confidence=0.95, accuracy=0.9, count=100),),
    )  # fmt: skip
    points = tuple(
        EpochPoint(
            epoch=i,
            loss=1 / i,
            accuracy=1 - 1 / (i + 1),
            val_loss=None,
            val_accuracy=None,
            seconds=1,
            learning_rate=0.1,
        )
        for i in (1, 2, 3)
    )
    return RoadReport(
        run="road-20260101T000000Z-00000000", dataset="digits <script>", recipe="docs", attempts=2,
        curve=LearningCurve(label="docs", points=points, best_epoch=3), evaluation=evaluation,
        variants=(
            variant("trained", "tf_keras", 400_000),
            variant("pruned tflite int8", "tflite", 20_000, verdict=FAILED),
        ),
        serving=(
            ServingStats(
                model="m", version="1", requests=10, errors=0, p50_ms=1.5, p95_ms=None, p99_ms=None, uptime_s=3
            ),
        ),
        verdict=FAILED, seconds=12.3, machine="a machine",
    )  # fmt: skip
