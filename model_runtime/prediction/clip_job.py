"""A clip as a job: its key frames are the photos, and every frame gets a camera."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

import model_runtime
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.features.result import FeatureCameras, no_points
from model_runtime.cameras.sources import FoundCameras
from model_runtime.clips.between import fill_between
from model_runtime.clips.choose import open_clip
from model_runtime.clips.film import Film
from model_runtime.clips.placing import place_clip
from model_runtime.clips.sequence import PhotoSequence
from model_runtime.clips.watching import LOOKED_AT, WatchedClip, watch_clip
from model_runtime.contract import frame_files
from model_runtime.contract.disk import write_file
from model_runtime.contract.messages import Cameras, CameraTrack, JobError, Photo, Request, View
from model_runtime.contract.progress import Span
from model_runtime.contract.stored_files import photo_bytes, photo_digest, stored
from model_runtime.geometry.cameras import camera_centres
from model_runtime.geometry.similarity import align_cameras
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.job import Job, JobInput
from model_runtime.prediction.job_folder import open_folder, remove_old_folders, room_for
from model_runtime.prediction.passes import Look

FRAME_BYTES = 400_000
"""Of a frame's features on the disk."""

JPEG_QUALITY = 95
"""Of key frames of films as photos: as good as the film."""

FOCAL_35MM_TAG, EXIF_TAG = 0xA405, 0x8769
"""FocalLengthIn35mmFilm, and the directory of EXIF that it is in."""

SAME_PLACE = 1e-9
"""How far apart the places of a camera that only turned are, by rounding."""

SHOWN_ANEW = 0.5
"""Of half the angle that the camera sees: by as much must key frames of a camera that only turned look elsewhere."""

STOOD_STILL = "The camera stood still: there is one camera for all frames, and the scene is what one of them shows."
GUESSED = (
    "Features do not place {count} of the {all} frames: their cameras lie between those of the frames around them, "
    "and may be off where the camera did not move evenly. The scene is made of the others."
)


@dataclass(frozen=True, eq=False)
class ClipJob:
    """A clip that was looked through. photos: its key frames, in their order. close: to be called when nothing of it is
    needed any more."""

    source: Film | PhotoSequence
    watched: WatchedClip
    photos: tuple[Photo, ...]
    close: Callable[[], None]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the artist should know of the clip itself."""
        return (*self.source.notes, STOOD_STILL) if self.watched.still else self.source.notes

    def of(self, photos: Sequence[PreparedPhoto]) -> ClipJob:
        """The job with those of its key frames alone that are among the photos that can be used."""
        left = {photo.name for photo in photos}
        return self._with(tuple(i for i, photo in enumerate(self.photos) if photo.name in left))

    def distinct(self) -> ClipJob:
        """The job without key frames that are, to the last bit, the picture of one before: held frames, and films that
        run back."""
        first: dict[str, int] = {}
        for i, photo in enumerate(self.photos):
            first.setdefault(photo_digest(photo), i)
        return self._with(tuple(first.values()))

    def _with(self, numbers: Sequence[int]) -> ClipJob:
        if len(numbers) == len(self.photos):
            return self
        keys, key_photos = ([values[i] for i in numbers] for values in (self.watched.keys, self.watched.key_photos))
        watched = replace(self.watched, keys=tuple(keys), key_photos=key_photos)
        return replace(self, watched=watched, photos=tuple(self.photos[i] for i in numbers))

    def with_features(self, given: JobInput, memory: FeatureMemory) -> tuple[ClipJob, JobInput]:
        """The job with those key frames alone that can be used, and these with the features that were found in them,
        where theirs are to be matched at all."""
        clip = self.of(given.photos)
        clip.watched.remember(memory)
        features = {photo.name: photo for photo in clip.watched.key_photos}
        photos = [each if each.feature is None else replace(each, feature=features[each.name]) for each in given.photos]
        return clip, replace(given, photos=photos)

    def placed(self, job: Job, found: FoundCameras, progress: Span) -> tuple[Job, FoundCameras, CameraTrack | None]:
        """The job with the key frames that the scene needs, their cameras as all frames bear them out, and the camera
        of every frame; None where it is the network that is to tell where the key frames are."""
        if found.known is None:
            return job, found, None
        found, track = self._placed(found, progress)
        needed = self._needed(track)
        return job.of(needed), found.of(needed), track

    def _placed(self, found: FoundCameras, progress: Span) -> tuple[FoundCameras, CameraTrack]:
        assert found.known is not None
        known = found.known
        registered = np.isfinite(known.extrinsics).all((1, 2))
        turned = found.sparse is None
        sparse = found.sparse or no_points()
        cameras = FeatureCameras(registered, known.extrinsics, known.intrinsics, sparse, found.match_error)
        lens = next((lens for lens in found.lenses if lens is not None), None)
        track, adjusted = place_clip(self.watched, self.source, cameras, lens, turned, progress)
        keys = list(self.watched.keys)
        sources = [
            source if there else "between" if track.sources[key] == "between" else "features"
            for source, there, key in zip(found.view_sources, registered, keys, strict=True)
        ]
        intrinsics = np.where(registered[:, None, None], known.intrinsics, known.intrinsics[registered][0])
        found = replace(
            found,
            known=Cameras(track.extrinsics[keys], intrinsics),
            sparse=None if turned else adjusted.sparse,
            view_sources=tuple(sources),
            unplaced=(),
            lenses=(lens,) * len(keys) if lens is not None else (),
            notes=[*found.notes, *_guessed(track)],
        )
        return found, track

    def _needed(self, track: CameraTrack) -> list[int]:
        """Numbers of the key frames that a scene is made of: all that something places, but where the camera stood in
        one place those that show what the others do not. More would only show again what moved."""
        placed = [i for i, key in enumerate(self.watched.keys) if track.sources[key] != "between"]
        poses = track.extrinsics[[self.watched.keys[i] for i in placed]]
        middles = camera_centres(poses)
        if np.ptp(middles, axis=0).max() > SAME_PLACE * np.abs(poses[:, :3, 3]).max(initial=1.0):
            return placed
        apart = np.arctan(np.array(self.source.size) / 2 / track.intrinsics[(0, 1), (0, 1)]).min() * SHOWN_ANEW
        axes, kept = poses[:, 2, :3], list[int]()
        for number in _from_the_middle(len(poses)):
            if all(np.arccos(np.clip(axes[number] @ axes[other], -1, 1)) > apart for other in kept):
                kept.append(number)
        return sorted(placed[number] for number in kept)

    def seen_by_one_lens(self, look: Look) -> Look:
        """What the network saw, with its typical lens for all key frames: a clip is filmed with one."""
        intrinsics = np.tile(np.median(look.cameras.intrinsics, axis=0), (len(look.cameras.intrinsics), 1, 1))
        return replace(look, cameras=replace(look.cameras, intrinsics=intrinsics))

    def between_keys(self, views: Sequence[View]) -> CameraTrack:
        """The camera of every frame from those of the key frames alone."""
        poses = np.full((len(self.source), 4, 4), np.nan)
        poses[list(self.watched.keys)] = [view.extrinsics for view in views]
        sources = np.full(len(self.source), "still" if self.watched.still else "between", object)
        if not self.watched.still:
            sources[list(self.watched.keys)] = "network"
        return CameraTrack(
            numbers=self.source.numbers,
            seconds=self.source.seconds,
            rate=self.source.rate,
            extrinsics=fill_between(poses, np.asarray(self.source.seconds, np.float64)),
            photo_size=self.source.size,
            intrinsics=views[0].intrinsics,
            sources=tuple(sources.tolist()),
            match_error=np.full(len(self.source), np.nan),
            still=self.watched.still,
        )

    def of_frames(self, views: Sequence[View], track: CameraTrack) -> tuple[tuple[View, ...], CameraTrack]:
        """The key frames' views, with their frames' numbers and for films their pictures; and the track in their world,
        whose unit may have become the metre."""
        places = dict(zip((photo.name for photo in self.photos), self.watched.keys, strict=True))
        pictures = {photo.name: photo for photo in self.photos} if isinstance(self.source, Film) else {}
        told = tuple(
            replace(
                view,
                frame=int(self.source.numbers[places[view.name]]),
                plate=view.plate or (photo_bytes(pictures[view.name]) if pictures else b""),
            )
            for view in views
        )
        keys = [places[view.name] for view in views]
        return told, _in_world_of(track, keys, np.stack([view.extrinsics for view in views]))


def watch_request(request: Request, progress: Span) -> ClipJob:
    """Look through the request's clip. Raises JobError where it cannot be read, or the request does not go with it."""
    assert request.clip is not None
    if request.has_poses:
        raise JobError(
            "bad-request",
            f"Cameras are given, but {request.clip.name} is a clip, whose camera moves.",
            "Give its frames as photos, or no cameras.",
        )
    source = open_clip(request)
    folder, close = _folder(request, len(source))
    try:
        watched = watch_clip(source, progress, folder)
        if isinstance(source, PhotoSequence):
            photos = tuple(request.photos[place] for place in watched.keys)
        else:
            photos = tuple(_pictures(source, watched.keys, folder))
    except BaseException:
        close()
        raise
    return ClipJob(source, watched, photos, close).distinct()


def _folder(request: Request, count: int) -> tuple[Path, Callable[[], None]]:
    """Where features of the frames are, and stay for a while, as the artist may ask again with other settings; and what
    to call in the end."""
    remove_old_folders()
    if room_for(count * FRAME_BYTES):
        with suppress(OSError):  # a home that cannot be written to
            opened = open_folder(f"clip-{_digest(request)}")
            if opened is not None:
                return opened.path, opened.close
    folder = tempfile.TemporaryDirectory(prefix="da3-clip-")
    return Path(folder.name), folder.cleanup


def _digest(request: Request) -> str:
    """Of all that the features depend on."""
    told = model_runtime.__version__, LOOKED_AT, [photo_digest(photo) for photo in request.photos]
    digest = hashlib.sha256(repr(told).encode())
    digest.update(frame_files.pack(request.clip))
    return digest.hexdigest()[:32]


def _pictures(source: Film, keys: Sequence[int], folder: Path) -> Iterator[Photo]:
    """A film's key frames as photos in files."""
    for place, pixels in source.pictures(keys):
        path = folder / f"{place:06}.jpg"
        write_file(path, _jpeg(pixels, source.focal_35mm))
        yield Photo(source.frame_name(place), file=stored(path))


def _jpeg(pixels: np.ndarray, focal_35mm: float | None) -> bytes:
    exif = Image.Exif()
    if focal_35mm is not None:
        exif.get_ifd(EXIF_TAG)[FOCAL_35MM_TAG] = round(focal_35mm)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0, exif=exif)
    return data.getvalue()


def _from_the_middle(count: int) -> list[int]:
    """Numbers up to `count`, those in the middle first."""
    return sorted(range(count), key=lambda number: abs(number - count // 2))


def _guessed(track: CameraTrack) -> list[str]:
    count = track.sources.count("between")
    return [GUESSED.format(count=count, all=len(track.sources))] if count else []


def _in_world_of(track: CameraTrack, keys: Sequence[int], extrinsics: np.ndarray) -> CameraTrack:
    """The track, moved as one so that its frames `keys` have these cameras [K,4,4]."""
    there = track.extrinsics[list(keys)]
    if np.array_equal(there, extrinsics):
        return track
    similarity = align_cameras(there, extrinsics)
    return replace(track, extrinsics=similarity.extrinsics(track.extrinsics))
