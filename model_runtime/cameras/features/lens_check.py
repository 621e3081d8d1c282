"""Whether a camera with more freedom explains the matches much better than the pinhole they were solved with.

Cropped photos, a changed zoom and a distorting lens give cameras that are degrees off and still fit well, since wrong
cameras bend to fit. What they cannot hide is that the right kind of camera fits better by far, which on photos of a
pinhole camera it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycolmap

from model_runtime.cameras.features.adjust import adjust, as_reconstruction
from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.features.tracks import select

FEWEST_PHOTOS, FEWEST_POINTS = 3, 100
"""Two photos, or few points, agree with nearly any lens."""

MUCH_BETTER = 0.88
"""Of the pinhole's median error: a freer camera that stays below it fits better than by chance. On photos of pinhole
cameras the best one ends between 0.99 and 1.04 (rendered and real), on bent or cropped ones between 0.1 and 0.82."""

LEAST_GAIN = 0.004
"""Working pixels by which the median error falls, too; less is the noise of perfect pictures."""

AS_GOOD = 1.15
"""Of the best error: kinds of cameras with less freedom are preferred up to here."""

MOST_POINTS = 800
"""Points that are fitted: more take longer and tell the same."""


@dataclass(frozen=True)
class Lens:
    """A kind of camera. own: every photo has one of its own. middle: its principal point is free. distortion: number of
    radial coefficients. advice: what follows for the artist."""

    own: bool
    middle: bool
    distortion: int
    advice: str


CROPPED = "The photos seem to be cropped, each alike: give them uncropped, or cameras that are known."
DIFFERING = "The photos seem to be zoomed or cropped, each differently: give the original files, with their EXIF data."
BENT = "The lens seems to bend straight lines: undistort the photos first, in a photo editor or with its lens profile."

PINHOLE = Lens(False, False, 0, "")
LENSES = (
    Lens(False, True, 0, CROPPED),
    Lens(False, False, 2, BENT),
    Lens(True, True, 0, DIFFERING),
)
"""Freer cameras, those with less freedom first."""


def check_lenses(extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints, matches: Matches) -> list[str]:
    """A note on what the cameras [N,4,4], [N,3,3] (photo pixels) are not, where another kind fits much better.

    sparse: the points that these cameras place.
    """
    if len(np.unique(sparse.view)) < FEWEST_PHOTOS or len(sparse.points) < FEWEST_POINTS:
        return []
    sparse = _fewer(sparse)
    before = _fitted(extrinsics, intrinsics, sparse, matches, PINHOLE)
    errors = [_fitted(extrinsics, intrinsics, sparse, matches, lens) for lens in LENSES]
    best = min(errors)
    if best > MUCH_BETTER * before or best > before - LEAST_GAIN:
        return []
    lens, error = next((lens, error) for lens, error in zip(LENSES, errors, strict=True) if error <= AS_GOOD * best)
    pixel = float(np.median(matches.pixel))
    doubt = (
        "These cameras may be wrong by degrees, and their focal lengths by a tenth or more: "
        f"features fit to {before * pixel:.2f} pixels, but to {error * pixel:.2f} with another kind of camera."
    )
    return [" ".join((doubt, lens.advice))]


def _fewer(sparse: SparsePoints) -> SparsePoints:
    """At most MOST_POINTS, those that most photos see."""
    seen = np.bincount(sparse.point, minlength=len(sparse.points))
    chosen = np.zeros(len(sparse.points), bool)
    chosen[np.argsort(-seen, kind="stable")[:MOST_POINTS]] = True
    return select(sparse, chosen[sparse.point])


def _fitted(
    extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints, matches: Matches, lens: Lens
) -> float:
    """The median error in working pixels after adjusting everything with this kind of camera."""
    cameras: Sequence[int] = range(len(extrinsics)) if lens.own else matches.cameras
    model = as_reconstruction(extrinsics, intrinsics, sparse, matches, cameras, lens.distortion)
    adjust(model, 2 * _median_error(model), refine_middle=lens.middle)
    return _median_error(model)


def _median_error(model: pycolmap.Reconstruction) -> float:
    model.update_point_3d_errors()
    points = model.points3D.values()
    return float(np.median([point.error for point in points]))
