"""A worker that does at once, or never, what the request's checkpoint says; no torch, so that it starts quickly.

`room` answers with a wall before every photo's camera, the given one where there is one, `resolution` pixels wide, or
before the first and the last of a clip's frames, whose film has as many as its bytes would hold at a hundred each;
`slow` does so after 20 reports; `stranger` does so in the name of no job; `fail` fails; `die` ends the process;
`hang` reports a while and then waits for its Cancel, while its heart beats; `deaf` does not even heed that.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from dataclasses import replace
from queue import SimpleQueue

import numpy as np

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    CameraTrack,
    CheckpointInfo,
    Clip,
    Failure,
    FileState,
    FindFile,
    Gaussians,
    Heartbeat,
    Hello,
    LeftOut,
    Prediction,
    Progress,
    Request,
    View,
)

source, sink = io.FileIO(0, "rb"), io.FileIO(1, "wb")
cancelled: set[str] = set()
UNREADABLE = Failure("photo-unreadable", "This photo cannot be decoded.", "Copy it again.")


def view(name: str, index: int, width: int) -> View:
    shape = (width * 3 // 4, width)
    extrinsics = np.eye(4)
    extrinsics[0, 3] = -0.1 * index
    intrinsics = np.array([[80.0, 0, 50], [0, 80, 37.5], [0, 0, 1]])
    confidence = 1 + np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape) % 997
    color = np.full((*shape, 3), (200, 100, 50), np.uint8)
    depth = np.full(shape, 2, np.float32)
    return View(
        name,
        (100, 75),
        depth,
        confidence,
        np.zeros(shape, bool),
        color,
        extrinsics,
        intrinsics,
        camera_source="network",
    )


def splats() -> Gaussians:
    means = np.float32([[0, 0, 2], [0.1, 0, 2]])
    return Gaussians(
        means,
        np.full((2, 3), 0.05, np.float32),
        np.float32([[1, 0, 0, 0]] * 2),
        np.ones(2, np.float32),
        np.zeros((2, 3, 1), np.float32),
        np.ones(2, np.float32),
        np.zeros(2, np.int32),
        "surface",
    )


def clip_answer(request: Request, clip: Clip) -> Prediction:
    """A camera that moves evenly to the right."""
    every = clip.numbers
    if clip.file is not None:
        end = clip.file.size // 100 - 1 if clip.last is None else clip.last
        every = tuple(range(clip.first, end + 1, clip.step))
    names = [photo.name for photo in request.photos] or [f"frame {number}" for number in every]
    width = request.resolution or 16
    frames = [view(name, number, width) for name, number in zip(names, every, strict=True)]
    views = (replace(frames[0], frame=every[0]), replace(frames[-1], frame=every[-1]))
    track = CameraTrack(
        numbers=np.array(every, np.int64),
        seconds=np.array(every) / clip.rate,
        rate=clip.rate,
        extrinsics=np.stack([frame.extrinsics for frame in frames]),
        photo_size=views[0].photo_size,
        intrinsics=views[0].intrinsics,
        sources=("key", *("placed" for _ in every[2:]), "key"),
        match_error=np.full(len(every), 0.5),
    )
    info = CheckpointInfo(request.checkpoint, "da3-tiny", "Apache-2.0", True)
    return Prediction(views, splats() if request.gaussians else None, info, "features", track=track)


def answer(request: Request) -> Prediction:
    if request.clip is not None:
        return clip_answer(request, request.clip)
    lost = [LeftOut(photo.name, UNREADABLE) for photo in request.photos if "broken" in photo.name]
    photos = [photo for photo in request.photos if "broken" not in photo.name]
    views = tuple(view(photo.name, index, request.resolution or 16) for index, photo in enumerate(photos))
    info = CheckpointInfo(request.checkpoint, "da3-tiny", "Apache-2.0", True)
    source, given = "network", request.cameras
    if given is not None:
        source, cameras = "given", zip(views, given.extrinsics, given.intrinsics, strict=True)
        views = tuple(replace(v, extrinsics=e, intrinsics=k, camera_source=source) for v, e, k in cameras)
    return Prediction(
        views,
        splats() if request.gaussians else None,
        info,
        source,
        notes=("A note.",),
        match_error=0.5,
        left_out=tuple(lost),
    )


def work(job: str, request: Request) -> pipe.Message:
    for step in range({"slow": 20, "hang": 10**9, "deaf": 10**9}.get(request.checkpoint, 1)):
        if job in cancelled and request.checkpoint != "deaf":
            return Failure("cancelled", "The job was cancelled.")
        if step < 20:
            pipe.write_frame(sink, job, Progress("network", step / 20, f"Step {step}."))
        else:
            pipe.write_frame(sink, "", Heartbeat())
        if request.checkpoint != "room":
            time.sleep(0.05)
    if request.checkpoint == "die":
        print("the last words", file=sys.stderr, flush=True)
        os._exit(3)
    if request.checkpoint == "fail":
        return Failure("out-of-memory", "There is not enough memory.", "Lower the detail.", "a log")
    return answer(request)


def main() -> None:
    queue: SimpleQueue[tuple[str, Request | FindFile]] = SimpleQueue()

    def read() -> None:
        while (frame := pipe.read_frame(source)) is not None:
            job, message = frame
            if isinstance(message, pipe.Cancel):
                cancelled.add(job)
            elif isinstance(message, Request | FindFile):
                queue.put((job, message))
        os._exit(0)

    pipe.write_frame(sink, "", Hello(PROTOCOL_VERSION, "0", "3", "none", "cpu", "fake", 0, ("room",)))
    threading.Thread(target=read, daemon=True).start()
    while True:
        job, request = queue.get()
        if isinstance(request, FindFile):  # on the same machine every file is there
            pipe.write_frame(sink, job, FileState(request.file.sha256, request.file.size))
            continue
        pipe.write_frame(sink, "" if request.checkpoint == "stranger" else job, work(job, request))


if __name__ == "__main__":
    main()
