"""Clips of a textured room with exact cameras: rays against boxes, with motion blur, noise and a film's compression."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation
from torch.nn import functional

SIDE = 1024
"""Texels of a texture's side."""

METRES = 3.0
"""After which a texture repeats."""

FACES = 6
SAMPLES = ((0.25, 0.25), (0.75, 0.75), (0.75, 0.25), (0.25, 0.75))
"""Where in a pixel, one after the other while the shutter is open, rays are cast."""

SHUTTER = 0.25
"""Of the time between two frames."""

FOCAL = 0.8
"""Longest sides."""


@dataclass(frozen=True, eq=False)
class MadeClip:
    """frames: [F,H,W,3] uint8. extrinsics: [F,4,4] float64 world-to-camera, metres. intrinsics: [3,3], pixels."""

    frames: np.ndarray
    extrinsics: np.ndarray
    intrinsics: np.ndarray


class ArraySource:
    """A `FrameSource` of pictures in memory."""

    def __init__(self, frames: np.ndarray, rate: float = 24.0, name: str = "made.mp4") -> None:
        self.frames, self.rate, self.name = frames, rate, name
        self.size = (frames.shape[2], frames.shape[1])
        self.numbers = np.arange(len(frames))
        self.seconds = self.numbers / rate
        self.focal_35mm: float | None = None
        self.camera = ""

    def __len__(self) -> int:
        return len(self.frames)

    def pictures(self, places: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        for place in range(len(self)) if places is None else sorted(places):
            yield place, self.frames[place]

    def frame_name(self, place: int) -> str:
        return f"{self.name} frame {place}"


class Room:
    """A room of 6 x 5 x 2.8 metres, z up, with boxes in it, and pictures on all that is in it.

    plain: walls and boxes are of one colour each, but for a few small pictures. things: boxes that stand in it. side:
    texels of a texture's side; fewer are made sooner.
    """

    def __init__(self, seed: int = 0, plain: bool = False, things: int = 9, side: int = SIDE) -> None:
        rng = np.random.default_rng(seed)
        boxes = [((-3.0, -2.5, 0.0), (3.0, 2.5, 2.8))]
        for _ in range(things):
            x, y = rng.uniform(-2.8, 2.8), rng.uniform(-2.3, 2.3)
            wide, deep, high = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.6), rng.uniform(0.4, 1.1)
            boxes.append(((x - wide / 2, y - deep / 2, 0.0), (x + wide / 2, y + deep / 2, high)))
        self.boxes = torch.tensor(boxes, dtype=torch.float32)
        self.texels = torch.stack([_texture(rng, plain, side) for _ in range(FACES * len(boxes))])

    def seen(self, origin: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
        """Colours [M,3] float32 in 0..255 of rays [M,3] from a point [3], world."""
        best = torch.full((len(rays),), torch.inf)
        face = torch.zeros(len(rays), dtype=torch.long)
        steps = 1 / torch.where(rays.abs() < 1e-9, 1e-9, rays)
        for number, (low, high) in enumerate(self.boxes):
            one, other = (low - origin) * steps, (high - origin) * steps
            (near, entry), (far, exit_) = torch.minimum(one, other).max(1), torch.maximum(one, other).min(1)
            inside = number == 0
            reach, axis = (far, exit_) if inside else (near, entry)
            hit = (reach > 1e-3) & (reach < best) & (inside or near < far)
            towards = rays.gather(1, axis[:, None])[:, 0] > 0
            best = torch.where(hit, reach, best)
            face = torch.where(hit, FACES * number + 2 * axis + towards, face)
        return self._painted(origin + best[:, None] * rays, face)

    def _painted(self, at: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
        axis = face % FACES // 2
        across = torch.cat([at.gather(1, ((axis + n) % 3)[:, None]) for n in (1, 2)], 1)
        side = self.texels.shape[1]
        texel = across * (side / METRES) + 37.3 * face[:, None]
        low = texel.floor()
        share = texel - low
        first = low.long() % side
        after = (first + 1) % side
        flat = self.texels.view(-1, 3)
        rows = {0: first[:, 1], 1: after[:, 1]}
        columns = {0: first[:, 0], 1: after[:, 0]}
        colour = torch.zeros(len(at), 3)
        for row in (0, 1):
            for column in (0, 1):
                weight = (share[:, 1] if row else 1 - share[:, 1]) * (share[:, 0] if column else 1 - share[:, 0])
                colour += weight[:, None] * flat[face * side * side + rows[row] * side + columns[column]]
        return colour


def _texture(rng: np.random.Generator, plain: bool, side: int = SIDE) -> torch.Tensor:
    """[side,side,3] uint8, which repeats."""
    tint = torch.from_numpy(rng.uniform(0.45, 1.0, 3)).float()
    layers = torch.zeros(1, 3, side, side)
    for cells, weight in ((4, 1.0), (16, 0.7), (64, 0.6), (256, 0.45), (512, 0.25)):
        noise = torch.from_numpy(rng.random((1, 3, cells, cells))).float()
        layers += weight * functional.interpolate(noise, (side, side), mode="bicubic")
    contrast = 0.05 if plain else 1.8
    spread = ((layers - layers.min()) / (layers.max() - layers.min()) - 0.5) * contrast + (0.75 if plain else 0.5)
    picture = Image.fromarray((spread.clamp(0, 1)[0].permute(1, 2, 0) * tint * 255).byte().numpy())
    draw = ImageDraw.Draw(picture)
    for _ in range(5 if plain else 90):
        x, y, size = (int(n) for n in rng.integers((0, 0, 6), (side, side, 60)))
        colour = tuple(int(n) for n in rng.integers(0, 255, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + 2 * size, y + size), fill=colour if rng.random() < 0.6 else None, outline=colour, width=4)
    return torch.from_numpy(np.array(picture))


Path = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From times [T] in frames to where the camera is [T,3] and how it is turned [T,3,3], world-to-camera."""


def filmed(room: Room, path: Path, count: int, size: tuple[int, int], noise: float = 2.0) -> MadeClip:
    """noise: standard deviation of every pixel's, in levels of 255."""
    width, height = size
    focal = FOCAL * max(size)
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    grain = torch.Generator().manual_seed(1)
    frames = []
    for frame in range(count):
        light = torch.zeros(height * width, 3)
        opened = np.linspace(-0.5, 0.5, len(SAMPLES)) * SHUTTER + frame
        for (right, down), centre, turn in zip(SAMPLES, *path(opened), strict=True):
            across, along = np.meshgrid(np.arange(width) + right, np.arange(height) + down)
            rays = np.stack(((across - width / 2) / focal, (along - height / 2) / focal, np.ones_like(across)), -1)
            there = torch.from_numpy((rays.reshape(-1, 3) @ turn).astype(np.float32))
            light += room.seen(torch.from_numpy(centre.astype(np.float32)), there) / len(SAMPLES)
        light += noise * torch.randn(light.shape, generator=grain)
        frames.append(light.clamp(0, 255).round().byte().view(height, width, 3).numpy())
    return MadeClip(np.stack(frames), poses_along(path, count), intrinsics)


def poses_along(path: Path, count: int) -> np.ndarray:
    """[F,4,4] float64 world-to-camera, of the frames in the middle of their exposure."""
    centres, turns = path(np.arange(count, dtype=np.float64))
    extrinsics = np.tile(np.eye(4), (count, 1, 1))
    extrinsics[:, :3, :3] = turns
    extrinsics[:, :3, 3] = -np.einsum("fij,fj->fi", turns, centres)
    return extrinsics


def compressed(frames: np.ndarray, rate: int = 24, quality: int = 20) -> np.ndarray:
    """The frames as H.264 in an MP4 file gives them back. quality: the CRF of x264, lower is better."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream = cast(Any, film.add_stream("libx264", rate=rate, options={"crf": str(quality)}))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode())
    file.seek(0)
    with av.open(file) as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])


def looking(centres: np.ndarray, targets: np.ndarray, turned: np.ndarray | None = None) -> np.ndarray:
    """[T,3,3] world-to-camera of cameras that look from centres to targets [T,3], level; turned: rotation vectors [T,3]
    in their own frames after that."""
    forward = targets - centres
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    level = np.stack((right, np.cross(forward, right), forward), axis=1)
    return level if turned is None else Rotation.from_rotvec(turned).as_matrix() @ level


def _shake(times: np.ndarray, seed: int, size: float) -> np.ndarray:
    """[T,3], what a hand does: sines of 1 to 6 oscillations a second of 24 frames, smaller the faster."""
    rng = np.random.default_rng(seed)
    total = np.zeros((len(times), 3))
    for per_second in (0.7, 1.3, 2.1, 3.4, 5.5):
        phase, strength = rng.uniform(0, 2 * np.pi, 3), rng.normal(size=3) / per_second
        total += strength * np.sin(2 * np.pi * per_second * times[:, None] / 24 + phase)
    return size * total


def walk(count: int, shaken: float = 1.0) -> Path:
    """Around a room and back to the start, looking ahead and a little inwards; steps make it bob."""

    def path(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = 2 * np.pi * times / (count - 1)
        ring = np.stack((1.55 * np.cos(angle), 1.15 * np.sin(angle), np.full_like(angle, 1.5)), axis=1)
        centres = ring + _shake(times, 5, 0.008 * shaken)
        ahead = angle + 1.9
        targets = np.stack((2.6 * np.cos(ahead), 2.2 * np.sin(ahead), np.full_like(angle, 0.9)), axis=1)
        return centres, looking(centres, targets, _shake(times, 6, 0.006 * shaken))

    return path


def handheld(count: int) -> Path:
    """A small move to the side by a hand that shakes."""

    def path(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = times / (count - 1)
        line = np.array([-1.6, -1.2, 1.5]) + np.outer(along, (0.5, -0.15, 0.05))
        centres = line + _shake(times, 7, 0.012)
        targets = np.tile((1.0, 1.0, 0.8), (len(times), 1))
        return centres, looking(centres, targets, _shake(times, 8, 0.012))

    return path


def dolly(count: int, metres: float = 0.9) -> Path:
    """Straight ahead on rails, slow at both ends."""

    def path(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = 0.5 - 0.5 * np.cos(np.pi * np.clip(times / (count - 1), 0, 1))
        centres = np.array([-1.9, -1.4, 1.4]) + np.outer(along, metres * np.array([0.76, 0.64, 0.05]))
        return centres, looking(centres, np.tile((1.8, 2.2, 0.9), (len(times), 1)))

    return path


def tripod(count: int, degrees: float = 70.0) -> Path:
    """Turned on the spot."""

    def path(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = np.radians(degrees) * (0.5 - 0.5 * np.cos(np.pi * np.clip(times / (count - 1), 0, 1)))
        centres = np.tile((-1.2, -0.9, 1.5), (len(times), 1))
        aim = np.stack((3 * np.cos(angle), 3 * np.sin(angle), np.full_like(angle, -0.5)), axis=1)
        return centres, looking(centres, centres + aim)

    return path


def locked(count: int) -> Path:
    """Not moved at all."""
    return lambda times: dolly(count)(np.zeros_like(times))


def with_passer_by(frames: np.ndarray, seed: int = 3, share: float = 0.2) -> np.ndarray:
    """The frames with a textured thing that goes through the picture. share: of its width that the thing takes."""
    rng = np.random.default_rng(seed)
    count, height, width = frames.shape[:3]
    tall, wide = int(0.7 * height), int(share * width)
    thing = np.asarray(_texture(rng, False))[: tall * 2 : 2, : wide * 2 : 2]
    shown = frames.copy()
    for frame in range(count):
        left = round((frame / (count - 1) * 1.2 - 0.1) * width - wide / 2)
        first, last = max(left, 0), min(left + wide, width)
        if first < last:
            shown[frame, height - tall :, first:last] = thing[:, first - left : last - left]
    return shown


def zoomed(frames: np.ndarray, most: float = 1.3) -> np.ndarray:
    """The frames enlarged about their middle, the last one `most` times."""
    count, height, width = frames.shape[:3]
    shown = []
    for frame, pixels in enumerate(frames):
        half = np.array((width, height)) / 2 / (1 + (most - 1) * frame / (count - 1))
        box = (*(np.array((width, height)) / 2 - half), *(np.array((width, height)) / 2 + half))
        shown.append(np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box)))
    return np.stack(shown)
