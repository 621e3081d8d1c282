"""How a job of many photos is done: how many the network sees at once, and where what it finds waits."""

from __future__ import annotations

from dataclasses import dataclass

from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.contract.progress import Span
from model_runtime.prediction.job import usable_photos
from model_runtime.prediction.job_folder import (
    JobFolder,
    MemoryWorkplace,
    Workplace,
    job_digest,
    open_folder,
    remove_old_folders,
    room_for,
)
from model_runtime.prediction.plan import Plan
from model_runtime.prediction.sizes import Sizes, plan_sizes

PHOTO_MAPS = 40
"""Numbers for each pixel that the network sees that are kept of a photo on the disk: its depth and confidence at five
stages, rays, pictures and masks."""

COMPARED_PIXELS = 400 * 400
"""Pixels at most at which photos are compared, and five numbers are kept for each."""

SPLAT_BYTES = 4 * 4 * 38
"""Of what is kept for each splat that is wanted."""


@dataclass(frozen=True, eq=False)
class WorkPlace:
    """features: the memory of features to use, where it is kept with the job; None for the worker's own."""

    sizes: Sizes
    work: Workplace
    notes: tuple[str, ...] = ()
    features: FeatureMemory | None = None

    @property
    def in_chunks(self) -> bool:
        return self.sizes.photos > self.sizes.at_once


def work_place(plan: Plan, progress: Span) -> WorkPlace:
    """Tells the artist of a job that takes more than one chunk. Raises JobError for one that can never be done."""
    used, _ = usable_photos(plan.request)
    sizes = plan_sizes(plan, [plan.request.photos[i] for i in used])
    if sizes.photos <= sizes.at_once:
        return WorkPlace(sizes, MemoryWorkplace())
    progress(0.0, sizes.sentence(sizes.chunks))
    remove_old_folders()
    folder = _folder(plan, sizes)
    if folder is None:
        note = "There is no room on the disk for what many photos take, so all of it was kept in memory."
        return WorkPlace(sizes, MemoryWorkplace(), (note,))
    return WorkPlace(sizes, folder, (), FeatureMemory(folder=folder.path / "features"))


def _folder(plan: Plan, sizes: Sizes) -> JobFolder | None:
    pixels = sizes.canvas[0] * sizes.canvas[1]
    size = sizes.photos * 4.0 * (pixels * PHOTO_MAPS + 5 * COMPARED_PIXELS)
    if plan.request.gaussians:
        size += SPLAT_BYTES * plan.request.splat_budget
    if not room_for(size):
        return None
    try:
        return open_folder(job_digest(plan))
    except OSError:  # a home that cannot be written to
        return None
