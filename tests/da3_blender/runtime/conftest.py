"""What tests of the worker's process share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from da3_blender.runtime.worker_process import WorkerProcess


@pytest.fixture
def start_worker() -> Iterator[Callable[[str], WorkerProcess]]:
    """Starts workers from scripts; all are ended after the test."""
    started: list[WorkerProcess] = []

    def start(script: str) -> WorkerProcess:
        started.append(WorkerProcess([sys.executable, "-c", script]))
        return started[-1]

    yield start
    for client in started:
        client.close()
