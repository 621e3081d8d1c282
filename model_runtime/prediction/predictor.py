"""From a request to a prediction: one job, stage by stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
from torch import nn

from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.settle import SettledCameras, settle_cameras
from model_runtime.cameras.sources import FoundCameras, find_cameras
from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.memory import is_out_of_memory
from model_runtime.contract.messages import Gaussians, JobError, MeshSettings, Prediction, Request, View
from model_runtime.contract.progress import Report, Span, never_falling
from model_runtime.depth.fit import fit_depths
from model_runtime.depth.mesh import fuse_views
from model_runtime.depth.one_surface import repeated_pixels
from model_runtime.network.output import Output
from model_runtime.prediction.checks import check_memory
from model_runtime.prediction.devices import describe_device
from model_runtime.prediction.job import Job, read_input
from model_runtime.prediction.network_run import free_memory
from model_runtime.prediction.passes import NetworkPass, own_scene, pass_alone, pass_with_cameras
from model_runtime.prediction.plan import ALL_ON, Plan, Switches, make_plan
from model_runtime.prediction.refined_depth import with_refined_depth
from model_runtime.prediction.views import make_views
from model_runtime.splats.make import make_gaussians
from model_runtime.splats.merge import merged_splats
from model_runtime.splats.optimise import optimised_splats

NEW_SCALE = ("given", "features")
"""Camera sources whose world has a unit of its own, not the network's."""

PHOTOS_DONE, CHECKPOINT_DONE, FEATURES_DONE, NETWORK_DONE, DEPTH_DONE = 0.1, 0.2, 0.4, 0.75, 0.95
MESH_SHARE = 0.25
"""Of a job that makes a mesh."""
IMPROVING_SHARE = 0.6
"""Of the rest, where splats are improved."""

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
    network: nn.Module


class Predictor:
    """Does jobs one after the other; keeps the last network loaded and remembers what features showed."""

    def __init__(self) -> None:
        self._features = FeatureMemory()
        self._loaded: _Loaded | None = None

    def predict(
        self, request: Request, report: Report, switches: Switches = ALL_ON, features: FeatureMemory | None = None
    ) -> Prediction:
        """The whole job. Raises JobError with what the artist should read, and whatever `report` raises.

        features: the memory of features to use in place of this predictor's.
        """
        check_memory()
        plan = make_plan(request, switches)
        progress = Span(never_falling(report))
        try:
            if request.mesh is None:
                return self._predict(plan, features or self._features, progress)
            prediction = self._predict(plan, features or self._features, progress.part(0.0, 1 - MESH_SHARE))
            return _with_mesh(prediction, request.mesh, plan.device, progress.part(1 - MESH_SHARE, 1.0, "mesh"))
        except JobError:
            raise
        except Exception as error:  # a library that is loaded late may not find room either
            if not is_out_of_memory(error):
                raise
        free_memory(plan.device)
        raise _too_large(plan)

    def _predict(self, plan: Plan, features: FeatureMemory, progress: Span) -> Prediction:
        watch = Stopwatch()
        improving = None
        if plan.request.gaussians and plan.request.improve_splats:
            improving = progress.part(1 - IMPROVING_SHARE, 1.0, "gaussians")
            progress = progress.part(0.0, 1 - IMPROVING_SHARE)
        job_input = read_input(plan, progress.part(0.0, PHOTOS_DONE, "photos"))
        watch.done("photos")

        progress.part(PHOTOS_DONE, CHECKPOINT_DONE, "checkpoint")(0.0, f"Loading {plan.checkpoint.info.name}.")
        job = Job(plan, job_input, self._network(plan.checkpoint, plan.device))
        watch.done("checkpoint")

        found, network_pass, remaining = _find_cameras(job, features, progress)
        if job.input.with_features:
            watch.done("features")
        if found.unplaced:
            placed = [i for i in range(len(job.photos)) if i not in found.unplaced]
            job, found = job.without(found.unplaced), found.of(placed)
        if any(found.lenses):
            straightening = progress.part(FEATURES_DONE, FEATURES_DONE, "photos")
            job, network_pass = job.straightened(found.lenses, straightening), None
            watch.done("photos")
        network_pass = network_pass or _final_pass(job, found, remaining)
        watch.done("network")

        progress.part(NETWORK_DONE, DEPTH_DONE, "cameras")(0.0, "Working out cameras and views.")
        cameras, notes = _settle_and_fit(job, network_pass, found)
        watch.done("cameras")
        refining = progress.part(NETWORK_DONE, DEPTH_DONE, "depth")
        cameras = with_refined_depth(job, network_pass.output, found, cameras, refining)
        if cameras.agreement is not None:
            watch.done("depth")
        views = _make_views(job, network_pass, found, cameras)
        watch.done("cameras")

        gaussians = None
        if plan.request.gaussians:
            if improving is None:
                progress.part(DEPTH_DONE, 1.0, "gaussians")(0.0, "Laying out splats.")
                gaussians = _make_gaussians(job, network_pass, views, cameras)
            else:
                gaussians = _improved_splats(job, views, improving)
            watch.done("gaussians")
        return Prediction(
            views=views,
            gaussians=gaussians,
            checkpoint=plan.checkpoint.info,
            camera_source=found.source,
            metric=_is_metric(network_pass.output, found.source),
            settings=_settings(job, network_pass, watch.seconds) | found.settings | cameras.settings,
            notes=(*_request_notes(plan), *found.notes, *notes),
            match_error=found.match_error,
            left_out=tuple(job.input.left_out),
        )

    def _network(self, checkpoint: CheckpointFile, device: torch.device) -> nn.Module:
        status = checkpoint.path.stat()
        key = (checkpoint.path, status.st_mtime_ns, status.st_size, checkpoint.info.preset, device)
        if self._loaded is None or self._loaded.key != key:
            self._loaded = None  # two networks at once may not fit
            self._loaded = _Loaded(key, load_network(checkpoint, device))
        return self._loaded.network


def _find_cameras(job: Job, features: FeatureMemory, progress: Span) -> tuple[FoundCameras, NetworkPass | None, Span]:
    """What is known of the cameras, the network's pass where it took one that is good for the answer, too, and the
    part of the job that is left for a pass."""
    begin = FEATURES_DONE if job.input.with_features else CHECKPOINT_DONE
    remaining = progress.part(begin, NETWORK_DONE, "network")
    finding = progress.part(CHECKPOINT_DONE, FEATURES_DONE, "features")
    refine = job.plan.request.refine
    lens = job.plan.request.lens
    found = find_cameras(job.plan.source, refine, job.photos, finding, job.input.given, features, lens)
    if isinstance(found, FoundCameras):
        return found, None, remaining
    alone = pass_alone(job, remaining.part(0.0, FIRST_PASS))
    found = found.finish(own_scene(alone, job.photos))
    return found, alone if found.known is None else None, remaining.part(FIRST_PASS, 1.0)


def _final_pass(job: Job, found: FoundCameras, progress: Span) -> NetworkPass:
    return pass_alone(job, progress) if found.known is None else pass_with_cameras(job, found.known, progress)


def _settle_and_fit(job: Job, network_pass: NetworkPass, found: FoundCameras) -> tuple[SettledCameras, list[str]]:
    """The prediction's cameras, its depths brought to what features found, and what the artist should know of them."""
    cameras, notes = settle_cameras(network_pass.output, job.photos, found.known, network_pass.distance)
    if job.plan.switches.fit_depths and found.sparse is not None:
        fitted = fit_depths(network_pass.output, job.photos, cameras, found.sparse)
        if fitted is not None:
            return fitted, []
    return cameras, notes


def _make_views(job: Job, network_pass: NetworkPass, found: FoundCameras, cameras: SettledCameras) -> tuple[View, ...]:
    scale = network_pass.output.scale_factor
    views = make_views(network_pass.output, job.photos, cameras, 1.0 if scale is None else float(scale[0]))
    errors = found.view_errors or (None,) * len(views)
    views = tuple(
        replace(view, camera_source=source, match_error=error)
        for view, source, error in zip(views, found.view_sources, errors, strict=True)
    )
    if cameras.agreement is None:
        return views
    repeated = repeated_pixels(views, job.plan.device)
    return tuple(replace(view, repeated=pixels) for view, pixels in zip(views, repeated, strict=True))


def _make_gaussians(job: Job, network_pass: NetworkPass, views: tuple[View, ...], cameras: SettledCameras) -> Gaussians:
    output = network_pass.output if job.plan.switches.gaussian_head else replace(network_pass.output, gaussians=None)
    return make_gaussians(output, job.photos, views, cameras)


def _improved_splats(job: Job, views: tuple[View, ...], progress: Span) -> Gaussians:
    photos = [photo.large for photo in job.photos if photo.large is not None]
    progress(0.0, "Making one layer of the splats of all photos.")
    merged = merged_splats(views, photos)
    return optimised_splats(merged, views, photos, progress) if job.plan.switches.optimise else merged


def _is_metric(output: Output, camera_source: str) -> bool:
    """Whether the prediction is in metres."""
    return output.metric_focal is not None or (output.scale_factor is not None and camera_source not in NEW_SCALE)


def _settings(job: Job, network_pass: NetworkPass, seconds: dict[str, float]) -> dict[str, object]:
    plan = job.plan
    return {
        "resolution": plan.resolution,
        "head_chunk": network_pass.head_chunk,
        "seconds": seconds,
        "network_size": list(job.photos[0].placement.canvas),
        "reference_view": plan.request.reference_view,
        "device": str(plan.device),
        "device_name": describe_device(plan.device)[0],
        "precision": str(plan.precision).removeprefix("torch."),
    }


def _request_notes(plan: Plan) -> list[str]:
    if plan.request.has_poses and plan.source != "given":
        return ["The given cameras were not used; the camera source asked for others."]
    return []


def _with_mesh(prediction: Prediction, settings: MeshSettings, device: torch.device, progress: Span) -> Prediction:
    watch = Stopwatch()
    mesh = fuse_views(prediction.views, settings, device, progress)
    watch.done("mesh")
    notes = () if mesh is not None else ("The photos show no surface that a mesh could be made of.",)
    return replace(
        prediction,
        mesh=mesh,
        settings=prediction.settings | {"mesh_seconds": watch.seconds["mesh"], "mesh_detail": settings.detail},
        notes=(*prediction.notes, *notes),
    )


def _too_large(plan: Plan) -> JobError:
    return JobError(
        "out-of-memory",
        f"{len(plan.request.photos)} photos at a resolution of {plan.resolution} and {plan.checkpoint.info.name} "
        f"do not fit into the memory of {plan.device}.",
        "Lower the resolution, use fewer photos or choose a smaller checkpoint.",
    )
