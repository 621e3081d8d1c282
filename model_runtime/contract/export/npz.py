"""Everything as one NPZ, which is read again as the scene it was."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from model_runtime.contract.lens import Lens

from .scene import ExportCamera, ExportMesh, ExportPoints, ExportScene
from .settings import ExportSettings

FILE = "scene.npz"
VERSION = 1
POINTS = tuple(field.name for field in fields(ExportPoints))
MESH = tuple(f"mesh_{field.name}" for field in fields(ExportMesh))


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    """As numpy.savez_compressed, but nothing is pickled."""
    with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays(scene).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def arrays(scene: ExportScene) -> dict[str, np.ndarray]:
    """`camera0_extrinsics`, ..., `points_position`, ..., `repeated_position`, ..., `mesh_vertices`, ..., and the
    rest as JSON in `meta`."""
    named: dict[str, np.ndarray] = {}
    for i, camera in enumerate(scene.cameras):
        named |= {f"camera{i}_extrinsics": camera.extrinsics, f"camera{i}_intrinsics": camera.intrinsics}
        if camera.plate:
            named[f"camera{i}_plate"] = np.frombuffer(camera.plate, np.uint8)
    for kind in ("points", "repeated"):
        named |= {f"{kind}_{name}": array for name, array in vars(getattr(scene, kind)).items()}
    if scene.mesh is not None:
        named |= {f"mesh_{name}": array for name, array in vars(scene.mesh).items()}
    meta = {
        "export": VERSION,
        "cameras": [_told(camera) for camera in scene.cameras],
        "metric": scene.metric,
        "frame_rate": scene.frame_rate,
        "provenance": scene.provenance,
    }
    named["meta"] = np.array(json.dumps(meta))
    return named


def scene_of(named: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> ExportScene:
    """The scene of `arrays`. Raises LookupError, TypeError or ValueError where they are not like that."""
    return ExportScene(
        cameras=tuple(_camera(named, i, told) for i, told in enumerate(meta["cameras"])),
        points=ExportPoints(*(named[f"points_{name}"] for name in POINTS)),
        repeated=ExportPoints(*(named[f"repeated_{name}"] for name in POINTS)),
        mesh=ExportMesh(*(named[name] for name in MESH)) if MESH[0] in named else None,
        metric=bool(meta["metric"]),
        frame_rate=float(meta["frame_rate"]),
        provenance=dict(meta["provenance"]),
    )


def told_lens(lens: Lens | None) -> dict[str, object] | None:
    """A lens as JSON."""
    if lens is None:
        return None
    return {
        "model": lens.model,
        "size": lens.size,
        "intrinsics": lens.intrinsics.tolist(),
        "coefficients": lens.coefficients.tolist(),
    }


def lens_of(told: Mapping[str, Any] | None) -> Lens | None:
    """The lens of `told_lens`."""
    if told is None:
        return None
    size = (int(told["size"][0]), int(told["size"][1]))
    coefficients = np.array(told["coefficients"], float)
    return Lens(str(told["model"]), size, np.array(told["intrinsics"], float).reshape(3, 3), coefficients)


def _told(camera: ExportCamera) -> dict[str, object]:
    return {
        "name": camera.name,
        "size": camera.size,
        "map_size": camera.map_size,
        "photo": camera.photo and str(camera.photo),
        "turned": camera.turned,
        "lens": told_lens(camera.lens),
        "match_error": camera.match_error,
    }


def _camera(named: Mapping[str, np.ndarray], i: int, told: Mapping[str, Any]) -> ExportCamera:
    plate = named.get(f"camera{i}_plate")
    (width, height), (columns, rows) = told["size"], told["map_size"]
    return ExportCamera(
        name=str(told["name"]),
        size=(int(width), int(height)),
        intrinsics=named[f"camera{i}_intrinsics"].reshape(3, 3),
        extrinsics=named[f"camera{i}_extrinsics"].reshape(4, 4),
        map_size=(int(columns), int(rows)),
        photo=Path(told["photo"]) if told["photo"] else None,
        plate=b"" if plate is None else plate.tobytes(),
        turned=bool(told["turned"]),
        lens=lens_of(told["lens"]),
        match_error=told["match_error"],
    )
