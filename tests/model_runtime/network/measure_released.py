"""What the network costs beside the released code: `python -m tests.model_runtime.network.measure_released FOLDER`.

FOLDER is a checkout of Depth Anything 3; addict, einops, omegaconf, opencv and torchvision must be importable (a
PYTHONPATH serves). Both have the same stand-in weights and number format, on the CPU, in a process each, which take
turns; so that a busy machine disturbs both alike. With `--before FOLDER`, another checkout of this project takes its
turns, too. Linux only.

For every number of photos: the least CPU and wall seconds of all rounds, and how far resident memory rose at its
peak, of the network alone and from files to arrays.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.abc
import importlib.machinery
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from PIL import Image

ONLY_IMPORTED = ("e3nn", "evo", "gsplat", "moviepy", "plyfile", "xformers")
"""Packages that the released code imports and does not call here."""

Run = Callable[[], Any]
PHOTO = 4032, 3024
FAKED_OPERATORS = "torchvision._meta_registrations"
"""Fails where torchvision is built for another torch; its transforms of pictures do without."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("released", type=Path, help="checkout of Depth Anything 3; '-' for none")
    parser.add_argument("--before", type=Path, help="another checkout of this project")
    parser.add_argument("--preset", default="da3-small")
    parser.add_argument("--views", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--of", choices=("network", "files"), nargs="+", default=["network", "files"])
    parser.add_argument("--side", help="what this process is, for its parent")
    options = parser.parse_args()
    if options.side:
        serve(options)
        return
    own = Path(__file__).parents[3]
    sides = {"ours": own} | ({"before": options.before} if options.before else {})
    if str(options.released) != "-":
        sides["released"] = own
    with tempfile.TemporaryDirectory() as folder:
        make_photos(Path(folder), max(options.views))
        processes = {side: start(side, root, folder) for side, root in sides.items()}
        for what in options.of:
            for views in options.views:
                compare(processes, what, views, options.rounds)
        for process in processes.values():
            process.stdin.close()  # type: ignore[union-attr]
            process.wait()


def compare(processes: dict[str, subprocess.Popen[str]], what: str, views: int, rounds: int) -> None:
    """Prints a line for each process; its first run warms it up."""
    figures: dict[str, list[dict[str, float]]] = {side: [] for side in processes}
    for _ in range(rounds + 1):
        for side, process in processes.items():
            figures[side].append(ask(process, what, views))
    for side, runs in figures.items():
        least = {key: min(run[key] for run in runs[1:]) for key in runs[0]}
        print(
            f"{what:8} {views:3} photos  {side:9} CPU {least['cpu']:7.3f} s  wall {least['wall']:7.3f} s  "
            f"memory +{least['rise']:6.0f} MB, {least['peak']:6.0f} MB in all",
            flush=True,
        )


def start(side: str, root: Path, folder: str) -> subprocess.Popen[str]:
    search = os.pathsep.join((str(root), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
    pipe = subprocess.PIPE
    # Threads that wait asleep: their waiting is no CPU time.
    environment = os.environ | {"PYTHONPATH": search, "PHOTOS": folder, "OMP_WAIT_POLICY": "passive"}
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=root)


def ask(process: subprocess.Popen[str], what: str, views: int) -> dict[str, float]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{what} {views}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def serve(options: argparse.Namespace) -> None:
    """Does the runs that standard input asks for."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # the released code prints
    sys.path.pop(0)  # this file's folder
    make = released_runs(options.released, options.preset) if options.side == "released" else own_runs(options.preset)
    for line in sys.stdin:
        what, views = line.split()
        print(json.dumps(measured(make(what, int(views)))), file=answers, flush=True)


def measured(run: Run) -> dict[str, float]:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, cpu, wall = resident("VmRSS"), cpu_seconds(), time.perf_counter()
    run()
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    peak = resident("VmHWM")
    return {"cpu": cpu, "wall": wall, "rise": peak - before, "peak": peak}


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident(name: str) -> float:
    """MB, of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def make_photos(folder: Path, count: int) -> None:
    """JPEGs with detail at every scale."""
    generator = np.random.default_rng(0)
    for i in range(count):
        picture = np.zeros((PHOTO[1], PHOTO[0], 3), np.float32)
        for size in (12, 100, 800):
            noise = generator.integers(0, 256, (size * 3 // 4, size, 3), dtype=np.uint8)
            picture += np.asarray(Image.fromarray(noise).resize(PHOTO, Image.Resampling.BICUBIC)) / 3
        file = io.BytesIO()
        Image.fromarray(picture.astype(np.uint8)).save(file, "JPEG", quality=90)
        (folder / f"{i}.jpg").write_bytes(file.getvalue())


def paths(views: int) -> list[str]:
    return [str(Path(os.environ["PHOTOS"]) / f"{i}.jpg") for i in range(views)]


def pictures(views: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((1, views, 3, 378, 504), dtype=np.float32)


def own_runs(preset: str) -> Callable[[str, int], Run]:
    import torch

    from model_runtime.contract.messages import Photo
    from model_runtime.contract.progress import SILENT
    from model_runtime.network.create import create_model
    from model_runtime.network.output import as_array
    from model_runtime.photos.canvas import normalised_batch
    from model_runtime.photos.prepare import prepare_photos

    network = create_model(preset)
    load_stand_ins(network, preset)

    def outputs(images: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            output = network(torch.from_numpy(images))
        return [as_array(each) for each in (output.depth, output.depth_conf, output.extrinsics, output.intrinsics)]

    def from_files(views: int) -> list[np.ndarray]:
        photos = [Photo(Path(path).name, Path(path).read_bytes()) for path in paths(views)]
        prepared, _ = prepare_photos(photos, 504, SILENT)
        return outputs(normalised_batch([each.color for each in prepared], [each.placement for each in prepared])[None])

    def make(what: str, views: int) -> Run:
        images = pictures(views)
        return (lambda: from_files(views)) if what == "files" else (lambda: outputs(images))

    return make


def released_runs(folder: Path, preset: str) -> Callable[[str, int], Run]:
    sys.meta_path.insert(0, _Stub())
    sys.modules[FAKED_OPERATORS] = types.ModuleType(FAKED_OPERATORS)
    sys.path.insert(0, str(folder / "src"))
    import torch
    from depth_anything_3.api import DepthAnything3  # type: ignore[import-not-found]

    whole = DepthAnything3(preset)
    load_stand_ins(whole.model, preset)

    @torch.inference_mode()
    def forward(*images: Any, **_: Any) -> Any:
        return whole.model(images[0])

    whole.forward = forward  # which would choose float16 on a CPU

    def make(what: str, views: int) -> Run:
        images = torch.from_numpy(pictures(views))
        if what == "files":
            return lambda: whole.inference(paths(views))
        return lambda: whole.output_processor(whole.forward(images))

    return make


def load_stand_ins(network: Any, preset: str) -> None:
    from tests.model_runtime.network.conftest import released_shapes, stand_in

    if preset == "da3-tiny":
        return  # never released
    state = {key.removeprefix("model."): stand_in(key, shape, 0) for key, shape in released_shapes(preset).items()}
    network.load_state_dict(state, strict=True)


class _Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Packages that do nothing, by the names in ONLY_IMPORTED."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        known = name.partition(".")[0] in ONLY_IMPORTED
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        module = MagicMock(name=spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: Any) -> None:
        pass


if __name__ == "__main__":
    main()
