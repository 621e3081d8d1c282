"""A farm of two machines, which are processes of this one: one is killed in the middle of a shot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from model_runtime.contract.messages import JobError
from model_runtime.farm.answers import Answers
from model_runtime.farm.cluster import Outcome, run_shots
from model_runtime.farm.lines import Lines
from model_runtime.farm.shots import Shot

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="the group `farm` is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="the machine of a shot is found by /proc"),
]

if TYPE_CHECKING:
    from ray._private.node import Node
    from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[3]
PHOTOS = tuple(sorted((ROOT / "examples" / "living_room").glob("*.jpg")))[:4]
SETTINGS = {"resolution": 280, "camera_source": "network", "gaussians": False, "device": "cpu"}

STORE = 200_000_000
"""Bytes of shared memory of each machine."""

HEAD = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE}

ALONE = """
import sys
from pathlib import Path
from model_runtime.farm.shots import Shot
from model_runtime.farm.work import do_order, make_order
photos = [Path(name) for name in sys.argv[2:]]
for count in (len(photos), 1):
    shot = Shot("alone", tuple(photos[:count]), settings={settings}, cpus=1)
    Path(sys.argv[1], f"{count}.npz").write_bytes(do_order(make_order(shot), lambda *_: None))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head that does no shots, and two machines of one processor each."""
    import ray
    from ray.cluster_utils import Cluster

    variables = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        made = Cluster(initialize_head=True, head_node_args=HEAD)
        for _ in range(2):
            made.add_node(num_cpus=1, object_store_memory=STORE)
        made.wait_for_nodes()
        yield made
        ray.shutdown()
        made.shutdown()


class Killing(Lines):
    """Kills the machine that does a shot when it is in the middle of it."""

    def __init__(self, cluster: Cluster, shots: list[str], victim: str) -> None:
        super().__init__(shots, sys.stderr)
        self.cluster, self.victim, self.killed = cluster, victim, 0

    def tell(self, shot: str, stage: str, text: str) -> None:
        super().tell(shot, stage, text)
        if shot == self.victim and stage not in ("sent", "done") and not self.killed:
            self.killed = _kill_machine_of(self.cluster, shot)


def _kill_machine_of(cluster: Cluster, shot: str) -> int:
    """How many machines that do the shot were killed. Ray calls a machine's process by the task that it does."""
    parents = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cmdline").read_bytes().startswith(f"ray::{shot}".encode()):
                parents.add(int((process / "stat").read_text().rpartition(")")[2].split()[1]))
    doing = [machine for machine in cluster.list_all_nodes() if _raylet(machine) in parents]
    for machine in doing:
        cluster.remove_node(machine, allow_graceful=False)
    return len(doing)


def _raylet(machine: Node) -> int:
    """The process of a machine that starts all others."""
    (found,) = machine.all_processes["raylet"]
    return found.process.pid


def test_a_machine_that_dies_costs_nothing_but_time(cluster: Cluster, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no photo")
    shots = [
        Shot("long", PHOTOS, settings=SETTINGS, cpus=1),
        Shot("bad", (bad,), settings=SETTINGS, cpus=1),
        Shot("short", PHOTOS[:1], settings=SETTINGS, cpus=1, shared=True),
    ]
    answers = Answers(tmp_path / "out")
    lines = Killing(cluster, [shot.name for shot in shots], "long")
    outcomes = run_shots(shots, answers, lines, cluster.address)
    assert lines.killed == 1
    assert [each.state for each in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].failure is not None and outcomes[1].failure.code == "photo-unreadable"
    alone = done_alone(tmp_path)
    assert {name: answers.path(name).read_bytes() for name in ("long", "short")} == alone
    again = run_shots([shots[0], shots[2]], answers, lines, "nowhere:1")  # nothing is left to do: it is not asked
    assert again == [Outcome("long", "was there"), Outcome("short", "was there")]


def test_an_address_where_nothing_answers_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    for each in (address, f"ray://{address}"):
        shot = Shot("one", PHOTOS[:1], settings=SETTINGS)
        with pytest.raises(JobError, match="Nothing answers at") as error:
            run_shots([shot], Answers(tmp_path), Lines(["one"], sys.stderr), each)
        assert error.value.failure.code == "remote-unreachable"


def test_a_shot_that_no_machine_can_do_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    shot = Shot("huge", PHOTOS[:1], settings=SETTINGS, cpus=64)
    with pytest.raises(JobError, match="huge asks for 64 processors"):
        run_shots([shot], Answers(tmp_path), Lines(["huge"], sys.stderr), cluster.address)


def done_alone(folder: Path) -> dict[str, bytes]:
    """The bytes of the answers without a farm, in a process with one thread as well."""
    program = ALONE.replace("{settings}", repr(SETTINGS))
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program, str(folder), *map(str, PHOTOS)], env=variables, check=True)
    return {"long": (folder / f"{len(PHOTOS)}.npz").read_bytes(), "short": (folder / "1.npz").read_bytes()}
