"""Point features of photos, on all cores: SIFT (Lowe 2004) with domain-size pooling, by COLMAP."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

import numpy as np
import pycolmap
from PIL import Image

from model_runtime.cameras.features.memory import PhotoFeatures
from model_runtime.contract.progress import Span
from model_runtime.contract.threads import cores
from model_runtime.photos.feature_photo import FeaturePhoto

MAX_FEATURES, MAX_PLAIN = 4096, 2048
"""In a photo, and in a frame of a film, whose neighbours show nearly the same. Some count twice, by two directions."""

PEAK_THRESHOLD = 0.004
"""Contrast a feature needs. Below COLMAP's 0.0067, for the smooth walls of rooms."""

POOLED_SIZES, POOLED = (0.75, 3.0), 6
"""Sizes of a feature's surroundings, of the usual one, from (included) and to (not), and how many evenly spaced ones
are pooled. COLMAP's ten from 1/6 on take longer for as many matches: the smallest see little. With three a bent lens,
and with four two photos alone, came out worse in a rendered room."""

LARGE_FRAME = 800
"""Longest side in pixels from which on a frame is not looked at in double size: a third of the time for as many
matches. Smaller ones have too few features for that, which lie half as exactly."""

PHOTOS_PER_CORE, PLAIN_PER_CORE = 2, 8
"""That are looked at between two reports of progress: with more the cores idle less at the end."""

POLL_SECONDS = 0.05


def extract(photos: Sequence[FeaturePhoto], progress: Span, plain: bool = False) -> list[PhotoFeatures]:
    """The features of each photo, the same on any number of cores.

    Descriptors are pooled over several sizes of a feature's surroundings (DSP-SIFT, Dong and Soatto 2015): over half as
    much time again, but across large changes of view they match where plain ones do not. plain: without that, and half
    as many, for the frames of a film, which change little. progress: what it raises stops the work as soon as the few
    photos that are looked at together are done.
    """
    return [features for _, features in extract_each(photos, len(photos), progress, plain)]


def extract_each(
    photos: Iterable[FeaturePhoto], count: int, progress: Span, plain: bool = False
) -> Iterator[tuple[FeaturePhoto, PhotoFeatures]]:
    """Like `extract`, of `count` photos that come one after the other: each without its picture, and its features.

    Only a few pictures are in memory at a time.
    """
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    step = (PLAIN_PER_CORE if plain else PHOTOS_PER_CORE) * cores()
    waiting, done = iter(photos), 0
    while some := list(islice(waiting, step)):
        fraction, sentence = done / max(count, 1), f"Looking for features in {some[0].name}."
        found = _extract_some(some, lambda report=(fraction, sentence): progress(*report), plain)
        done += len(some)
        for photo, features in zip(some, found, strict=True):
            yield photo.without_picture(), features


def _extract_some(photos: Sequence[FeaturePhoto], go_on: Callable[[], None], plain: bool) -> list[PhotoFeatures]:
    """Photos that are looked at in the same way are looked at together."""
    for photo in photos:
        if photo.let_go:
            raise ValueError(f"{photo.name} has no picture any more, and nothing remembers its features.")
    found: dict[int, PhotoFeatures] = {}
    for large in (False, True):
        group = [i for i, photo in enumerate(photos) if (plain and max(photo.grey.shape) >= LARGE_FRAME) == large]
        if group:
            features = _extract_alike([photos[i] for i in group], go_on, plain, _options(plain, large))
            found |= dict(zip(group, features, strict=True))
    return [found[i] for i in range(len(photos))]


def _extract_alike(
    photos: Sequence[FeaturePhoto],
    go_on: Callable[[], None],
    plain: bool,
    options: pycolmap.FeatureExtractionOptions,
) -> list[PhotoFeatures]:
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
                extraction_options=options,
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
            return [_features(database, file, photo, plain) for file, photo in zip(names, photos, strict=True)]


def _features(database: pycolmap.Database, file: str, photo: FeaturePhoto, plain: bool) -> PhotoFeatures:
    image = database.read_image_with_name(file)
    if image is None or not database.exists_keypoints(image.image_id):
        return PhotoFeatures(np.zeros((0, 2)), np.zeros((0, 128), np.uint8), plain)
    keypoints = np.asarray(database.read_keypoints(image.image_id))[:, :2].astype(np.float64)
    # The grey picture's sides are whole numbers, so its pixels are not quite square.
    height, width = photo.grey.shape
    factors = np.array([photo.size[0] / width, photo.size[1] / height]) / photo.pixel
    return PhotoFeatures(keypoints * factors, database.read_descriptors(image.image_id).data.copy(), plain)


def _options(plain: bool, large: bool) -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = cores()
    options.sift.max_num_features = MAX_PLAIN if plain else MAX_FEATURES
    options.sift.peak_threshold = PEAK_THRESHOLD
    options.sift.domain_size_pooling = not plain
    options.sift.dsp_min_scale, options.sift.dsp_max_scale = POOLED_SIZES
    options.sift.dsp_num_scales = POOLED
    if large:
        options.sift.first_octave = 0
    return options
