import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.ray_cameras import _make_grid, _solve_views, cameras_from_rays

IMAGE_SIZE = (238, 336)
GRID = (68, 96)
GRID_OF = _make_grid(*GRID)
VIEWS = 8


class Truth:
    """Random pinholes: any rotation, off-centre principal point, fx != fy; and their analytic ray maps."""

    def __init__(self, seed: int, views: int = VIEWS, noise: float = 0.0):
        random = np.random.default_rng(seed)
        height, width = IMAGE_SIZE
        self.rotations = Rotation.random(views, rng=random).as_matrix()
        self.centres = random.normal(size=(views, 3)) * 2
        self.intrinsics = np.tile(np.eye(3), (views, 1, 1))
        self.intrinsics[:, 0, 0] = width * random.uniform(0.4, 1.5, views)
        self.intrinsics[:, 1, 1] = self.intrinsics[:, 0, 0] * random.uniform(0.8, 1.25, views)
        self.intrinsics[:, :2, 2] = np.array([width, height]) * random.uniform(0.3, 0.7, (views, 2))
        u, v = np.meshgrid((np.arange(GRID[1]) + 0.5) * width / GRID[1], (np.arange(GRID[0]) + 0.5) * height / GRID[0])
        pixels = np.stack([u, v, np.ones_like(u)], -1)
        directions = np.einsum("vij,vjk,hwk->vhwi", self.rotations, np.linalg.inv(self.intrinsics), pixels)
        lengths = np.linalg.norm(directions, axis=-1, keepdims=True)
        directions = directions + noise * lengths * random.normal(size=directions.shape)
        origins = self.centres[:, None, None] + noise * random.normal(size=directions.shape)
        self.rays = torch.tensor(np.concatenate([directions, origins], -1), dtype=torch.float32)

    def check(self, extrinsics, intrinsics, degrees=0.01, focal=1e-3, principal_point=0.05, centre=1e-5):
        extrinsics, intrinsics = extrinsics.double().numpy(), intrinsics.double().numpy()
        turns = Rotation.from_matrix(extrinsics[..., :3] @ self.rotations).magnitude()
        assert np.degrees(turns).max() < degrees
        for axis in (0, 1):
            assert np.abs(intrinsics[:, axis, axis] / self.intrinsics[:, axis, axis] - 1).max() < focal
        assert np.abs(intrinsics[:, :2, 2] - self.intrinsics[:, :2, 2]).max() < principal_point
        assert (intrinsics[:, [0, 1, 2, 2], [1, 0, 0, 1]] == 0).all() and (intrinsics[:, 2, 2] == 1).all()
        centres = -np.einsum("vji,vj->vi", extrinsics[..., :3], extrinsics[..., 3])
        assert np.abs(centres - self.centres).max() < centre


def solve(rays: torch.Tensor, confidence: torch.Tensor | None = None):
    return cameras_from_rays(rays, torch.ones(rays.shape[:-1]) if confidence is None else confidence, IMAGE_SIZE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exact_on_analytic_ray_maps(dtype):
    truth = Truth(0, views=16)
    extrinsics, intrinsics = solve(truth.rays.to(dtype))
    assert extrinsics.dtype == intrinsics.dtype == dtype
    assert extrinsics.shape == (16, 3, 4) and intrinsics.shape == (16, 3, 3)
    truth.check(extrinsics, intrinsics)


def test_arrays_and_tensors_give_the_same():
    """Also many views at once, as on a GPU."""
    truth = Truth(10, noise=0.02)
    rays = truth.rays.numpy()
    confidence = np.random.default_rng(3).uniform(1, 5, rays.shape[:-1]).astype(np.float32)
    extrinsics, intrinsics = cameras_from_rays(rays, confidence, IMAGE_SIZE)
    assert isinstance(extrinsics, np.ndarray) and extrinsics.dtype == intrinsics.dtype == np.float32
    for ours, theirs in zip((extrinsics, intrinsics), solve(truth.rays, torch.tensor(confidence)), strict=True):
        assert np.array_equal(ours, theirs.numpy())
    alone = [_solve_views(rays[[i]].reshape(1, -1, 6), confidence[[i]].reshape(1, -1), GRID_OF) for i in range(VIEWS)]
    together = _solve_views(truth.rays.flatten(1, 2), torch.tensor(confidence).flatten(1), GRID_OF)
    for ours, theirs in zip(zip(*alone, strict=True), together, strict=True):
        assert np.abs(np.concatenate(ours) - theirs.numpy()).max() < 1e-9


def test_views_turned_away_from_the_reference_are_exact():
    """Half of the views look along -z of the world, where a direction divided by its z would be mirrored."""
    truth = Truth(1, views=16)
    behind = truth.rotations[:, 2, 2] < 0
    assert behind.sum() > 3
    sideways = (truth.rays[..., 2] > 0).flatten(1).any(1) & (truth.rays[..., 2] < 0).flatten(1).any(1)
    assert sideways.sum() > 3
    truth.check(*solve(truth.rays))


def random_outliers(truth: Truth, where: np.ndarray) -> None:
    truth.rays[where] = torch.tensor(np.random.default_rng(5).normal(size=(where.sum(), 6)) * 3, dtype=torch.float32)


def another_camera(truth: Truth, where: np.ndarray) -> None:
    """The outliers agree among themselves: all are rays of one other camera."""
    truth.rays[where] = Truth(77).rays[where]


def shifted(truth: Truth, where: np.ndarray) -> None:
    """Outliers close to the truth: turned by some 10 degrees, with origins beside the camera."""
    turn = torch.tensor(Rotation.from_rotvec([0.1, -0.15, 0.05]).as_matrix(), dtype=torch.float32)
    truth.rays[where] = torch.cat((truth.rays[where][:, :3] @ turn.T, truth.rays[where][:, 3:] + 0.3), -1)


def scattered(share: float) -> np.ndarray:
    return np.random.default_rng(6).random((VIEWS, *GRID)) < share


def block(share: float) -> np.ndarray:
    where = np.zeros((VIEWS, *GRID), bool)
    where[:, : int(share * GRID[0])] = True
    return where


@pytest.mark.parametrize("outlier_confidence", [1.0, 1e6], ids=["unsure", "sure"])
@pytest.mark.parametrize("place", [scattered, block])
@pytest.mark.parametrize("spoil", [random_outliers, another_camera, shifted])
def test_thirty_percent_outliers_change_nothing(spoil, place, outlier_confidence):
    truth = Truth(2)
    where = place(0.3)
    spoil(truth, where)
    confidence = torch.tensor(np.random.default_rng(7).uniform(1, 5, where.shape))
    confidence[torch.tensor(where)] = outlier_confidence
    truth.check(*solve(truth.rays, confidence))


@pytest.mark.parametrize("spoil", [random_outliers, another_camera])
def test_noisy_rays_with_sure_outliers(spoil):
    """Noise of half a degree: the fit averages it over some 4500 good rays (bounds are a few standard errors)."""
    truth = Truth(3, noise=0.01)
    where = scattered(0.3)
    spoil(truth, where)
    confidence = torch.ones(where.shape)
    confidence[torch.tensor(where)] = 1e6
    truth.check(*solve(truth.rays, confidence), degrees=2.0, focal=0.01, principal_point=12, centre=5e-3)


def test_unusable_rays_are_outliers():
    truth = Truth(4)
    truth.rays[torch.tensor(scattered(0.2))] = torch.nan
    truth.rays[:, :5] = torch.inf
    truth.rays[:, 5:7] = 0
    confidence = torch.ones(truth.rays.shape[:-1])
    confidence[:, 10:12] = torch.nan
    confidence[:, 12:14] = torch.inf
    truth.check(*solve(truth.rays, confidence))


def test_confidence_weighs_the_good_rays():
    """Every other row is turned by as much as the noise: the answer leans to the rows of thrice the confidence."""
    truth = Truth(8, noise=0.01)
    turn = torch.tensor(Rotation.from_rotvec([0, 0, 0.01]).as_matrix(), dtype=torch.float32)
    truth.rays[:, ::2, :, :3] = truth.rays[:, ::2, :, :3] @ turn.T

    def lean(turned: float, straight: float) -> float:
        confidence = torch.full(truth.rays.shape[:-1], straight)
        confidence[:, ::2] = turned
        rotations = solve(truth.rays, confidence)[0][..., :3].double().mT.numpy()
        return float((Rotation.from_matrix(rotations @ truth.rotations.swapaxes(1, 2)).as_rotvec()[:, 2]).mean()) / 0.01

    assert lean(6, 2) - lean(2, 6) == pytest.approx(0.5, abs=0.15)


def test_same_result_every_time_and_in_every_batch():
    truth = Truth(9, noise=0.02)
    torch.manual_seed(1)
    first = solve(truth.rays)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again = solve(truth.rays)
    assert torch.equal(torch.get_rng_state(), state)
    alone = solve(truth.rays[5])
    batched = solve(truth.rays.reshape(2, 4, *truth.rays.shape[1:]))
    for index in (0, 1):
        assert torch.equal(first[index], again[index])
        assert torch.equal(first[index][5], alone[index])
        assert torch.equal(first[index], batched[index].flatten(0, 1))


def test_rays_of_no_camera_still_give_finite_rotations():
    rays = torch.randn(3, 16, 24, 6, generator=torch.Generator().manual_seed(0))
    rays[1] = torch.tensor([0.0, 0.0, 1.0, 1.0, 2.0, 3.0])
    rays[2] = 0
    extrinsics, intrinsics = solve(rays)
    assert extrinsics.isfinite().all() and intrinsics.isfinite().all()
    identity = extrinsics[..., :3] @ extrinsics[..., :3].mT
    assert (identity - torch.eye(3)).abs().max() < 1e-5
    assert (torch.linalg.det(extrinsics[..., :3]) - 1).abs().max() < 1e-5


def test_too_few_rays_are_refused():
    with pytest.raises(ValueError, match="at least 2 x 2"):
        solve(torch.ones(1, 5, 6))
