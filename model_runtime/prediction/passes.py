"""The network's passes over a job's photos: by itself, and with cameras that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.cameras.given import network_cameras
from model_runtime.cameras.settle import settle_cameras
from model_runtime.cameras.sources import OwnScene
from model_runtime.contract.messages import Cameras
from model_runtime.contract.progress import Span
from model_runtime.network.output import Output
from model_runtime.photos.canvas import normalised_batch
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.job import Job
from model_runtime.prediction.network_run import NetworkInput, run_network
from model_runtime.prediction.views import make_views


@dataclass(frozen=True, eq=False)
class NetworkPass:
    """What the network saw in a job's photos.

    distance: what the translations of known cameras were divided by. head_chunk: photos that a head took at once.
    """

    output: Output
    distance: float
    head_chunk: int


def pass_alone(job: Job, progress: Span) -> NetworkPass:
    """The network works out the cameras, too."""
    return _pass(job, None, None, 1.0, progress)


def pass_with_cameras(job: Job, known: Cameras, progress: Span) -> NetworkPass:
    """The network is told every photo's camera."""
    return _pass(job, *network_cameras(known, [photo.placement for photo in job.photos]), progress)


def _pass(
    job: Job, extrinsics: np.ndarray | None, intrinsics: np.ndarray | None, distance: float, progress: Span
) -> NetworkPass:
    inputs = NetworkInput(
        images=normalised_batch([photo.color for photo in job.photos], [photo.placement for photo in job.photos]),
        extrinsics=extrinsics,
        intrinsics=intrinsics,
        gaussians=job.plan.request.gaussians,
        reference_view=job.plan.request.reference_view,
        pose_from="rays" if job.plan.source == "rays" else "camera_head",
    )

    def on_block(done: float) -> None:
        progress(done, f"The network looks at the photos: {done:.0%}.")

    output, head_chunk = run_network(job.network, inputs, job.plan.device, job.plan.precision, on_block)
    return NetworkPass(output, distance, head_chunk)


def own_scene(network_pass: NetworkPass, photos: Sequence[PreparedPhoto]) -> OwnScene:
    """What the network saw by itself, over whole photos."""
    cameras, _ = settle_cameras(network_pass.output, photos, None, 1.0)
    views = make_views(network_pass.output, photos, cameras, 1.0)
    return OwnScene(Cameras(cameras.extrinsics, cameras.intrinsics), [view.depth for view in views])
