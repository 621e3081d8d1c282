"""A clip in a Blender with a window, from the file browser to the finished scene and back; every step a picture.

    DA3_BLENDER=blender python tests/window/drive_clip.py EXTENSION.zip CLIP WORKER_PYTHON PICTURES

CLIP: a film, or a picture of an image sequence. Other arguments, and what has to be there: as of `drive_panel`. It ends
with an error where another frame than the right one is behind the camera, or lies nearest to what the points show, or
where something of the artist's is not as it was before.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from blender_window import BlenderWindow
from drive_panel import JOB_SECONDS, OWN, SETTLE, START, WATCH, Story
from PIL import Image

FILMS = (".mp4", ".mov", ".mkv", ".webm", ".avi")

SEEN = (96, 96)
"""Width and height in pixels at which what is seen is compared with the clip's frames."""

ONLY = """
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
scene = bpy.context.scene
camera, space = scene.camera, area.spaces[0]
view = next(region for region in area.regions if region.type == "WINDOW")
camera.data.background_images[0].alpha = {opacity}
for item in scene.objects:
    item.hide_set(item != camera and (item.get("da3_role") != "points" or {opacity} > 0))
space.overlay.show_overlays = {opacity} > 0
space.show_region_ui = space.show_region_toolbar = space.show_gizmo = False
space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = space.overlay.show_cursor = False
space.overlay.show_text = False
camera.data.show_passepartout = False
scene.frame_set({frame})
"""
"""Shows in the viewport nothing but the clip, or nothing but the points, at a frame of the scene."""

FRAME_BOX = """
corners = [camera.matrix_world @ corner for corner in camera.data.view_frame(scene=scene)]
seen = np.array([location_3d_to_region_2d(view, space.region_3d, corner) for corner in corners])
(left, low), (right, high) = np.ceil(seen.min(0)) + 3, np.floor(seen.max(0)) - 3
answer = [int(view.x + left), int(window.height - view.y - high), int(right - left), int(high - low)]
"""
"""Where on the screen the camera's frame is: its box, a little inside of it."""

STATE = """
camera = bpy.context.scene.camera
keys = [curve for layer in camera.animation_data.action.layers for strip in layer.strips
        for bag in strip.channelbags for curve in bag.fcurves] if camera.animation_data else []
answer = {"cameras": [item.name for item in bpy.context.scene.objects if item.type == "CAMERA"],
          "keys": len(keys[0].keyframe_points) if keys else 0,
          "behind": [bpy.path.abspath(clip.filepath) for clip in bpy.data.movieclips], "actions": len(bpy.data.actions)}
"""


class ClipStory(Story):
    """frames: of the clip, by the scene's frame that shows each; at `SEEN` pixels."""

    def __init__(self, blender: BlenderWindow, pictures: Path, frames: dict[int, np.ndarray]) -> None:
        super().__init__(blender, pictures)
        self.frames = frames

    def choose_clip(self, clip: Path) -> None:
        """In the file browser, where it is the only file that a click on all chooses."""
        film = clip.suffix.lower() in FILMS
        self.blender.click("da3.add_video" if film else "da3.add_sequence")
        self.blender.until("len(bpy.context.window_manager.windows) == 2")
        time.sleep(SETTLE)
        browser = "bpy.context.window_manager.windows[1].screen.areas[0].spaces[0].params"
        self.blender.do(f"{browser}.directory = {str(clip.parent).encode()!r}")
        time.sleep(2 * SETTLE)
        self.blender.do(f"{browser}.filename = {clip.name!r}")
        left, top, width, height = self.blender.box("FILE_BROWSER", "WINDOW", 1)
        self.picture("choosing")
        self.blender.mouse("mousemove", left + width // 2, top + height - 60, "key", "Return")
        self.blender.until("len(settings().photos) == 1")
        self.sidebar("clip")

    def check_frames(self, name: str, numbers: list[int]) -> None:
        """That each of these frames of the scene has its frame of the clip behind the camera, and points like it."""
        before = self.blender.do("answer = bpy.context.scene.frame_current")
        for number in numbers:
            for what, opacity in (("film", 1.0), ("points", 0.0)):
                self.blender.do(ONLY.format(opacity=opacity, frame=number))
                self.settle()
                file = self.pictures / f"{name}_{number}_{what}.png"
                self.blender.mouse("mousemove", 400, 990)
                self.blender.shot(file, tuple(self.blender.do(FRAME_BOX)))
                self._compare(file, number, what)
        self.blender.do(f"bpy.context.scene.frame_set({before})")
        self.blender.do("space.show_region_ui = True; space.overlay.show_overlays = space.overlay.show_text = True")
        self.blender.do("[item.hide_set(item.get('da3_role') == 'splats') for item in scene.objects]")
        self.blender.do("camera.data.background_images[0].alpha = 0.5")

    def _compare(self, file: Path, number: int, what: str) -> None:
        seen = small(np.asarray(Image.open(file).convert("RGB")))
        apart = {frame: float(np.abs(picture - seen).mean()) for frame, picture in self.frames.items()}
        nearest = min(apart, key=apart.__getitem__)
        print(f"frame {number}, {what}: nearest is {nearest}, {apart[nearest]:.1f} of 255 off", flush=True)
        if nearest != number:
            sys.exit(f"The {what} of frame {number} show frame {nearest}: {file}")

    def update_clip(self, step: int) -> None:
        """Every `step`-th frame; then undone, and done again."""
        self.blender.do(f"settings().clip_step = {step}")
        before = self.state("before the update")
        self.blender.click("da3.update")
        self.blender.do(WATCH)
        self.blender.until("not live.jobs().state.running", JOB_SECONDS)
        print(f"longest pause of the update, seconds: {self.pauses():.2f}", flush=True)
        self.blender.do("bpy.app.timers.unregister(watch)")
        self.settle()
        self.picture("clip_updated")
        after = self.state("after the update")
        self.in_window("bpy.ops.ed.undo()")
        undone = self.state("undone")
        self.in_window("bpy.ops.ed.redo()")
        done = self.state("done again")
        if undone != before or done != after:
            sys.exit("Undo or redo of an update brings something else.")

    def state(self, when: str) -> dict[str, object]:
        """What the file has of the clip."""
        told = self.blender.do(STATE)
        print(f"{when}: {told}", flush=True)
        return told

    def in_window(self, source: str) -> None:
        """Run what needs a window, and find all that a new state of the file replaced."""
        self.blender.do(f"with bpy.context.temp_override(window=window, area=area): {source}")
        time.sleep(SETTLE)
        self.blender.do(START)
        self.settle()

    def save(self, file: Path) -> dict[str, object]:
        """What the saved file has to have of the clip when it is opened."""
        self.blender.do(f"bpy.ops.wm.save_as_mainfile(filepath={str(file)!r}); bpy.ops.wm.save_userpref()")
        return self.state("saved")

    def check_opened(self, saved: dict[str, object]) -> None:
        """That the file, opened by a Blender of its own, has what was saved."""
        self.blender.do(START)
        self.settle()
        self.picture("clip_opened")
        if self.state("opened") != saved:
            sys.exit("The file opens with something else than was saved.")


def small(picture: np.ndarray) -> np.ndarray:
    """[H,W,3] uint8 at `SEEN` pixels, float32."""
    return np.asarray(Image.fromarray(picture).resize(SEEN, Image.Resampling.BOX), np.float32)


def clip_frames(clip: Path) -> dict[int, np.ndarray]:
    """The clip's frames, by the scene's frame that shows each, upright, at `SEEN` pixels. Read with PyAV alone."""
    if clip.suffix.lower() not in FILMS:
        head = clip.stem.rstrip("0123456789")
        files = sorted(clip.parent.glob(f"{head}*{clip.suffix}"))
        return {int(file.stem.removeprefix(head)): small(np.asarray(Image.open(file).convert("RGB"))) for file in files}
    with av.open(str(clip)) as film:
        frames = list(film.decode(video=0))
        return {
            number: small(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))
            for number, frame in enumerate(frames, 1)
        }


def main() -> None:
    program = os.environ.get("DA3_BLENDER")
    if len(sys.argv) != 5 or not program:
        sys.exit(__doc__)
    extension, clip, python, pictures = (Path(word).absolute() for word in sys.argv[1:])
    pictures.mkdir(parents=True, exist_ok=True)
    profile = Path(tempfile.mkdtemp(prefix="da3-profile-"))
    try:
        frames, file = clip_frames(clip), profile / "clip.blend"
        there = list(frames)
        with BlenderWindow(program, profile) as blender:
            story = ClipStory(blender, pictures, frames)
            story.install(extension)
            blender.do(f"chosen.runtime_kind = 'python'; chosen.python_path = {str(python)!r}")
            own = blender.do(OWN)
            story.choose_clip(clip)
            story.make("clip_running")
            story.settle()
            story.picture("clip_arrival")
            story.check_frames("made", [there[0], there[len(there) // 3], there[-1]])
            story.update_clip(2)
            story.check_frames("updated", [there[len(there) // 2]])
            saved = story.save(file)
        with BlenderWindow(program, profile, [str(file)]) as blender:
            story = ClipStory(blender, pictures, frames)
            story.check_opened(saved)
            story.check_frames("opened", [there[len(there) // 3]])
            story.remove(own)
    finally:
        shutil.rmtree(profile)


if __name__ == "__main__":
    main()
