"""How right the camera of every frame is: `.venv/bin/python -m tests.model_runtime.clips.measure_clips [CASE ...]`.

Clips of a textured room with exact cameras, with motion blur and grain, through H.264 and back; beside COLMAP's own
sequential pipeline on the same frames. The tables of `docs/clips.md`. Rendered clips are kept in `.cache/clips`.
Options: `--no-colmap`; `--times` for CPU time per frame at several lengths; `--quick` for pictures of 480 x 270.
"""

from __future__ import annotations

import argparse
import inspect
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pycolmap
from PIL import Image

from model_runtime.cameras.features.lenses import KINDS, solve_lenses
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import match_photos
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.features.panorama import instead_of
from model_runtime.clips.placing import PlacedClip, place_clip
from model_runtime.clips.watching import WatchedClip, watch_clip
from model_runtime.contract.progress import SILENT

from .clip_scores import Scores, scores
from .made_clips import (
    ArraySource,
    MadeClip,
    Room,
    compressed,
    dolly,
    filmed,
    handheld,
    locked,
    tripod,
    walk,
    with_passer_by,
    zoomed,
)
from .made_clips import (
    Path as Way,
)

CACHE = Path(__file__).parents[3] / ".cache/clips"
SIZE, QUICK = (640, 360), (480, 270)

Film = Callable[[tuple[int, int]], MadeClip]


def of_room(path: Callable[[int], Way], count: int, plain: bool = False) -> Film:
    return lambda size: filmed(Room(0, plain), path(count), count, size)


def passed_by(size: tuple[int, int]) -> MadeClip:
    made = of_room(locked, 48)(size)
    return replace(made, frames=with_passer_by(made.frames))


def zooming(size: tuple[int, int]) -> MadeClip:
    made = of_room(locked, 48)(size)
    return replace(made, frames=zoomed(made.frames))


CASES: dict[str, Film] = {
    "walk": of_room(walk, 120),
    "plain": of_room(walk, 120, plain=True),
    "handheld": of_room(handheld, 96),
    "dolly": of_room(dolly, 96),
    "slow": of_room(lambda count: dolly(count, 0.05), 48),
    "tripod": of_room(lambda count: tripod(count, 40.0), 48),
    "still": passed_by,
    "zoom": zooming,
}


def film(name: str, size: tuple[int, int], make: Film) -> MadeClip:
    """The clip as a film gives it back; made once."""
    file = CACHE / f"{name}-{size[0]}.npz"
    if not file.exists():
        made = make(size)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, frames=compressed(made.frames), extrinsics=made.extrinsics, intrinsics=made.intrinsics)
    with np.load(file) as kept:
        return MadeClip(kept["frames"], kept["extrinsics"], kept["intrinsics"])


def solved(source: ArraySource, folder: Path) -> tuple[PlacedClip | None, WatchedClip, dict[str, float], float]:
    """The clip's cameras, seconds of CPU of every stage, and the focal length over the longest side."""
    took, begun = {}, time.process_time()

    def stage(name: str) -> None:
        nonlocal begun
        took[name], begun = time.process_time() - begun, time.process_time()

    watched = watch_clip(source, SILENT, folder)
    stage("watch")
    if watched.still:
        return None, watched, took, np.nan
    memory = FeatureMemory()
    watched.remember(memory)
    in_time = {"in_time": True} if "in_time" in inspect.signature(match_photos).parameters else {}
    matches = match_photos(watched.key_photos, SILENT, memory, **in_time)
    stage("match")
    mapped = map_photos(matches, SILENT)
    stage("map")
    turned, lens = instead_of(mapped, matches), None
    if turned is None and not mapped.registered.any():
        print("    features place none of the key frames")
        return None, watched, took, np.nan
    if turned is None:
        lenses = solve_lenses(mapped, matches, SILENT, KINDS["auto"])
        mapped, lens = lenses.cameras, next((each for each in lenses.lenses if each is not None), None)
    else:
        mapped = turned.cameras
    stage("lens")
    print(
        f"    {mapped.registered.sum()} of {len(watched.keys)} key frames, {len(mapped.sparse.points)} points", end=""
    )
    print("" if turned is None else ", turned", "" if lens is None else f", {lens.model} {lens.coefficients}")
    placed = place_clip(watched, source, mapped, lens, turned is not None, SILENT)
    stage("place")
    focal = placed.track.intrinsics[0, 0] / max(source.size)
    return placed, watched, took, focal


def by_colmap(frames: np.ndarray, folder: Path) -> np.ndarray:
    """[F,4,4], NaN where it finds none: features, matches in time, incremental mapping, all as they come."""
    (folder / "frames").mkdir(parents=True)
    for number, pixels in enumerate(frames):
        Image.fromarray(pixels).save(folder / f"frames/{number:05}.png", compress_level=1)
    database = folder / "colmap.db"
    pycolmap.extract_features(database, folder / "frames", camera_mode=pycolmap.CameraMode.SINGLE)
    pycolmap.match_sequential(database)
    models = pycolmap.incremental_mapping(database, folder / "frames", folder / "models")
    found = np.full((len(frames), 4, 4), np.nan)
    if models:
        model = max(models.values(), key=lambda each: each.num_reg_images())
        for number in model.reg_image_ids():
            image = model.image(number)
            found[int(image.name[:5])] = np.vstack((image.cam_from_world().matrix(), (0, 0, 0, 1)))
    return found


def row(name: str, found: Scores) -> str:
    without, ate, turn, most, jitter, turn_jitter, loop = astuple(found)
    return (
        f"| {name} | {without} | {100 * ate:.3f} % | {turn:.3f}, {most:.3f} | {100 * jitter:.1f} % "
        f"| {turn_jitter:.4f} | {100 * loop:.3f} % |"
    )


def measured(name: str, made: MadeClip, beside: bool) -> None:
    with tempfile.TemporaryDirectory() as kept:
        placed, watched, took, focal = solved(ArraySource(made.frames), Path(kept) / "watched")
        print(
            f"    {name}: still {watched.still}, keys {watched.keys[:6]}... {len(watched.keys)} of {len(made.frames)}"
        )
        if placed is not None:
            sources = {each: placed.track.sources.count(each) for each in dict.fromkeys(placed.track.sources)}
            true = made.intrinsics[0, 0] / max(made.frames.shape[1:3])
            print(
                f"    focal {focal:.4f} of {true:.4f}, {sources}, error {np.nanmedian(placed.track.match_error):.2f} px"
            )
            keys = np.full_like(placed.track.extrinsics, np.nan)
            keys[list(watched.keys)] = placed.cameras.extrinsics
            print(row(f"{name}, key frames", scores(keys, made.extrinsics)))
            print(row(name, scores(placed.track.extrinsics, made.extrinsics)))
        cpu = ", ".join(f"{stage} {1000 * each / len(made.frames):.0f}" for stage, each in took.items())
        print(f"    CPU milliseconds per frame: {cpu}", flush=True)
        if beside:
            start = time.process_time()
            found = by_colmap(made.frames, Path(kept) / "colmap")
            each = (time.process_time() - start) / len(made.frames)
            if np.isfinite(found).any():
                print(row(f"{name}, COLMAP", scores(found, made.extrinsics)))
            print(f"    COLMAP: {1000 * each:.0f} milliseconds of CPU per frame", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--no-colmap", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", action="store_true")
    chosen = parser.parse_args()
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    size = QUICK if chosen.quick else SIZE
    print(
        "| clip | without | ATE | rotation: median, most | jitter | of rotation | loop |\n|---|---|---|---|---|---|---|"
    )
    for name in chosen.cases or ([] if chosen.times else CASES):
        measured(name, film(name, size, CASES[name]), not chosen.no_colmap)
    for count in (50, 100, 200, 300) if chosen.times else ():
        measured(f"{count} frames", to_and_fro(film("walk", size, CASES["walk"]), count), False)


def to_and_fro(made: MadeClip, count: int) -> MadeClip:
    """So many frames, half as large: the clip forwards, then backwards, and so on."""
    once = np.arange(len(made.frames))
    order = np.resize(np.concatenate((once, once[-2:0:-1])), count)
    half = np.ascontiguousarray(made.frames[order, ::2, ::2])
    return MadeClip(half, made.extrinsics[order], np.diag((0.5, 0.5, 1)) @ made.intrinsics)


if __name__ == "__main__":
    main()
