"""Run by Blender with the extension: many jobs in a row, with cancels, kills and new files at random.

    blender --background --python stress_jobs.py -- EXTENSION.zip PHOTOS WORKER JOBS SEED REPORT.json
    python stress_jobs.py EXTENSION.zip PHOTOS WORKER JOBS SEED REPORT.json                  with the bpy package

WORKER is the worker's command in one word. The report has one line per job; the tests judge it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
import numpy as np

MODULE = "bl_ext.user_default.da3_blender"
WAYS = ("finish", "cancel", "kill", "kill after", "new file")
LONGEST = 30.0


class Stress:
    """Jobs through the functions that the panel's operators call. longest: of the calls that Blender's timer makes."""

    def __init__(self, photos: Path, worker: str, seed: int) -> None:
        self.photos, self.random = photos, random.Random(seed)
        self.longest = {"pump": 0.0, "start": 0.0, "cancel": 0.0, "place": 0.0}
        self.live, self.timer, self.job_request, self.photo_list = (
            importlib.import_module(f"{MODULE}.{name}")
            for name in ("live", "timer", "jobs.request", "photos.photo_list")
        )
        preferences = bpy.context.preferences.addons[MODULE].preferences
        preferences.runtime_kind, preferences.command = "command", worker

    def new_file(self) -> None:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        self.photo_list.add_folder(bpy.context.scene.da3, self.photos)

    def timed(self, name: str, function: Any) -> Any:
        before = time.monotonic()
        result = function()
        self.longest[name] = max(self.longest[name], time.monotonic() - before)
        return result

    def pump(self, fraction: float = 2.0) -> bool:
        """Pumps as Blender's timer does, until so much is done or nothing is left to do; whether something is."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and self.live.jobs().state.fraction < fraction:
            placed = self.live.jobs().state.placed
            before = time.monotonic()
            more = self.timer.pump()
            took = time.monotonic() - before
            kind = "pump" if self.live.jobs().state.placed == placed else "place"
            self.longest[kind] = max(self.longest[kind], took)
            if not more:
                return False
            time.sleep(0.01)
        return True

    def job(self, way: str) -> dict[str, Any]:
        """One job that ends in this way, unless it is done before; what Blender says of it."""
        manager = self.live.jobs()
        request, target = self.job_request.make_job(bpy.context.scene)
        self.timed("start", lambda: self.live.start(request, target))
        if way in ("cancel", "kill", "new file"):
            self.pump(self.random.uniform(0.01, 0.8))
        if way == "cancel":
            self.timed("cancel", manager.cancel)
        elif way == "kill":
            os.kill(manager.worker.pid, signal.SIGKILL)
        elif way == "new file":
            self.new_file()
        ended = not self.pump()
        if way == "kill after":
            os.kill(manager.worker.pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # noticed already
                os.waitid(os.P_PID, manager.worker.pid, os.WEXITED | os.WNOWAIT)
        state = manager.state
        told: dict[str, Any] = {
            "way": way,
            "failure": state.failure and state.failure.code,
            "waiting": state.waiting.reason if state.waiting else "",
            "result": result_hash(),
            "children": len(children()),
        }
        manager.discard_waiting()
        if not ended:
            raise RuntimeError(f"A job does not end: {told}, {state}")
        return told


def result_hash() -> str:
    """Of the positions of all points and cameras in the file; empty where there is none."""
    digest = hashlib.sha256()
    found = sorted(item.name for item in bpy.data.objects if item.type in ("MESH", "CAMERA", "POINTCLOUD"))
    for name in found:
        item = bpy.data.objects[name]
        digest.update(np.round(np.array(item.matrix_world, np.float32), 4).tobytes())
        if item.type != "CAMERA":
            attribute = item.data.attributes["position"].data
            positions = np.empty(3 * len(attribute), np.float32)
            attribute.foreach_get("vector", positions)
            digest.update(positions.tobytes())
    return digest.hexdigest() if found else ""


def children() -> list[str]:
    """Ids of this process's child processes, where the system tells (Linux)."""
    found: list[str] = []
    for file in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # of a thread that has just ended
            found += file.read_text().split()
    return found


def memory() -> int:
    """Bytes of memory this process has, where the system tells (Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def datablocks() -> dict[str, int]:
    collections = {name: getattr(bpy.data, name) for name in dir(bpy.data)}
    return {name: len(c) for name, c in collections.items() if isinstance(c, bpy.types.bpy_prop_collection)}


def live(extension: str, photos: str, worker: str, count: str, seed: str) -> dict[str, Any]:
    bpy.ops.extensions.package_install_files(filepath=extension, repo="user_default", enable_on_install=True)
    stress = Stress(Path(photos), worker, int(seed))
    stress.new_file()
    report: dict[str, Any] = {"jobs": [], "memory": [], "datablocks": [datablocks()]}
    between = [WAYS[number % len(WAYS)] for number in range(int(count) - 2)]
    stress.random.shuffle(between)
    for way in ("finish", *between, "finish"):
        stress.new_file()
        report["jobs"].append(stress.job(way))
        print(report["jobs"][-1], flush=True)
        report["memory"].append(memory())
    stress.new_file()
    report["datablocks"].append(datablocks())
    stress.live.unregister()
    time.sleep(0.5)
    stress.live.register()
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("da3")]
    return {**report, "longest": stress.longest, "children": children(), "threads": threads}


if __name__ == "__main__":
    *_, extension, photos, worker, count, seed, report = sys.argv
    try:
        told = live(extension, photos, worker, count, seed)
    except Exception:
        told = {"error": traceback.format_exc()}
    Path(report).write_text(json.dumps({**told, "version": bpy.app.version_string}, indent=1), encoding="utf-8")
