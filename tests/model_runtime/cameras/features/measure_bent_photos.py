"""How right lenses of photos are: `.venv/bin/python -m tests.model_runtime.cameras.features.measure_bent_photos`.

The example's six rendered photos of a living room, bent by known lenses (which see as much of the room as a photo of
800 x 600 holds), and what features make of them: kind, focal length, rim and rotations as in `measure_lenses`; a table
of `docs/cameras.md`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from model_runtime.cameras.features.lenses import LensCameras, solve_lenses
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import match_photos
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, pixel_centres, undistort
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import feature_photo

from .made_tracks import corner_miss
from .measure_lenses import named, turns

ROOM = Path(__file__).parents[4] / "examples/living_room"
SIZE, UPRIGHT, CROP = (800, 600), (600, 800), (600, 450)

CASES: dict[str, tuple[str, Sequence[float], str]] = {
    "pinhole": (BROWN, (), ""),
    "k1 -0.03": (BROWN, (-0.03,), ""),
    "k1 0.06, k2 -0.04": (BROWN, (0.06, -0.04), ""),
    "k1 -0.26, k2 0.07": (BROWN, (-0.26, 0.07), ""),
    "k1 -0.18, k2 0.06, p1 0.003, p2 -0.004, k3 -0.01": (BROWN, (-0.18, 0.06, 0.003, -0.004, -0.01), ""),
    "equidistant fisheye": (FISHEYE, (0.0, 0.0), ""),
    "k1 -0.26, k2 0.07, every other photo upright": (BROWN, (-0.26, 0.07), "upright"),
    "k1 -0.26, k2 0.07, the lower right 600 x 450": (BROWN, (-0.26, 0.07), "cropped"),
}


def main() -> None:
    told = json.loads((ROOM / "cameras.json").read_text(encoding="utf-8"))["cameras"]
    truth, pinhole = np.array([camera["extrinsics"] for camera in told]), np.array(told[0]["intrinsics"])
    photos = [np.asarray(Image.open(ROOM / camera["photo"]).convert("RGB")) for camera in told]
    print("| lens | found | focal length off | rim off | rotation off: median, most |\n|---|---|---|---|---|")
    for name, (model, coefficients, how) in CASES.items():
        sizes = [UPRIGHT if how == "upright" and i % 2 else SIZE for i in range(len(photos))]
        focal = max(_focal(model, coefficients, size, pinhole) for size in sizes)
        lenses = [_lens(model, coefficients, size, focal) for size in sizes]
        bent = [_bent(photo, pinhole, lens) for photo, lens in zip(photos, lenses, strict=True)]
        if how == "cropped":
            left, top = (whole - kept for whole, kept in zip(SIZE, CROP, strict=True))
            bent = [np.ascontiguousarray(photo[top:, left:]) for photo in bent]
            moved = np.array([[0, 0, left], [0, 0, top], [0, 0, 0]])
            lenses = [replace(lens, size=CROP, intrinsics=lens.intrinsics - moved) for lens in lenses]
        print(f"| {name} | {_scored(bent, lenses, truth)} |", flush=True)


def _scored(photos: list[np.ndarray], lenses: list[Lens], truth: np.ndarray) -> str:
    """What features make of photos that these lenses took with the cameras [N,4,4]."""
    matches = match_photos([feature_photo(f"{i}.png", photo) for i, photo in enumerate(photos)], SILENT)
    solved = solve_lenses(map_photos(matches, SILENT), matches, SILENT)
    focals, rims = [], []
    for i, true in enumerate(lenses):
        mine = _numbers(solved, i, true.size)
        lens = solved.lenses[i]
        focals.append(abs(mine[0] * max(true.size) / true.intrinsics[0, 0] - 1))
        rims.append(corner_miss(mine, BROWN if lens is None else lens.model, true))
    turned = turns(solved.cameras.extrinsics, truth)
    return (
        f"{named(solved.kind)} | {max(focals):.2%} | {max(rims):.1f} px "
        f"| {np.median(turned):.3f}, {max(turned):.3f} degrees"
    )


def _lens(model: str, coefficients: Sequence[float], size: tuple[int, int], focal: float) -> Lens:
    intrinsics = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    return Lens(model, size, intrinsics, np.array(coefficients, np.float64))


def _focal(model: str, coefficients: Sequence[float], size: tuple[int, int], pinhole: np.ndarray) -> float:
    """The shortest with which the lens sees nothing that the pinhole's photo does not show."""
    reach = np.array(SIZE) / 2 / pinhole.diagonal()[:2]
    low, high = 100.0, 5000.0
    for _ in range(40):
        focal = (low + high) / 2
        plane = undistort(_lens(model, coefficients, size, focal), pixel_centres(size)[::20, ::20])
        inside = np.isfinite(plane).all() and (np.abs(plane) < reach).all()
        low, high = (low, focal) if inside else (focal, high)
    return high


def _bent(photo: np.ndarray, pinhole: np.ndarray, lens: Lens) -> np.ndarray:
    """[h,w,3] uint8, what the lens sees of a pinhole's photo."""
    seen = undistort(lens, pixel_centres(lens.size)) * pinhole.diagonal()[:2] + pinhole[:2, 2] - 0.5
    layers = [
        map_coordinates(layer, (seen[..., 1], seen[..., 0]), float, mode="nearest")
        for layer in photo.transpose(2, 0, 1)
    ]
    return np.clip(np.round(np.stack(layers, axis=-1)), 0, 255).astype(np.uint8)


def _numbers(solved: LensCameras, i: int, size: tuple[int, int]) -> np.ndarray:
    """[K] as a bundle has them, of photo i."""
    lens = solved.lenses[i]
    intrinsics = solved.cameras.intrinsics[i] if lens is None else lens.intrinsics
    middle = intrinsics[:2, 2] - np.array(size) / 2
    coefficients = [0.0] if lens is None else lens.coefficients
    return np.array([*(np.array((intrinsics[0, 0], *middle)) / max(size)), *coefficients])


if __name__ == "__main__":
    main()
