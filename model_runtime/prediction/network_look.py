"""The network's passes over a job's photos: once for its own cameras, where they are asked for, and once for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from model_runtime.cameras.given import network_cameras
from model_runtime.cameras.settle import settle_cameras
from model_runtime.cameras.sources import OwnScene
from model_runtime.contract.messages import Cameras, Request
from model_runtime.network.output import Output
from model_runtime.photos.canvas import normalised_batch
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.network_run import NetworkInput, run_network
from model_runtime.prediction.views import make_views

Report = Callable[[float, str], None]
"""Told the fraction done of all passes and a sentence; raises to stop."""


class NetworkLook:
    """One job's photos and the network that looks at them."""

    def __init__(
        self,
        request: Request,
        photos: Sequence[PreparedPhoto],
        network: nn.Module,
        device: torch.device,
        precision: torch.dtype,
        camera_source: str,
        metric_depth: bool,
        report: Report,
    ) -> None:
        self._request, self._photos, self._network = request, photos, network
        self._device, self._precision, self._report = device, precision, report
        self._pose_from = "rays" if camera_source == "rays" else "camera_head"
        self._metric_depth = metric_depth
        self._free: tuple[Output, float, int] | None = None

    def own_scene(self) -> OwnScene:
        self._free = self._pass(None, 0.0, 0.5)
        cameras, _ = settle_cameras(self._free[0], self._photos, None, 1.0, self._metric_depth)
        views = make_views(self._free[0], self._photos, cameras, 1.0)
        return OwnScene(Cameras(cameras.extrinsics, cameras.intrinsics), [view.depth for view in views])

    def __call__(self, known: Cameras | None) -> tuple[Output, float, int]:
        """The output with these cameras, the distance their translations were divided by, and the head chunk."""
        if known is None and self._free is not None:
            return self._free
        start = 0.0 if self._free is None else 0.5
        self._free = None
        return self._pass(known, start, 1.0)

    def _pass(self, known: Cameras | None, start: float, end: float) -> tuple[Output, float, int]:
        placements = [photo.placement for photo in self._photos]
        extrinsics = intrinsics = None
        distance = 1.0
        if known is not None:
            extrinsics, intrinsics, distance = network_cameras(known, placements)
        inputs = NetworkInput(
            images=normalised_batch([photo.color for photo in self._photos], placements),
            extrinsics=extrinsics,
            intrinsics=intrinsics,
            gaussians=self._request.gaussians,
            reference_view=self._request.reference_view,
            pose_from=self._pose_from,
        )

        def on_block(done: float) -> None:
            self._report(start + (end - start) * done, f"The network looks at the photos: {done:.0%}.")

        output, head_chunk = run_network(self._network, inputs, self._device, self._precision, on_block)
        return output, distance, head_chunk
