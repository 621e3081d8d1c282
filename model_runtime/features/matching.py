"""Features of every photo, and which of them are the same point of the scene in two photos.

Pixels in this module are working pixels (`FeaturePhoto.pixel` of the photo's own), centres at +0.5 as everywhere.
Everything runs on one thread from fixed seeds, so that the same photos always give the same matches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pycolmap
import torch
from torch import Tensor

from model_runtime.features.memory import FeatureMemory, PhotoFeatures
from model_runtime.features.photo import FeaturePhoto, camera_groups

Report = Callable[[float, str], None]
"""Told the fraction done and a sentence; raises to stop."""

SEED = 0
MAX_FEATURES = 4096
PEAK_THRESHOLD = 0.004
"""Contrast a feature needs. Below COLMAP's 0.0067, for the smooth walls of rooms."""

MAX_RATIO = 0.8
"""Of the distances of a feature to its nearest and second nearest (Lowe 2004)."""

MIN_INLIERS = 15
MAX_ERROR = 4.0
"""Distance in working pixels that a match may have from the geometry of its pair."""

TYPICAL_FOCAL = 0.87
"""Focal length in longest sides where EXIF tells none: a field of view of 60 degrees, as phones have."""


@dataclass(frozen=True, eq=False)
class Matches:
    """keypoints: for each photo [K,2] float64, working pixels. cameras: for each photo the number of its camera.
    geometries: for pairs (i, j), i < j, of photos that see the same things, COLMAP's verified two-view geometry.
    """

    photos: tuple[FeaturePhoto, ...]
    keypoints: tuple[np.ndarray, ...]
    cameras: tuple[int, ...]
    geometries: dict[tuple[int, int], pycolmap.TwoViewGeometry]

    @property
    def pixel(self) -> np.ndarray:
        """[N], pixels of each photo per working pixel."""
        return np.array([photo.pixel for photo in self.photos])


def match_photos(photos: Sequence[FeaturePhoto], report: Report, memory: FeatureMemory | None = None) -> Matches:
    """Exhaustive matching: every photo with every other. memory: of earlier calls, which is looked into and added to.

    Descriptors are pooled over several sizes of a feature's surroundings (DSP-SIFT, Dong and Soatto 2015): twice the
    time, but across large changes of view they match where plain ones do not.
    """
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    extractor = pycolmap.FeatureExtractor.create(_extraction_options(), pycolmap.Device.cpu)
    memory = memory or FeatureMemory()
    features: list[PhotoFeatures] = []
    for i, photo in enumerate(photos):
        report(0.5 * i / len(photos), f"Looking for features in {photo.name}.")
        features.append(memory.features(photo, lambda photo=photo: _features(photo, extractor)))
    keypoints = [found.keypoints for found in features]
    descriptors = [torch.from_numpy(found.descriptors.astype(np.float32)) for found in features]
    geometries = {}
    pairs = list(combinations(range(len(photos)), 2))
    for done, (i, j) in enumerate(pairs):
        report(0.5 + 0.5 * done / len(pairs), f"Matching {photos[i].name} with {photos[j].name}.")
        geometry = memory.pair(
            photos[i],
            photos[j],
            lambda i=i, j=j: _verify(photos, keypoints, (i, j), match_descriptors(descriptors[i], descriptors[j])),
        )
        if geometry is not None:
            geometries[i, j] = geometry
    return Matches(tuple(photos), tuple(keypoints), tuple(camera_groups(photos)), geometries)


def match_descriptors(a: Tensor, b: Tensor) -> np.ndarray:
    """Mutual nearest neighbours that pass the ratio test: [M,2] uint32 rows of a [Ka,128] and b [Kb,128], float32.

    Descriptors hold whole numbers up to 255, whose squared distances float32 tells exactly.
    """
    if len(a) < 2 or len(b) < 2:
        return np.zeros((0, 2), np.uint32)
    squared = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    nearest, index = squared.topk(2, dim=1, largest=False)
    mutual = squared.argmin(0)[index[:, 0]] == torch.arange(len(a))
    rows = torch.nonzero(mutual & (nearest[:, 0] < MAX_RATIO**2 * nearest[:, 1]))[:, 0]
    return torch.stack((rows, index[rows, 0]), dim=1).numpy().astype(np.uint32)


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
    photos: Sequence[FeaturePhoto], keypoints: Sequence[np.ndarray], pair: tuple[int, int], matches: np.ndarray
) -> pycolmap.TwoViewGeometry | None:
    if len(matches) < MIN_INLIERS:
        return None
    (camera_i, points_i), (camera_j, points_j) = ((starting_camera(photos[n]), keypoints[n]) for n in pair)
    options = pycolmap.TwoViewGeometryOptions()
    options.min_num_inliers = MIN_INLIERS
    options.ransac.max_error = MAX_ERROR
    options.ransac.random_seed = SEED
    options.ransac.num_threads = 1
    geometry = pycolmap.estimate_two_view_geometry(camera_i, points_i, camera_j, points_j, matches, options)
    return geometry if len(geometry.inlier_matches) >= MIN_INLIERS else None


def _features(photo: FeaturePhoto, extractor: pycolmap.FeatureExtractor) -> PhotoFeatures:
    found, described = extractor.extract_from_uint8_array(photo.grey)
    return PhotoFeatures(_working_pixels(photo, found), described.data.copy())


def _working_pixels(photo: FeaturePhoto, found: pycolmap.FeatureKeypoints) -> np.ndarray:
    """[K,2] float64. The grey picture's sides are whole numbers, so its pixels are not quite square."""
    height, width = photo.grey.shape
    factors = np.array([photo.size[0] / width, photo.size[1] / height]) / photo.pixel
    return pycolmap.keypoints_to_matrix(found)[:, :2].astype(np.float64) * factors


def _extraction_options() -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = 1
    options.sift.max_num_features = MAX_FEATURES
    options.sift.peak_threshold = PEAK_THRESHOLD
    options.sift.domain_size_pooling = True
    return options
