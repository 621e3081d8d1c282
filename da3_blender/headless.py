"""Photos in, .blend out, no window: the whole way from a command line, in Blender's Python package or Blender itself.

    python -m da3_blender.headless photos/ --output scene.blend

The worker is that of the add-on's preferences, or this Python's where there is no add-on; it may run in another Python
(`--python`) or on another machine (`--worker "ssh gpubox ..."`).
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from model_runtime.messages import Failure, GivenCameras, JobError, MeshSettings, Photo, Prediction, Progress, Request
from model_runtime.photo_names import distinct_names

from . import blend_file
from .camera_file import read_cameras
from .colmap_folder import read_colmap
from .known_cameras import CameraPhoto, given_cameras, match_cameras, scene_cameras
from .output_files import is_marked, readable, unclaimed
from .photo_files import FoundPhotos
from .photo_header import read_header
from .preferences import chosen_worker_command
from .preview import write_preview
from .scene import SceneObjects, write_scene
from .scene_arguments import parse_arguments
from .scene_plan import PlanSettings, of_views, plan_scene
from .size_and_place import sized
from .worker_process import WorkerProcess

POLL_SECONDS = 0.05
CANCEL_PATIENCE = 10.0
"""Seconds a worker gets to stop a job in an orderly way."""

INTERRUPTED = 130


def run_job(worker: WorkerProcess, request: Request, on_progress: Callable[[Progress], None]) -> Prediction:
    """Sends the request and waits for its answer; raises JobError with the worker's Failure.

    An interrupt (Ctrl-C) cancels the job, waits for it to stop, and goes on up.
    """
    job = worker.submit(request)
    try:
        return _wait(worker, job, on_progress)
    except KeyboardInterrupt:
        worker.cancel(job)
        deadline = time.monotonic() + CANCEL_PATIENCE
        while job in worker.jobs and time.monotonic() < deadline:
            worker.poll()
            time.sleep(POLL_SECONDS)
        raise


def _wait(worker: WorkerProcess, job: str, on_progress: Callable[[Progress], None]) -> Prediction:
    while True:
        for event in worker.poll():
            message = event.message
            if isinstance(message, Failure):
                raise JobError(message.code, message.sentence, message.advice, message.log)
            if isinstance(message, Progress):
                on_progress(message)
            elif isinstance(message, Prediction) and event.job == job:
                return message
        time.sleep(POLL_SECONDS)


def read_photos(paths: Sequence[Path]) -> tuple[Photo, ...]:
    """The photos' bytes under names that tell them apart; raises JobError naming a file that cannot be read."""
    photos = []
    for name, path in zip(distinct_names(paths), paths, strict=True):
        try:
            photos.append(Photo(name, path.read_bytes()))
        except OSError as error:
            raise JobError(
                "photo-unreadable", f"{path} cannot be read: {error.strerror}.", "Check the file."
            ) from error
    return tuple(photos)


def read_blend_cameras(path: Path, photos: Sequence[Path]) -> GivenCameras:
    """The cameras of the scene in a .blend that belong to the photos (`known_cameras.match_cameras`), in its world.

    Opens that file. Raises JobError where it cannot be opened, a photo has no camera there or one that cannot be used.
    """
    try:
        with blend_file.quietly():
            bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        sentence = f"{path} cannot be opened: {str(error).strip()}"
        raise JobError("cameras-unreadable", sentence, "Give a .blend that this Blender can open.") from error
    rows = []
    for photo in photos:
        try:
            width, height = read_header(photo).size
        except (OSError, ValueError) as error:
            raise JobError("photo-unreadable", f"{photo} cannot be read: {error}.", "Check the file.") from error
        rows.append(CameraPhoto(photo.name, str(photo.resolve()), None, width, height))
    scene = bpy.context.scene
    return given_cameras(rows, match_cameras(rows, scene_cameras(scene)), scene)


def make_request(options: argparse.Namespace) -> Request:
    """The job that the command line asks for; `options` as from `parse_arguments`."""
    cameras = None
    if options.cameras:
        cameras = read_cameras(options.cameras, options.photos, distinct_names(options.photos))
    elif options.blend_cameras:
        cameras = read_blend_cameras(options.blend_cameras, options.photos)
    return Request(
        photos=read_photos(options.photos),
        checkpoint=options.checkpoint,
        resolution=options.resolution,
        cameras=cameras,
        colmap=read_colmap(options.colmap) if options.colmap else None,
        camera_source="rays" if options.rays else "auto",
        gaussians=not options.no_splats,
        device=options.device,
        mesh=MeshSettings() if options.mesh == "fused" else None,
    )


def worker_command(options: argparse.Namespace) -> list[str]:
    """The worker that the options name; else the one of the add-on's preferences; else, without them, this Python's.

    Raises JobError where the preferences name none that is there.
    """
    if options.worker:
        return shlex.split(options.worker)
    if options.python:
        return [str(options.python), "-m", "model_runtime", "worker"]
    return chosen_worker_command()


def left_out(found: FoundPhotos) -> list[str]:
    """A sentence for every picture that is not used, and one for all that is no picture."""
    told = [f"{readable(path.name)} is left out: {reason}." for path, reason in found.left_out]
    if found.others:
        names = ", ".join(readable(path.name) for path in found.others)
        told.append(f"Left out, since they are no photos: {names}.")
    return told


def build_scene(prediction: Prediction, options: argparse.Namespace) -> SceneObjects:
    """The scene, in an empty file; prints the plan's notes."""
    settings = PlanSettings(
        standard_view=True, sheets=options.mesh == "sheets", in_world=options.blend_cameras is not None
    )
    paths = of_views(prediction, distinct_names(options.photos), options.photos)
    plan = sized(plan_scene(prediction, options.name, paths, settings))
    for note in plan.notes:
        print(f"note: {note}")
    plan = replace(plan, notes=(*left_out(options.found), *plan.notes))
    return write_scene(plan, blend_file.empty_scene())


class ProgressLines:
    """Prints one line per stage, and one for every tenth of a long stage."""

    def __init__(self) -> None:
        self.last = ("", -1.0)

    def __call__(self, progress: Progress) -> None:
        stage, fraction = self.last
        if progress.stage != stage or progress.fraction >= fraction + 0.1 or progress.fraction >= 1 > fraction:
            print(f"[{progress.fraction:4.0%}] {progress.stage}: {progress.sentence}", flush=True)
            self.last = (progress.stage, progress.fraction)


def report(prediction: Prediction, objects: SceneObjects) -> list[str]:
    """What was made, as lines to print: checkpoint and licence, counts, and a table of the cameras."""
    checkpoint = prediction.checkpoint
    use = {True: "commercial use allowed", False: "no commercial use", None: "commercial use unknown"}
    points, splats = (
        "no" if cloud is None else f"{len(cloud.data.vertices):,}" for cloud in (objects.points, objects.splats)
    )
    unit = "metres" if prediction.metric else "units of its own"
    lines = [
        f"checkpoint {checkpoint.name}: licence {checkpoint.licence}, {use[checkpoint.commercial_use]}",
        f"made {len(objects.cameras)} cameras ({prediction.camera_source}), "
        f"{points} points, {splats} splats; the scene is in {unit}",
        *(f"{item.name}: {len(item.data.polygons):,} triangles" for item in objects.surfaces),
    ]
    if prediction.match_error is not None:
        lines.append(f"match error {prediction.match_error:.2f} pixels: features of the photos against the cameras")
    if len({round(camera.data.sensor_width / camera.data.sensor_height, 4) for camera in objects.cameras}) > 1:
        lines.append(
            "photos of several shapes: the frame has the first one's; the add-on gives each its own, and without it "
            "the others lie whole in the middle of that frame, with what their cameras see"
        )
    lines.append(f"{'camera':<24}{'photo':>12}{'lens mm':>9}{'x':>9}{'y':>9}{'z':>9}  from")
    for view, camera in zip(prediction.views, objects.cameras, strict=True):
        size = f"{view.photo_size[0]}x{view.photo_size[1]}"
        place = "".join(f"{value:9.3f}" for value in camera.matrix_world.translation)
        source = view.camera_source or prediction.camera_source
        lines.append(f"{camera.name[:23]:<24}{size:>12}{camera.data.lens:9.2f}{place}  {source}")
    return lines


def make_scene(options: argparse.Namespace) -> None:
    """The whole way: job, scene, .blend, preview; prints progress and what it made. Raises JobError."""
    started = time.monotonic()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for sentence in left_out(options.found):
        print(sentence)
    request = make_request(options)
    print(f"{len(request.photos)} photos, checkpoint {request.checkpoint}", flush=True)
    worker = WorkerProcess(worker_command(options))
    try:
        prediction = run_job(worker, request, ProgressLines())
    finally:
        worker.close()
    answered = time.monotonic()
    objects = build_scene(prediction, options)
    # Asked before the job, too; somebody may have saved there since.
    output = options.output if options.overwrite else unclaimed(options.output)
    kept = blend_file.save(output, options.photos, options.photo_files)
    saved = time.monotonic()
    for line in report(prediction, objects):
        print(line)
    print(f"photos: {kept}")
    print(f"scene: {output} ({output.stat().st_size / 1e6:.1f} MB)", flush=True)
    times = [f"worker {answered - started:.1f} s", f"scene {saved - answered:.1f} s"]
    if options.preview is not None:
        preview = options.preview if is_marked(options.preview) else unclaimed(options.preview)
        write_preview(objects, preview, options.preview_splats)
        print(f"preview: {preview}")
        times.append(f"preview {time.monotonic() - saved:.1f} s")
    print("took: " + ", ".join(times))


def run(options: argparse.Namespace) -> int:
    """`make_scene` for a command line: tells on standard error what went wrong, and returns the exit status."""
    try:
        make_scene(options)
    except JobError as error:
        failure = error.failure
        parts = [failure.log, f"{failure.code}: {failure.sentence}", failure.advice]
        print("\n".join(part for part in parts if part), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(run(parse_arguments(sys.argv[1:])))
