"""From a request to a prediction: one job, stage by stage."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, replace

from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.settle import SettledCameras
from model_runtime.cameras.sources import FoundCameras, find_cameras
from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.memory import is_out_of_memory
from model_runtime.contract.messages import Gaussians, JobError, MeshSettings, Prediction, Request, View
from model_runtime.contract.plain_values import FrameError
from model_runtime.contract.progress import Report, Span, never_falling
from model_runtime.depth.fit import fit_depths
from model_runtime.depth.mesh import fuse_views
from model_runtime.depth.one_surface import repeated_pixels
from model_runtime.geometry.arrays import Device
from model_runtime.network.output import Output
from model_runtime.prediction.checks import check_memory
from model_runtime.prediction.chunks.kept_cameras import keep_cameras, kept_cameras
from model_runtime.prediction.chunks.looks import look_in_chunks
from model_runtime.prediction.chunks.place import WorkPlace, work_place
from model_runtime.prediction.clip_job import ClipJob, watch_request
from model_runtime.prediction.devices import Compute, describe, release_memory
from model_runtime.prediction.job import Job, read_input
from model_runtime.prediction.job_folder import Workplace, jobs_folder
from model_runtime.prediction.network_run import Network, load
from model_runtime.prediction.passes import Look, look_once, own_scene
from model_runtime.prediction.plan import ALL_ON, Plan, Switches, make_plan
from model_runtime.prediction.refined_depth import with_refined_depth
from model_runtime.prediction.views import make_view
from model_runtime.splats.improve import check_improving, improved_splats
from model_runtime.splats.make import make_gaussians

NEW_SCALE = ("given", "features")
"""Camera sources whose world has a unit of its own, not the network's."""

PHOTOS_DONE, CHECKPOINT_DONE, FEATURES_DONE, NETWORK_DONE, DEPTH_DONE = 0.1, 0.2, 0.4, 0.75, 0.95
MESH_SHARE = 0.25
"""Of a job that makes a mesh."""
IMPROVING_SHARE = 0.6
"""Of the rest, where splats are improved."""

WATCHING_SHARE = 0.4
"""Of a clip's job: looking through the clip."""

FIRST_PASS = 0.5
"""Share of the network's time that its pass over the photos alone takes, where there are two."""


class Stopwatch:
    """Seconds per stage, for Prediction.settings."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def done(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self._last, 3)
        self._last = now


@dataclass(frozen=True, eq=False)
class _Loaded:
    key: tuple[object, ...]
    network: Network


@dataclass(frozen=True, eq=False)
class _Begun:
    """A job that can be worked at. clip: what its photos are the key frames of. features: the memory to use."""

    job: Job
    clip: ClipJob | None
    features: FeatureMemory
    notes: tuple[str, ...]


class Predictor:
    """Does jobs one after the other; keeps the last network loaded and remembers what features showed."""

    def __init__(self) -> None:
        self._features = FeatureMemory()
        self._loaded: _Loaded | None = None
        self._place: WorkPlace | None = None

    def finish(self) -> None:
        """The last answer has been handed over: what it was read from on the disk is thrown away."""
        if self._place is not None:
            self._place.work.finish()
            self._place = None

    def _leave(self) -> None:
        """What a job that was stopped has found stays on the disk for when it is asked for again."""
        if self._place is not None:
            self._place.work.close()
            self._place = None

    def predict(
        self, request: Request, report: Report, switches: Switches = ALL_ON, features: FeatureMemory | None = None
    ) -> Prediction:
        """The whole job. Raises JobError with what the artist should read, and whatever `report` raises.

        features: the memory of features to use in place of this predictor's. The views of many photos are read from
        the disk when they are looked at, until `finish` or the next job.
        """
        self.finish()
        try:
            return self._checked(request, report, switches, features or self._features)
        except FrameError:  # what the folder holds is damaged
            self.finish()
            raise
        except BaseException:
            self._leave()
            raise

    def _checked(self, request: Request, report: Report, switches: Switches, features: FeatureMemory) -> Prediction:
        check_memory()
        if request.gaussians and request.improve_splats:
            check_improving()
        plan = make_plan(request, switches)
        progress = Span(never_falling(report))
        try:
            if request.mesh is None:
                return self._predict_photos(plan, features, progress)
            prediction = self._predict_photos(plan, features, progress.part(0.0, 1 - MESH_SHARE))
            fusing, work = progress.part(1 - MESH_SHARE, 1.0, "mesh"), self._place.work if self._place else None
            return _with_mesh(prediction, request.mesh, plan.compute.device, fusing, work)
        except JobError:
            raise
        except Exception as error:  # a library that is loaded late may not find room either
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise _no_space() from error
            if not is_out_of_memory(error):
                raise
        release_memory(plan.compute.device)
        raise _too_large(plan)

    def _predict_photos(self, plan: Plan, features: FeatureMemory, progress: Span) -> Prediction:
        """Of a request's photos, or of the key frames of its clip."""
        if plan.request.clip is None:
            return self._predict(plan, features, progress, None)
        clip = watch_request(plan.request, progress.part(0.0, WATCHING_SHARE, "clip"))
        try:
            plan = make_plan(replace(plan.request, photos=clip.photos), plan.switches)
            return self._predict(plan, features, progress.part(WATCHING_SHARE, 1.0), clip)
        finally:
            clip.close()

    def _predict(self, plan: Plan, features: FeatureMemory, progress: Span, clip: ClipJob | None) -> Prediction:
        watch = Stopwatch()
        improving = None
        if plan.request.gaussians and plan.request.improve_splats:
            improving = progress.part(1 - IMPROVING_SHARE, 1.0, "gaussians")
            progress = progress.part(0.0, 1 - IMPROVING_SHARE)
        begun = self._begin(plan, features, clip, progress, watch)
        job, clip = begun.job, begun.clip

        found, look, remaining = _find_cameras(job, begun.features, progress)
        track = None
        if clip is not None:
            job, found, track = clip.placed(job, found, progress.part(FEATURES_DONE, FEATURES_DONE, "clip"))
        if job.input.with_features:
            watch.done("features")
        if found.unplaced:
            placed = [i for i in range(len(job.photos)) if i not in found.unplaced]
            job, found = job.without(found.unplaced), found.of(placed)
        if any(found.lenses):
            job, look = job.straightened(found.lenses, progress.part(FEATURES_DONE, FEATURES_DONE, "photos")), None
            watch.done("photos")
        look = look or look_at(job, found, remaining)
        if clip is not None and track is None:
            look = clip.seen_by_one_lens(look)
        watch.done("network")

        working = progress.part(NETWORK_DONE, DEPTH_DONE, "cameras")
        cameras, notes = _fit(job, look, found, working)
        watch.done("cameras")
        refining = progress.part(NETWORK_DONE, DEPTH_DONE, "depth")
        cameras = with_refined_depth(job, look.output, found, cameras, refining)
        if cameras.agreement is not None:
            watch.done("depth")
        views = _make_views(job, look, found, cameras, working)
        if clip is not None:
            views, track = clip.of_frames(views, track or clip.between_keys(views))
        watch.done("cameras")

        gaussians = None
        if improving is not None:
            gaussians = _improved_splats(job, views, improving)
        elif plan.request.gaussians:
            gaussians = _make_gaussians(job, look, views, cameras, progress.part(DEPTH_DONE, 1.0, "gaussians"))
        if gaussians is not None:
            watch.done("gaussians")
        return Prediction(
            views=views,
            gaussians=gaussians,
            checkpoint=plan.checkpoint.info,
            camera_source=found.source,
            metric=_is_metric(look.output, found.source),
            settings=_settings(job, look, watch.seconds) | found.settings | cameras.settings,
            notes=(*_job_notes(begun), *_chunk_notes(job, look), *found.notes, *notes),
            match_error=found.match_error,
            left_out=tuple(job.input.left_out),
            track=track,
        )

    def _begin(
        self, plan: Plan, features: FeatureMemory, clip: ClipJob | None, progress: Span, watch: Stopwatch
    ) -> _Begun:
        """Read the photos and load the network."""
        reading = progress.part(0.0, PHOTOS_DONE, "photos")
        place = self._place = work_place(plan, reading)
        job_input = read_input(plan, reading, place.work, place.in_chunks)
        features = place.features or features
        if clip is not None:
            clip, job_input = clip.with_features(job_input, features)
        watch.done("photos")
        progress.part(PHOTOS_DONE, CHECKPOINT_DONE, "checkpoint")(0.0, f"Loading {plan.checkpoint.info.name}.")
        network = self._network(plan.checkpoint, plan.compute)
        watch.done("checkpoint")
        return _Begun(Job(plan, job_input, network, place.sizes, place.work), clip, features, place.notes)

    def _network(self, checkpoint: CheckpointFile, compute: Compute) -> Network:
        status = checkpoint.path.stat()
        key = (checkpoint.path, status.st_mtime_ns, status.st_size, checkpoint.info.preset, compute)
        if self._loaded is None or self._loaded.key != key:
            self._loaded = None  # two networks at once may not fit
            self._loaded = _Loaded(key, load(checkpoint, compute))
        return self._loaded.network


def _find_cameras(job: Job, features: FeatureMemory, progress: Span) -> tuple[FoundCameras, Look | None, Span]:
    """What is known of the cameras, what the network saw where that is good for the answer, too, and the part of the
    job that is left for it."""
    begin = FEATURES_DONE if job.input.with_features else CHECKPOINT_DONE
    remaining = progress.part(begin, NETWORK_DONE, "network")
    if job.in_chunks and (kept := kept_cameras(job.work)) is not None:
        return kept, None, remaining
    finding = progress.part(CHECKPOINT_DONE, FEATURES_DONE, "features")
    refine = job.plan.request.refine
    lens = job.plan.request.lens
    in_time = job.plan.request.clip is not None
    found = find_cameras(job.plan.source, refine, job.photos, finding, job.input.given, features, lens, in_time)
    if isinstance(found, FoundCameras):
        alone = None
    else:
        alone = look_at(job, None, remaining.part(0.0, FIRST_PASS))
        found = found.finish(own_scene(alone, job))
        remaining = remaining.part(FIRST_PASS, 1.0)
    if job.in_chunks:
        keep_cameras(job.work, found)
    return found, alone if found.known is None else None, remaining


def look_at(job: Job, found: FoundCameras | None, progress: Span) -> Look:
    """All photos through the network, with the cameras that are known."""
    known, sparse = (None, None) if found is None else (found.known, found.sparse)
    return look_in_chunks(job, known, sparse, progress) if job.in_chunks else look_once(job, known, progress)


def _fit(job: Job, look: Look, found: FoundCameras, progress: Span) -> tuple[SettledCameras, list[str]]:
    """The prediction's cameras, its depths brought to what features found, and what the artist should know of them."""

    def go_on() -> None:
        progress(0.0, "Working out cameras and views.")

    go_on()
    if job.plan.switches.fit_depths and found.sparse is not None:
        fitted = fit_depths(look.output, job.photos, look.cameras, found.sparse, job.work, go_on)
        if fitted is not None:
            return fitted, []
    return look.cameras, look.notes


def _make_views(job: Job, look: Look, found: FoundCameras, cameras: SettledCameras, progress: Span) -> tuple[View, ...]:
    def go_on() -> None:
        progress(0.0, "Working out cameras and views.")

    scale = look.output.scale_factor
    errors = found.view_errors or (None,) * len(job.photos)
    rows = job.work.rows("views", View)
    for i in range(len(rows), len(job.photos)):
        go_on()
        view = make_view(look.output, i, job.photos[i], cameras, 1.0 if scale is None else float(scale[0]))
        rows.append(replace(view, camera_source=found.view_sources[i], match_error=errors[i]))
    views = tuple(rows.all())
    if cameras.agreement is None:
        return views
    repeated = repeated_pixels(views, job.plan.compute.device, job.work, go_on=go_on)
    return tuple(replace(view, repeated=pixels) for view, pixels in zip(views, repeated, strict=True))


def _make_gaussians(
    job: Job, look: Look, views: tuple[View, ...], cameras: SettledCameras, progress: Span
) -> Gaussians:
    output = look.output if job.plan.switches.gaussian_head else replace(look.output, gaussians=None)

    def go_on() -> None:
        progress(0.0, "Laying out splats.")

    budget = job.plan.request.splat_budget
    return make_gaussians(output, job.photos, views, cameras, look.splats, budget, go_on)


def _improved_splats(job: Job, views: tuple[View, ...], progress: Span) -> Gaussians:
    photos = [photo.large for photo in job.photos if photo.large is not None]
    budget, optimise = job.plan.request.splat_budget, job.plan.switches.optimise
    return improved_splats(views, photos, budget, job.work, progress, optimise)


def _is_metric(output: Output, camera_source: str) -> bool:
    """Whether the prediction is in metres."""
    return output.metric_focal is not None or (output.scale_factor is not None and camera_source not in NEW_SCALE)


def _settings(job: Job, look: Look, seconds: dict[str, float]) -> dict[str, object]:
    plan = job.plan
    chunks: dict[str, object] = {"chunks": list(look.together)} if len(look.together) > 1 else {}
    return chunks | {
        "resolution": plan.resolution,
        "head_chunk": look.head_chunk,
        "seconds": seconds,
        "network_size": list(job.photos[0].placement.canvas),
        "reference_view": plan.request.reference_view,
        "backend": plan.compute.backend,
        "device": plan.compute.name,
        "device_name": describe(plan.compute)[0],
        "precision": plan.compute.precision,
    }


def _chunk_notes(job: Job, look: Look) -> list[str]:
    if job.sizes is None or len(look.together) < 2:
        return []
    return [job.sizes.sentence(len(look.together))]


def _job_notes(begun: _Begun) -> list[str]:
    plan = begun.job.plan
    notes = [*(() if begun.clip is None else begun.clip.notes), *begun.notes]
    if plan.request.has_poses and plan.source != "given":
        notes.append("The given cameras were not used; the camera source asked for others.")
    return notes


def _with_mesh(
    prediction: Prediction, settings: MeshSettings, device: Device, progress: Span, work: Workplace | None
) -> Prediction:
    watch = Stopwatch()
    mesh = fuse_views(prediction.views, settings, device, progress, work)
    watch.done("mesh")
    notes = () if mesh is not None else ("The photos show no surface that a mesh could be made of.",)
    return replace(
        prediction,
        mesh=mesh,
        settings=prediction.settings | {"mesh_seconds": watch.seconds["mesh"], "mesh_detail": settings.detail},
        notes=(*prediction.notes, *notes),
    )


def _no_space() -> JobError:
    return JobError(
        "no-space",
        f"The disk of {jobs_folder()} became full; what is done of the job is kept there.",
        "Free some space, or let the variable DA3_JOBS name a folder on another disk, and start the job again.",
    )


def _too_large(plan: Plan) -> JobError:
    return JobError(
        "out-of-memory",
        f"{len(plan.request.photos)} photos at a resolution of {plan.resolution} and {plan.checkpoint.info.name} "
        f"do not fit into the memory of {plan.compute.name}.",
        "Lower the resolution, use fewer photos or choose a smaller checkpoint.",
    )
