"""With what camera a film was taken, as far as its metadata tell."""

from __future__ import annotations

import math

from model_runtime.clips.opened_film import OpenedFilm
from model_runtime.contract.focal_length import PLAUSIBLE_35MM

APPLE = "com.apple.quicktime"
FOCAL = (f"{APPLE}.camera.focal_length.35mm_equivalent",)
"""Keys of millimetres on 35 mm film; Apple's phones write it to the film or to its track, Android's write none."""

TEXTS = (
    (f"{APPLE}.make", "com.android.manufacturer", "make"),
    (f"{APPLE}.model", "com.android.model", "model"),
    (f"{APPLE}.camera.lens_model", "lens_model"),
)
"""Keys of maker, model and lens; the first that is there counts."""


def camera_of(film: OpenedFilm) -> tuple[float | None, str]:
    """Focal length in millimetres on 35 mm film, None where it is not told, and what tells one camera from another."""
    told = {**film.container.metadata, **film.stream.metadata}
    focal = next((_millimetres(told[key]) for key in FOCAL if key in told), None)
    texts = [next((told[key].strip() for key in keys if told.get(key)), "") for keys in TEXTS]
    camera = " ".join(text for text in texts if text)
    return focal, f"{camera} {focal:g} mm".strip() if focal and camera else camera


def _millimetres(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and PLAUSIBLE_35MM[0] <= number <= PLAUSIBLE_35MM[1] else None
