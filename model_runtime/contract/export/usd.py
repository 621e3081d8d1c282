"""One USD stage as text: cameras, points and the surface with their colours, z up.

https://openusd.org/release/api/class_usd_geom_camera.html: lengths of the film are tenths of the scene's unit; the
aperture's offset moves the window, so it goes against the principal point. Colours are scene-linear. `usdcat -o
scene.usdc scene.usda` makes the binary form.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .pictures import identifiers
from .scene import ExportCamera, ExportMesh, ExportPoints, ExportScene, ExportTrack, in_camera, linear
from .settings import ExportSettings

FILE = "scene.usda"
FILM_WIDTH = 0.36
"""36 millimetres in tenths of a metre."""

POINT_SIZE, FALLBACK_WIDTH = 1.5, 0.01
"""Distances to the next pixel, as the add-on shows points at first; and where nothing tells that distance."""

HEAD = """#usda 1.0
(
    defaultPrim = "DA3"
    metersPerUnit = 1
    upAxis = "Z"%s
)

def Xform "DA3"
{"""


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    words = identifiers(camera.name for camera in scene.cameras)
    lines = [_head(scene.track), '    def Scope "Cameras"', "    {"]
    for camera, word in zip(scene.cameras, words, strict=True):
        lines += _camera(camera, word)
    if scene.track is not None:
        (moving,) = identifiers([scene.track.name])
        lines += _moving_camera(scene.track, free_word(moving, words))
    lines.append("    }")
    if len(scene.points.position):
        lines += _points(scene.points, _widths(scene))
    if scene.mesh is not None:
        lines += _mesh(scene.mesh)
    (folder / FILE).write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def _head(track: ExportTrack | None) -> str:
    if track is None:
        return HEAD % ""
    times = {"startTimeCode": track.frames[0], "endTimeCode": track.frames[-1], "timeCodesPerSecond": track.rate}
    return HEAD % "".join(f"\n    {name} = {float(value):.9g}" for name, value in times.items())


def free_word(word: str, taken: Sequence[str]) -> str:
    """`word`, or with as many underscores after it as it takes to be none of `taken`."""
    while word in taken:
        word += "_"
    return word


def _moving_camera(track: ExportTrack, word: str) -> list[str]:
    """A camera with a time sample for every frame, by the stage's time codes."""
    cameras = track.cameras
    lines = _camera(cameras[0], word)
    place = next(index for index, line in enumerate(lines) if "xformOp:transform = " in line)
    samples = (
        f"                {frame}: {_matrix(camera)}," for frame, camera in zip(track.frames, cameras, strict=True)
    )
    lines[place : place + 1] = [
        "            matrix4d xformOp:transform.timeSamples = {",
        *samples,
        "            }",
    ]
    return lines


def _matrix(camera: ExportCamera) -> str:
    rows = ", ".join(f"({', '.join(map(repr, map(float, row)))})" for row in camera.to_world.T)
    return f"( {rows} )"


def _camera(camera: ExportCamera, word: str) -> list[str]:
    (width, height), k = camera.size, camera.intrinsics
    tall = FILM_WIDTH * (height / k[1, 1]) / (width / k[0, 0])
    values = {
        "focalLength": k[0, 0] * FILM_WIDTH / width,
        "horizontalAperture": FILM_WIDTH,
        "verticalAperture": tall,
        "horizontalApertureOffset": (width / 2 - k[0, 2]) * FILM_WIDTH / width,
        "verticalApertureOffset": (k[1, 2] - height / 2) * tall / height,
    }
    return [
        f'        def Camera "{word}"',
        "        {",
        *(f"            float {name} = {value:.9g}" for name, value in values.items()),
        "            float2 clippingRange = (0.01, 10000)",
        f"            matrix4d xformOp:transform = {_matrix(camera)}",
        '            uniform token[] xformOpOrder = ["xformOp:transform"]',
        f"            custom string da3:photo = {_text(camera.name)}",
        "        }",
    ]


def _widths(scene: ExportScene) -> np.ndarray:
    """[P] of points: as far as the next pixel's ray is, and a little more; those of no photo are like the others."""
    widths = np.full(len(scene.points.position), np.nan)
    for index, camera in enumerate(scene.cameras):
        mine = scene.points.view == index
        depth = np.abs(in_camera(camera, scene.points.position[mine])[:, 2])
        columns = camera.map_size[0] or camera.size[0]
        widths[mine] = POINT_SIZE * depth * camera.size[0] / columns / camera.intrinsics[0, 0]
    known = np.isfinite(widths)
    return np.where(known, widths, np.median(widths[known]) if known.any() else FALLBACK_WIDTH)


def _points(points: ExportPoints, widths: np.ndarray) -> list[str]:
    return [
        '    def Points "Points"',
        "    {",
        f"        point3f[] points = [{_vectors(points.position)}]",
        f"        float[] widths = [{_numbers(widths)}]",
        f"        color3f[] primvars:displayColor = [{_vectors(linear(points.color))}] (",
        '            interpolation = "vertex"',
        "        )",
        f"        float[] primvars:confidence = [{_numbers(points.confidence)}] (",
        '            interpolation = "vertex"',
        "        )",
        f"        int[] primvars:view = [{_numbers(points.view)}] (",
        '            interpolation = "vertex"',
        "        )",
        "    }",
    ]


def _mesh(mesh: ExportMesh) -> list[str]:
    return [
        '    def Mesh "Mesh"',
        "    {",
        f"        int[] faceVertexCounts = [{_numbers(np.full(len(mesh.triangles), 3))}]",
        f"        int[] faceVertexIndices = [{_numbers(mesh.triangles.ravel())}]",
        f"        point3f[] points = [{_vectors(mesh.vertices)}]",
        f"        color3f[] primvars:displayColor = [{_vectors(linear(mesh.colors))}] (",
        '            interpolation = "vertex"',
        "        )",
        '        uniform token subdivisionScheme = "none"',
        "    }",
    ]


def _vectors(rows: np.ndarray) -> str:
    return ", ".join([f"({x:.9g}, {y:.9g}, {z:.9g})" for x, y, z in rows.tolist()])


def _numbers(values: np.ndarray) -> str:
    return ", ".join([f"{value:.9g}" for value in values.tolist()])


def _text(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
