"""The order of splats, and the program that finds it: right, started anew when it dies, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from da3_blender.drawing.order_process import STARTS, OrderProcess
from da3_blender.drawing.sorting import back_to_front

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
ROW = [0.3, -0.2, 0.9, -5.0]


def some_positions(count: int = 5000) -> np.ndarray:
    positions = np.random.default_rng(3).normal(size=(count, 3)).astype(np.float32)
    positions[:4] *= [[1e4], [1e-6], [0], [-1e4]]
    return positions


def depth_of(positions: np.ndarray, row: list[float]) -> np.ndarray:
    return (
        positions[:, 0] * np.float32(row[0])
        + positions[:, 1] * np.float32(row[1])
        + positions[:, 2] * np.float32(row[2])
        + np.float32(row[3])
    )


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[OrderProcess]:
    process = OrderProcess(parent=str(tmp_path))
    yield process
    process.close()


def answered(process: OrderProcess) -> tuple[int, object, np.ndarray]:
    """Its next answer; raises AssertionError where none comes."""
    deadline = time.monotonic() + PATIENCE
    while (answer := process.poll()) is None:
        assert time.monotonic() < deadline and not process.trouble, process.trouble
        time.sleep(0.01)
    return answer


def gone(pid: int) -> bool:
    """Whether no process has this id, or only one that has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_the_farthest_come_first_and_equals_stay_in_order() -> None:
    positions = some_positions()
    positions[100:200] = positions[300]
    depth = depth_of(positions, ROW)
    assert (depth > 0).any() and (depth < 0).any()
    expected = np.lexsort((np.arange(len(depth)), depth))
    np.testing.assert_array_equal(back_to_front(positions, [(0, len(positions), ROW)]), expected)


def test_objects_are_ordered_together_each_by_its_own_place_and_hidden_ones_left_out() -> None:
    positions = some_positions(300)
    near, far = [0.0, 0.0, 1.0, -2.0], [0.0, 0.0, 1.0, -2.5]
    order = back_to_front(positions, [(0, 100, near), (200, 300, far)]).astype(int)
    depth = np.concatenate([positions[:100, 2] - 2, np.full(100, np.nan), positions[200:, 2] - 2.5])
    assert sorted(order) == [*range(100), *range(200, 300)]
    assert (np.diff(depth[order]) >= -1e-6).all()
    assert (np.diff(order < 100) != 0).sum() > 20  # one is not simply behind the other


def test_nothing_has_an_order_too() -> None:
    assert back_to_front(np.zeros((0, 3), np.float32), []).shape == (0,)


def test_the_program_answers_as_the_function_does_and_each_view_by_its_last_question(orders: OrderProcess) -> None:
    positions = some_positions()
    kept = orders.keep(positions)
    back = [-value for value in ROW]
    orders.ask(1, kept, [(0, 5000, ROW)], "first")
    orders.ask(2, kept, [(0, 10, ROW)], "never done")
    orders.ask(2, kept, [(0, 5000, back)], "last")
    answers = {view: (token, order) for view, token, order in (answered(orders), answered(orders))}
    assert [answers[view][0] for view in (1, 2)] == ["first", "last"]
    np.testing.assert_array_equal(answers[1][1], back_to_front(positions, [(0, 5000, ROW)]))
    np.testing.assert_array_equal(answers[2][1], back_to_front(positions, [(0, 5000, back)]))
    assert not orders.busy


def test_a_program_that_is_killed_is_started_anew_and_asked_again(orders: OrderProcess) -> None:
    positions = some_positions()
    kept = orders.keep(positions)
    orders.ask(1, kept, [(0, 5000, ROW)])
    first = orders.pid
    assert first is not None
    os.kill(first, signal.SIGTERM)
    _, _, order = answered(orders)
    orders.ask(1, kept, [(0, 5000, ROW)])
    np.testing.assert_array_equal(answered(orders)[2], order)
    assert gone(first) and orders.pid is not None and not orders.trouble


def test_closing_ends_the_program_and_leaves_no_file(orders: OrderProcess, tmp_path: Path) -> None:
    kept = orders.keep(some_positions())
    orders.ask(1, kept, [(0, 5000, ROW)])
    answered(orders)
    pid = orders.pid
    assert pid is not None and any(tmp_path.iterdir())
    orders.close()
    assert gone(pid) and not any(tmp_path.iterdir())


def test_the_program_ends_with_who_started_it() -> None:
    script = """
import os, sys, numpy
from da3_blender.drawing.order_process import OrderProcess
orders = OrderProcess()
orders.ask(1, orders.keep(numpy.zeros((9, 3), numpy.float32)), [(0, 9, [0, 0, 1, 0])])
while orders.poll() is None:
    pass
print(orders.pid, flush=True)
os._exit(1)
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1 and gone(int(run.stdout))


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
def test_one_that_never_runs_is_given_up_and_says_why(python: str, tmp_path: Path) -> None:
    orders = OrderProcess(python, str(tmp_path))
    kept = orders.keep(some_positions())
    orders.ask(1, kept, [(0, 5000, ROW)])
    for _ in range(100 * STARTS):
        assert orders.poll() is None
        if orders.trouble:
            break
        time.sleep(0.01)
    assert orders.trouble and not orders.busy
    np.testing.assert_array_equal(kept.read(), some_positions())  # for who does it instead
    orders.close()


def test_places_that_no_disk_takes_stay_in_memory(tmp_path: Path) -> None:
    orders = OrderProcess(parent=str(tmp_path))
    orders.keep(some_positions())
    (folder,) = tmp_path.iterdir()
    (folder / "positions-2").mkdir()  # in the way of the next file
    kept = orders.keep(some_positions())
    assert kept.file is None
    np.testing.assert_array_equal(kept.read(), some_positions())
    orders.close()
