"""Jobs from the button to the placed scene, with a worker that needs no torch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

bpy = pytest.importorskip("bpy")

import da3_blender  # noqa: E402
from da3_blender import live, timer  # noqa: E402
from da3_blender.jobs import manager as job_manager  # noqa: E402
from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.jobs.manager import make_result  # noqa: E402
from da3_blender.operators import report_of  # noqa: E402
from da3_blender.photos import photo_list  # noqa: E402
from da3_blender.runtime.worker_command import RuntimeSettings  # noqa: E402
from da3_blender.runtime.worker_process import WorkerProcess  # noqa: E402
from da3_blender.scene import find, write_scene  # noqa: E402
from da3_blender.scene.meshes import point_count  # noqa: E402
from model_runtime.contract.messages import Failure, JobError, MeshSettings, Prediction, Request  # noqa: E402


@pytest.fixture
def scene(addon_scene, two_photos):
    """A scene with two photos and the fake worker behind the button."""
    photo_list.add_folder(addon_scene.da3, two_photos)
    addon_scene.da3.model = "room"
    addon_scene.da3.scene_name = "kitchen"
    return addon_scene


def pump_until(met: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        timer.pump()
        assert time.monotonic() < deadline, live.jobs().state
        time.sleep(0.01)


def state():
    return live.jobs().state


def datablocks(collection) -> list[tuple[object, ...]]:
    """Everything that tells two scenes apart but their ids."""
    rows = []
    for item in sorted(collection.all_objects, key=lambda item: item["da3_role"] + item.name.partition(".0")[0]):
        size = round(item.data.lens, 4) if item.type == "CAMERA" else point_count(item.data)
        matrix = [round(value, 5) for row in item.matrix_world for value in row]
        rows.append((item["da3_role"], item.get("da3_view"), size, matrix))
    return rows


def test_switching_on_and_off_leaves_nothing():
    before = (set(dir(bpy.types)), [len(handlers) for handlers in handler_lists()])
    for _ in range(2):
        da3_blender.register()
        assert hasattr(bpy.types.Scene, "da3")
        da3_blender.unregister()
    assert (set(dir(bpy.types)), [len(handlers) for handlers in handler_lists()]) == before
    assert not hasattr(bpy.types.Scene, "da3")
    assert not bpy.app.timers.is_registered(timer._tick)


def handler_lists() -> list[list[object]]:
    return [
        value for value in (getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)) if type(value) is list
    ]


def test_the_button_makes_the_scene_that_scripts_make(scene, fake_worker):
    assert bpy.ops.da3.run() == {"FINISHED"} and not bpy.ops.da3.run.poll()
    assert timer.wait(30)
    (made,) = find.results(scene)
    assert made.name == "DA3 kitchen" and state().placed == made["da3_id"] and not state().running

    read, target = job_request.make_job(scene)
    worker, answer = WorkerProcess(fake_worker), None
    job = worker.submit(read())
    while job in worker.jobs:
        answer = next((e.message for e in worker.poll() if isinstance(e.message, Prediction)), answer)
        time.sleep(0.01)
    worker.close()
    assert isinstance(answer, Prediction)
    by_script = write_scene(make_result(answer, target).plan, scene)
    assert datablocks(by_script.collection) == datablocks(made)


def test_settings_reach_the_request(scene):
    settings = scene.da3
    settings.own_resolution, settings.resolution = True, 112
    settings.camera_source, settings.refine, settings.make_splats = "rays", True, False
    settings.edge_angle, settings.confidence, settings.upright = 25, 0.5, False
    assert settings.refine_depth == Request(()).refine_depth
    settings.refine_depth = "off"
    assert settings.improve_splats == Request(()).improve_splats
    settings.improve_splats = True
    assert settings.backend == Request(()).backend
    settings.backend = "onnx"
    read, target = job_request.make_job(scene)
    request = read()
    assert [photo.name for photo in request.photos] == ["a.png", "b.png"]
    assert (request.checkpoint, request.resolution, request.camera_source) == ("room", 112, "rays")
    assert request.refine and request.refine_depth == "off" and not request.gaussians
    assert request.improve_splats and request.backend == "onnx"
    assert (target.plan_settings.edge_angle, target.plan_settings.confidence_threshold) == (25, 0.5)
    assert not target.plan_settings.upright and target.scene_uid == scene.session_uid
    assert request.mesh is None and not target.plan_settings.sheets
    settings.make_mesh = "fused"
    read, target = job_request.make_job(scene)
    assert read().mesh == MeshSettings(edge_angle=25, confidence_threshold=0.5) and not target.plan_settings.sheets
    settings.make_mesh = "sheets"
    read, target = job_request.make_job(scene)
    assert read().mesh is None and target.plan_settings.sheets
    settings.camera_source = "given"
    with pytest.raises(JobError, match=r"No camera is known for a\.png, b\.png"):
        job_request.make_job(scene)


def test_photos_packed_in_the_file_are_shown(scene, tmp_path):
    scene.da3.photos.clear()
    scene.da3.make_mesh = "sheets"
    image = bpy.data.images.load(str(tmp_path / "a.png"))
    image.pack()
    (tmp_path / "a.png").unlink()
    photo_list.add_images(scene.da3, [image])
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    (camera,), (sheet,) = find.objects_of(made, "camera"), find.objects_of(made, "sheet")
    assert camera.data.background_images[0].image == image
    textures = [node.image for node in sheet.data.materials[0].node_tree.nodes if node.type == "TEX_IMAGE"]
    assert textures == [image] and len(bpy.data.images) == 1


def test_progress_and_the_worker_stays(scene):
    scene.da3.model = "slow"
    bpy.ops.da3.run()
    fractions = []
    while timer.pump():
        fractions.append(state().fraction)
        time.sleep(0.01)
    assert fractions == sorted(fractions) and len(set(fractions)) > 10 and 0.9 < fractions[-1] <= 1
    worker = live.jobs().worker
    assert worker is not None
    first = worker.pid
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30)
    assert worker.pid == first and len(find.results(scene)) == 2


def test_cancel_frees_the_button_at_once(scene):
    scene.da3.model = "hang"
    bpy.ops.da3.run()
    pump_until(lambda: state().sentence.startswith("Step"))
    bpy.ops.da3.cancel()
    assert not state().running and bpy.ops.da3.run.poll() and state().failure is None
    assert timer.wait(20) and find.results(scene) == []
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30) and len(find.results(scene)) == 1


def test_a_worker_that_heeds_cancel_goes_on_with_the_next_job(scene):
    scene.da3.model = "hang"
    bpy.ops.da3.run()
    pump_until(lambda: state().sentence.startswith("Step"))
    worker = live.jobs().worker
    assert worker is not None
    first = worker.pid
    bpy.ops.da3.cancel()
    time.sleep(1)
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30) and live.jobs().worker is worker and worker.pid == first


def test_a_deaf_worker_is_replaced_by_the_next_job(scene):
    scene.da3.model = "deaf"
    bpy.ops.da3.run()
    pump_until(lambda: state().sentence.startswith("Step"))
    worker = live.jobs().worker
    assert worker is not None and worker.pid is not None
    old = worker.pid
    bpy.ops.da3.cancel()
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert timer.wait(30) and len(find.results(scene)) == 1
    assert subprocess.run(["ps", "-p", str(old)], capture_output=True, check=False).returncode != 0


def test_failure_is_kept_until_the_next_job(scene):
    scene.da3.model = "fail"
    bpy.ops.da3.run()
    assert timer.wait(30)
    failure = state().failure
    assert failure is not None and (failure.code, failure.advice) == ("out-of-memory", "Lower the detail.")
    assert find.results(scene) == [] and bpy.ops.da3.copy_report() == {"FINISHED"}
    scene.da3.model = "room"
    bpy.ops.da3.run()
    assert state().failure is None and timer.wait(30)


def test_a_report_holds_no_passwords_and_no_names(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "very-secret")
    log = "at /home/anna/x.py: http://anna:pw@proxy/ with very-secret"
    told = report_of(Failure("internal", "It failed.", "", log))
    assert told == "internal: It failed.\nat ~/x.py: http://***@proxy/ with ***"


def test_death_of_the_worker_fails_the_job_with_its_log(scene):
    scene.da3.model = "die"
    bpy.ops.da3.run()
    assert timer.wait(30)
    failure = state().failure
    assert failure is not None and failure.code == "worker-died" and "the last words" in failure.log


def test_a_python_without_the_worker_is_named(scene, monkeypatch):
    settings = RuntimeSettings("python", python=sys.executable)
    monkeypatch.setattr("da3_blender.preferences.chosen_runtime", lambda: settings)
    monkeypatch.setattr("da3_blender.runtime.worker_command.ARGUMENTS", ("-m", "no_such_module_here"))
    bpy.ops.da3.run()
    assert timer.wait(30)
    failure = state().failure
    assert failure is not None and failure.code == "package-missing"
    assert sys.executable in failure.sentence and "no_such_module_here" in failure.log


def test_a_prediction_that_nobody_asked_for_is_told_and_never_placed(scene):
    scene.da3.model = "stranger"
    bpy.ops.da3.run()
    assert timer.wait(30)
    failure = state().failure
    assert failure is not None and failure.code == "wrong-answer"
    assert find.results(scene) == [] and not bpy.data.cameras


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
def test_a_worker_without_a_sign_of_life_is_told(scene, monkeypatch):
    monkeypatch.setattr(job_manager, "SILENCE_TOLD", 0.5)
    scene.da3.model = "hang"
    bpy.ops.da3.run()
    pump_until(lambda: state().sentence == "Step 19.")
    worker = live.jobs().worker
    assert worker is not None and worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    pump_until(lambda: state().sentence == "The worker has given no sign of life for 1 seconds.")
    os.kill(worker.pid, signal.SIGCONT)
    pump_until(lambda: state().sentence == "Step 19.")


def test_a_photo_that_vanished_fails_the_job(scene, tmp_path):
    (tmp_path / "a.png").unlink()
    bpy.ops.da3.run()
    assert timer.wait(30)
    assert state().failure is not None and state().failure.code == "photo-unreadable"


def test_nothing_to_do_is_shown_where_the_button_is(scene):
    bpy.ops.da3.clear_photos()
    with pytest.raises(RuntimeError, match="There are no photos yet"):
        bpy.ops.da3.run()
    assert state().failure is not None and state().failure.code == "no-photos"
    bpy.ops.da3.dismiss_failure()
    assert state().failure is None


def test_the_result_finds_its_scene_under_another_name(scene):
    bpy.ops.da3.run()
    other = bpy.data.scenes.new("other")
    bpy.context.window.scene = other
    scene.name = "renamed"
    assert timer.wait(30)
    assert len(find.results(scene)) == 1 and find.results(other) == []


def test_a_result_whose_scene_is_gone_waits(scene):
    bpy.ops.da3.run()
    other = bpy.data.scenes.new("other")
    bpy.context.window.scene = other
    bpy.data.scenes.remove(scene)
    assert timer.wait(30)
    assert state().waiting is not None and state().waiting.reason == "Its scene 'Scene' is not there any more."
    bpy.ops.da3.place_result()
    (made,) = find.results(other)
    assert state().placed == made["da3_id"] and state().waiting is None


def test_a_result_waits_when_another_file_was_opened(scene, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "first.blend"))
    bpy.ops.da3.run()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "first.blend"))
    pump_until(lambda: state().waiting is not None)
    assert find.results(bpy.context.scene) == []
    assert state().waiting.reason == "It was started in another file."
    with pytest.raises(RuntimeError, match="started in another file"):
        bpy.ops.da3.run()
    bpy.ops.da3.discard_result()
    assert state().waiting is None and bpy.ops.da3.run.poll()


def test_a_result_that_cannot_be_written_is_not_lost(scene, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr("da3_blender.jobs.placing.write_scene", fail)
        bpy.ops.da3.run()
        assert timer.wait(30)
    assert state().failure is not None and "no memory" in state().failure.sentence
    bpy.ops.da3.place_result()
    assert len(find.results(scene)) == 1


def test_placing_in_edit_mode(scene):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.da3.run()
    assert timer.wait(30)
    assert bpy.context.mode == "EDIT_MESH" and len(find.results(scene)) == 1
    bpy.ops.object.mode_set(mode="OBJECT")


def test_one_job_at_a_time(scene):
    scene.da3.model = "hang"
    bpy.ops.da3.run()
    with pytest.raises(JobError, match="'kitchen' is still being made"):
        live.start(Request(()), job_request.make_job(scene)[1])


def test_other_pumps_are_called_until_they_are_done(scene, capsys):
    calls = []

    def three_times() -> bool:
        calls.append(1)
        return len(calls) < 3

    def broken() -> bool:
        raise ZeroDivisionError

    timer.add_pump(three_times)
    timer.add_pump(three_times)
    timer.add_pump(broken)
    assert timer.wait(5) and len(calls) == 3
    assert capsys.readouterr().err.count("Traceback") == 1


def test_import_makes_a_scene_from_chosen_files(scene, tmp_path):
    bpy.ops.da3.clear_photos()
    bpy.ops.da3.import_photos(directory=str(tmp_path), files=[{"name": "a.png"}, {"name": "b.png"}])
    assert timer.wait(30) and len(find.results(scene)) == 1


def test_looking_through_a_photo_switches_camera_resolution_and_frame(scene):
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    second = find.objects_of(made, "camera")[1]
    bpy.ops.da3.look_through(camera=second.name)
    assert scene.camera == second and scene.frame_current == 2
    assert (scene.render.resolution_x, scene.render.resolution_y) == (100, 75)
    assert second.data.background_images[0].image.name == "b.png"


def test_showing_one_photo_only(scene):
    bpy.ops.da3.run()
    assert timer.wait(30)
    (made,) = find.results(scene)
    bpy.ops.da3.show_photo(result=made["da3_id"], photo="b.png", only=True)
    assert [bool(camera["da3_hidden"]) for camera in find.objects_of(made, "camera")] == [True, False]
    bpy.ops.da3.show_photo(result=made["da3_id"], photo="a.png")
    assert [bool(camera["da3_hidden"]) for camera in find.objects_of(made, "camera")] == [False, False]


def test_switching_off_ends_the_worker(scene):
    scene.da3.model = "hang"
    bpy.ops.da3.run()
    pump_until(lambda: state().sentence.startswith("Step"))
    worker = live.jobs().worker
    assert worker is not None
    pid = worker.pid
    da3_blender.unregister()
    try:
        assert subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode != 0
    finally:
        da3_blender.register()
