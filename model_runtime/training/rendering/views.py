"""Synthetic scenes as training data: several overlapping photos of a random room or street with exact geometry.

Every scene is drawn from its own random generator, seeded by (seed, number of the scene), so a batch is the same
wherever and whenever it is made, and a run resumes at any step without keeping the data's state.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from model_runtime.geometry.cameras import camera_centres, pixel_rays
from model_runtime.training.rendering.photography import develop
from model_runtime.training.rendering.raycast import BEAM, Beams, SceneBatch
from model_runtime.training.rendering.shading import cast
from model_runtime.training.rendering.trajectories import sample_intrinsics, sample_poses
from model_runtime.training.world.scenes import sample_scene
from model_runtime.training.world.textures import TextureBank, make_texture_bank

RAYS_AT_ONCE, RAYS_AT_ONCE_ON_A_GPU = 100_000, 8_000_000
"""On a CPU planes of this many rays stay in a core's cache, which more than doubles the speed."""
FARTHEST = 120.0
"""Metres beyond which depth is not told: as good as the sky."""
EDGE_SOFTNESS = 0.75
"""Share of the surrounding 3x3 pixels in a pixel on the outline of a solid: one ray a pixel leaves stairs."""


@dataclass(frozen=True)
class ViewBatch:
    """Photos of B scenes, N views each.

    images [B,N,3,H,W] display-encoded (sRGB-like) in 0..1; depth [B,N,H,W] metres along z, 0 where there is none (the
    sky and what is beyond FARTHEST); extrinsics [B,N,4,4] world-to-camera, metres; intrinsics [B,N,3,3] pixels, pixel
    centres at +0.5.
    """

    images: torch.Tensor
    depth: torch.Tensor
    extrinsics: torch.Tensor
    intrinsics: torch.Tensor


def view_beams(
    extrinsics: torch.Tensor, intrinsics: torch.Tensor, height: int, width: int
) -> tuple[Beams, torch.Tensor]:
    """Rays of all pixels of views [B,N,...] in beams of BEAM x BEAM pixels, and the width [T,1] of their pixels at
    distance 1. Sizes that BEAM does not divide get rays beyond the right and lower edge."""
    scenes, views = extrinsics.shape[:2]
    rows, columns = -(-height // BEAM), -(-width // BEAM)
    rays = pixel_rays(intrinsics, extrinsics, (rows * BEAM, columns * BEAM))[..., :3]
    tiles = rays.unflatten(3, (columns, BEAM)).unflatten(2, (rows, BEAM)).transpose(3, 4).reshape(-1, BEAM * BEAM, 3)
    unit = tiles / tiles.norm(dim=-1, keepdim=True)
    axis = unit.mean(1)
    axis = axis / axis.norm(dim=-1, keepdim=True)
    cosine = (unit @ axis[..., None]).amin((1, 2)).clamp(0.1, 1)
    count = rows * columns
    origin = camera_centres(extrinsics)[:, :, None].expand(scenes, views, count, 3).reshape(-1, 3, 1)
    scene = torch.arange(scenes, device=rays.device).repeat_interleave(views * count)
    pixel = (1 / intrinsics[..., 0, 0]).flatten().repeat_interleave(count)[:, None]
    x, y, z = (plane.contiguous() for plane in tiles.unbind(-1))
    beams = Beams(
        scene, (origin[:, 0], origin[:, 1], origin[:, 2]), (x, y, z), axis,
        torch.zeros_like(cosine), (1 - cosine * cosine).sqrt() / cosine,
    )  # fmt: skip
    return beams, pixel


def as_images(planes: torch.Tensor, scenes: int, views: int, height: int, width: int) -> torch.Tensor:
    """Values [T,P,...] of the rays of `view_beams` back as [scenes,views,height,width,...]."""
    rows, columns = -(-height // BEAM), -(-width // BEAM)
    grid = planes.reshape(scenes, views, rows, columns, BEAM, BEAM, *planes.shape[2:]).transpose(3, 4)
    return grid.flatten(4, 5).flatten(2, 3)[:, :, :height, :width]


def soften_outlines(colour: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Images [B,N,3,H,W] with pixels mixed with their neighbours where the solid [B,N,H,W] changes."""
    flat = colour.flatten(0, 1)
    mean = functional.avg_pool2d(functional.pad(flat, (1, 1, 1, 1), mode="replicate"), 3, 1)
    edge = torch.zeros(index.shape, dtype=torch.bool, device=index.device)
    across, down = index[..., 1:] != index[..., :-1], index[..., 1:, :] != index[..., :-1, :]
    edge[..., 1:] |= across
    edge[..., :-1] |= across
    edge[..., 1:, :] |= down
    edge[..., :-1, :] |= down
    return torch.lerp(flat, mean, EDGE_SOFTNESS * edge.flatten(0, 1)[:, None]).view_as(colour)


class ViewGenerator:
    """Endless synthetic scenes. The same seed, scene number and arguments give the same pictures.

    `device` is where rays are cast and where the results stay.
    """

    def __init__(self, seed: int, bank: TextureBank | None = None, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self.bank = (bank if bank is not None else make_texture_bank()).to(self.device)

    def render(
        self, first_scene: int, scenes: int, views: int, size: tuple[int, int], difficulty: float = 1.0
    ) -> ViewBatch:
        """As `batch`, but the images are linear light before any camera has seen it."""
        height, width = size
        scenes_made, poses, cameras = [], [], []
        for number in range(first_scene, first_scene + scenes):
            rng = np.random.default_rng([self.seed, number])
            scene = sample_scene(rng, self.bank, difficulty)
            scenes_made.append(scene)
            poses.append(sample_poses(rng, scene, views, difficulty))
            cameras.append(sample_intrinsics(rng, views, height, width))
        extrinsics = torch.from_numpy(np.stack(poses)).float().to(self.device)
        intrinsics = torch.from_numpy(np.stack(cameras)).float().to(self.device)
        linear, depth = [], []
        rays = RAYS_AT_ONCE if self.device.type == "cpu" else RAYS_AT_ONCE_ON_A_GPU
        chunk = max(1, rays // (views * height * width))
        for start in range(0, scenes, chunk):
            part = slice(start, start + chunk)
            batch = SceneBatch.stack(scenes_made[part], self.device)
            colour, z = self._cast(batch, extrinsics[part], intrinsics[part], size)
            linear.append(colour)
            depth.append(z)
        return ViewBatch(torch.cat(linear), torch.cat(depth), extrinsics, intrinsics)

    def batch(
        self, first_scene: int, scenes: int, views: int, size: tuple[int, int], difficulty: float = 1.0
    ) -> ViewBatch:
        """Scenes number first_scene .. first_scene + scenes - 1, `views` photos of size (height, width) each.

        difficulty: 0 for much texture and little motion, 1 for plain surfaces and large motion.
        """
        rendered = self.render(first_scene, scenes, views, size, difficulty)
        noise = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + first_scene)
        return replace(rendered, images=develop(rendered.images, noise))

    @torch.no_grad()
    def _cast(
        self, batch: SceneBatch, extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scenes, views = extrinsics.shape[:2]
        beams, pixel = view_beams(extrinsics, intrinsics, *size)
        colours, depth, index = cast(batch, self.bank, beams, pixel)
        colour = torch.stack([as_images(plane, scenes, views, *size) for plane in colours], 2)
        z = as_images(depth, scenes, views, *size)
        return soften_outlines(colour, as_images(index, scenes, views, *size)), z.where(z < FARTHEST, 0.0)
