"""Point features of photos, on all cores: SIFT (Lowe 2004) with domain-size pooling, by COLMAP."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pycolmap
from PIL import Image

from model_runtime.cameras.features.memory import PhotoFeatures
from model_runtime.contract.progress import Span
from model_runtime.photos.feature_photo import FeaturePhoto

MAX_FEATURES = 4096
PEAK_THRESHOLD = 0.004
"""Contrast a feature needs. Below COLMAP's 0.0067, for the smooth walls of rooms."""

PHOTOS_PER_CORE = 2
"""That are looked at between two reports of progress: with more the cores idle less at the end."""

POLL_SECONDS = 0.05


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def extract(photos: Sequence[FeaturePhoto], progress: Span) -> list[PhotoFeatures]:
    """The features of each photo, the same on any number of cores.

    Descriptors are pooled over several sizes of a feature's surroundings (DSP-SIFT, Dong and Soatto 2015): twice the
    time, but across large changes of view they match where plain ones do not. progress: what it raises stops the
    work at once.
    """
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    found: list[PhotoFeatures] = []
    step = PHOTOS_PER_CORE * cores()
    for start in range(0, len(photos), step):
        fraction, sentence = start / len(photos), f"Looking for features in {photos[start].name}."
        found += _extract_some(photos[start : start + step], lambda report=(fraction, sentence): progress(*report))
    return found


def _extract_some(photos: Sequence[FeaturePhoto], go_on: Callable[[], None]) -> list[PhotoFeatures]:
    """By COLMAP's own threads, which take files and give a database: what it does by itself holds Python's lock."""
    go_on()
    with tempfile.TemporaryDirectory() as name:
        folder, names = Path(name), [f"{i:06}.png" for i in range(len(photos))]
        for photo, file in zip(photos, names, strict=True):
            Image.fromarray(photo.grey).save(folder / file, compress_level=1)
        token = pycolmap.CancellationToken()
        with ThreadPoolExecutor(1, "features") as pool:
            work = pool.submit(
                pycolmap.extract_features,
                folder / "features.db",
                folder,
                names,
                extraction_options=_options(),
                device=pycolmap.Device.cpu,
                cancellation_token=token,
            )
            try:
                while not wait([work], POLL_SECONDS).done:
                    go_on()
            finally:
                token.cancel()
            work.result()
        with pycolmap.Database.open(folder / "features.db") as database:
            return [_features(database, file, photo) for file, photo in zip(names, photos, strict=True)]


def _features(database: pycolmap.Database, file: str, photo: FeaturePhoto) -> PhotoFeatures:
    image = database.read_image_with_name(file)
    if image is None or not database.exists_keypoints(image.image_id):
        return PhotoFeatures(np.zeros((0, 2)), np.zeros((0, 128), np.uint8))
    keypoints = np.asarray(database.read_keypoints(image.image_id))[:, :2].astype(np.float64)
    # The grey picture's sides are whole numbers, so its pixels are not quite square.
    height, width = photo.grey.shape
    factors = np.array([photo.size[0] / width, photo.size[1] / height]) / photo.pixel
    return PhotoFeatures(keypoints * factors, database.read_descriptors(image.image_id).data.copy())


def _options() -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = cores()
    options.sift.max_num_features = MAX_FEATURES
    options.sift.peak_threshold = PEAK_THRESHOLD
    options.sift.domain_size_pooling = True
    return options
