"""A Blender with a window, as somebody in front of it has it: keys, mouse and eyes, and its Python besides.

Needs a screen (DISPLAY; a virtual one, of Xvfb, will do), and the programs `xdotool` and `import` (ImageMagick).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

SIZE = (1600, 1000)
MARK = "ANSWER "
STEP = 11
"""Pixels between two places where a button is looked for: half a button's height."""

ACROSS = (0.5, 0.25, 0.75, 0.83, 0.9)
"""Where in a region's width buttons are looked for, one after the other."""

HOVER_SECONDS = 0.06
"""That Blender needs to see over which button the mouse is."""

PATIENCE = 300.0
"""Seconds for an answer: a scene of many points, drawn in software, keeps Blender for a minute."""

LEAKS = ("PYTHONPATH", "DA3_WORKER_PYTHON")
"""Variables that would give Blender more than an artist's has."""

Box = tuple[int, int, int, int]
"""x, y, width, height on the screen, from its upper left corner."""

REGION = """
areas = [area for area in bpy.context.window_manager.windows[{window}].screen.areas if area.type == {area!r}]
region = next(region for region in areas[0].regions if region.type == {region!r})
"""

UNDER_MOUSE = (
    REGION
    + """
window = bpy.context.window_manager.windows[{window}]
window_manager = bpy.context.window_manager
window_manager.clipboard = ""
with bpy.context.temp_override(window=window, area=areas[0], region=region):
    for ask in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
        if ask.poll():
            ask()
            break
answer = window_manager.clipboard
"""
)


class BlenderWindow:
    """program: Blender's path; profile: an empty folder for its settings. Use as a context manager."""

    def __init__(self, program: str, profile: Path, arguments: Sequence[str] = ()) -> None:
        profile.mkdir(parents=True, exist_ok=True)
        variables = {name: value for name, value in os.environ.items() if name not in LEAKS}
        variables["BLENDER_USER_RESOURCES"] = str(profile)
        script = Path(__file__).with_name("inside_blender.py")
        geometry = ["--window-geometry", "0", "0", *map(str, SIZE)]
        self._process = subprocess.Popen(
            [program, *geometry, *arguments, "--python", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=variables,
        )
        self.log: list[str] = []
        self._answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> BlenderWindow:
        self.do("", 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, source: str, seconds: float = PATIENCE) -> Any:
        """Run Python in Blender; what it leaves in `answer`. Raises RuntimeError where that fails."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(source) + "\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + seconds
        while True:
            try:
                told = self._answers.get(timeout=0.2)
                break
            except Empty:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("Blender does not answer:\n" + "\n".join(self.log[-40:])) from None
        if "error" in told:
            raise RuntimeError(told["error"])
        return told["answer"]

    def until(self, condition: str, seconds: float = 60.0) -> None:
        """Wait until a Python expression is true in Blender."""
        deadline = time.monotonic() + seconds
        while not self.do(f"answer = bool({condition})"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"It never came to {condition}:\n" + "\n".join(self.log[-40:]))
            time.sleep(0.2)

    def box(self, area: str, region: str, window: int = 0) -> Box:
        """Where a region is on the screen."""
        place = "answer = region.x, region.y, region.width, region.height"
        x, y, width, height = self.do(REGION.format(area=area, region=region, window=window) + place)
        left, top = self._origin(window)
        height_of_window = self.do(f"answer = bpy.context.window_manager.windows[{window}].height")
        return left + x, top + height_of_window - y - height, width, height

    def find(self, button: str, area: str = "VIEW_3D", region: str = "UI", window: int = 0) -> tuple[int, int]:
        """The place of the button whose command or property has this text: the mouse is moved over them all."""
        left, top, width, height = self.box(area, region, window)
        ask, seen = UNDER_MOUSE.format(area=area, region=region, window=window), set[str]()
        for across in ACROSS:
            for y in range(top + STEP, top + height, STEP):
                x = left + int(across * width)
                self.mouse("mousemove", x, y)
                time.sleep(HOVER_SECONDS)
                told = self.do(ask)
                if told and button in told:
                    return x, y
                seen.add(told)
        raise RuntimeError(f"There is no button {button!r} among {sorted(seen)}")

    def click(self, button: str, area: str = "VIEW_3D", region: str = "UI", window: int = 0) -> None:
        """Click a button as a person does."""
        x, y = self.find(button, area, region, window)
        self.mouse("mousemove", x, y, "click", 1)
        time.sleep(0.5)

    @staticmethod
    def mouse(*words: str | int) -> None:
        """One call of xdotool."""
        subprocess.run(["xdotool", *map(str, words)], check=True)

    @staticmethod
    def shot(file: Path, box: Box | None = None) -> None:
        """The screen, or a part of it, as a picture."""
        crop = [] if box is None else ["-crop", "{2}x{3}+{0}+{1}".format(*box), "+repage"]
        subprocess.run(["import", "-window", "root", *crop, str(file)], check=True)

    @staticmethod
    def _origin(window: int) -> tuple[int, int]:
        if window == 0:
            return 0, 0
        newest = ask("xdotool", "search", "--class", "blender").split()[-1]
        place = dict(line.split("=") for line in ask("xdotool", "getwindowgeometry", "--shell", newest).split())
        return int(place["X"]), int(place["Y"])

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(MARK):
                self._answers.put(json.loads(line.removeprefix(MARK)))
            else:
                self.log.append(line.rstrip())
                print(line, end="", file=sys.stderr)


def ask(*words: str) -> str:
    """What a program prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
