"""Drift is told within 500 requests, in words; where nothing drifts, nobody is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from tests.monitor.streams import DRIFTS, digits
from workbench.core.errors import WorkspaceError
from workbench.core.records.monitor import DriftReport
from workbench.monitor.drift import DriftDetector, DriftSettings, Reference
from workbench.monitor.drift.comparison import Comparison
from workbench.monitor.drift.distances import class_surprise, holm, ks_distances, ks_p_values

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS_A_DAY = 3456  # of 250 requests, at 10 a second


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", DRIFTS)
def test_drift_is_told_within_500_requests_wherever_in_a_window_it_begins(name: str, seed: int) -> None:
    data, rng = digits(seed), np.random.default_rng(seed)
    detector = DriftDetector(data.reference)
    same, drifted = data.drifted(""), data.drifted(name)
    for before in (1, 100, 249):
        quiet = 250 + before
        assert not any(r.alarm for r in detector.observe(same.requests(rng.integers(0, len(same.features), quiet))))
        reports = detector.observe(drifted.requests(rng.integers(0, len(drifted.features), 499)))
        assert any(report.alarm for report in reports)
        detector.reset()


@pytest.mark.parametrize("seed", range(2))
def test_an_hour_without_drift_is_quiet(seed: int) -> None:
    data, rng = digits(seed), np.random.default_rng(seed)
    comparison, same = Comparison(data.reference, DriftSettings()), data.drifted("")
    reports = [comparison.of(same.window(rng.integers(0, len(same.features), 250)), 25) for _ in range(144)]
    assert not any(report.alarm for report in reports)
    assert {test.family for test in reports[0].tests} == {"input", "embedding", "predictions", "confidence"}


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(2))
def test_a_day_without_drift_has_one_false_alarm_at_most(seed: int) -> None:
    data, rng = digits(seed), np.random.default_rng(seed)
    comparison, same = Comparison(data.reference, DriftSettings()), data.drifted("")
    alarms = 0
    day = rng.integers(0, len(same.features), 864_000)
    for end in range(250, len(day) + 1, 125):
        alarms += comparison.of(same.window(day[end - 250 : end]), 12.5).alarm
    assert alarms <= 1


def test_a_day_spends_its_budget_whatever_it_is_cut_into() -> None:
    settings = DriftSettings(false_alarms_a_day=0.5, most_level=0.1)
    for windows in (10, WINDOWS_A_DAY, 100_000):
        assert 4 * windows * settings.level(86_400 / windows) == pytest.approx(0.5)
    assert settings.level(1e9) == 0.1 / 4
    assert DriftSettings(inputs=False, embedding=False, confidence=False).level(86.4) == pytest.approx(5e-4)


def test_what_differs_is_said_in_words_and_pictures() -> None:
    data = digits()
    x = data.x.copy()
    x[:, :3] *= 0.2
    report = Comparison(data.reference, DriftSettings()).of(data.answered(x).window(np.arange(250)), 25)
    assert report.alarm
    assert "darker than the reference mainly in rows 0–2" in report.words
    image = np.array(report.image_now), np.array(report.image_before)
    assert image[0].shape == image[1].shape == (8, 8)
    assert image[0][:3].sum() < 0.3 * image[1][:3].sum()
    assert np.allclose(image[0][3:], image[1][3:], atol=0.1)
    assert {each.index // 8 for each in report.features if each.alarm} <= {0, 1, 2}
    assert DriftReport.from_json(report.to_json()) == report


def test_a_shift_of_classes_is_named() -> None:
    data = digits()
    drifted = data.drifted("one class too often")
    report = Comparison(data.reference, DriftSettings()).of(drifted.window(np.arange(-250, 0)), 25)
    (test,) = [each for each in report.tests if each.family == "predictions"]
    assert test.alarm
    assert test.words.startswith("Class 1 is answered ")
    assert "as often" in test.words
    shares = {each.label: each for each in report.classes}
    assert shares["1"].now > 2 * shares["1"].before
    assert sum(each.now for each in report.classes) == pytest.approx(1)
    assert sum(report.confidence_now) == pytest.approx(1)


def test_what_is_no_number_is_drift_and_no_crash() -> None:
    data = digits()
    same = data.drifted("")
    same.features[:200, 5] = np.nan
    same.features[:200, 6] = np.inf
    same.confidence[:200] = np.nan
    report = Comparison(data.reference, DriftSettings()).of(same.window(np.arange(250)), 25)
    assert report.alarm
    assert "no finite numbers" in report.words
    assert DriftReport.from_json(report.to_json()) == report


def test_a_window_is_of_samples_however_they_came() -> None:
    data = digits()
    same = data.drifted("")
    one_by_one = same.requests(np.arange(300))
    together = one_by_one[0].model_copy(
        update={
            "examples": 300,
            "features": tuple(each.features[0] for each in one_by_one),
            "predictions": tuple(each.predictions[0] for each in one_by_one),
            "confidence": tuple(each.confidence[0] for each in one_by_one),
        }
    )
    apart, joined = DriftDetector(data.reference), DriftDetector(data.reference)
    (first,), (second,) = apart.observe(one_by_one), joined.observe([together])
    assert first.features == second.features
    assert first.classes == second.classes
    assert apart.waiting == joined.waiting == 50


@pytest.mark.parametrize(("stride", "expected"), [(1, 51), (20, 3), (100, 1), (250, 1), (900, 1)])
def test_a_window_is_of_the_last_samples_and_the_next_of_some_new_ones(stride: int, expected: int) -> None:
    data = digits()
    same = data.drifted("")
    asked = same.requests(np.arange(300))
    settings = DriftSettings(stride=stride, min_seconds=0)
    reports = DriftDetector(data.reference, settings).observe(asked)
    assert len(reports) == expected
    end = 250 + min(stride, 250) * (expected - 1)
    assert reports[-1].samples == 250
    assert (reports[-1].begun, reports[-1].ended) == (asked[end - 250].time, asked[end - 1].time)
    window = same.window(np.arange(end - 250, end))
    assert [each.now for each in reports[-1].features] == pytest.approx(window.features.mean(axis=0).tolist())
    levels = sum(report.tests[0].level for report in reports)
    assert levels == pytest.approx(settings.level(asked[end - 1].time - asked[0].time), rel=1e-3)


def test_however_fast_they_come_comparisons_are_few_and_spend_the_same_budget() -> None:
    data = digits()
    settings = DriftSettings(min_seconds=0.1)
    asked = data.drifted("").requests(np.arange(4_000) % 359, rate=4_000)
    reports = DriftDetector(data.reference, settings).observe(asked)
    assert 5 <= len(reports) <= 10
    assert all(report.samples == 250 for report in reports)
    assert sum(report.tests[0].level for report in reports) <= settings.level(1)
    reports = DriftDetector(data.reference, settings).observe(
        each for at, name in enumerate(("", "inverted"))
        for each in data.drifted(name).requests(np.arange(4_000) % 359, rate=4_000, start=1e9 + at)
    )  # fmt: skip
    assert [report.alarm for report in reports] == [report.ended > 1e9 + 1 for report in reports]


def test_refused_requests_and_other_shapes_are_passed_over() -> None:
    data = digits()
    asked = data.drifted("").requests(np.arange(20))
    detector = DriftDetector(data.reference)
    detector.observe(each.model_copy(update={"code": "INVALID_ARGUMENT"}) for each in asked)
    detector.observe(each.model_copy(update={"features": (), "predictions": (), "confidence": ()}) for each in asked)
    assert detector.waiting == 0
    detector.observe(each.model_copy(update={"features": ((1.0, 2.0),)}) for each in asked)
    assert detector.waiting == 20


def test_a_window_that_does_not_fill_is_compared_when_it_is_overdue() -> None:
    data = digits()
    detector = DriftDetector(data.reference, DriftSettings(window_seconds=600))
    asked = data.drifted("inverted").requests(np.arange(60), rate=1)
    assert detector.observe(asked[:49]) == ()
    assert detector.due(asked[0].time + 601) is None  # too few yet
    detector.observe(asked[49:])
    assert detector.due(asked[0].time + 599) is None
    report = detector.due(asked[0].time + 601)
    assert report is not None
    assert report.samples == 60
    assert report.alarm
    assert detector.due(asked[0].time + 9999) is None


def test_distances_are_those_of_scipy() -> None:
    rng = np.random.default_rng(3)
    # Ties, as of pixels that are mostly black.
    reference, window = rng.integers(0, 6, (500, 9)) / 5, rng.integers(0, 5, (90, 9)) / 5
    reference[:, 5:], window[:, 5:] = rng.normal(size=(500, 4)), rng.normal(0.3, 1.2, (90, 4))
    distances = ks_distances(np.sort(reference, axis=0), window)
    expected = stats.ks_2samp(reference, window, axis=0, method="asymp")
    assert np.allclose(distances, expected.statistic)
    assert np.allclose(ks_p_values(distances, 500, 90, 0.0), expected.pvalue)
    assert (ks_p_values(distances, 500, 90, 0.1) >= expected.pvalue).all()


def test_p_values_are_no_smaller_than_they_may_be() -> None:
    """Where the populations differ by less than the tolerance, a p-value is below 1 % in 1 % of windows at most."""
    rng = np.random.default_rng(5)
    shifted = rng.normal(0.2, 1, (1000, 150))  # Kolmogorov's distance of the populations is 0.08
    reference = np.sort(rng.normal(size=(1000, 150)), axis=0)
    p_values = ks_p_values(ks_distances(reference, shifted[:250]), 1000, 250, 0.1)
    assert (p_values < 0.01).mean() <= 0.01
    before, shares = np.full(10, 200), np.full(10, 0.1) + np.repeat([0.02, -0.02], 5)  # w = 0.2
    surprise = np.array([class_surprise(before, rng.multinomial(250, shares), 0.2)[1] for _ in range(1000)])
    assert (surprise < 0.01).mean() <= 0.02


def test_many_tests_are_corrected_and_rare_classes_counted_together() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])).max() == 1
    statistic, surprise = class_surprise(np.array([500, 500, 1, 1]), np.array([125, 124, 0, 1]), 0.0)
    assert statistic < 1
    assert surprise > 0.1
    assert class_surprise(np.array([10, 0]), np.array([5, 0]), 0.0) == (0.0, 1.0)


def test_a_reference_is_a_small_file(tmp_path: Path) -> None:
    reference = digits().reference
    path = reference.save(tmp_path / "a" / "reference.npz")
    found = Reference.load(path)
    assert path.stat().st_size < 400_000
    assert path.stat().st_mode & 0o077 == 0
    for name in ("features", "predictions", "confidence"):
        assert np.array_equal(getattr(found, name), getattr(reference, name))
    assert (found.shape, found.classes, found.source) == (reference.shape, reference.classes, reference.source)
    for damaged in (b"", path.read_bytes()[:500], b"PK" + bytes(100)):
        path.write_bytes(damaged)
        with pytest.raises(WorkspaceError, match="make it again"):
            Reference.load(path)
    with pytest.raises(WorkspaceError, match="make it again"):
        Reference.load(tmp_path / "none.npz")
