"""Frames against bytes written by hand, streams that stutter, and everything that is not a frame."""

import io
import json
import struct
import tracemalloc
import typing
from dataclasses import fields, replace

import numpy as np
import pytest

from model_runtime.contract import pipe
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    Cameras,
    Cancel,
    CheckpointInfo,
    Clip,
    DownloadModel,
    Failure,
    FileState,
    FindFile,
    Gaussians,
    Heartbeat,
    Hello,
    ListModels,
    Mesh,
    MeshSettings,
    Models,
    ModelState,
    Photo,
    PredictedView,
    Prediction,
    Progress,
    RemoveModel,
    Request,
    SendPart,
    StoredFile,
    View,
)

RNG = np.random.default_rng(0)


def view(name: str, with_rays: bool) -> View:
    return View(
        name=name,
        photo_size=(640, 480),
        depth=RNG.random((6, 8), np.float32),
        confidence=RNG.random((6, 8), np.float32) + 1,
        sky=RNG.random((6, 8)) > 0.5,
        color=RNG.integers(0, 256, (6, 8, 3), np.uint8),
        extrinsics=RNG.random((4, 4)),
        intrinsics=RNG.random((3, 3)),
        ray=RNG.random((3, 4, 6), np.float32) if with_rays else None,
        plate=b"\xff\xd8 plate" if with_rays else b"",
    )


def prediction() -> Prediction:
    gaussians = Gaussians(
        *(RNG.random(shape, np.float32) for shape in ((5, 3), (5, 3), (5, 4), (5,), (5, 3, 9), (5,))),
        view_index=np.arange(5, dtype=np.int32),
        source="network",
    )
    mesh = Mesh(
        RNG.random((4, 3), np.float32),
        RNG.integers(0, 4, (5, 3), np.int32),
        RNG.integers(-1, 2, 5, np.int32),
        RNG.integers(0, 256, (4, 3), np.uint8),
    )
    return Prediction(
        views=(view("a.jpg", True), view("b.jpg", False)),
        gaussians=gaussians,
        mesh=mesh,
        checkpoint=CheckpointInfo("da3-tiny", "da3-tiny", "unknown", None),
        camera_source="network",
        settings={"resolution": 504, "seconds": {"network": 1.5}},
        notes=("A note with an umlaut: ü.",),
    )


MESSAGES = [
    Request(photos=(Photo("ä.jpg", b"\x00\x01"), Photo("b", b"")), resolution=None),
    Request((), cameras=Cameras(RNG.random((2, 4, 4)), RNG.random((2, 3, 3))), gaussians=False),
    Request((), mesh=MeshSettings(edge_angle=5.0, detail=64)),
    prediction(),
    replace(prediction(), gaussians=None, views=()),
    Progress("network", 0.5, "Half way."),
    Progress("network", 1, "An integer where a float is meant."),
    Failure("cancelled", "The job was cancelled."),
    Hello(1, "0.1", "3.11", "2.13", "cpu", "x86", 1 << 40, ("da3-tiny",)),
    ListModels(),
    DownloadModel("da3-large-1.1", "CC-BY-NC-4.0", "2026-01-31"),
    RemoveModel("da3-small"),
    Models("/models", 1 << 40, (ModelState("da3-small", False, 17, 137_000_000, "/models/DA3-SMALL"),)),
    PredictedView(3, view("c.jpg", True)),
    replace(prediction(), views=(), views_sent=4),
    FindFile(StoredFile("a" * 64, 1 << 40, "/films/ä.mp4")),
    SendPart(StoredFile("a" * 64, 9), 3, b"\x00\xff"),
    FileState("a" * 64, 1 << 40),
    Request(
        (Photo("p", file=StoredFile("b" * 64, 7, "C:\\p.jpg")),), clip=Clip("clip", StoredFile("c" * 64, 8), 1, 9, 2)
    ),
    Request((), clip=Clip("walk_#.png", numbers=(1, 3), rate=29.97)),
    Cancel(),
    Heartbeat(),
]


class Stutter(io.RawIOBase):
    """A stream that takes and gives one to seven bytes at a time."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.turn = 0

    def _size(self, wanted: int) -> int:
        self.turn += 1
        return min(wanted, 1 + self.turn % 7)

    def readinto(self, buffer: memoryview) -> int:
        count = min(self._size(len(buffer)), len(self.data))
        buffer[:count] = self.data[:count]
        del self.data[:count]
        return count

    def write(self, data: memoryview) -> int:
        count = self._size(len(data))
        self.data += data[:count]
        return count


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return (a == b and type(a) is type(b)) or (type(a) is int and a == b)


def frame_bytes(job: str, message: pipe.Message) -> bytes:
    return b"".join(pipe.encode_frame(job, message))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_round_trip_through_a_stuttering_stream(message: pipe.Message) -> None:
    stream = Stutter()
    pipe.write_frame(stream, "job-1", message)
    pipe.write_frame(stream, "job-2", Cancel())
    job, decoded = read(stream)
    assert job == "job-1"
    assert same(message, decoded)
    assert read(stream) == ("job-2", Cancel())
    assert pipe.read_frame(stream) is None


def read(stream: pipe.Source) -> tuple[str, typing.Any]:
    frame = pipe.read_frame(stream)
    assert frame is not None
    return frame


def test_a_frame_is_what_the_protocol_page_says() -> None:
    head = {"kind": "Progress", "job": "7", "content": {"stage": "s", "fraction": 0.25, "sentence": "t"}, "buffers": []}
    text = json.dumps(head).encode()
    data = struct.pack("<4sIIQ", b"DA3F", PROTOCOL_VERSION, len(text), 0) + text
    assert pipe.read_frame(io.BytesIO(data)) == ("7", Progress("s", 0.25, "t"))

    content = {"photos": [{"name": "p", "data": {"bytes": 1}}], "cameras": cameras_head(0, 2)}
    body = np.eye(4, dtype="<f8").tobytes() + b"JPEG" + np.eye(3, dtype="<f8").tobytes()
    data = made_frame("Request", content, [128, 4, 72], body)
    _, request = read(io.BytesIO(data))
    assert request.photos[0].data == b"JPEG"
    assert (request.cameras.extrinsics == np.eye(4)).all()
    assert (request.cameras.intrinsics == np.eye(3)).all()
    assert request.checkpoint == Request.checkpoint


def cameras_head(extrinsics: int, intrinsics: int) -> dict[str, object]:
    return {
        "extrinsics": {"array": extrinsics, "dtype": "float64", "shape": [1, 4, 4]},
        "intrinsics": {"array": intrinsics, "dtype": "float64", "shape": [1, 3, 3]},
    }


def made_frame(kind: object, content: object, buffers: object, body: bytes = b"", job: object = "j") -> bytes:
    head = json.dumps({"kind": kind, "job": job, "content": content, "buffers": buffers}).encode()
    return raw_frame(head, body)


def raw_frame(head: bytes, body: bytes = b"") -> bytes:
    return pipe.PREFIX.pack(pipe.MAGIC, PROTOCOL_VERSION, len(head), len(body)) + head + body


def photo_array(dtype: object, shape: object, index: object = 0) -> dict[str, object]:
    cameras = {"array": index, "dtype": dtype, "shape": shape}
    return {"photos": [], "cameras": {"extrinsics": cameras, "intrinsics": cameras}}


PROGRESS = {"stage": "s", "fraction": 0.5, "sentence": "t"}
PROGRESS_HEAD = {"kind": "Progress", "job": "j", "content": PROGRESS, "buffers": []}
SURVIVABLE = {
    "no JSON": (raw_frame(b"{rubbish", b"body"), "bad-head"),
    "no UTF-8": (raw_frame(b"\xff\xfe\xfa"), "bad-head"),
    "a list": (raw_frame(b"[]"), "bad-head"),
    "deep": (raw_frame(b"[" * 200_000), "bad-head"),
    "deep content": (
        raw_frame(
            b'{"kind":"Prediction","job":"j","buffers":[],"content":{"settings":'
            + b"[" * 50_000
            + b"]" * 50_000
            + b"}}"
        ),
        "bad-",
    ),
    "NaN": (raw_frame(b'{"kind":"Cancel","job":"j","content":NaN,"buffers":[]}'), "bad-head"),
    "number beyond floats": (raw_frame(json.dumps(PROGRESS_HEAD).replace("0.5", "1e400").encode()), "bad-head"),
    "integer beyond floats": (raw_frame(json.dumps(PROGRESS_HEAD).replace("0.5", "9" * 400).encode()), "bad-head"),
    "integer of endless digits": (raw_frame(json.dumps(PROGRESS_HEAD).replace("0.5", "9" * 5000).encode()), "bad-head"),
    "half a letter": (made_frame("Progress", PROGRESS | {"sentence": "\ud800"}, []), "bad-head"),
    "a name twice": (raw_frame(b'{"kind":"Cancel","kind":"Cancel","job":"j","content":{},"buffers":[]}'), "bad-head"),
    "no end of buffers": (made_frame("Cancel", {}, [0] * (pipe.MAX_BUFFERS + 1)), "bad-head"),
    "no end of values": (raw_frame(b'{"kind":"Cancel","job":"j","content":[' + b"0," * 4_000_000 + b"0]"), "bad-head"),
    "job is a number": (made_frame("Cancel", {}, [], job=3), "bad-head"),
    "unknown message": (made_frame("Pickle", {}, []), "unknown-message"),
    "kind is a list": (made_frame(["Cancel"], {}, []), "unknown-message"),
    "buffers do not add up": (made_frame("Cancel", {}, [3], b"body"), "bad-head"),
    "negative buffer": (made_frame("Cancel", {}, [8, -4], b"body"), "bad-head"),
    "unknown field": (made_frame("Progress", PROGRESS | {"extra": 1}, []), "bad-message"),
    "missing field": (made_frame("Progress", {"stage": "s"}, []), "bad-message"),
    "wrong type": (made_frame("Progress", PROGRESS | {"fraction": "0.5"}, []), "bad-message"),
    "bool for a number": (made_frame("Progress", PROGRESS | {"fraction": True}, []), "bad-message"),
    "content is none": (made_frame("Progress", None, []), "bad-message"),
    "pickled dtype": (made_frame("Request", photo_array("object", [1]), [8], bytes(8)), "bad-message"),
    "dtype is a list": (made_frame("Request", photo_array([["f", "O"]], [1]), [8], bytes(8)), "bad-message"),
    "shape too small": (made_frame("Request", photo_array("float32", [1]), [8], bytes(8)), "bad-message"),
    "shape too large": (made_frame("Request", photo_array("float32", [3]), [8], bytes(8)), "bad-message"),
    "negative shape": (made_frame("Request", photo_array("float32", [-1, -2]), [8], bytes(8)), "bad-message"),
    "endless shape": (made_frame("Request", photo_array("float32", [0, 10**30]), [0]), "bad-message"),
    "many dimensions": (made_frame("Request", photo_array("uint8", [1] * 33), [1], b"x"), "bad-message"),
    "no such buffer": (made_frame("Request", photo_array("float32", [2], 1), [8], bytes(8)), "bad-message"),
    "negative index": (made_frame("Request", photo_array("float32", [2], -1), [8], bytes(8)), "bad-message"),
    "neither true nor false": (made_frame("Request", photo_array("bool", [2]), [2], b"\x01\x02"), "bad-message"),
    "array for bytes": (
        made_frame("Request", {"photos": [{"name": "p", "data": {"array": 0}}]}, [1], b"x"),
        "bad-message",
    ),
}


@pytest.mark.parametrize("case", SURVIVABLE)
def test_a_bad_message_is_refused_and_the_next_frame_is_read(case: str) -> None:
    data, code = SURVIVABLE[case]
    stream = io.BytesIO(data + frame_bytes("next", Cancel()))
    with pytest.raises(pipe.FrameError) as caught:
        pipe.read_frame(stream)
    assert caught.value.failure.code.startswith(code)
    assert caught.value.failure.sentence
    assert not caught.value.fatal
    assert pipe.read_frame(stream) == ("next", Cancel())


def test_a_head_takes_no_memory_to_speak_of() -> None:
    head = b'{"kind":"Cancel","job":"j","content":{},"buffers":[' + b"0," * ((16 << 20) // 2 - 100) + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(pipe.FrameError):
            pipe.read_frame(io.BytesIO(raw_frame(head)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(head)


def test_what_no_memory_is_left_for_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(size: int, dtype: type) -> np.ndarray:
        if size == 72:
            raise MemoryError
        return np.zeros(size, dtype)

    stream = io.BytesIO(made_frame("Cancel", {}, [8, 72, 16], bytes(96)) + frame_bytes("next", Cancel()))
    monkeypatch.setattr(np, "empty", empty)
    with pytest.raises(pipe.FrameError) as caught:
        pipe.read_frame(stream)
    assert (caught.value.failure.code, caught.value.job, caught.value.fatal) == ("frame-too-long", "j", False)
    assert pipe.read_frame(stream) == ("next", Cancel())


def test_a_name_that_is_no_text_travels_as_what_can_be_read() -> None:
    _, failure = read(io.BytesIO(frame_bytes("j", Failure("code", "No file caf\udce9.jpg."))))
    assert failure.sentence == r"No file caf\udce9.jpg."


def test_the_failing_job_is_named() -> None:
    with pytest.raises(pipe.FrameError) as caught:
        pipe.read_frame(io.BytesIO(made_frame("Progress", {}, [], job="job-9")))
    assert caught.value.job == "job-9"


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"Welcome to gpubox! Last login: today", "not-a-frame", "Welcome"),
        (struct.pack("<4sIIQ", b"DA3F", 99, 2, 0) + b"{}", "protocol-version", "99"),
        (struct.pack("<4sIIQ", b"DA3F", PROTOCOL_VERSION, 0xFFFFFFFF, 0), "frame-too-long", "4294967295"),
        (struct.pack("<4sIIQ", b"DA3F", PROTOCOL_VERSION, 2, 1 << 62), "frame-too-long", str(1 << 62)),
    ],
)
def test_a_stream_that_is_of_no_more_use(data: bytes, code: str, word: str) -> None:
    with pytest.raises(pipe.FrameError) as caught:
        pipe.read_frame(io.BytesIO(data))
    assert caught.value.failure.code == code
    assert word in caught.value.failure.sentence
    assert caught.value.fatal


def test_every_truncation_is_told() -> None:
    data = frame_bytes("j", Request((Photo("p", b"0123456789"),)))
    for length in range(1, len(data)):
        with pytest.raises(pipe.FrameError) as caught:
            pipe.read_frame(io.BytesIO(data[:length]))
        assert caught.value.failure.code == "truncated-frame"
        assert caught.value.fatal


def test_any_memory_layout_and_byte_order_travels() -> None:
    matrix = np.arange(16, dtype=">f8").reshape(4, 4)
    cameras = Cameras(matrix.T, matrix[::-1, 1:])
    _, decoded = read(io.BytesIO(frame_bytes("j", Request((), cameras=cameras))))
    assert (decoded.cameras.extrinsics == matrix.T).all()
    assert (decoded.cameras.intrinsics == matrix[::-1, 1:]).all()
    assert decoded.cameras.extrinsics.dtype == np.dtype("<f8")


def test_large_arrays_are_not_copied_on_the_way() -> None:
    depth = np.ones((64, 64), np.float32)
    message = replace(prediction(), gaussians=None, views=(replace(view("v", False), depth=depth),))
    pieces = pipe.encode_frame("j", message)
    assert any(np.shares_memory(np.frombuffer(piece, np.uint8), depth) for piece in pieces[1:] if piece.nbytes)


@pytest.mark.parametrize(
    "message",
    [
        Progress("s", float("nan"), "t"),
        Request((), cameras=Cameras(np.array([object()]), np.eye(3))),
        Request((), cameras=Cameras(np.eye(4, dtype=complex), np.eye(3))),
    ],
)
def test_what_may_not_travel_is_refused_by_the_sender(message: pipe.Message) -> None:
    with pytest.raises((TypeError, ValueError)):
        pipe.encode_frame("j", message)
