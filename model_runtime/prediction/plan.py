"""A request with everything that it leaves open decided, before anything slow begins."""

from __future__ import annotations

from dataclasses import dataclass

from model_runtime.cameras.sources import resolve_source
from model_runtime.checkpoints.locate import CheckpointFile, locate_checkpoint
from model_runtime.contract.messages import Request
from model_runtime.prediction.checks import check_request
from model_runtime.prediction.devices import Compute, choose_compute


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
    compute: what the job is computed with."""

    request: Request
    switches: Switches
    checkpoint: CheckpointFile
    compute: Compute
    source: str
    resolution: int


def make_plan(request: Request, switches: Switches) -> Plan:
    """Raises JobError for what cannot work."""
    checkpoint = locate_checkpoint(request.checkpoint)
    compute = choose_compute(request.backend, request.device, request.precision)
    check_request(request, checkpoint)
    source, resolution = resolve_source(request, checkpoint), request.resolution or checkpoint.resolution
    return Plan(request, switches, checkpoint, compute, source, resolution)
