"""Request to Prediction: photos, checkpoint, network, cameras, views, splats; one straight line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.settle import settle_cameras
from model_runtime.cameras.sources import find_cameras, is_bundled, resolve_source
from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import CheckpointFile, locate_checkpoint
from model_runtime.contract.memory import available_memory, is_out_of_memory
from model_runtime.contract.messages import (
    CAMERA_SOURCES,
    REFERENCE_VIEWS,
    JobError,
    MeshSettings,
    Prediction,
    Request,
)
from model_runtime.depth.fit import fit_depths
from model_runtime.depth.mesh import check_mesh_settings, fuse_views
from model_runtime.network.config import PRESETS, MonocularConfig
from model_runtime.prediction.devices import choose_device, choose_precision, describe_device
from model_runtime.prediction.job_input import read_input
from model_runtime.prediction.network_look import NetworkLook
from model_runtime.prediction.network_run import free_memory
from model_runtime.prediction.views import make_views
from model_runtime.splats.make import make_gaussians

RESOLUTIONS = (14, 8192)
SMALLEST_JOB = 512_000_000
"""Bytes that the bundled checkpoint and the libraries that find features take for a few small photos."""

METRIC_PRESET = "da3metric-large"
NEW_SCALE = ("given", "features")
"""Camera sources whose world has a unit of its own, not the network's."""

Report = Callable[[str, float, str], None]
"""Told stage, fraction of the whole job and a sentence; raises to stop the job."""

PHOTOS_DONE, CHECKPOINT_DONE, FEATURES_DONE, NETWORK_DONE = 0.1, 0.2, 0.4, 0.9
MESH_SHARE = 0.25
"""Of a job that makes a mesh."""


@dataclass
class Timer:
    """Seconds per stage, for Prediction.settings."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    last: float = field(default_factory=time.perf_counter)

    def __call__(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 3)
        self.last = now


@dataclass(frozen=True, eq=False)
class _Loaded:
    key: tuple[object, ...]
    network: nn.Module


class Predictor:
    """Does jobs one after the other; keeps the last network loaded and remembers what features showed.

    fit_depths: whether depths are brought to the points that features find. gaussian_head: whether splats come from
    the network where it makes some. Off only to measure what they do.
    """

    def __init__(self) -> None:
        self.fit_depths = True
        self.gaussian_head = True
        self.features = FeatureMemory()
        self._loaded: _Loaded | None = None

    def predict(self, request: Request, report: Report) -> Prediction:
        """The whole job. Raises JobError with what the artist should read, and whatever `report` raises."""
        report = _onward(report)
        tell = report if request.mesh is None else _scaled(report, 1 - MESH_SHARE)
        _check_memory()
        checkpoint = locate_checkpoint(request.checkpoint)
        device = choose_device(request.device)
        try:
            prediction = self._predict(request, checkpoint, device, tell)
            return prediction if request.mesh is None else _with_mesh(prediction, request.mesh, device, report)
        except JobError:
            raise
        except Exception as error:  # a library that is loaded late may not find room either
            if not is_out_of_memory(error):
                raise
        free_memory(device)
        resolution = request.resolution or checkpoint.resolution
        raise JobError(
            "out-of-memory",
            f"{len(request.photos)} photos at a resolution of {resolution} and {checkpoint.info.name} do not fit into "
            f"the memory of {device}.",
            "Lower the resolution, use fewer photos or choose a smaller checkpoint.",
        )

    def _predict(
        self, request: Request, checkpoint: CheckpointFile, device: torch.device, report: Report
    ) -> Prediction:
        timer = Timer()
        precision = choose_precision(request.precision, device)
        source = check_request(request, checkpoint)
        resolution = request.resolution or checkpoint.resolution
        scale_depths = self.fit_depths and is_bundled(checkpoint)
        job = read_input(request, source, resolution, scale_depths, _span(report, "photos", 0.0, PHOTOS_DONE))
        photos = job.photos
        timer("photos")

        report("checkpoint", PHOTOS_DONE, f"Loading {checkpoint.info.name}.")
        network = self._network(checkpoint, device)
        timer("checkpoint")

        metric_depth = checkpoint.info.preset == METRIC_PRESET
        tell_look = _span(report, "network", FEATURES_DONE if job.with_features else CHECKPOINT_DONE, NETWORK_DONE)
        look = NetworkLook(request, photos, network, device, precision, source, metric_depth, tell_look)
        tell_features = _span(report, "features", CHECKPOINT_DONE, FEATURES_DONE)
        found = find_cameras(source, request.refine, photos, look.own_scene, tell_features, job.given, self.features)
        if job.with_features:
            timer("features")
        if found.unplaced:
            job, stay = job.without(found.unplaced)
            photos, found = job.photos, found.of(stay)
            look = NetworkLook(request, photos, network, device, precision, source, metric_depth, tell_look)
        output, distance, head_chunk = look(found.known)
        timer("network")

        report("cameras", NETWORK_DONE, "Working out cameras and views.")
        cameras, notes = settle_cameras(output, photos, found.known, distance, metric_depth)
        if self.fit_depths and found.sparse is not None:
            fitted = fit_depths(output, photos, cameras, found.sparse, metric_depth)
            cameras, notes = (cameras, notes) if fitted is None else (fitted, [])
        ray_scale = 1.0 if output.scale_factor is None else float(output.scale_factor[0])
        views = make_views(output, photos, cameras, ray_scale)
        views = tuple(replace(view, camera_source=s) for view, s in zip(views, found.view_sources, strict=True))
        timer("cameras")

        gaussians = None
        if request.gaussians:
            report("gaussians", (1 + NETWORK_DONE) / 2, "Laying out splats.")
            shown = output if self.gaussian_head else replace(output, gaussians=None)
            gaussians = make_gaussians(shown, photos, views, cameras)
            timer("gaussians")
        settings = {"resolution": resolution, "head_chunk": head_chunk, "seconds": timer.seconds}
        settings |= {"network_size": list(photos[0].placement.canvas), "reference_view": request.reference_view}
        return Prediction(
            views=views,
            gaussians=gaussians,
            checkpoint=checkpoint.info,
            camera_source=found.source,
            metric=metric_depth or (output.scale_factor is not None and found.source not in NEW_SCALE),
            settings=settings | _hardware(device, precision) | found.settings,
            notes=(*_request_notes(request, source), *found.notes, *notes),
            match_error=found.match_error,
            left_out=tuple(job.left_out),
        )

    def _network(self, checkpoint: CheckpointFile, device: torch.device) -> nn.Module:
        status = checkpoint.path.stat()
        key = (checkpoint.path, status.st_mtime_ns, status.st_size, checkpoint.info.preset, device)
        if self._loaded is None or self._loaded.key != key:
            self._loaded = None  # two networks at once may not fit
            self._loaded = _Loaded(key, load_network(checkpoint, device))
        return self._loaded.network


def _check_memory() -> None:
    """Raises JobError where not even a small job can be done: libraries that find no room end the process, or wait."""
    left = available_memory()
    if left < SMALLEST_JOB:
        raise JobError(
            "out-of-memory",
            f"Only {left / 1e6:.0f} MB of memory are free for the worker; a small job needs {SMALLEST_JOB / 1e6:.0f}.",
            "Close other programs, or allow the worker more memory.",
        )


def check_request(request: Request, checkpoint: CheckpointFile) -> str:
    """Refuse what cannot work before anything slow begins; returns where the cameras will come from."""
    if request.camera_source not in CAMERA_SOURCES:
        raise JobError(
            "bad-request",
            f"There is no camera source '{request.camera_source}'.",
            f"Choose one of {', '.join(CAMERA_SOURCES)}.",
        )
    if request.reference_view not in REFERENCE_VIEWS:
        raise JobError(
            "bad-request",
            f"There is no reference view '{request.reference_view}'.",
            f"Choose one of {', '.join(REFERENCE_VIEWS)}.",
        )
    lowest, highest = RESOLUTIONS
    if request.resolution is not None and not lowest <= request.resolution <= highest:
        raise JobError(
            "bad-request",
            f"A resolution of {request.resolution} pixels cannot be used.",
            f"Choose {lowest} to {highest}; multiples of 14 lose nothing.",
        )
    if request.cameras is not None and request.colmap is not None:
        raise JobError("bad-request", "The request gives cameras and a COLMAP model.", "Give one of the two.")
    if request.mesh is not None:
        check_mesh_settings(request.mesh)
    source = resolve_source(request, checkpoint)
    if source == "rays" and isinstance(PRESETS[checkpoint.info.preset], MonocularConfig):
        raise JobError(
            "no-rays",
            f"{checkpoint.info.name} predicts no rays, so there are no cameras to solve from them.",
            "Choose camera source auto, or another checkpoint.",
        )
    return source


def _with_mesh(prediction: Prediction, settings: MeshSettings, device: torch.device, report: Report) -> Prediction:
    started = time.perf_counter()
    mesh = fuse_views(prediction.views, settings, device, _span(report, "mesh", 1 - MESH_SHARE, 1.0))
    seconds = round(time.perf_counter() - started, 3)
    notes = () if mesh is not None else ("The photos show no surface that a mesh could be made of.",)
    return replace(
        prediction,
        mesh=mesh,
        settings=prediction.settings | {"mesh_seconds": seconds, "mesh_detail": settings.detail},
        notes=(*prediction.notes, *notes),
    )


def _onward(report: Report) -> Report:
    """`report` with fractions that never fall, whichever way the cameras are found."""
    reached = 0.0

    def told(stage: str, fraction: float, sentence: str) -> None:
        nonlocal reached
        reached = max(reached, fraction)
        report(stage, reached, sentence)

    return told


def _scaled(report: Report, share: float) -> Report:
    """`report` for the first `share` of a longer job."""
    return lambda stage, fraction, sentence: report(stage, share * fraction, sentence)


def _span(report: Report, stage: str, start: float, end: float) -> Callable[[float, str], None]:
    """`report` for a stage that takes the job from one fraction to another."""
    return lambda done, sentence: report(stage, start + (end - start) * done, sentence)


def _hardware(device: torch.device, precision: torch.dtype) -> dict[str, object]:
    return {
        "device": str(device),
        "device_name": describe_device(device)[0],
        "precision": str(precision).removeprefix("torch."),
    }


def _request_notes(request: Request, camera_source: str) -> list[str]:
    known = request.cameras is not None or request.colmap is not None
    if known and camera_source != "given":
        return ["The given cameras were not used; the camera source asked for others."]
    return []
