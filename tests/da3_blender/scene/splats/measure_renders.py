"""How near Blender's renders of splats come to the reference, and what they cost.

    python -m tests.da3_blender.scene.splats.measure_renders [--splats N ...] [--pictures FOLDER]

In a Python that has `bpy`. Made rooms of 2 k, 50 k and 300 k splats at 320 x 240, from EEVEE and Cycles. In a Blender
with splats of its own, these are what it measures. One row a picture:

- `as light`: PSNR against the reference with its colours decoded to linear light before they blend, then encoded;
- `as displayed`: against the reference itself, which blends sRGB values. Blender's splats as light differ from it
  where unlike colours mix: `mixing` is the share of that which no renderer of light can avoid, the reference against
  itself. A second row has what `photo_colors` does, before the compositor;
- `alpha`: PSNR of the coverage. Seconds of processor time and on the clock, from the call of the render to its file,
  and the most memory that the process had.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from da3_blender.plan.conventions import linear_to_srgb, srgb_to_linear
from tests.da3_blender.scene.splats import reference_splatter as reference
from tests.da3_blender.scene.splats.made_rooms import made_room, room_camera

WIDTH, HEIGHT = 320, 240
COUNTS = (2_000, 50_000, 300_000)
SAMPLES, NATIVE_SAMPLES = 1, 128
"""Of a pixel. Ours are the same every time; Blender's own splats are there or not, by chance, in each sample."""


def expected(count: int) -> dict[str, np.ndarray]:
    """The reference's pictures of the made room of `count` splats."""
    splats, camera = made_room(count), room_camera(WIDTH, HEIGHT)
    displayed, alpha = reference.render(splats, camera)
    light, _ = reference.render(splats, camera, srgb_to_linear)
    return {"displayed": displayed, "light": linear_to_srgb(np.clip(light, 0, 1)), "alpha": alpha}


def measure(count: int, engine: str, display: bool, truth: Path, picture: Path | None) -> str:
    """One row of the table."""
    import bpy

    from da3_blender.scene.marks import DISPLAYED
    from tests.da3_blender.scene.splats import renders

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    assert scene is not None
    samples = NATIVE_SAMPLES if _native() else SAMPLES
    renders.stand_splats(made_room(count), scene)
    if display:
        scene[DISPLAYED] = 1
    renders.stand_camera(room_camera(WIDTH, HEIGHT), scene)
    clock, work = time.perf_counter(), time.process_time()
    rendered = renders.render(scene, getattr(renders, engine), truth.with_suffix(".exr"), samples)
    clock, work = time.perf_counter() - clock, time.process_time() - work
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shown = np.clip(rendered[..., :3], 0, 1)
    shown = shown if display else linear_to_srgb(shown)
    if picture is not None:
        _save(shown, picture)
    pictures = np.load(truth)
    return " | ".join(
        [
            f"{count:,}".replace(",", " "),
            f"{engine} {bpy.app.version_string}{' displayed' if display else ''}",
            "" if display else f"{reference.psnr(shown, pictures['light']):.1f}",
            f"{reference.psnr(shown, pictures['displayed']):.1f}",
            f"{reference.psnr(pictures['light'], pictures['displayed']):.1f}",
            f"{reference.psnr(rendered[..., 3], pictures['alpha']):.1f}",
            f"{work:.0f} s, {clock:.0f} s",
            f"{memory:.1f} GiB",
        ]
    )


def _native() -> bool:
    from da3_blender.scene.splats.native import has_native

    return has_native()


def _save(shown: np.ndarray, path: Path) -> None:
    """A PNG by Blender itself: its Python has no other library for that."""
    import bpy

    height, width = shown.shape[:2]
    image = bpy.data.images.new("shown", width, height)
    image.pixels.foreach_set(np.dstack([shown, np.ones((height, width))])[::-1].astype(np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def _row(count: int, engine: str, display: bool, truth: Path, picture: Path | None) -> str:
    """`measure` in a process of its own, so that it has the memory for itself."""
    words = [sys.executable, "-m", __spec__.name, "--row", str(count), engine, str(int(display)), str(truth)]
    words += [] if picture is None else [str(picture)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    rows = [line for line in done.stdout.splitlines() if line.startswith("row: ")]
    return rows[0][5:] if rows else f"{count} | {engine} | failed: {done.stderr[-300:]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--splats", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--row", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        count, engine, display, truth, *picture = options.row
        row = measure(int(count), engine, display == "1", Path(truth), Path(picture[0]) if picture else None)
        print(f"\nrow: {row}", flush=True)
        return
    native = _native()
    print("splats | engine | as light, dB | as displayed, dB | mixing, dB | alpha, dB | processor, clock | memory")
    with tempfile.TemporaryDirectory() as folder:
        for count in options.splats:
            truth = Path(folder) / f"{count}.npz"
            np.savez(truth, **expected(count))
            for engine in ("EEVEE", "CYCLES"):
                for display in (False,) if native else (False, True):
                    name = f"{count}_{engine}{'_native' if native else ''}{'_display' if display else ''}.png"
                    picture = options.pictures and options.pictures / name
                    print(_row(count, engine, display, truth, picture), flush=True)


if __name__ == "__main__":
    main()
