"""Which features of two photos are the same point of the scene.

Pixels in this module are working pixels (`FeaturePhoto.pixel` of the photo's own), centres at +0.5 as everywhere.
Everything is done from fixed seeds, so that the same photos always give the same matches, on any number of cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

import numpy as np
import pycolmap

from model_runtime.cameras.features.blas import one_blas_thread, product
from model_runtime.cameras.features.extraction import extract_each
from model_runtime.cameras.features.memory import FeatureMemory, PairMatches, PhotoFeatures
from model_runtime.cameras.features.pairs import MOST_ALL_PAIRS, ROUNDS, Candidates, Pair, all_pairs
from model_runtime.cameras.features.retrieval import likeness
from model_runtime.contract.progress import Span
from model_runtime.contract.threads import cores
from model_runtime.photos.feature_photo import FeaturePhoto, camera_groups

SEED = 0
MAX_RATIO = 0.8
"""Of the distances of a feature to its nearest and second nearest (Lowe 2004)."""

ROWS_AT_ONCE = 256
"""Features whose distances to all others are in memory at a time: what fits a core's cache is twice as fast."""

MOST_EXHAUSTIVE = 16
"""Photos, up to which all features of a pair are matched."""

LARGEST, LEAST_ALIKE = 1024, 8
"""Beyond, pairs of which fewer than so many of the largest features match are left alone (preemptive matching, Wu
2013): of 40 photos around a room that leaves out 97 % of the pairs that do not match, for a seventeenth of their time,
and 6 % of those that do, none with more than 34 inliers."""

MIN_INLIERS = 15
MAX_ERROR = 4.0
"""Distance in working pixels that a match may have from the geometry of its pair."""

TYPICAL_FOCAL = 0.87
"""Focal length in longest sides where EXIF tells none: a field of view of 60 degrees, as phones have."""


@dataclass(frozen=True, eq=False)
class Matches:
    """keypoints: for each photo [K,2] float64, working pixels. cameras: for each photo the number of its camera.
    geometries: for pairs (i, j), i < j, of photos that see the same things, COLMAP's verified two-view geometry.
    alike: for all pairs that were matched [M,2] uint32, keypoints that look alike, verified or not.
    """

    photos: tuple[FeaturePhoto, ...]
    keypoints: tuple[np.ndarray, ...]
    cameras: tuple[int, ...]
    geometries: dict[Pair, pycolmap.TwoViewGeometry]
    alike: dict[Pair, np.ndarray]

    @property
    def pixel(self) -> np.ndarray:
        """[N], pixels of each photo per working pixel."""
        return np.array([photo.pixel for photo in self.photos])


def match_photos(
    photos: Sequence[FeaturePhoto],
    progress: Span,
    memory: FeatureMemory | None = None,
    apart: Callable[[int, int], bool] | None = None,
    in_time: bool = False,
) -> Matches:
    """Every photo matched with every other; of many photos only those that seem to show the same (see `pairs`).

    memory: of earlier calls, which is looked into and added to; photos whose features it has need no picture. apart:
    whether two photos, by their places, are known to show nothing alike, so that they need not be matched. in_time:
    whether the photos are key frames of a film in their order; their features are then plain (see `extract`).
    """
    memory = memory or FeatureMemory()
    features = _features_of(photos, progress.part(0.0, 0.5), memory, in_time)
    matcher = _Matcher(photos, features, memory, in_time)
    if len(photos) <= MOST_ALL_PAIRS:
        matcher.match(all_pairs(len(photos), apart), progress.part(0.5, 1.0))
    else:
        progress(0.5, f"Finding which of {len(photos)} photos are alike.")
        candidates = Candidates(likeness(features), in_time, apart)
        matcher.match(candidates.first(), progress.part(0.5, 0.8))
        for number in range(ROUNDS):
            more = candidates.more(matcher.found, matcher.verified, last=number > 0)
            matcher.match(more, progress.part(0.8 + 0.2 * number / ROUNDS, 0.8 + 0.2 * (number + 1) / ROUNDS))
    memory.forget_others(len(photos))
    found = dict(sorted(matcher.found.items()))
    keypoints = tuple(each.keypoints for each in features)
    geometries = {pair: each.geometry for pair, each in found.items() if each.geometry is not None}
    alike = {pair: each.alike for pair, each in found.items()}
    return Matches(tuple(photos), keypoints, tuple(camera_groups(photos)), geometries, alike)


def matched_again(matches: Matches, keypoints: Sequence[np.ndarray], focals: Sequence[float]) -> Matches:
    """The same matches verified anew with keypoints at other places, [K,2] working pixels of each photo, NaN where one
    has no place; and with focal lengths in working pixels."""
    cameras = []
    for photo, focal in zip(matches.photos, focals, strict=True):
        camera = starting_camera(photo)
        camera.focal_length, camera.has_prior_focal_length = focal, True
        cameras.append(camera)

    def verify(pair: Pair) -> pycolmap.TwoViewGeometry | None:
        i, j = pair
        alike = matches.alike[pair]
        there = np.isfinite(keypoints[i][alike[:, 0]]).all(1) & np.isfinite(keypoints[j][alike[:, 1]]).all(1)
        return _verify(cameras, keypoints, pair, alike[there])

    with ThreadPoolExecutor(cores(), "matching") as pool:
        found = dict(zip(matches.alike, pool.map(verify, matches.alike), strict=True))
    geometries = {pair: geometry for pair, geometry in found.items() if geometry is not None}
    return replace(matches, keypoints=tuple(keypoints), geometries=geometries)


def _features_of(
    photos: Sequence[FeaturePhoto], progress: Span, memory: FeatureMemory, plain: bool
) -> list[PhotoFeatures]:
    known: dict[str, PhotoFeatures] = {}
    new: dict[str, FeaturePhoto] = {}
    for photo in photos:
        features = memory.features(photo, plain)
        if features is None:
            new[photo.digest] = photo
        else:
            known[photo.digest] = features
    for photo, features in extract_each(new.values(), len(new), progress, plain):
        known[photo.digest] = features
        memory.keep(photo, features)
    for photo in photos:
        memory.keep(photo, known[photo.digest])
    return [known[photo.digest] for photo in photos]


class _Matcher:
    """Finds what pairs have in common, on all cores. found: of all pairs so far."""

    def __init__(
        self, photos: Sequence[FeaturePhoto], features: Sequence[PhotoFeatures], memory: FeatureMemory, plain: bool
    ) -> None:
        self.photos, self.features, self.memory, self.plain = photos, features, memory, plain
        self.keypoints = [each.keypoints for each in features]
        self.cameras = [starting_camera(photo) for photo in photos]
        self.found: dict[Pair, PairMatches] = {}

    @property
    def verified(self) -> list[Pair]:
        return [pair for pair, each in self.found.items() if each.geometry is not None]

    @one_blas_thread
    def match(self, pairs: Sequence[Pair], progress: Span) -> None:
        photos, new = self.photos, list[Pair]()
        for i, j in pairs:
            if (known := self.memory.pair(photos[i], photos[j], self.plain)) is None:
                new.append((i, j))
            else:
                self.found[i, j] = known
        # Pairs are matched side by side, each by a single thread: faster than one after the other by several.
        pool = ThreadPoolExecutor(cores(), "matching")
        try:
            waiting = {pool.submit(self._matched, pair): pair for pair in new}
            for done, future in enumerate(as_completed(waiting)):
                i, j = waiting[future]
                progress(done / len(new), f"Matching {photos[i].name} with {photos[j].name}.")
                self.found[i, j] = future.result()
                self.memory.keep_pair(photos[i], photos[j], self.found[i, j], self.plain)
        finally:
            pool.shutdown(cancel_futures=True)

    def _matched(self, pair: Pair) -> PairMatches:
        one, other = (self.features[n].descriptors for n in pair)
        preempted = len(self.photos) > MOST_EXHAUSTIVE
        if preempted and len(match_descriptors(one[:LARGEST], other[:LARGEST])) < LEAST_ALIKE:
            return PairMatches(np.zeros((0, 2), np.uint32), None)
        alike = match_descriptors(one, other)
        return PairMatches(alike, _verify(self.cameras, self.keypoints, pair, alike))


def match_descriptors(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mutual nearest neighbours that pass the ratio test: [M,2] uint32 rows of a [Ka,128] and b [Kb,128], uint8.

    Whole numbers, whose squared distances float32 tells exactly: the same whatever multiplies the matrices.
    """
    if len(a) < 2 or len(b) < 2:
        return np.zeros((0, 2), np.uint32)
    # |a|^2 - 2 a b + |b|^2 as one product. Float32 descriptors of hundreds of photos at once would take a gigabyte.
    rows, columns = np.ones((len(a), 130), np.float32), np.ones((130, len(b)), np.float32)
    rows[:, :128], columns[:128] = a, b.T
    rows[:, 128], columns[129] = np.square(rows[:, :128]).sum(1), np.square(columns[:128]).sum(0)
    rows[:, :128] *= -2
    nearest, second, index = np.empty(len(a), np.float32), np.empty(len(a), np.float32), np.empty(len(a), np.int64)
    back = np.full(len(b), np.inf, np.float32)
    block = np.empty((ROWS_AT_ONCE, len(b)), np.float32)
    for start in range(0, len(a), ROWS_AT_ONCE):
        here = slice(start, min(start + ROWS_AT_ONCE, len(a)))
        squared = product(rows[here], columns, into=block[: here.stop - start])
        np.minimum(back, squared.min(0), out=back)
        index[here] = squared.argmin(1)
        best = np.arange(len(squared)), index[here]
        nearest[here] = squared[best]
        squared[best] = np.inf
        second[here] = squared.min(1)
    found = np.flatnonzero((nearest == back[index]) & (nearest < MAX_RATIO**2 * second))
    _, first = np.unique(index[found], return_index=True)
    found = found[np.sort(first)]  # of features that are all the same to another, one
    return np.stack((found, index[found]), axis=1).astype(np.uint32)


def starting_camera(photo: FeaturePhoto, focal: float = TYPICAL_FOCAL, trust_exif: bool = True) -> pycolmap.Camera:
    """COLMAP's pinhole camera of a photo, in working pixels. focal: in longest sides, where EXIF tells none or is not
    trusted."""
    width, height = (side / photo.pixel for side in photo.size)
    known = photo.known_focal if trust_exif else None
    pixels = focal * max(width, height) if known is None else known / photo.pixel
    camera = pycolmap.Camera(
        model="SIMPLE_PINHOLE", width=round(width), height=round(height), params=[pixels, width / 2, height / 2]
    )
    camera.has_prior_focal_length = known is not None
    return camera


def _verify(
    cameras: Sequence[pycolmap.Camera], keypoints: Sequence[np.ndarray], pair: Pair, matches: np.ndarray
) -> pycolmap.TwoViewGeometry | None:
    if len(matches) < MIN_INLIERS:
        return None
    (camera_i, points_i), (camera_j, points_j) = ((cameras[n], keypoints[n]) for n in pair)
    options = pycolmap.TwoViewGeometryOptions()
    options.min_num_inliers = MIN_INLIERS
    options.ransac.max_error = MAX_ERROR
    options.ransac.random_seed = SEED
    options.ransac.num_threads = 1
    geometry = pycolmap.estimate_two_view_geometry(camera_i, points_i, camera_j, points_j, matches, options)
    return geometry if len(geometry.inlier_matches) >= MIN_INLIERS else None
