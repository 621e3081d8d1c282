"""From an empty profile to a finished scene in a Blender with a window, as an artist does it; every step a picture.

    DA3_BLENDER=blender python tests/window/drive_panel.py EXTENSION.zip PHOTOS WORKER_PYTHON PICTURES

WORKER_PYTHON: a Python that has the worker's package, which the preferences are given. PICTURES: the folder for the
screenshots. What `blender_window` needs has to be there: a screen, xdotool and ImageMagick.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from blender_window import BlenderWindow, Box

MODULE = "bl_ext.user_default.da3_blender"
SETTLE = 1.5
"""Seconds until what was asked for is drawn, where drawing is done in software."""

JOB_SECONDS = 400.0
START = f"""
import importlib, time
window = bpy.context.window_manager.windows[0]
area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
sidebar = next(region for region in area.regions if region.type == "UI")
live = importlib.import_module("{MODULE}.live")
settings = lambda: bpy.context.scene.da3
chosen = bpy.context.preferences.addons["{MODULE}"].preferences
"""


WATCH = """
pauses, last = [], [time.monotonic()]
def watch():
    pauses.append(time.monotonic() - last[0])
    last[0] = time.monotonic()
    return 0.0
bpy.app.timers.register(watch, persistent=True)
"""
"""Notes how long Blender's main thread kept a timer waiting, which would run all the time."""


BESIDE = """
from mathutils import Quaternion, Vector
view = area.spaces[0].region_3d
camera = bpy.context.scene.camera.matrix_world
view.view_perspective = 'PERSP'
view.view_rotation = Quaternion((0, 0, 1), -0.35) @ camera.to_quaternion()
view.view_location = camera.translation + camera.to_quaternion() @ Vector((0.4, 0, -3.5))
view.view_distance = 8
"""
"""Turns the viewport about what the scene's camera looks at."""

OWN = """
scene = bpy.context.scene
answer = [scene.camera and scene.camera.name, scene.render.resolution_x, scene.render.resolution_y,
          scene.frame_start, scene.frame_end, len(scene.timeline_markers)]
"""
"""What of the scene is the artist's, whatever photos come and go."""

FLOOR = """
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
cloud = next(item for item in bpy.data.objects if item.get("da3_role") == "points")
places = np.zeros(3 * len(cloud.data.vertices), np.float32)
cloud.data.attributes["position"].data.foreach_get("vector", places)
places = places.reshape(-1, 3)
view = next(region for region in area.regions if region.type == "WINDOW")
low = places[places[:, 2] < np.quantile(places[:, 2], 0.08)][::29]
seen = [location_3d_to_region_2d(view, area.spaces[0].region_3d, place) for place in low]
inside = lambda place: place and 60 < place.x < view.width - 420 and 60 < place.y < view.height - 60
seen = np.array([place for place in seen if inside(place)])
left, right = seen[np.argmin(seen[:, 0])], seen[np.argmax(seen[:, 0])]
aside = np.abs((seen - left) @ np.array([left[1] - right[1], right[0] - left[0]]))
corners = [left, right, seen[np.argmax(aside)]]
answer = [(int(view.x + x), int(window.height - view.y - y)) for x, y in corners]
"""
"""Pixels of the screen where points of the floor are seen, clear of the sidebar."""


class Story:
    """One Blender, and the pictures of what it shows."""

    def __init__(self, blender: BlenderWindow, pictures: Path) -> None:
        self.blender, self.pictures = blender, pictures

    def picture(self, name: str, box: Box | None = None) -> None:
        """Of the screen, or a part of it, with the mouse out of the way."""
        self.blender.mouse("mousemove", 400, 990)
        time.sleep(SETTLE)
        self.blender.shot(self.pictures / f"{name}.png", box)
        print(f"{name}.png", flush=True)

    def sidebar(self, name: str) -> None:
        self.picture(name, self.blender.box("VIEW_3D", "UI"))

    def install(self, extension: Path) -> None:
        """The zip comes in as Install from Disk does it, then N and the tab show the panel."""
        self.blender.do(
            f"bpy.ops.extensions.package_install_files(filepath={str(extension)!r}, repo='user_default', "
            "enable_on_install=True)"
        )
        self.blender.do(START)
        self.blender.mouse("mousemove", 500, 400, "key", "n")
        self.blender.until("sidebar.width > 1")
        time.sleep(SETTLE)
        self.blender.do("sidebar.active_panel_category = 'DA3'; sidebar.tag_redraw()")
        self.sidebar("empty")

    def choose_runtime(self, python: Path) -> None:
        """By the button of the panel; the preferences open in a window of their own."""
        self.blender.click("da3.show_preferences")
        self.blender.until("len(bpy.context.window_manager.windows) == 2")
        time.sleep(SETTLE)
        self.picture("preferences_first")
        self.blender.do(f"chosen.runtime_kind = 'python'; chosen.python_path = {str(python)!r}")
        time.sleep(SETTLE)
        self.blender.click("da3.test_runtime", "PREFERENCES", "WINDOW", 1)
        self.blender.until("not live.runtime().busy", JOB_SECONDS)
        self.picture("preferences")
        self.blender.do(
            "with bpy.context.temp_override(window=bpy.context.window_manager.windows[1]): bpy.ops.wm.window_close()"
        )

    def choose_photos(self, photos: Path) -> None:
        """In the file browser: all files of a folder."""
        self.blender.click("da3.add_photos")
        self.blender.until("len(bpy.context.window_manager.windows) == 2")
        time.sleep(SETTLE)
        browser = "bpy.context.window_manager.windows[1].screen.areas[0].spaces[0].params"
        self.blender.do(f"{browser}.directory = {str(photos).encode()!r}")
        time.sleep(2 * SETTLE)
        left, top, width, height = self.blender.box("FILE_BROWSER", "WINDOW", 1)
        self.blender.mouse("mousemove", left + width // 2, top + height // 2, "key", "a")
        time.sleep(SETTLE)
        self.picture("choosing")
        self.blender.mouse("mousemove", left + width // 2, top + height // 2, "key", "Return")
        self.blender.until("len(settings().photos) > 1")
        self.sidebar("photos")

    def make(self, picture: str = "", fraction: float = 0.3) -> None:
        """Press the one button; on the way, a picture, and the main thread's pauses until the result is placed."""
        self.blender.click("da3.run")
        self.blender.until(f"live.jobs().state.fraction > {fraction} or not live.jobs().state.running", JOB_SECONDS)
        if picture:
            self.sidebar(picture)
        self.blender.do(WATCH)
        self.blender.until("live.jobs().state.fraction > 0.9 or not live.jobs().state.running", JOB_SECONDS)
        working = self.pauses()
        self.blender.until("not live.jobs().state.running", JOB_SECONDS)
        placing = self.pauses()
        time.sleep(5)
        self.blender.do("sidebar.tag_redraw()")
        print(
            f"longest pause, seconds: at work {working:.2f}, placing {placing:.2f}, with nothing to do but drawing the "
            f"sidebar {self.pauses():.2f}",
            flush=True,
        )
        self.blender.do("bpy.app.timers.unregister(watch)")

    def pauses(self) -> float:
        """The longest since the last call."""
        return self.blender.do("answer = max(pauses, default=0.0); pauses.clear()")

    def show_arrival(self) -> None:
        """What the artist sees without touching anything; then through another photo, and from beside it."""
        self.settle()
        self.picture("arrival")
        self.sidebar("result")
        self.blender.click('camera="living_room_3')
        self.settle()
        self.picture("through")
        self.blender.do(BESIDE)
        self.settle()
        self.picture("done")

    def show_splats(self) -> None:
        """Splats instead of points, from beside in Solid, and back."""
        self.blender.click("role='splats'")
        self.blender.click("role='points'")
        shading = self.blender.do("shading = area.spaces[0].shading; answer = shading.type; shading.type = 'SOLID'")
        self.settle()
        self.picture("splats")
        self.blender.do(f"area.spaces[0].shading.type = {shading!r}")
        self.blender.click("role='points'")
        self.blender.click("role='splats'")

    def set_floor(self) -> None:
        """Three clicks on the floor, through the third photo."""
        self.blender.click('camera="living_room_3')
        self.settle()
        places = self.blender.do(FLOOR)
        self.blender.click("da3.pick_floor")
        for x, y in places:
            self.blender.mouse("mousemove", x, y)
            time.sleep(SETTLE)
            self.blender.mouse("click", 1)
            time.sleep(SETTLE)
        self.settle()
        self.picture("floor")

    def update(self) -> None:
        """The same photos again; progress stands where the button was."""
        self.blender.click("da3.update")
        self.blender.until("live.jobs().state.fraction > 0.2 or not live.jobs().state.running", JOB_SECONDS)
        self.sidebar("updating")
        self.blender.until("not live.jobs().state.running", JOB_SECONDS)
        self.settle()
        self.picture("updated")

    def remove(self, own: list[object]) -> None:
        self.blender.click("da3.remove(")
        self.blender.do(BESIDE.replace("scene.camera", "scene.objects['Camera']"))
        self.settle()
        self.picture("removed")
        left = self.blender.do(OWN)
        print(f"the artist's camera, size, frames and markers: before {own}, after {left}", flush=True)
        if left != own:
            sys.exit("What is the artist's has changed.")

    def settle(self) -> None:
        """Until EEVEE has made its shaders and drawn."""
        time.sleep(3)
        self.blender.until("not bpy.app.is_job_running('SHADER_COMPILATION')", JOB_SECONDS)
        time.sleep(4 * SETTLE)

    def fail(self) -> None:
        """The worker dies in the middle of a job."""
        self.blender.click("da3.run")
        self.blender.until("live.jobs().state.fraction > 0.1 or not live.jobs().state.running", JOB_SECONDS)
        self.blender.do("import os, signal; os.kill(live.jobs().worker.pid, signal.SIGKILL)")
        self.blender.until("live.jobs().state.failure")
        self.sidebar("failed")
        self.blender.click("da3.dismiss_failure")


def main() -> None:
    program = os.environ.get("DA3_BLENDER")
    if len(sys.argv) != 5 or not program:
        sys.exit(__doc__)
    extension, photos, python, pictures = (Path(word).absolute() for word in sys.argv[1:])
    pictures.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(prefix="da3-profile-"))
    try:
        with BlenderWindow(program, profile) as blender:
            story = Story(blender, pictures)
            story.install(extension)
            story.choose_runtime(python)
            story.choose_photos(photos)
            own = blender.do(OWN)
            story.make("running")
            story.show_arrival()
            story.show_splats()
            story.set_floor()
            story.update()
            story.fail()
            story.remove(own)
    finally:
        shutil.rmtree(profile)


if __name__ == "__main__":
    main()
