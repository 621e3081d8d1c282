"""How much is lost by thinning splats out, and how well floaters are told: figures of docs/splats.md.

ROOM=.cache/benchmark_rooms/kitchen
python build.py scene $ROOM --cameras $ROOM/cameras.json -o kitchen.blend
python tests/da3_blender/scene/splats/measure_filters.py kitchen.blend [$ROOM]

Thinning: PSNR of the splats that show, through the photos' cameras at the size of the depth maps, against all of them.
Floaters: where the room's true depth is given, those that a photo's true depth lies behind by more than 15 % and no
photo's within 5 %.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import bpy
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from da3_blender.plan.splat_cloud import SplatPlan
from da3_blender.plan.splat_ranks import thinning
from da3_blender.scene import find
from da3_blender.scene.exporting import seen_scene
from da3_blender.scene.splats.read import read_splats
from model_runtime.contract.export.scene import ExportCamera
from model_runtime.splats.renderer import Splats, render_splats

SHARES = (0.75, 0.5, 0.25, 0.1)


def main() -> None:
    bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
    (collection,) = find.results(bpy.context.scene)
    plan = read_splats(find.objects_of(collection, "splats")[0].data)
    cameras = seen_scene(collection, bpy.context.scene, bpy.context.evaluated_depsgraph_get()).cameras
    report_thinning(plan, cameras)
    if len(sys.argv) > 2:
        report_floaters(plan, cameras, Path(sys.argv[2]))


def report_thinning(plan: SplatPlan, cameras: tuple[ExportCamera, ...]) -> None:
    began = time.process_time()
    rank, alone = thinning(plan.position, plan.scale, plan.base, plan.repeated)
    seconds = (time.process_time() - began) / len(rank) * 1e6
    print(f"{(~plan.repeated).sum():,} splats; ranked in {seconds:.1f} s of CPU a million")
    every = pictures(plan, np.flatnonzero(~plan.repeated), None, cameras)
    chance = np.random.default_rng(0).random(len(rank)).astype(np.float32)
    print("| shown | by chance | by chance, grown alike | least missed, grown |\n|---|---|---|---|")
    for share in SHARES:
        some, best = (np.flatnonzero(~plan.repeated & (order < share)) for order in (chance, rank))
        ways = (
            (some, None),
            (some, np.full(len(some), share**-0.5)),
            (best, grown(alone[best] / share)),
        )
        figures = (psnr(pictures(plan, places, growth, cameras), every) for places, growth in ways)
        print(f"| {share:.0%} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")


def grown(count: np.ndarray) -> np.ndarray:
    """As the filter's nodes have it."""
    count = np.maximum(count, 1)
    return np.sqrt(count + 1 - 1 / count)


def pictures(
    plan: SplatPlan, places: np.ndarray, growth: np.ndarray | None, cameras: tuple[ExportCamera, ...]
) -> list[np.ndarray]:
    """Those of `places` as each camera sees them, each as much larger as `growth` says."""
    coefficients = np.concatenate([plan.base[None, places, :3], plan.harmonics[:, places]])
    larger = 1.0 if growth is None else growth[:, None]
    arrays = (
        plan.position[places],
        plan.scale[places] * larger,
        plan.rotation[places],
        coefficients.transpose(1, 2, 0),
    )
    splats = Splats(*map(tensor, (*arrays, plan.base[places, 3])))
    shots = []
    for camera in cameras:
        (width, height), size = camera.map_size, camera.size
        intrinsics = np.diag([width / size[0], height / size[1], 1.0]) @ camera.intrinsics
        with torch.no_grad():
            shots.append(
                render_splats(splats, tensor(camera.extrinsics), tensor(intrinsics), (height, width))[0].numpy()
            )
    return shots


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def psnr(shots: list[np.ndarray], expected: list[np.ndarray]) -> float:
    pairs = zip(shots, expected, strict=True)
    return -10 * np.log10(np.mean([np.square(np.clip(a, 0, 1) - np.clip(b, 0, 1)) for a, b in pairs]))


def report_floaters(plan: SplatPlan, cameras: tuple[ExportCamera, ...], room: Path) -> None:
    in_air, on_surface = np.zeros(len(plan.view), bool), np.zeros(len(plan.view), bool)
    for number, camera in enumerate(cameras, 1):
        truth = np.load(room / f"depth_{number}.npy")
        seen = (plan.position @ camera.extrinsics[:3, :3].T + camera.extrinsics[:3, 3]) @ camera.intrinsics.T
        place = seen[:, :2] / np.where(seen[:, 2:] > 0, seen[:, 2:], np.inf) * truth.shape[1] / camera.size[0]
        inside = np.flatnonzero((seen[:, 2] > 0.05) & ((place > 0) & (place < truth.shape[::-1])).all(axis=1))
        column, row = place[inside].astype(int).T
        share = seen[inside, 2] / truth[row, column]
        in_air[inside] |= share < 0.85
        on_surface[inside] |= np.abs(share - 1) < 0.05
    shown, floats = ~plan.repeated, in_air & ~on_surface
    floater = np.zeros(len(shown)) if plan.floater is None else plan.floater
    print(f"{floats[shown].mean():.1%} of the splats float")
    print("| Hide Floaters | hides | precision | recall |\n|---|---|---|---|")
    for setting in (0.3, 0.5, 0.6, 0.7, 0.8):
        hidden = shown & (floater > 1 - setting)
        found = (hidden & floats).sum()
        print(
            f"| {setting} | {hidden.sum() / shown.sum():.1%} | {found / max(hidden.sum(), 1):.0%} |"
            f" {found / (shown & floats).sum():.0%} |"
        )


if __name__ == "__main__":
    main()
