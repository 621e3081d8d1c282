"""What the artist should know of lenses that features solved."""

from __future__ import annotations

from model_runtime.cameras.features.lenses import LensCameras
from model_runtime.contract.lens import COEFFICIENTS, Lens, share_lost, straight_camera

LEAST_LOST = 0.005
"""Share of a photo that its straight picture has to lack before it is told."""


def lens_notes(solved: LensCameras) -> list[str]:
    """Sentences on what the lenses do and on what follows from it."""
    kind, notes = solved.kind, []
    bent = [lens for lens in solved.lenses if lens is not None]
    if bent:
        notes.append(
            f"The lens bends straight lines ({_named(bent[0], kind.free)}), so the photos are shown straightened; "
            "the cameras are those of the straightened photos."
        )
        lost = max(share_lost(lens, straight_camera(lens)) for lens in bent)
        if lost > LEAST_LOST:
            notes.append(f"Corners of these photos, {lost:.0%} of their area, lie too far aside to be straightened.")
    if kind.own_middle:
        notes.append(
            "The photos are cropped or zoomed, each differently: each has a focal length and a middle of its own, "
            "as features find them."
        )
    elif kind.own:
        notes.append("The photos are zoomed differently: each has a focal length of its own, as features find it.")
    if kind.middle:
        notes.append("The photos are cropped, or their lens is shifted: features tell where their middle is.")
    return notes


def lens_settings(solved: LensCameras) -> dict[str, object]:
    """For Prediction.settings: the kind of lens, and whether focal length and principal point are each photo's own,
    found, or taken to be in the middle."""
    kind = solved.kind
    middle = "own" if kind.own_middle else "found" if kind.middle else "middle"
    return {"lens": str(kind), "principal_point": middle, "focal_length": "own" if kind.own else "shared"}


def _named(lens: Lens, free: int) -> str:
    values = zip(COEFFICIENTS[lens.model][:free], lens.coefficients, strict=False)
    return ", ".join((lens.model, *(f"{name} {value:.4f}" for name, value in values)))
