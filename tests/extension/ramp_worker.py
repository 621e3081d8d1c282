"""A worker that needs numpy only: takes half a second, tells progress, minds cancels, and answers with a ramp."""

import io
import select
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
import numpy as np

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    CheckpointInfo,
    Failure,
    Hello,
    Prediction,
    Progress,
    Request,
    View,
)

SHAPE = (120, 160)
BETWEEN_CAMERAS = 0.2

source, sink = io.FileIO(0, "rb"), io.FileIO(1, "wb")
waiting: list[tuple[str, pipe.Message]] = []


def answer(request: Request) -> Prediction:
    """The photos' sizes are taken to be 800 x 600."""
    intrinsics = np.array([[600.0, 0, 390], [0, 610, 310], [0, 0, 1]])
    sky, color = np.zeros(SHAPE, bool), np.full((*SHAPE, 3), 128, np.uint8)
    views = []
    for index, photo in enumerate(request.photos):
        depth = np.linspace(2, 3 + index, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
        place = np.eye(4)
        place[0, 3] = -BETWEEN_CAMERAS * index
        views.append(View(photo.name, (800, 600), depth, np.ones_like(depth), sky, color, place, intrinsics))
    return Prediction(tuple(views), None, CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True), "network")


def cancelled(seconds: float) -> bool:
    """Whether a cancel comes within so many seconds; other frames wait for their turn."""
    if not select.select([source], [], [], seconds)[0]:
        return False
    frame = pipe.read_frame(source)
    if frame is None:
        sys.exit()
    if isinstance(frame[1], pipe.Cancel):
        return True
    waiting.append(frame)
    return False


pipe.write_frame(sink, "", Hello(PROTOCOL_VERSION, "1", "3", "none", "cpu", "cpu", 1, ()))
while (frame := waiting.pop(0) if waiting else pipe.read_frame(source)) is not None:
    job, request = frame
    if not isinstance(request, Request):
        continue
    for step in range(10):
        if cancelled(0.05):
            pipe.write_frame(sink, job, Failure("cancelled", "The job was cancelled."))
            break
        pipe.write_frame(sink, job, Progress("network", step / 10, "Working."))
    else:
        pipe.write_frame(sink, job, answer(request))
