"""Parts of parts of a job tell fractions of the whole."""

from __future__ import annotations

import pytest

from model_runtime.contract.progress import SILENT, Span, never_falling


def test_a_part_of_a_part_tells_fractions_of_the_whole() -> None:
    told: list[tuple[str, float, str]] = []
    half = Span(lambda *what: told.append(what), "job").part(0.5, 1.0)
    half(0.5, "Half of the second half.")
    quarter = half.part(0.0, 0.5, "network")
    quarter(1.0, "Its first half.")
    quarter.part(0.2, 0.4)(0.5, "A piece of that.")
    assert [(stage, pytest.approx(fraction)) for stage, fraction, _ in told] == [
        ("job", 0.75),
        ("network", 0.75),
        ("network", 0.575),
    ]
    assert told[0][2] == "Half of the second half."


def test_fractions_never_fall() -> None:
    told: list[float] = []
    progress = Span(never_falling(lambda stage, fraction, sentence: told.append(fraction)))
    for done in (0.1, 0.4, 0.2, 0.5):
        progress(done, "")
    assert told == [0.1, 0.4, 0.4, 0.5]


def test_whoever_listens_can_stop_the_work() -> None:
    class Stop(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        Span(stop).part(0.0, 0.5)(0.0, "On it.")
    SILENT.part(0.0, 0.5)(0.0, "On it.")
