"""Splats out of files into objects, and those that are seen into files."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np

from model_runtime.contract.export.formats import Writer
from model_runtime.contract.export.scene import ExportScene
from model_runtime.contract.export.settings import ExportSettings
from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files import files
from model_runtime.contract.splat_files.axes import from_z_up, to_z_up
from model_runtime.contract.splat_files.cloud import SplatCloud, memory_of
from model_runtime.contract.splat_files.refusals import check_memory
from model_runtime.contract.splat_files.suffixes import WRITTEN

from ...plan.splat_affine import transform_splats
from ...plan.splat_cloud import lone_splats
from ..find import objects_of
from ..meshes import point_count
from ..shown_points import shown_instances
from .follow import settle
from .native import is_splats
from .read import bands_of, read_splats
from .webp import decode_webp
from .write import write_splats

Report = Callable[[float], None]


class Imported(NamedTuple):
    """item: the new object. left_out: splats of the file whose numbers are none."""

    item: bpy.types.Object
    left_out: int


def import_splats(
    path: Path, collection: bpy.types.Collection, axes: str = "", report: Report | None = None
) -> Imported:
    """Make an object of a file's splats, in `collection`.

    axes: of `TO_Z_UP`; those that such files have by convention where it is empty. report: is told the share that is
    done. Raises JobError; then nothing was made.
    """
    found = files.read_splats(path, decode_webp, report or files.nobody)
    check_memory(2 * memory_of(len(found.splats), found.splats.harmonics.shape[2]))
    cloud = to_z_up(found.splats, axes or found.axes)
    plan = lone_splats(
        cloud.means,
        cloud.scales,
        cloud.rotations,
        np.column_stack([cloud.harmonics[:, :, 0], cloud.opacities]),
        np.ascontiguousarray(np.moveaxis(cloud.harmonics[:, :, 1:], 2, 0)),
    )
    return Imported(write_splats(plan, path.stem, collection), cloud.left_out)


def export_splats(
    path: Path,
    items: Container[bpy.types.Object],
    graph: bpy.types.Depsgraph,
    axes: str = "",
    spz_version: int = 3,
    report: Report | None = None,
) -> int:
    """Write those splats of `items` that are shown, where they stand in the world; returns how many.

    graph: as evaluated now. axes: as of `import_splats`. Raises JobError; then the file is as it was.
    """
    cloud = from_z_up(seen_splats(items, graph), axes or files.axes_of(path))
    files.write_splats(path, cloud, spz_version, report or files.nobody)
    return len(cloud)


def splat_writers(collection: bpy.types.Collection) -> dict[str, Writer]:
    """By the format's name what writes the splats of a result, as they are seen when it is called."""

    def writer(suffix: str) -> Writer:
        def write(_: ExportScene, folder: Path, __: ExportSettings) -> None:
            items = set(objects_of(collection, "splats"))
            settle(items)
            export_splats(folder / f"splats{suffix}", items, bpy.context.evaluated_depsgraph_get())

        return write

    return {f"splats_{suffix[1:]}": writer(suffix) for suffix in WRITTEN}


def seen_splats(items: Container[bpy.types.Object], graph: bpy.types.Depsgraph) -> SplatCloud:
    """The splats of `items` that are shown, after their modifiers, in Blender's world. Raises JobError where there are
    none."""
    shown = [(found.data, matrix) for found, matrix in shown_instances(items, graph) if is_splats(found.data)]
    shown = [(data, matrix) for data, matrix in shown if point_count(data)]
    if not shown:
        raise JobError("export-nothing", files.NOTHING, files.NOTHING_ADVICE)
    most = max(len(bands_of(data)) for data, _ in shown) + 1
    check_memory(3 * memory_of(sum(point_count(data) for data, _ in shown), most))
    return _joined([_in_world(data, matrix, most) for data, matrix in shown])


def splat_objects(items: Iterable[bpy.types.Object]) -> set[bpy.types.Object]:
    """Those of `items` that hold splats."""
    return {item for item in items if is_splats(item.data)}


def _in_world(data: bpy.types.ID, matrix: np.ndarray, coefficients: int) -> SplatCloud:
    plan = read_splats(data)
    means, scales, rotations, higher = transform_splats(
        plan.position, plan.scale, plan.rotation, plan.harmonics, matrix
    )
    harmonics = np.zeros((len(means), 3, coefficients), np.float32)
    harmonics[:, :, 0] = plan.base[:, :3]
    harmonics[:, :, 1 : 1 + len(higher)] = np.moveaxis(higher, 0, 2)
    return SplatCloud(means, scales, rotations, plan.base[:, 3].copy(), harmonics)


def _joined(clouds: list[SplatCloud]) -> SplatCloud:
    if len(clouds) == 1:
        return clouds[0]

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(cloud, name) for cloud in clouds])

    return SplatCloud(
        means=column("means"),
        scales=column("scales"),
        rotations=column("rotations"),
        opacities=column("opacities"),
        harmonics=column("harmonics"),
    )
