"""What the command `farm` does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from model_runtime.farm.answers import Answers
from model_runtime.farm.cluster import Outcome, run_shots
from model_runtime.farm.lines import Lines, table
from model_runtime.farm.shots import read_shots

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def run(options: argparse.Namespace) -> None:
    """Exits with 1 where a shot failed."""
    shots = read_shots(options.shots)
    lines = Lines([shot.name for shot in shots], sys.stderr)
    try:
        outcomes = run_shots(shots, Answers(options.output), lines, options.address)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on with the shots that are not done.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    print(_told(outcomes))
    if any(outcome.failure for outcome in outcomes):
        sys.exit(1)


def _told(outcomes: Sequence[Outcome]) -> str:
    rows = [("shot", "", "seconds", "machine", "")]
    for each in outcomes:
        why = "" if each.failure is None else f"{each.failure.sentence} {each.failure.advice}".strip()
        rows.append((each.shot, each.state, f"{each.seconds:.0f}" if each.seconds else "", each.machine, why))
    return table(rows)
