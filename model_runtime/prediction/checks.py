"""What a job is refused for before anything slow begins."""

from __future__ import annotations

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.memory import available_memory
from model_runtime.contract.messages import CAMERA_SOURCES, LENSES, REFERENCE_VIEWS, REFINE_DEPTH, JobError, Request
from model_runtime.depth.mesh import check_mesh_settings
from model_runtime.network.config import PRESETS, MonocularConfig

RESOLUTIONS = (14, 8192)
SMALLEST_JOB = 512_000_000
"""Bytes that the bundled checkpoint and the libraries that find features take for a few small photos."""


def check_memory() -> None:
    """Raises JobError where not even a small job can be done: libraries that find no room end the process, or wait."""
    left = available_memory()
    if left < SMALLEST_JOB:
        raise JobError(
            "out-of-memory",
            f"Only {left / 1e6:.0f} MB of memory are free for the worker; a small job needs {SMALLEST_JOB / 1e6:.0f}.",
            "Close other programs, or allow the worker more memory.",
        )


def check_request(request: Request, checkpoint: CheckpointFile) -> None:
    """Raises JobError for what cannot work with this checkpoint."""
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
    if request.refine_depth not in REFINE_DEPTH:
        raise JobError(
            "bad-request",
            f"Refining depth cannot be '{request.refine_depth}'.",
            f"Choose one of {', '.join(REFINE_DEPTH)}.",
        )
    if request.lens not in LENSES:
        raise JobError("bad-request", f"There is no lens '{request.lens}'.", f"Choose one of {', '.join(LENSES)}.")
    lowest, highest = RESOLUTIONS
    if request.resolution is not None and not lowest <= request.resolution <= highest:
        raise JobError(
            "bad-request",
            f"A resolution of {request.resolution} pixels cannot be used.",
            f"Choose {lowest} to {highest}; multiples of 14 lose nothing.",
        )
    if request.splat_budget < 1:
        sentence = f"{request.splat_budget} splats cannot be asked for."
        raise JobError("bad-request", sentence, "Ask for one or more, or for none at all by switching splats off.")
    if request.cameras is not None and request.colmap is not None:
        raise JobError("bad-request", "The request gives cameras and a COLMAP model.", "Give one of the two.")
    if request.mesh is not None:
        check_mesh_settings(request.mesh)
    if request.camera_source == "rays" and isinstance(PRESETS[checkpoint.info.preset], MonocularConfig):
        raise JobError(
            "no-rays",
            f"{checkpoint.info.name} predicts no rays, so there are no cameras to solve from them.",
            "Choose camera source auto, or another checkpoint.",
        )
