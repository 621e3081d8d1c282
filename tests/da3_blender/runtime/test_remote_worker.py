"""A worker behind a real SSH server on this machine: a job, a cancel, and connections that fail or break."""

from __future__ import annotations

import getpass
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from da3_blender.runtime.check import RuntimeCheck, RuntimeReport
from da3_blender.runtime.chosen_worker import explain_failure
from da3_blender.runtime.worker_command import RuntimeSettings, worker_command
from da3_blender.runtime.worker_process import WorkerProcess
from model_runtime.contract.messages import Failure, Photo, Prediction, Request

ROOT = Path(__file__).parents[3]
WORKER_PYTHON = os.environ.get("DA3_WORKER_PYTHON", sys.executable)
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SECONDS = 180.0

SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""
CLIENT = """
Host gpubox
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    BatchMode yes
"""


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How a command on the other machine begins; the machine is this one, behind its own SSH server."""
    if SSHD is None or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        pytest.skip("no SSH server and client here (Debian and Ubuntu: apt install openssh-server)")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "server").write_text(SERVER.format(port=port, folder=folder))
    (folder / "client").write_text(CLIENT.format(port=port, folder=folder, user=getpass.getuser()))
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    tried = subprocess.run([SSHD, "-t", "-f", folder / "server"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"the SSH server does not start here: {tried.stderr.strip()}")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "server"], stderr=subprocess.DEVNULL)
    begin = f"ssh -F {folder}/client gpubox"
    try:
        end = time.monotonic() + 20
        while subprocess.run([*begin.split(), "true"], capture_output=True, check=False).returncode:
            assert time.monotonic() < end and server.poll() is None
            time.sleep(0.1)
        yield begin
    finally:
        server.terminate()
        server.wait(10)


def settings(ssh: str, mark: str = "/nowhere") -> RuntimeSettings:
    """mark: a folder of models that tells this worker's process from others."""
    worker = f"env PYTHONPATH={ROOT} OMP_NUM_THREADS=1 {WORKER_PYTHON} -m model_runtime worker --models {mark}"
    return RuntimeSettings("command", command=f"{ssh} {worker}")


def request(count: int = 2) -> Request:
    """A job of `count` photos, no two of them alike."""
    image = Image.open(ROOT / "examples/living_room/living_room_1.jpg").resize((160 + count, 120))
    photos = []
    for left in range(count):
        image.crop((left, 0, left + 160, 120)).save(file := io.BytesIO(), "PNG")
        photos.append(Photo(f"{left}.png", file.getvalue()))
    return Request(tuple(photos), resolution=112, camera_source="network", gaussians=False)


def ending(worker: WorkerProcess, job: str) -> Prediction | Failure:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for event in worker.poll():
            if event.job == job and isinstance(event.message, Prediction | Failure):
                return event.message
        time.sleep(0.02)
    raise AssertionError(worker.log)


def wait_for_progress(worker: WorkerProcess, job: str) -> None:
    end = time.monotonic() + SECONDS
    while True:
        messages = [event.message for event in worker.poll() if event.job == job]
        assert not any(isinstance(message, Prediction | Failure) for message in messages), messages
        if messages:
            return
        assert time.monotonic() < end, worker.log
        time.sleep(0.005)


def workers(mark: str) -> list[int]:
    """Process ids of workers with this mark, and of none of their shells and ssh clients."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:4] == [b"-m", b"model_runtime", b"worker"] and mark.encode() in words:
            found.append(int(path.parent.name))
    return found


def wait_until_none(mark: str) -> None:
    end = time.monotonic() + 20
    while workers(mark):
        assert time.monotonic() < end, "the worker on the other machine outlives its connection"
        time.sleep(0.05)


def test_a_job_a_cancel_and_a_broken_connection(ssh: str, tmp_path: Path) -> None:
    mark = str(tmp_path / "models")
    remote = WorkerProcess(worker_command(settings(ssh, mark)), SECONDS)
    local = WorkerProcess([WORKER_PYTHON, "-m", "model_runtime", "worker"], SECONDS)
    try:
        there = ending(remote, remote.submit(request()))
        here = ending(local, local.submit(request()))
        assert isinstance(there, Prediction) and isinstance(here, Prediction), (there, here)
        assert remote.hello is not None and "da3-tiny" in remote.hello.checkpoints
        for left, right in zip(there.views, here.views, strict=True):
            assert left.name == right.name and left.photo_size == (160, 120)
            np.testing.assert_allclose(left.depth, right.depth, rtol=1e-4)
            np.testing.assert_allclose(left.extrinsics, right.extrinsics, atol=1e-4)
            np.testing.assert_array_equal(left.color, right.color)

        pid = remote.pid
        job = remote.submit(request(40))
        wait_for_progress(remote, job)
        remote.cancel(job)
        cancelled = ending(remote, job)
        assert isinstance(cancelled, Failure) and cancelled.code == "cancelled"
        assert remote.pid == pid and len(workers(mark)) == 1, "the same worker takes the next job"

        job = remote.submit(request(40))
        wait_for_progress(remote, job)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        killed = ending(remote, job)
        assert isinstance(killed, Failure) and killed.code == "worker-died"
        wait_until_none(mark)
    finally:
        remote.close()
        local.close()


def test_the_worker_dies_on_the_other_machine(ssh: str, tmp_path: Path) -> None:
    mark = str(tmp_path / "models")
    remote = WorkerProcess(worker_command(settings(ssh, mark)), SECONDS)
    try:
        job = remote.submit(request(40))
        wait_for_progress(remote, job)
        (pid,) = workers(mark)
        os.kill(pid, signal.SIGKILL)
        died = ending(remote, job)
        assert isinstance(died, Failure) and died.code == "worker-died"
    finally:
        remote.close()


def answer(chosen: RuntimeSettings) -> RuntimeReport | Failure:
    check = RuntimeCheck(chosen)
    check.start()
    end = time.monotonic() + SECONDS
    while (found := check.poll()) is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_the_test_of_a_remote_worker(ssh: str, tmp_path: Path) -> None:
    mark = str(tmp_path / "models")
    report = answer(settings(ssh, mark))
    assert isinstance(report, RuntimeReport), report
    assert report.hello.device in report.lines[0] and "da3-tiny" in report.lines[4]
    wait_until_none(mark)
    missing = answer(RuntimeSettings("command", command=f"{ssh} /nowhere/da3-runtime worker"))
    assert isinstance(missing, Failure) and missing.code == "remote-command"
    closed = answer(RuntimeSettings("command", command=f"{ssh.replace('gpubox', '-p 1 gpubox')} da3-runtime worker"))
    assert isinstance(closed, Failure) and closed.code == "remote-unreachable" and "refused" in closed.log
    assert explain_failure(closed, settings(ssh)) == closed
