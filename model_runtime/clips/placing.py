"""A camera for every frame of a clip, from those of its key frames."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pycolmap

from model_runtime.cameras.features.matching import SEED
from model_runtime.cameras.features.result import FeatureCameras
from model_runtime.clips.adjusting import adjust_frames, best_seen, errors, seen_twice
from model_runtime.clips.between import fill_between
from model_runtime.clips.observing import ClipLens, Observer, Sight
from model_runtime.clips.sharpening import sharpened
from model_runtime.clips.source import FrameSource
from model_runtime.clips.turning import turn_frames
from model_runtime.clips.watching import WatchedClip
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import CameraTrack
from model_runtime.contract.progress import Span

LEAST_SEEN = 15
"""Points that must agree on where a frame was taken."""

MAX_ERROR = 3.0
"""Working pixels that a point may be off."""


class PlacedClip(NamedTuple):
    """track: the camera of every frame. cameras: those of the key frames, and the points, adjusted with all frames."""

    track: CameraTrack
    cameras: FeatureCameras


def place_clip(
    watched: WatchedClip, source: FrameSource, cameras: FeatureCameras, lens: Lens | None, turned: bool, progress: Span
) -> PlacedClip:
    """The camera of every frame, in the world of the key frames' cameras, and these as all frames together bear out.

    cameras: of the key frames, in their order, at least one of them placed, with the pinholes of straightened photos
    where the clip's `lens` bends lines. turned: whether the camera only turned; `cameras` then have one centre.
    """
    seen_by = ClipLens(cameras, lens)
    poses = np.full((len(source), 4, 4), np.nan)
    poses[list(watched.keys)] = cameras.extrinsics
    placed = np.isfinite(poses).all((1, 2))
    keys = placed.copy()
    error = np.full(len(source), np.nan)
    points = cameras.sparse.points
    if watched.still or placed.sum() < 2:
        poses[:] = poses[np.flatnonzero(placed)[0]]
    elif turned:
        poses, error = turn_frames(watched, Observer(watched, cameras, seen_by), poses, progress)
        placed = np.isfinite(poses).all((1, 2))
    else:
        observer = Observer(watched, cameras, seen_by)
        poses, sight = _placed(watched, observer, poses, points, progress.part(0.0, 0.4))
        poses, points, error = _adjusted(observer, source, poses, points, sight, progress.part(0.4, 1.0))
        placed = np.isfinite(poses).all((1, 2))
    sources = _sources(placed, keys, watched.still, turned)
    poses = fill_between(poses, np.asarray(source.seconds, np.float64))
    track = CameraTrack(
        numbers=source.numbers,
        seconds=source.seconds,
        rate=source.rate,
        extrinsics=poses,
        photo_size=source.size,
        intrinsics=seen_by.intrinsics,
        sources=sources,
        match_error=error,
        lens=lens,
        still=watched.still,
    )
    there = cameras.registered[:, None, None]
    extrinsics = np.where(there, poses[list(watched.keys)], cameras.extrinsics)
    return PlacedClip(track, replace(cameras, extrinsics=extrinsics, sparse=replace(cameras.sparse, points=points)))


def _sources(placed: np.ndarray, keys: np.ndarray, still: bool, turned: bool) -> tuple[str, ...]:
    if still:
        return ("still",) * len(placed)
    other = "turned" if turned else "placed"
    return tuple("key" if key else other if there else "between" for key, there in zip(keys, placed, strict=True))


def _placed(
    watched: WatchedClip, observer: Observer, poses: np.ndarray, points: np.ndarray, progress: Span
) -> tuple[np.ndarray, Sight]:
    """Poses, NaN where nothing places a frame, and what all frames see of the map."""
    parts, found = [observer.of_keys()], poses.copy()
    others = [place for place in watched.usable if not np.isfinite(poses[place, 0, 0])]
    limit = MAX_ERROR * watched.pixel / observer.lens.focal
    for number, place in enumerate(others):
        progress(number / len(others), f"Placing frame {number + 1} of {len(others)}.")
        sight = observer.look(place)
        pose = _pose(points, sight, observer.lens.focal / watched.pixel)
        if pose is None:
            continue
        found[place] = pose
        sight = _once(sight, errors(found, points, sight), limit)
        if len(sight.frame) >= LEAST_SEEN:
            parts.append(sight)
        else:
            found[place] = np.nan
    return found, Sight.joined(parts)


def _adjusted(
    observer: Observer, source: FrameSource, poses: np.ndarray, points: np.ndarray, sight: Sight, progress: Span
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses and points that agree best with what all frames see, looked at closely, and the median error of each frame
    in pixels of the clip."""
    watched, lens = observer.watched, observer.lens
    focal = lens.focal / watched.pixel
    chosen = sight.chosen(best_seen(sight))
    close = sharpened(watched, source, observer.cameras, lens, poses, points, chosen, progress.part(0.0, 0.8))
    close = close.chosen(seen_twice(close.point))
    progress(0.8, "Adjusting the cameras of all frames.")
    rest = sight.chosen(~np.isin(sight.point, close.point))
    if len(close.frame):
        poses, points = adjust_frames(poses, points, close, rest, focal)
    progress(1.0, "Adjusting the cameras of all frames.")
    return poses, points, medians(errors(poses, points, close) * lens.focal, close.frame, len(poses))


def medians(values: np.ndarray, frame: np.ndarray, count: int) -> np.ndarray:
    """[F], of each frame; NaN where it has none."""
    order = np.argsort(frame, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(frame[order])) + 1) if len(frame) else []
    found = np.full(count, np.nan)
    for mine in groups:
        found[frame[mine[0]]] = np.median(values[mine])
    return found


def _pose(points: np.ndarray, sight: Sight, focal: float) -> np.ndarray | None:
    """[4,4], where most of what a frame may see would be seen. focal: working pixels."""
    if len(sight.frame) < LEAST_SEEN:
        return None
    camera = pycolmap.Camera(model="SIMPLE_PINHOLE", width=2, height=2, params=[focal, 0.0, 0.0])
    options = pycolmap.AbsolutePoseEstimationOptions()
    options.ransac.max_error, options.ransac.random_seed = MAX_ERROR, SEED
    found = pycolmap.estimate_and_refine_absolute_pose(sight.plane * focal, points[sight.point], camera, options)
    if found is None or found["num_inliers"] < LEAST_SEEN:
        return None
    return np.vstack((found["cam_from_world"].matrix(), (0, 0, 0, 1)))


def _once(sight: Sight, away: np.ndarray, limit: float) -> Sight:
    """What fits, every point and every place of a feature once, the best."""
    order = np.argsort(away, kind="stable")
    order = order[away[order] < limit]
    order = order[np.sort(np.unique(sight.point[order], return_index=True)[1])]
    order = order[np.sort(np.unique(sight.plane[order], axis=0, return_index=True)[1])]
    return sight.chosen(order)
