"""Request to Prediction: photos, checkpoint, network, cameras, views, splats; one straight line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from model_runtime.checkpoint_loading import load_network
from model_runtime.checkpoints import CheckpointFile, locate_checkpoint
from model_runtime.devices import choose_device, choose_precision, describe_device
from model_runtime.given_cameras import given_cameras, network_cameras
from model_runtime.image_batch import normalised_batch
from model_runtime.messages import CAMERA_SOURCES, REFERENCE_VIEWS, GivenCameras, JobError, Prediction, Request
from model_runtime.network.config import PRESETS, MonocularConfig
from model_runtime.network_run import NetworkInput, free_memory, is_out_of_memory, run_network
from model_runtime.photos import check_photos
from model_runtime.prepared_photos import PreparedPhoto, prepare_photos
from model_runtime.results import make_views, settle_cameras
from model_runtime.splats import make_gaussians

RESOLUTIONS = (14, 8192)
METRIC_PRESET = "da3metric-large"

Report = Callable[[str, float, str], None]
"""Told stage, fraction of the whole job and a sentence; raises to stop the job."""

PHOTOS_DONE, CHECKPOINT_DONE, NETWORK_DONE = 0.1, 0.2, 0.9


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
    """Does jobs one after the other and keeps the last network loaded."""

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None

    def predict(self, request: Request, report: Report) -> Prediction:
        """The whole job. Raises JobError with what the artist should read, and whatever `report` raises."""
        checkpoint = locate_checkpoint(request.checkpoint)
        device = choose_device(request.device)
        try:
            return self._predict(request, checkpoint, device, report)
        except (MemoryError, RuntimeError) as error:
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
        camera_source = check_request(request, checkpoint)
        given = given_cameras(request.cameras, len(request.photos)) if camera_source == "given" else None
        resolution = request.resolution or checkpoint.resolution
        photos = prepare_photos(
            request.photos, resolution, lambda done, told: report("photos", PHOTOS_DONE * done, told)
        )
        timer("photos")

        report("checkpoint", PHOTOS_DONE, f"Loading {checkpoint.info.name}.")
        network = self._network(checkpoint, device)
        timer("checkpoint")

        inputs, distance = _network_input(request, photos, camera_source, given)
        output, head_chunk = run_network(network, inputs, device, precision, _network_report(report, len(photos)))
        timer("network")

        report("cameras", NETWORK_DONE, "Working out cameras and views.")
        metric_depth = checkpoint.info.preset == METRIC_PRESET
        cameras, notes = settle_cameras(output, photos, given, distance, metric_depth)
        ray_scale = 1.0 if output.scale_factor is None else float(output.scale_factor[0])
        views = make_views(output, photos, cameras, ray_scale)
        timer("cameras")

        gaussians = None
        if request.gaussians:
            report("gaussians", (1 + NETWORK_DONE) / 2, "Laying out splats.")
            gaussians = make_gaussians(output, photos, views, cameras)
            timer("gaussians")
        settings = {
            "resolution": resolution,
            "network_size": list(photos[0].placement.canvas),
            "reference_view": request.reference_view,
            "head_chunk": head_chunk,
            "seconds": timer.seconds,
        }
        return Prediction(
            views=views,
            gaussians=gaussians,
            checkpoint=checkpoint.info,
            camera_source=camera_source,
            metric=metric_depth or (output.scale_factor is not None and given is None),
            settings=settings | _hardware(device, precision),
            notes=(*_request_notes(request, camera_source), *notes),
        )

    def _network(self, checkpoint: CheckpointFile, device: torch.device) -> nn.Module:
        status = checkpoint.path.stat()
        key = (checkpoint.path, status.st_mtime_ns, status.st_size, checkpoint.info.preset, device)
        if self._loaded is None or self._loaded.key != key:
            self._loaded = None  # two networks at once may not fit
            self._loaded = _Loaded(key, load_network(checkpoint, device))
        return self._loaded.network


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
    check_photos(request.photos)
    source = request.camera_source
    if source == "auto":
        source = "network" if request.cameras is None else "given"
    if source == "rays" and isinstance(PRESETS[checkpoint.info.preset], MonocularConfig):
        raise JobError(
            "no-rays",
            f"{checkpoint.info.name} predicts no rays, so there are no cameras to solve from them.",
            "Choose camera source auto, or another checkpoint.",
        )
    return source


def _network_input(
    request: Request, photos: Sequence[PreparedPhoto], camera_source: str, given: GivenCameras | None
) -> tuple[NetworkInput, float]:
    """What the network takes, and the distance that translations of the given cameras were divided by."""
    placements = [photo.placement for photo in photos]
    extrinsics = intrinsics = None
    distance = 1.0
    if given is not None:
        extrinsics, intrinsics, distance = network_cameras(given, placements)
    inputs = NetworkInput(
        images=normalised_batch([photo.color for photo in photos], placements),
        extrinsics=extrinsics,
        intrinsics=intrinsics,
        gaussians=request.gaussians,
        reference_view=request.reference_view,
        pose_from="rays" if camera_source == "rays" else "camera_head",
    )
    return inputs, distance


def _network_report(report: Report, count: int) -> Callable[[float], None]:
    def on_block(done: float) -> None:
        fraction = CHECKPOINT_DONE + (NETWORK_DONE - CHECKPOINT_DONE) * done
        report("network", fraction, f"The network looks at {count} photo{'s' if count > 1 else ''}: {done:.0%}.")

    return on_block


def _hardware(device: torch.device, precision: torch.dtype) -> dict[str, object]:
    return {
        "device": str(device),
        "device_name": describe_device(device)[0],
        "precision": str(precision).removeprefix("torch."),
    }


def _request_notes(request: Request, camera_source: str) -> list[str]:
    if request.cameras is not None and camera_source != "given":
        return ["The given cameras were not used; the camera source asked for others."]
    return []
