"""The cameras that were found for a job, kept so that it need not find them again when it is interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.sources import FoundCameras
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Cameras
from model_runtime.prediction.job_folder import Workplace


@dataclass(frozen=True, eq=False)
class KeptCameras:
    """`FoundCameras` in plain fields."""

    source: str
    known: Cameras | None
    view_sources: tuple[str, ...]
    match_error: float | None
    error_before: float | None
    notes: tuple[str, ...]
    unplaced: tuple[int, ...]
    lenses: tuple[Lens | None, ...]
    view_errors: tuple[float | None, ...]
    sparse: KeptPoints | None = None
    lens_settings: dict[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, eq=False)
class KeptPoints:
    """As `SparsePoints`."""

    points: np.ndarray
    view: np.ndarray
    point: np.ndarray
    pixel: np.ndarray


def keep_cameras(work: Workplace, found: FoundCameras) -> None:
    sparse = found.sparse
    points = None
    if sparse is not None:
        view, point = sparse.view.astype(np.int64), sparse.point.astype(np.int64)
        points = KeptPoints(sparse.points, view, point, sparse.pixel)
    fields: dict[str, Any] = vars(found) | {"notes": tuple(found.notes), "sparse": points}
    work.put_value("cameras", KeptCameras(**fields))


def kept_cameras(work: Workplace) -> FoundCameras | None:
    """What was kept; None where nothing was."""
    kept = work.value("cameras", KeptCameras)
    if kept is None:
        return None
    return FoundCameras(
        source=kept.source,
        known=kept.known,
        view_sources=kept.view_sources,
        sparse=None if kept.sparse is None else SparsePoints(**vars(kept.sparse)),
        match_error=kept.match_error,
        error_before=kept.error_before,
        notes=list(kept.notes),
        unplaced=kept.unplaced,
        lenses=kept.lenses,
        view_errors=kept.view_errors,
        lens_settings=kept.lens_settings,
    )
