"""Synthetic rooms as training data: several overlapping photos of a random furnished room with exact geometry.

Every scene is drawn from its own random generator, seeded by (seed, number of the scene), so a batch is the same
wherever and whenever it is made, and a run resumes at any step without keeping the data's state.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from model_runtime.training.raycast import SceneBatch
from model_runtime.training.scenes import sample_scene
from model_runtime.training.shading import cast
from model_runtime.training.textures import TextureBank, make_texture_bank
from model_runtime.training.trajectories import sample_intrinsics, sample_poses

RAYS_AT_ONCE = 100_000
"""Planes of this many rays stay in a core's cache, which more than doubles the speed."""


@dataclass(frozen=True)
class RoomBatch:
    """Photos of B rooms, N views each.

    images [B,N,3,H,W] display-encoded (sRGB-like) in 0..1; depth [B,N,H,W] metres along z;
    extrinsics [B,N,4,4] world-to-camera, metres; intrinsics [B,N,3,3] pixels, pixel centres at +0.5.
    """

    images: torch.Tensor
    depth: torch.Tensor
    extrinsics: torch.Tensor
    intrinsics: torch.Tensor


def pixel_rays(intrinsics: torch.Tensor, height: int, width: int, stride: float = 1.0) -> torch.Tensor:
    """Camera-frame directions with z = 1 through the centres of a grid of pixels.

    intrinsics: [...,3,3]. The grid has height x width cells of `stride` pixels each. Returns [...,height,width,3].
    """
    x = (torch.arange(width, dtype=torch.float32) + 0.5) * stride
    y = (torch.arange(height, dtype=torch.float32) + 0.5) * stride
    fx, fy = intrinsics[..., 0, 0, None, None], intrinsics[..., 1, 1, None, None]
    u = ((x - intrinsics[..., 0, 2, None, None]) / fx).expand(*intrinsics.shape[:-2], height, width)
    v = ((y[:, None] - intrinsics[..., 1, 2, None, None]) / fy).expand(*intrinsics.shape[:-2], height, width)
    return torch.stack([u, v, torch.ones_like(u)], -1)


class RoomGenerator:
    """Endless synthetic rooms. The same seed, scene number and arguments give the same pictures."""

    def __init__(self, seed: int, bank: TextureBank | None = None) -> None:
        self.seed = seed
        self.bank = bank if bank is not None else make_texture_bank()

    def render(
        self, first_scene: int, scenes: int, views: int, size: tuple[int, int], difficulty: float = 1.0
    ) -> RoomBatch:
        """As `batch`, but the images are linear light before any camera has seen it."""
        height, width = size
        rooms, poses, cameras = [], [], []
        for number in range(first_scene, first_scene + scenes):
            rng = np.random.default_rng([self.seed, number])
            room = sample_scene(rng, self.bank, difficulty)
            rooms.append(room)
            poses.append(sample_poses(rng, room, views, difficulty))
            cameras.append(sample_intrinsics(rng, views, height, width))
        extrinsics = torch.from_numpy(np.stack(poses)).float()
        intrinsics = torch.from_numpy(np.stack(cameras)).float()
        linear, depth = [], []
        chunk = max(1, RAYS_AT_ONCE // (views * height * width))
        for start in range(0, scenes, chunk):
            part = slice(start, start + chunk)
            colour, z = self._cast(SceneBatch.stack(rooms[part]), extrinsics[part], intrinsics[part], size)
            linear.append(colour)
            depth.append(z)
        return RoomBatch(torch.cat(linear), torch.cat(depth), extrinsics, intrinsics)

    def batch(
        self, first_scene: int, scenes: int, views: int, size: tuple[int, int], difficulty: float = 1.0
    ) -> RoomBatch:
        """Rooms number first_scene .. first_scene + scenes - 1, `views` photos of size (height, width) each.

        difficulty: 0 for much texture and little motion, 1 for plain rooms and large motion.
        """
        rendered = self.render(first_scene, scenes, views, size, difficulty)
        noise = torch.Generator().manual_seed(self.seed * 1_000_003 + first_scene)
        return replace(rendered, images=develop(rendered.images, noise))

    @torch.no_grad()
    def _cast(
        self, batch: SceneBatch, extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scenes, views = extrinsics.shape[:2]
        height, width = size
        to_world = torch.linalg.inv(extrinsics)
        rays = pixel_rays(intrinsics, height, width).flatten(2, 3) @ to_world[..., :3, :3].mT
        origin = to_world[..., None, :3, 3].expand_as(rays)
        pixel = (1 / intrinsics[..., 0, 0, None]).expand(rays.shape[:3])
        colour, depth = cast(batch, self.bank, origin.flatten(1, 2), rays.flatten(1, 2), pixel.flatten(1, 2))
        colour = colour.unflatten(2, (views, height, width)).transpose(1, 2)
        return colour, depth.reshape(scenes, views, height, width)


def develop(linear: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    """Photos from linear light [B,N,3,H,W]: exposure, white balance, lens blur, sensor noise, display encoding."""
    scenes, views = linear.shape[:2]

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=noise)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=noise)

    level = uniform(0.12, 0.34, scenes, 1, 1, 1, 1) / linear.mean((1, 2, 3, 4), keepdim=True)
    gain = level * torch.exp(0.12 * normal(scenes, views, 1, 1, 1) + 0.04 * normal(scenes, views, 3, 1, 1))
    encoded = (linear * gain).clamp(1e-6, 1) ** (1 / 2.2)
    soft = functional.avg_pool2d(functional.pad(encoded.flatten(0, 1), (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = uniform(-0.5, 0.8, scenes, views, 1, 1, 1).clamp_min(0)
    encoded = torch.lerp(encoded, soft.unflatten(0, (scenes, views)), share)
    sigma = uniform(0.0, 0.03, scenes, views, 1, 1, 1)
    return (encoded + sigma * torch.randn(encoded.shape, generator=noise)).clamp(0, 1)
