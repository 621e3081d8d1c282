"""How good and how fast cameras of hundreds of frames are, from a walk through a rendered hall.

    python -m tests.model_runtime.cameras.features.measure_many [count ...] [--global]

Features and matches are found once, of the most frames; the first frames of these are then mapped, for each count.
`--global` maps them by COLMAP's global mapper (GLOMAP), too, with the true focal length. Times are CPU seconds of all
threads per frame.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pycolmap
from threadpoolctl import threadpool_limits

from model_runtime.cameras.features.extraction import extract_each
from model_runtime.cameras.features.lenses import solve_lenses
from model_runtime.cameras.features.mapping import _fill, map_photos, part_of
from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.features.result import FeatureCameras, from_reconstruction
from model_runtime.contract.progress import SILENT
from model_runtime.geometry.similarity import align_cameras
from model_runtime.photos.feature_photo import feature_photo
from tests.model_runtime.cameras.features.made_walk import Walk, walk_round

COUNTS = (50, 100, 200, 300)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--global", action="store_true", dest="globally")
    options = parser.parse_args()
    threadpool_limits(1)
    most = max(options.counts)
    walk, memory = walk_round(most), FeatureMemory()
    pictures = (feature_photo(f"{i:04}.png", walk.photo(i)) for i in range(most))
    photos = []
    begin = time.process_time()
    for photo, features in extract_each(pictures, most, SILENT, plain=True):
        memory.keep(photo, features)
        photos.append(photo)
    tell(f"{most} frames: rendering and features", begin, most)
    begin = time.process_time()
    matches = match_photos(photos, SILENT, memory, in_time=True)
    tell(f"{len(matches.alike)} pairs matched, {len(matches.geometries)} verified", begin, most)
    for count in options.counts:
        part = part_of(matches, range(count))
        mapped = judged(f"{count} mapped", lambda part=part: map_photos(part, SILENT), walk, count)
        judged(f"{count} lens solved", lambda m=mapped, part=part: solve_lenses(m, part, SILENT).cameras, walk, count)
        if options.globally:
            judged(f"{count} by GLOMAP", lambda part=part: globally(part, walk), walk, count)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def tell(what: str, begin: float, count: int) -> None:
    print(f"{what}: {(time.process_time() - begin) / count:.3f} s a frame", flush=True)


def judged(what: str, find: Callable[[], FeatureCameras], walk: Walk, count: int) -> FeatureCameras:
    """Cameras, and a line that says how far off they are after one similarity for all."""
    begin = time.process_time()
    found = find()
    taken = (time.process_time() - begin) / count
    placed = found.registered
    true = walk.extrinsics[:count]
    extrinsics = align_cameras(found.extrinsics[placed], true[placed]).extrinsics(found.extrinsics[placed])
    off = np.linalg.norm(centres(extrinsics) - centres(true[placed]), axis=1)
    path = np.linalg.norm(np.diff(centres(true), axis=0), axis=1).sum()
    turned = np.einsum("nij,nkj->nik", extrinsics[:, :3, :3], true[placed][:, :3, :3])
    degrees = np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    focal = found.intrinsics[placed, 0, 0].mean() / walk.intrinsics[0, 0] - 1
    print(
        f"{what}: {taken:.3f} s a frame, {placed.sum()} of {count} placed, "
        f"ATE {100 * np.sqrt(np.square(off).mean()) / path:.3f} % of the path, "
        f"rotation {np.median(degrees):.3f}, at most {degrees.max():.3f} degrees, focal length {100 * focal:+.2f} %",
        flush=True,
    )
    return found


def centres(extrinsics: np.ndarray) -> np.ndarray:
    return -np.einsum("nji,nj->ni", extrinsics[:, :3, :3], extrinsics[:, :3, 3])


def globally(matches: Matches, walk: Walk) -> FeatureCameras:
    """By the global mapper, one thread, from fixed seeds."""
    manager = pycolmap.ReconstructionManager()
    options = pycolmap.GlobalPipelineOptions()
    mapper = options.mapper
    for each in (options, mapper, mapper.rotation_averaging, mapper.global_positioning, mapper.retriangulation):
        each.random_seed = 0
    options.num_threads = mapper.num_threads = mapper.bundle_adjustment.ceres.solver_options.num_threads = 1
    with pycolmap.Database.open(":memory:") as database:
        _fill(database, matches, float(walk.intrinsics[0, 0]) / max(walk.size), False, {})
        pycolmap.GlobalPipeline(options, database, manager).run()
    models = [manager.get(i) for i in range(manager.size())]
    return from_reconstruction(max(models, key=lambda model: model.num_reg_images()), matches)


if __name__ == "__main__":
    main()
