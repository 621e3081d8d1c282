"""Run by a Blender with a window: does what its standard input asks, in Blender's main thread, between its own events.

One line of Python per request; `answer` holds what is sent back, as JSON on one line after MARK.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from queue import Empty, SimpleQueue

import bpy

MARK = "ANSWER "
SECONDS = 0.02

requests: SimpleQueue[str] = SimpleQueue()
names: dict[str, object] = {"bpy": bpy}


def read() -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))


def serve() -> float:
    try:
        source = requests.get_nowait()
    except Empty:
        return SECONDS
    names["answer"] = None
    try:
        exec(source, names)
        told = {"answer": names["answer"]}
    except Exception:
        told = {"error": traceback.format_exc()}
    print(MARK + json.dumps(told), flush=True)
    return SECONDS


bpy.context.preferences.view.show_splash = False
threading.Thread(target=read, name="requests", daemon=True).start()
bpy.app.timers.register(serve, persistent=True)
