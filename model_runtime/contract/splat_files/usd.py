"""A USD stage as text with one ParticleField3DGaussianSplat, which OpenUSD has since 26.03
(https://openusd.org/release/user_guides/schemas/usdVol/ParticleField3DGaussianSplat.html), z up.

`usdcat -o splats.usdc splats.usda` makes the binary form, a third as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from .cloud import SplatCloud

ROWS = 1 << 12
"""That are formatted at once."""

REACH = 3.0
"""Standard deviations that the extent goes beyond the splats' middles."""

HEAD = """#usda 1.0
(
    defaultPrim = "Splats"
    metersPerUnit = 1
    upAxis = "Z"
)

def ParticleField3DGaussianSplat "Splats"
{
    uniform token projectionModeHint = "perspective"
    uniform token sortingModeHint = "cameraDistance"
"""


def write(file: BinaryIO, cloud: SplatCloud, report: Callable[[float], None]) -> None:
    """Coefficients stand splat by splat, degree 0 first. Raises OSError."""
    file.write(HEAD.encode())
    file.write(f"    uniform int radiance:sphericalHarmonicsDegree = {cloud.degree}\n".encode())
    reach = REACH * cloud.scales.max(axis=1, keepdims=True)
    _table(file, "float3[] extent", np.stack([(cloud.means - reach).min(0), (cloud.means + reach).max(0)]))
    _table(file, "point3f[] positions", cloud.means)
    _table(file, "quatf[] orientations", cloud.rotations)
    _table(file, "float3[] scales", cloud.scales)
    _table(file, "float[] opacities", cloud.opacities[:, None])
    report(0.3)
    _table(file, "float3[] radiance:sphericalHarmonicsCoefficients", cloud.harmonics.swapaxes(1, 2))
    file.write(b"}\n")
    report(1.0)


def _table(file: BinaryIO, declaration: str, rows: np.ndarray) -> None:
    """The last axis of `rows` becomes tuples; single numbers stand alone."""
    width = rows.shape[-1]
    word = f"({', '.join(['%.9g'] * width)})" if width > 1 else "%.9g"
    file.write(f"    {declaration} = [".encode())
    for start in range(0, len(rows), ROWS):
        numbers = rows[start : start + ROWS].ravel().tolist()
        words = ", ".join([word] * (len(numbers) // width)) % tuple(numbers)
        file.write(f"{', ' if start else ''}{words}".encode())
    file.write(b"]\n")
