"""The options of the `scene` command. Standard library only: they are checked before anything is installed."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_runtime.contract.splat_files.suffixes import WRITTEN, format_of

from ..photos.clips import USUAL_RATE, ClipSource, film_source, numbered, sequence_source
from ..photos.files import FoundPhotos, film_problem, find_photos, is_film
from ..photos.names import is_text, readable
from ..photos.own_pictures import is_marked
from ..runtime.command_words import ADVICE as COMMAND_ADVICE
from ..runtime.command_words import split_command
from .output_files import check_outputs, preview_of
from .terminal import print_any_name

FASTEST = 1000.0
"""Frames a second."""

PYTHON_SECONDS = 60.0
"""For a Python to start, from a cold or a network disk."""


def build_parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description="Photos, or a video, to a Blender scene, by Depth Anything 3."
    )
    parser.add_argument(
        "photos",
        type=Path,
        nargs="+",
        help="a folder of photos, or photos, or several of both, or one video; "
        "one that begins with a dash as ./-name.jpg",
    )
    parser.add_argument("-o", "--output", type=Path, help="the .blend to write; <name>.blend by default")
    parser.add_argument("--overwrite", action="store_true", help="replace the .blend where it is there already")
    parser.add_argument("--name", help="the scene's name; the photo folder's by default")
    parser.add_argument("--checkpoint", default="da3-tiny", help="which weights: a name or a path (default: da3-tiny)")
    parser.add_argument("--resolution", type=int, help="longest side the network sees, pixels")
    _add_known_cameras(parser)
    _add_clip_options(parser)
    parser.add_argument("--rays", action="store_true", help="solve the cameras from the network's ray maps")
    parser.add_argument(
        "--refine-depth",
        choices=("auto", "on", "off"),
        default="auto",
        help="make the photos' depth agree; auto: where cameras are not the network's own",
    )
    parser.add_argument(
        "--lens",
        choices=("auto", "pinhole", "k1", "k1k2", "brown", "fisheye"),
        default="auto",
        help="how the lens bends straight lines; auto: as much as the photos bear out",
    )
    _add_what_is_made(parser)
    parser.add_argument(
        "--backend",
        choices=("auto", "torch", "onnx"),
        default="auto",
        help="what runs the network; auto: PyTorch where the worker has it, else ONNX Runtime",
    )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, mps, cuda or cuda:N; with ONNX Runtime directml and coreml, too"
    )
    parser.add_argument(
        "--photo-files",
        choices=("auto", "pack", "link"),
        default="auto",
        help="keep the photos in the .blend, or link to them; auto packs up to 64 MB",
    )
    parser.add_argument("--preview-splats", action="store_true", help="show the splats too; slower")
    parser.add_argument("--no-preview", action="store_true", help="do not render <output>_preview.png")
    parser.add_argument(
        "--answer",
        type=Path,
        metavar="FILE",
        help="what was computed for the same photos and kept where the scene could not be made; computes nothing",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--python", type=Path, help="the Python that runs the worker; this one by default")
    where.add_argument("--worker", help='the command of a worker elsewhere, such as "ssh gpubox da3-runtime worker"')
    return parser


def _add_known_cameras(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cameras", type=Path, help="known cameras of the photos, as in examples/living_room/cameras.json"
    )
    parser.add_argument(
        "--colmap",
        type=Path,
        metavar="FOLDER",
        help="known cameras of the photos: a COLMAP project's folder, or a model in it, such as sparse/0",
    )
    parser.add_argument(
        "--blend-cameras",
        type=Path,
        metavar="FILE",
        help="known cameras of the photos: those of a .blend that show the photos or are called like them",
    )


def _add_clip_options(parser: argparse.ArgumentParser) -> None:
    clips = parser.add_argument_group("clips", "one moving camera: a video, or photos that are its frames")
    clips.add_argument("--sequence", action="store_true", help="the photos are frames, by the numbers in their names")
    clips.add_argument(
        "--frames",
        type=_frame_range,
        metavar="FIRST-LAST",
        help="which frames, by their numbers; a video's first one has number 0; 40- is from there to the end",
    )
    clips.add_argument("--step", type=_step, metavar="N", help="every N-th of them only")
    clips.add_argument(
        "--rate", type=_rate, help="frames of a --sequence a second (default: 24); a video tells its own"
    )
    clips.add_argument(
        "--set-frame-range",
        action=argparse.BooleanOptionalAction,
        help="let the scene begin and end with the clip's frames, which it does by default",
    )


def _add_what_is_made(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-splats", action="store_true", help="make no splats")
    parser.add_argument(
        "--improve-splats",
        action="store_true",
        help="make one layer of the splats of all photos and let it look like them",
    )
    parser.add_argument(
        "--splats",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the splats, too: a .ply, .spz, .glb or .usda file; may be given several times",
    )
    parser.add_argument(
        "--mesh",
        choices=("none", "fused", "sheets"),
        default="none",
        help="one textured surface from all photos, or a sheet per photo",
    )


def _frame_range(text: str) -> tuple[int, int | None]:
    match = re.fullmatch(r"(\d{1,9})-(\d{1,9})?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} are no frames: give numbers as in 0-99, or 40-")
    return int(match[1]), None if match[2] is None else int(match[2])


def _step(text: str) -> int:
    if re.fullmatch(r"0*[1-9]\d{0,8}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no step: give 1 for every frame, 2 for every second one, ...")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate: give frames a second, such as 24")
    return rate


def parse_arguments(arguments: Sequence[str], program: str = "python -m da3_blender.headless") -> argparse.Namespace:
    """Parses and checks; `photos` becomes the list of photo files, `name`, `output` and `preview` are filled in,
    `found` tells what was left out, and `clip` what is one, None for photos.

    Ends the program with a sentence on bad arguments, as argparse does. From here on, any name can be printed.
    """
    print_any_name()
    parser = build_parser(program)
    options = parser.parse_args(list(arguments))
    try:
        default = _find(options)
    except ValueError as error:
        parser.error(readable(str(error)))
    options.name = readable((options.name or "").strip() or default.strip() or "scene")
    options.output = options.output or Path(f"{options.name}.blend")
    try:
        _check_options(options)
    except ValueError as error:
        parser.error(readable(str(error)))
    inputs = [*options.photos, *filter(None, (options.cameras, options.blend_cameras, options.answer))]
    inputs += [path for path, _ in options.found.left_out if not is_marked(path)]
    inputs += [options.clip.path] if options.clip else []
    inputs += options.colmap.glob("*") if options.colmap else []
    options.preview = None if options.no_preview else preview_of(options.output)
    try:
        check_outputs(options.output, options.preview, inputs, options.overwrite, options.splats)
    except ValueError as error:
        parser.error(readable(str(error)))
    return options


def _find(options: argparse.Namespace) -> str:
    """Fills in `photos`, `found` and `clip`; returns the scene's default name. Raises ValueError with a sentence."""
    first = options.photos[0]
    if any(map(is_film, options.photos)):
        options.found, options.clip = FoundPhotos((), (), ()), _film(options)
        options.photos = []
        return first.stem
    options.found = find_photos(options.photos)
    options.photos = list(options.found.photos)
    options.clip = _sequence(options) if options.sequence else None
    folder = os.path.realpath(first if os.path.isdir(first) else first.parent)
    return os.path.basename(folder)


def _film(options: argparse.Namespace) -> ClipSource:
    path = options.photos[0]
    if len(options.photos) > 1:
        raise ValueError("a video goes alone: give one video and nothing else, or photos")
    if options.sequence or options.rate is not None:
        raise ValueError("--sequence and --rate are for photos: a video is a clip already, and tells its rate")
    if not os.path.lexists(path):
        raise ValueError(f"there is no video {path}")
    problem = film_problem(path)
    if problem:
        raise ValueError(f"{path}: {problem}")
    first, last = options.frames or (0, None)
    return film_source(path, first, last, options.step or 1)


def _sequence(options: argparse.Namespace) -> ClipSource:
    rate = USUAL_RATE if options.rate is None else options.rate
    first, last = options.frames or (0, None)
    return sequence_source(numbered(options.photos), first, last, options.step or 1, rate)


def _check_clip(options: argparse.Namespace) -> None:
    """Raises ValueError with a sentence where options of a clip and others do not go together."""
    asked = [name for name in ("frames", "step", "rate", "set_frame_range") if getattr(options, name) is not None]
    if asked and options.clip is None:
        option = f"--{asked[0].replace('_', '-')}"
        raise ValueError(f"{option} is for clips: give one video, or --sequence where the photos are frames")
    for name in ("cameras", "colmap", "blend_cameras"):
        if options.clip is not None and getattr(options, name):
            raise ValueError(f"--{name.replace('_', '-')}: known cameras do not go with a clip")
    options.set_frame_range = options.set_frame_range is not False
    if options.clip is not None and options.photo_files == "pack":
        raise ValueError("--photo-files pack: the frames of a clip stay where they are")


def _check_options(options: argparse.Namespace) -> None:
    """Raises ValueError with a sentence where an option can be seen to be wrong without any work."""
    if options.output.suffix != ".blend":
        raise ValueError(f"--output {options.output} does not end in .blend")
    for option in ("cameras", "blend_cameras", "answer", "python"):
        path = getattr(options, option)
        if path is not None and not os.path.isfile(path):
            raise ValueError(f"--{option.replace('_', '-')}: there is no file {path}")
    if options.blend_cameras is not None and not is_text(options.blend_cameras.absolute()):
        raise ValueError(f"--blend-cameras: the name {readable(options.blend_cameras)} is not UTF-8: rename the file")
    if options.colmap is not None and not os.path.isdir(options.colmap):
        raise ValueError(f"--colmap: there is no folder {options.colmap}")
    if options.resolution is not None and options.resolution < 1:
        raise ValueError(f"--resolution {options.resolution}: give a number of pixels, such as 504")
    for option in ("checkpoint", "device"):
        if not is_text(getattr(options, option)):
            raise ValueError(f"--{option} {readable(getattr(options, option))} is not UTF-8: rename it")
    sources = [name for name in ("rays", "cameras", "colmap", "blend_cameras") if getattr(options, name)]
    if len(sources) > 1:
        chosen = " and ".join(f"--{name.replace('_', '-')}" for name in sources)
        raise ValueError(f"{chosen}: choose one source of cameras")
    _check_clip(options)
    _check_splats(options)
    _check_worker(options)


def _check_splats(options: argparse.Namespace) -> None:
    if options.splats and options.no_splats:
        raise ValueError("--splats and --no-splats: choose one")
    for path in options.splats:
        if format_of(path) not in WRITTEN:
            raise ValueError(f"--splats {path} does not end in {', '.join(WRITTEN)}")


def _check_worker(options: argparse.Namespace) -> None:
    if options.worker is not None:
        try:
            program = split_command(options.worker)[0]
        except ValueError as error:
            raise ValueError(f"--worker: {error} {COMMAND_ADVICE}") from error
        if shutil.which(program) is None:
            raise ValueError(f"--worker: there is no program {program}: give its whole path, or install it")
    if options.python is not None and not _is_python(options.python):
        raise ValueError(f"--python: {options.python} is no Python that starts: give one that has model_runtime")


def _is_python(path: Path) -> bool:
    command = [os.path.abspath(path), "-c", "import sys; print('Python', sys.version_info[0])"]
    options: dict[str, Any] = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": PYTHON_SECONDS}
    try:
        return subprocess.run(command, check=False, **options).stdout.split() == [b"Python", b"3"]
    except (OSError, subprocess.TimeoutExpired):
        return False
