"""A request with everything that it leaves open decided, before anything slow begins."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model_runtime.cameras.sources import resolve_source
from model_runtime.checkpoints.locate import CheckpointFile, locate_checkpoint
from model_runtime.contract.messages import Request
from model_runtime.prediction.checks import check_request
from model_runtime.prediction.devices import choose_device, choose_precision


@dataclass(frozen=True)
class Switches:
    """Off only to measure what they do.

    fit_depths: whether depths are brought to the points that features find. gaussian_head: whether splats come from
    the network where it makes some. optimise: whether splats that are to be improved are made to look like the photos,
    and not merged alone.
    """

    fit_depths: bool = True
    gaussian_head: bool = True
    optimise: bool = True


ALL_ON = Switches()


@dataclass(frozen=True, eq=False)
class Plan:
    """source: of the cameras, from `resolve_source`. resolution: longest side that the network sees, pixels.
    precision: of the network's backbone."""

    request: Request
    switches: Switches
    checkpoint: CheckpointFile
    device: torch.device
    precision: torch.dtype
    source: str
    resolution: int


def make_plan(request: Request, switches: Switches) -> Plan:
    """Raises JobError for what cannot work."""
    checkpoint = locate_checkpoint(request.checkpoint)
    device = choose_device(request.device)
    precision = choose_precision(request.precision, device)
    check_request(request, checkpoint)
    source, resolution = resolve_source(request, checkpoint), request.resolution or checkpoint.resolution
    return Plan(request, switches, checkpoint, device, precision, source, resolution)
