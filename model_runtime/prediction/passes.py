"""What the network sees in a job's photos: by itself, or with cameras that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model_runtime.cameras.given import network_cameras
from model_runtime.cameras.settle import SettledCameras, settle_cameras
from model_runtime.cameras.sources import OwnScene
from model_runtime.contract.messages import Cameras
from model_runtime.contract.progress import Span
from model_runtime.depth.scratch import Lazy
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.output import Output
from model_runtime.photos.canvas import normalised_batch
from model_runtime.prediction.job import Job
from model_runtime.prediction.network_run import run_network
from model_runtime.prediction.views import checked_depth
from model_runtime.splats.head import HeadSplats


@dataclass(frozen=True, eq=False)
class NetworkPass:
    """What the network saw in a job's photos.

    distance: what the translations of known cameras were divided by. head_chunk: photos that a head took at once.
    """

    output: Output
    distance: float
    head_chunk: int


@dataclass(frozen=True, eq=False)
class Look:
    """What the network saw in all photos of a job, whether it looked at them together or in chunks.

    cameras: those of the prediction, as far as the network has a say in them. notes: what the artist should know.
    head_chunk: photos that a head took at once. together: how many photos each pass looked at. splats: what a Gaussian
    head made of each photo, where that is not in the output.
    """

    output: Output
    cameras: SettledCameras
    notes: list[str]
    head_chunk: int
    together: tuple[int, ...]
    splats: Sequence[HeadSplats] | None = None


def look_once(job: Job, known: Cameras | None, progress: Span) -> Look:
    """One pass over all photos together, with the cameras that are known."""
    network_pass = pass_alone(job, progress) if known is None else pass_with_cameras(job, known, progress)
    cameras, notes = settle_cameras(network_pass.output, job.photos, known, network_pass.distance)
    return Look(network_pass.output, cameras, notes, network_pass.head_chunk, (len(job.photos),))


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
        rays=job.plan.request.rays,
    )

    def on_block(done: float) -> None:
        progress(done, f"The network looks at the photos: {done:.0%}.")

    output, head_chunk = run_network(job.network, inputs, job.plan.compute, on_block)
    if not inputs.rays:  # made all the same where cameras come from them
        output = replace(output, ray=None, ray_conf=None)
    return NetworkPass(output, distance, head_chunk)


def own_scene(look: Look, job: Job) -> OwnScene:
    """What the network saw by itself, over whole photos."""
    cameras = look.cameras
    depths = Lazy(len(job.photos), lambda i: checked_depth(look.output, job.photos[i], cameras, i))
    return OwnScene(Cameras(cameras.extrinsics, cameras.intrinsics), depths)
