"""A graph's run ends soon after somebody says stop, and tells where memory ran out; devices are here or refused."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.messages import JobError
from model_runtime.onnx_graphs.devices import choose_device
from model_runtime.onnx_graphs.graph import Graph
from model_runtime.onnx_graphs.session import GraphSession

SIDE = 1200


class StopError(Exception):
    pass


def begin(graph: Graph) -> GraphSession:
    return GraphSession(graph, Path("none"), {}, choose_device("cpu"), lambda: None)


def test_a_run_of_many_operators_stops_within_a_second() -> None:
    graph = Graph("slow")
    x = graph.input("x", (SIDE, SIDE))
    for _ in range(300):  # some ten seconds
        x = graph.op("MatMul", x, "x")
    graph.output("y", x, (SIDE, SIDE))
    asked: list[float] = []

    def go_on() -> None:
        asked.append(time.perf_counter())
        if len(asked) == 2:
            raise StopError

    with pytest.raises(StopError):
        begin(graph).run({"x": np.zeros((SIDE, SIDE), np.float32)}, go_on)
    assert time.perf_counter() - asked[-1] < 1


def test_more_than_there_is_memory_for() -> None:
    graph = Graph("large")
    count = graph.input("count", (1,), 7)
    graph.output("y", graph.op("Expand", graph.number(1.0), count), ("n",))
    with pytest.raises(MemoryError):
        begin(graph).run({"count": np.array([1 << 46])}, lambda: None)


def test_what_is_wrong_otherwise_is_told_as_it_is() -> None:
    graph = Graph("sum")
    graph.output("y", graph.op("Add", graph.input("a", ("n",)), graph.input("b", ("m",))), ("n",))
    with pytest.raises(Exception, match="broadcast") as caught:
        begin(graph).run({"a": np.zeros(2, np.float32), "b": np.zeros(3, np.float32)}, lambda: None)
    assert not isinstance(caught.value, MemoryError)


def test_devices() -> None:
    assert choose_device("cpu").name == "cpu"
    assert choose_device("auto").providers()[-1] == "CPUExecutionProvider"
    for name, code in (
        ("cuda:99", "device-missing"),
        ("directml", "device-missing"),
        ("mps", "device-missing"),
        ("cuda:", "device-unknown"),
        ("tpu", "device-unknown"),
    ):
        with pytest.raises(JobError) as caught:
            choose_device(name)
        assert caught.value.failure.code == code, name
