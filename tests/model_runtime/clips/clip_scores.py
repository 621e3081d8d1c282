"""How far the cameras of a clip are from the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.geometry.similarity import align_cameras


@dataclass(frozen=True)
class Scores:
    """without: frames that have no camera. ate: root mean square of the centres' errors after the best similarity,
    share of the way. turn, most_turned: median and largest error of rotations after the best one, degrees.
    jitter, turn_jitter: root mean square of second differences of the errors, of the centres in mean steps and of the
    rotations in degrees. loop: error of the way from the first to the last, share of the way.
    """

    without: int
    ate: float
    turn: float
    most_turned: float
    jitter: float
    turn_jitter: float
    loop: float


def scores(found: np.ndarray, truth: np.ndarray) -> Scores:
    """Of cameras [F,4,4], NaN where there is none, and true ones."""
    there = np.isfinite(found).all((1, 2))
    mine, true = found[there], truth[there]
    off = turn_errors(mine[:, :3, :3], true[:, :3, :3])
    turns = np.degrees(np.linalg.norm(off, axis=1))
    way = float(np.linalg.norm(np.diff(centres(truth), axis=0), axis=1).sum())
    missing, turn_jitter = int((~there).sum()), _rms(np.degrees(np.diff(off, n=2, axis=0)))
    if way == 0 or np.ptp(centres(mine), axis=0).max() < 1e-9:
        return Scores(missing, np.nan, float(np.median(turns)), float(turns.max()), np.nan, turn_jitter, np.nan)
    laid = align_cameras(mine, true)
    error = centres(laid.extrinsics(mine)) - centres(true)
    return Scores(
        without=missing,
        ate=_rms(error) / way,
        turn=float(np.median(turns)),
        most_turned=float(turns.max()),
        jitter=_rms(np.diff(error, n=2, axis=0)) / (way / (len(truth) - 1)),
        turn_jitter=turn_jitter,
        loop=float(np.linalg.norm(error[-1] - error[0])) / way,
    )


def centres(extrinsics: np.ndarray) -> np.ndarray:
    """[F,3]."""
    return -np.einsum("fji,fj->fi", extrinsics[:, :3, :3], extrinsics[:, :3, 3])


def turn_errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[F,3] rotation vectors from true rotations [F,3,3] to those found, after the one turn of the world that fits."""
    world = Rotation.from_matrix(found.transpose(0, 2, 1) @ truth).mean().as_matrix()
    return Rotation.from_matrix(found @ world @ truth.transpose(0, 2, 1)).as_rotvec()


def _rms(vectors: np.ndarray) -> float:
    return float(np.sqrt(np.square(vectors).sum(-1).mean())) if len(vectors) else np.nan
