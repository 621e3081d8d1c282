"""What the README promises, tried as a stranger would: with Python, git and PyPI, and nothing of this checkout's own.

    python3 tests/from_outside.py

1. In a fresh clone, the README's first command, with a mesh: its environment holds what that command installs, no more.
2. The worker's wheel, taken out of the extension's zip and installed into an empty environment, without PyTorch: the
   same job by its da3-runtime. Then with PyTorch: the smallest training, and what the benchmark says where its packages
   are missing.

What is not committed is not tried. Takes some minutes and 5 GB for a while.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

COUNT = """
import json, sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
def made(role, parts):
    return sum(len(getattr(item.data, parts)) for item in bpy.data.objects if item.get("da3_role") == role)
cameras = [item for item in bpy.data.objects if item.get("da3_role") == "camera"]
print("COUNTS " + json.dumps({
    "cameras": len(cameras), "sources": sorted({camera["da3_camera_source"] for camera in cameras}),
    "points": made("points", "vertices"), "splats": made("splats", "vertices"), "triangles": made("mesh", "polygons"),
}))
"""
"""Prints what a .blend holds."""


def run(*command: str | Path, cwd: Path, fails: bool = False) -> str:
    """What the command prints, both streams; ends this program where its status is not the expected one."""
    words = [str(word) for word in command]
    print(f"from_outside: {shlex.join(words).partition(chr(10))[0]}", flush=True)
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DA3_MODELS")}
    done = subprocess.run(
        words, cwd=cwd, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if (done.returncode != 0) != fails:
        sys.exit(f"{done.stdout}\nfrom_outside: this ended with status {done.returncode}")
    return done.stdout


def first_command() -> list[str]:
    """The README's first command, to run with this Python."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    words = shlex.split(next(line for line in lines if line.startswith("python3 build.py scene")))
    return [sys.executable, *words[1:]]


def check_scene(clone: Path, blend: Path) -> None:
    """All six cameras of the living room by features, and each part as large as it should be."""
    told = run(clone / ".venv/bin/python", "-c", COUNT, blend, cwd=clone)
    counts = json.loads(next(line for line in told.splitlines() if line.startswith("COUNTS ")).removeprefix("COUNTS "))
    print(f"from_outside: {blend.name} holds {counts}", flush=True)
    assert (counts["cameras"], counts["sources"]) == (6, ["features"]), counts
    assert min(counts["points"], counts["splats"]) > 100_000 and counts["triangles"] > 5_000, counts
    assert blend.with_name(f"{blend.stem}_preview.png").stat().st_size > 100_000


def try_first_command(clone: Path) -> None:
    command = first_command()
    run(*command, "--mesh", "fused", cwd=clone)
    check_scene(clone, clone / command[command.index("--output") + 1])


def try_wheel(clone: Path, folder: Path) -> None:
    run(sys.executable, "build.py", "extension", cwd=clone)
    (extension,) = (clone / "dist").glob("*.zip")
    zipfile.ZipFile(extension).extractall(folder / "extension")
    (wheel,) = (folder / "extension/wheels").glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "empty", cwd=folder)
    programs = folder / "empty/bin"
    install = [programs / "python", "-m", "pip", "install", "--quiet", "-c", wheel.with_name("constraints.txt")]
    run(*install, wheel, cwd=folder)
    run(programs / "python", "-c", "import torch", cwd=folder, fails=True)
    blend = folder / "by_wheel.blend"
    worker = f"env -u PYTHONPATH {programs / 'da3-runtime'} worker"
    scene = [sys.executable, "build.py", "scene", "examples/living_room", "--mesh", "fused", "--output", blend]
    run(*scene, "--worker", worker, cwd=clone)
    check_scene(clone, blend)
    run(*install, f"{wheel}[torch]", cwd=folder)
    assert "loads strictly" in run(programs / "da3-runtime", "train", "--preset", "smoke", "--out", "smoke", cwd=folder)
    assert "pip install matplotlib trimesh" in run(programs / "da3-runtime", "bench", cwd=folder, fails=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="from-outside-") as name:
        folder = Path(name)
        run("git", "clone", "--quiet", ROOT, folder / "clone", cwd=folder)
        try_first_command(folder / "clone")
        try_wheel(folder / "clone", folder)
    print("from_outside: all of it works", flush=True)


if __name__ == "__main__":
    main()
