"""Binary glTF with KHR_gaussian_splatting
(https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Khronos/KHR_gaussian_splatting): points with the splats'
numbers as attributes, which programs that do not know the extension show as coloured points."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from model_runtime.contract import gltf
from model_runtime.contract.harmonics import BASE

from .cloud import SplatCloud
from .refusals import SplatFileError

EXTENSION = "KHR_gaussian_splatting"
MOST_DEGREE = 3
"""Of the extension; coefficients above it are left out."""

TELLS = {
    "kernel": "ellipse",
    "colorSpace": "srgb_rec709_display",
    "projection": "perspective",
    "sortingMethod": "cameraDistance",
}
TOO_LARGE = "they need more than 4 GB, which a GLB cannot hold"
TOO_LARGE_ADVICE = "Thin the splats out, or export PLY or SPZ."


def write(file: BinaryIO, cloud: SplatCloud, report: Callable[[float], None]) -> None:
    """Raises SplatFileError where they are too many, OSError."""
    buffer = gltf.Buffer()
    attributes = {"POSITION": buffer.add_positions(cloud.means), "COLOR_0": _points_color(buffer, cloud)}
    shape = {
        "ROTATION": (cloud.rotations[:, [1, 2, 3, 0]], "VEC4"),
        "SCALE": (cloud.scales, "VEC3"),
        "OPACITY": (cloud.opacities, "SCALAR"),
    }
    degrees = range(min(cloud.degree, MOST_DEGREE) + 1)
    for name, degree, number in ((f"SH_DEGREE_{d}_COEF_{n}", d, n) for d in degrees for n in range(2 * d + 1)):
        shape[name] = (cloud.harmonics[:, :, degree**2 + number], "VEC3")
    for index, (name, (values, kind)) in enumerate(shape.items()):
        attributes[f"{EXTENSION}:{name}"] = buffer.add(values.astype("<f4"), gltf.FLOAT, kind, gltf.VERTICES)
        report(index / len(shape))
    if buffer.length > gltf.MOST_BYTES - (1 << 20):
        raise SplatFileError(TOO_LARGE, TOO_LARGE_ADVICE)
    points = {"attributes": attributes, "mode": gltf.POINTS, "extensions": {EXTENSION: TELLS}}
    content = {
        "asset": gltf.GENERATOR,
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "Splats", "mesh": 0}],
        "meshes": [{"name": "Splats", "primitives": [points]}],
    }
    buffer.write(file, content)
    report(1.0)


def _points_color(buffer: gltf.Buffer, cloud: SplatCloud) -> int:
    """Scene-linear, as glTF has it, and the opacity."""
    encoded = np.clip(0.5 + BASE * cloud.harmonics[:, :, 0], 0, 1)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    rgba = np.round(np.column_stack([linear, cloud.opacities]) * 65535).astype("<u2")
    return buffer.add(rgba, gltf.UNSIGNED_SHORT, "VEC4", gltf.VERTICES, normalized=True)
