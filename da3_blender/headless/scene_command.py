"""Photos in, .blend out, no window: the whole way from a command line, in Blender's Python package or Blender itself.

    python -m da3_blender.headless photos/ --output scene.blend

The worker is that of the add-on's preferences, or this Python's where there is no add-on; it may run in another Python
(`--python`) or on another machine (`--worker "ssh gpubox ..."`).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import bpy

from model_runtime.contract.messages import Failure, JobError, MeshSettings, Photo, Prediction, Progress, Request
from model_runtime.contract.photo_names import distinct_names, listed
from model_runtime.contract.stored_files import stored

from ..jobs.request import clip_files
from ..jobs.stored_request import StoredPhoto, describe_settings
from ..photos.camera_file import read_cameras
from ..photos.clip_row import WHOLE_RANGE
from ..photos.clips import ClipSource
from ..photos.colmap_folder import read_colmap
from ..photos.contents import fit_in_memory, read_clip, read_photo
from ..photos.files import FoundPhotos
from ..photos.names import readable
from ..photos.own_pictures import is_marked
from ..plan.prediction_checks import PlanError
from ..plan.scene_plan import PlanSettings, of_views, plan_scene
from ..plan.size_and_place import sized
from ..preferences import chosen_runtime
from ..runtime.chosen_worker import worker_of
from ..runtime.worker_command import RuntimeSettings
from ..runtime.worker_process import WorkerProcess
from ..scene import SceneObjects, write_scene
from ..scene.marks import REQUEST
from ..scene.splats.files import export_splats
from . import blend_file
from .blend_cameras import read_blend_cameras
from .ending import cleaned, starting, wait_if_ending
from .output_files import unclaimed
from .preview import write_preview
from .recovery import failure_of, keep, keep_answer, read_answer
from .report import report

POLL_SECONDS = 0.05


def run_job(worker: WorkerProcess, request: Request, on_progress: Callable[[Progress], None]) -> Prediction:
    """Sends the request and waits for its answer; raises JobError with the worker's Failure."""
    with starting():
        job = worker.submit(request)
    return _wait(worker, job, on_progress)


def end_worker(worker: WorkerProcess) -> None:
    """Ends the worker from any thread; on POSIX with all that it started, as it leads a group of its own."""
    if worker.pid is not None:
        if sys.platform == "win32":
            os.kill(worker.pid, signal.SIGTERM)
        else:
            os.killpg(worker.pid, signal.SIGKILL)


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


def make_request(options: argparse.Namespace) -> Request:
    """The job that the command line asks for; `options` as from `parse_arguments`."""
    cameras, clip = None, None
    if options.cameras:
        cameras = read_cameras(options.cameras, options.photos, distinct_names(options.photos))
    elif options.blend_cameras:
        cameras = read_blend_cameras(options.blend_cameras, options.photos)
    if options.clip is not None:
        photos, clip = read_clip(options.clip)
    else:
        whole = options.photo_files == "pack" or fit_in_memory(options.photos)
        names = distinct_names(options.photos)
        photos = tuple(read_photo(name, path, whole) for name, path in zip(names, options.photos, strict=True))
    return Request(
        photos=photos,
        clip=clip,
        checkpoint=options.checkpoint,
        resolution=options.resolution,
        cameras=cameras,
        colmap=read_colmap(options.colmap, distinct_names(options.photos)) if options.colmap else None,
        camera_source="rays" if options.rays else "auto",
        refine_depth=options.refine_depth,
        lens=options.lens,
        gaussians=not options.no_splats,
        improve_splats=options.improve_splats,
        backend=options.backend,
        device=options.device,
        mesh=MeshSettings() if options.mesh == "fused" else None,
    )


def runtime_of(options: argparse.Namespace) -> RuntimeSettings:
    """The worker that the options name; else the one of the add-on's preferences; else, without them, this Python's."""
    if options.worker:
        return RuntimeSettings("command", command=options.worker)
    if options.python:
        return RuntimeSettings("python", python=str(options.python))
    return chosen_runtime()


def left_out(found: FoundPhotos) -> list[str]:
    """A sentence for every picture that is not used, and one for all that is no picture."""
    names = distinct_names([path for path, _ in found.left_out])
    notes = [
        f"{readable(name)} is left out: {reason}." for name, (_, reason) in zip(names, found.left_out, strict=True)
    ]
    if found.others:
        names = listed([readable(path.name) for path in found.others])
        notes.append(f"Left out, since they are no photos: {names}.")
    return notes


def as_seen(prediction: Prediction, photos: Mapping[Path, Photo]) -> Prediction:
    """The prediction, with the photos inside whose files are not any more what the job saw, as far as they are in
    memory; prints which.

    photos: what the job saw of each view's file, in the views' order.
    """
    views = list(prediction.views)
    for index, (path, photo) in enumerate(photos.items()):
        if not views[index].plate and not _holds(path, photo):
            kept = "the photo as it was then is kept" if photo.data else "the scene does not have it as it was then"
            print(f"note: {readable(path)} is gone or changed since the job began; {kept}.")
            views[index] = replace(views[index], plate=photo.data)
    return replace(prediction, views=tuple(views))


def _holds(path: Path, photo: Photo) -> bool:
    try:
        if photo.file is not None:
            return replace(stored(path), path=photo.file.path) == photo.file
        return path.read_bytes() == photo.data
    except OSError:
        return False


def build_scene(prediction: Prediction, options: argparse.Namespace) -> SceneObjects:
    """The scene, in an empty file; prints the plan's notes."""
    settings = PlanSettings(
        standard_view=True, sheets=options.mesh == "sheets", in_world=options.blend_cameras is not None
    )
    paths = None if options.clip else of_views(prediction, distinct_names(options.photos), options.photos)
    clip = None if options.clip is None else clip_files(options.clip)
    plan = sized(plan_scene(prediction, options.name, paths, settings, clip=clip))
    for note in plan.notes:
        print(f"note: {note}")
    plan = replace(plan, notes=(*left_out(options.found), *plan.notes))
    scene = blend_file.empty_scene()
    made = write_scene(plan, scene)
    if prediction.track is not None and not options.set_frame_range:
        scene.frame_start, scene.frame_end = WHOLE_RANGE
    made.collection[REQUEST] = describe_settings(panel_settings(options), options.clip and clip_row(options.clip))
    return made


def panel_settings(options: argparse.Namespace) -> dict[str, str | int | float | bool]:
    """What the panel is set to for the scene that the options ask for, as far as they say it."""
    weights = Path(options.checkpoint)
    values: dict[str, str | int | float | bool] = {
        **({"checkpoint_path": str(weights.resolve())} if weights.exists() else {"model": options.checkpoint}),
        "lens": options.lens,
        "refine_depth": options.refine_depth,
        "make_splats": not options.no_splats,
        "improve_splats": options.improve_splats,
        "backend": options.backend,
        "make_mesh": options.mesh,
        "standard_view": True,
    }
    if options.resolution is not None:
        values.update(own_resolution=True, resolution=options.resolution)
    if options.rays:
        values["camera_source"] = "rays"
    if options.colmap:
        values.update(camera_source="given", known_cameras="colmap", colmap_folder=str(options.colmap.resolve()))
    if options.clip is not None:
        first, last = options.frames or (0, None)
        values.update(clip_first=first, clip_last=last or 0, clip_step=options.step or 1, clip_rate=options.clip.rate)
        values.update(set_frame_range=options.set_frame_range)
    return values


def clip_row(clip: ClipSource) -> StoredPhoto:
    """The row of the panel's list that asks for the clip again."""
    return StoredPhoto(clip.name, "sequence" if clip.frames else "film", str(clip.path.resolve()))


class ProgressLines:
    """Prints one line per stage, and one for every tenth of a long stage."""

    def __init__(self) -> None:
        self.last = ("", -1.0)

    def __call__(self, progress: Progress) -> None:
        stage, fraction = self.last
        if progress.stage != stage or progress.fraction >= fraction + 0.1 or progress.fraction >= 1 > fraction:
            print(f"[{progress.fraction:4.0%}] {progress.stage}: {progress.sentence}", flush=True)
            self.last = (progress.stage, progress.fraction)


def answer_of(options: argparse.Namespace, request: Request) -> Prediction:
    """The worker's, or the one that was kept of an earlier run."""
    if options.answer is not None:
        prediction = read_answer(options.answer)
        names = {view.name for view in prediction.views}
        known = names <= {photo.name for photo in request.photos} or request.clip is not None
        if not known or (prediction.track is None) != (request.clip is None):
            sentence = f"{options.answer} is the answer to other photos."
            raise JobError("answer-unreadable", sentence, "Give the photos that were given then.")
        return prediction
    worker = worker_of(runtime_of(options))
    with cleaned(lambda: end_worker(worker)):
        try:
            return run_job(worker, request, ProgressLines())
        finally:
            worker.close()


def make_scene(options: argparse.Namespace) -> None:
    """The whole way: job, scene, .blend, preview; prints progress and what it made. Raises JobError."""
    started = time.monotonic()
    _make_folder(options.output)
    for sentence in left_out(options.found):
        print(sentence)
    request = make_request(options)
    asked = f"{len(request.photos)} photos" if options.clip is None else f"clip {options.clip.name}"
    print(f"{asked}, checkpoint {request.checkpoint}", flush=True)
    prediction = answer_of(options, request)
    answered = time.monotonic()
    photos = {}
    if options.clip is None:
        photos = dict(zip(options.photos, request.photos, strict=True))
    del request
    try:
        objects, output, kept = _save_scene(prediction, photos, options)
    except Exception as error:  # whatever it is: minutes of work are not lost
        raise _with_answer_kept(error, prediction, options) from error
    saved = time.monotonic()
    for line in report(prediction, objects):
        print(line)
    print(f"{'photos' if options.clip is None else 'clip'}: {kept}")
    print(f"scene: {output} ({output.stat().st_size / 1e6:.1f} MB)", flush=True)
    for path in options.splats:
        print(f"splats: {path} ({_write_splats(objects, path):,})", flush=True)
    times = [f"worker {answered - started:.1f} s", f"scene {saved - answered:.1f} s"]
    if options.preview is not None:
        preview = options.preview if is_marked(options.preview) else unclaimed(options.preview)
        write_preview(objects, preview, options.preview_splats)
        print(f"preview: {preview}")
        times.append(f"preview {time.monotonic() - saved:.1f} s")
    print("took: " + ", ".join(times))


def _write_splats(objects: SceneObjects, path: Path) -> int:
    """All that the scene shows of its splats where they are switched on; returns how many. Raises JobError."""
    _make_folder(path)
    item = objects.splats
    if item is None:
        raise JobError("export-nothing", "The scene has no splats.", "Give a checkpoint or photos that make some.")
    hidden, item.hide_viewport = item.hide_viewport, False
    try:
        return export_splats(path, {item}, bpy.context.evaluated_depsgraph_get())
    finally:
        item.hide_viewport = hidden


def _make_folder(output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder {output.parent} cannot be made: {error.strerror}."
        raise JobError("output-unwritten", sentence, "Choose another --output.") from error


def _save_scene(
    prediction: Prediction, photos: dict[Path, Photo], options: argparse.Namespace
) -> tuple[SceneObjects, Path, str]:
    """The scene, its .blend, and where that has its photos from. Raises JobError `output-unwritten` with the place of
    the .blend where it had to go elsewhere."""
    if options.clip is None:
        seen = dict(of_views(prediction, distinct_names(options.photos), list(photos.items())))
        prediction = as_seen(prediction, seen)
    objects = build_scene(prediction, options)
    # Asked before the job, too; somebody may have saved there since.
    output = options.output if options.overwrite else unclaimed(options.output)
    how_kept = "link" if options.clip is not None else options.photo_files
    try:
        return objects, output, blend_file.save(output, photos, how_kept)
    except Exception as error:
        for how in (how_kept, "whole"):  # without the photos it is smaller
            place = keep(lambda path, how=how: blend_file.save(path, photos, how), output.name)
            if place is not None:
                raise SavedElsewhere(failure_of(error), place) from error
        raise


class SavedElsewhere(JobError):
    """The scene is not where it should be, but whole and safe at `place`."""

    def __init__(self, failure: Failure, place: Path) -> None:
        sentence = f"{failure.sentence} It was saved as {place} instead."
        super().__init__(failure.code, sentence, f"Move it to where it shall stay. {failure.advice}".strip())


def _with_answer_kept(error: Exception, prediction: Prediction, options: argparse.Namespace) -> JobError:
    """The failure to raise, which tells where the worker's answer is, if the scene itself could not be kept."""
    if isinstance(error, SavedElsewhere | PlanError):
        return error
    failure = failure_of(error)
    place = options.answer or keep_answer(prediction, options.output.stem)
    if place is None:
        sentence = f"{failure.sentence} No other disk has room for it either, so it is lost."
        return JobError(failure.code, sentence, failure.advice, failure.log)
    advice = f"The same command with --answer {place} makes the scene without computing again."
    sentence = f"{failure.sentence} What was computed is kept in {place}."
    return JobError(failure.code, sentence, f"{failure.advice} {advice}".strip(), failure.log)


def run(options: argparse.Namespace) -> int:
    """`make_scene` for a command line: tells on standard error what went wrong, and returns the exit status."""
    try:
        make_scene(options)
    except Exception as error:
        wait_if_ending()
        failure = failure_of(error)
        parts = [failure.log, f"{failure.code}: {failure.sentence}", failure.advice]
        print(readable("\n".join(part for part in parts if part)), file=sys.stderr)
        return 1
    wait_if_ending()
    return 0
