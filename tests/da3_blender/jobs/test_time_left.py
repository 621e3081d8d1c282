"""The time left is that of jobs as they go, and does not rise wildly."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.jobs.time_left import TimeLeft


def job(clock: TimeLeft, seconds: dict[float, float], start: float = 100.0) -> list[tuple[float, float]]:
    """(truly left, told left) twice a second of a job that reaches each progress after so many seconds."""
    progress, times = np.array([(0.0, 0.0), *seconds.items()]).T
    clock.begin(start)
    told = []
    for now in np.arange(0.5, times[-1], 0.5):
        left = clock.at(float(np.interp(now, times, progress)), start + now)
        if left is not None:
            told.append((float(times[-1] - now), left))
    clock.finish(start + times[-1])
    return told


SLOW_FEATURES = {0.1: 1.0, 0.2: 2.0, 0.4: 40.0, 0.9: 46.0, 1.0: 50.0}


def test_the_second_job_is_foretold_by_the_first() -> None:
    clock = TimeLeft()
    job(clock, SLOW_FEATURES)
    for true, told in job(clock, {progress: 2 * seconds for progress, seconds in SLOW_FEATURES.items()}):
        assert told == pytest.approx(true, rel=0.05, abs=1.0)


@pytest.mark.parametrize("seconds", [SLOW_FEATURES, {0.1: 0.5, 0.2: 1.0, 0.9: 60.0, 1.0: 61.0}, {0.5: 1.0, 1.0: 90.0}])
def test_it_rises_no_faster_than_the_clock(seconds: dict[float, float]) -> None:
    told = [left for _, left in job(TimeLeft(), seconds)]
    assert told and max(np.diff(told)) <= 0.5 + 1e-9


def test_the_first_job_is_told_as_jobs_with_features_go() -> None:
    """Within a factor of four, where progress by itself would be off by eight."""
    early = [(true, told) for true, told in job(TimeLeft(), SLOW_FEATURES) if true > 15]
    assert len(early) > 50 and all(true / 4 < told < true * 4 for true, told in early)


def test_nothing_is_told_before_anything_is_known() -> None:
    clock = TimeLeft()
    clock.begin(0.0)
    assert clock.at(0.0, 10.0) is None and clock.at(0.5, 1.0) is None
