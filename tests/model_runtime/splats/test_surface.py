import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from model_runtime.contract.messages import Gaussians
from model_runtime.splats.surface import FOOTPRINT, MAX_ELONGATION, OPACITY, THICKNESS, surface_splats

HEIGHT, WIDTH = 96, 128
INTRINSICS = np.array([[400.0, 0, 60.0], [0, 370.0, 50.0], [0, 0, 1]])
EXTRINSICS = np.eye(4)
EXTRINSICS[:3, :3] = Rotation.from_euler("xyz", [0.4, -1.9, 0.7]).as_matrix()
EXTRINSICS[:3, 3] = [0.3, -2.0, 1.1]
RAYS = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), -1)
RAYS = np.concatenate([RAYS, np.ones((HEIGHT, WIDTH, 1))], -1) @ np.linalg.inv(INTRINSICS).T
COLOR = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def splats_of(depth: np.ndarray, valid: np.ndarray | None = None, confidence: np.ndarray | None = None) -> Gaussians:
    valid = np.ones(depth.shape, bool) if valid is None else valid
    confidence = np.full(depth.shape, 2.0, np.float32) if confidence is None else confidence
    return surface_splats(depth.astype(np.float32), confidence, COLOR, EXTRINSICS, INTRINSICS, valid, view_index=3)


def plane(normal: np.ndarray, distance: float = 3.0) -> np.ndarray:
    """Depth of the plane through (0, 0, distance) of the camera."""
    return distance * normal[2] / (RAYS @ normal)


def slanted(degrees: float, towards: float = 0.6) -> np.ndarray:
    """Unit normal, in the camera, of a plane facing it but turned by `degrees`."""
    angle = np.radians(degrees)
    return np.array([np.sin(angle) * np.cos(towards), np.sin(angle) * np.sin(towards), -np.cos(angle)])


def sphere(centre: np.ndarray, radius: float) -> np.ndarray:
    """Depth of a sphere; NaN beside it."""
    a, b, c = (RAYS**2).sum(-1), RAYS @ centre, centre @ centre - radius**2
    with np.errstate(invalid="ignore"):
        return (b - np.sqrt(b * b - a * c)) / a


def camera_axes(splats: Gaussians) -> np.ndarray:
    """Rotations [G,3,3] of the splats as the camera sees them."""
    return EXTRINSICS[:3, :3] @ Rotation.from_quat(np.roll(splats.rotations, -1, axis=1)).as_matrix()


def degrees_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(np.arcsin(np.clip(np.linalg.norm(np.cross(first, second), axis=-1), 0, 1)))


def image_covariances(splats: Gaussians) -> tuple[np.ndarray, np.ndarray]:
    """Where the splats fall in the image [G,2], and the covariances [G,2,2] of their spots (Zwicker et al. 2001)."""
    points = splats.means @ EXTRINSICS[:3, :3].T + EXTRINSICS[:3, 3]
    focal = INTRINSICS[[0, 1], [0, 1]]
    pixels = points[:, :2] / points[:, 2:] * focal + INTRINSICS[:2, 2]
    jacobian = np.zeros((len(points), 2, 3))
    jacobian[:, [0, 1], [0, 1]] = focal / points[:, 2:]
    jacobian[:, :, 2] = -points[:, :2] * focal / points[:, 2:] ** 2
    root = jacobian @ camera_axes(splats) * splats.scales[:, None, :]
    return pixels, root @ root.swapaxes(1, 2)


@pytest.mark.parametrize("slant", [0, 30, 60, 70])
def test_on_a_plane_normals_are_exact_and_spots_are_round(slant):
    normal = slanted(slant)
    depth = plane(normal)
    splats = splats_of(depth)
    axes = camera_axes(splats)
    assert degrees_between(axes[:, :, 2], normal).max() < 0.05
    assert (axes[:, :, 2] @ normal).min() > 0
    assert np.abs(np.linalg.det(axes) - 1).max() < 1e-5
    pixels, covariances = image_covariances(splats)
    assert (
        np.abs(pixels - np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), -1).reshape(-1, 2) - 0.5).max()
        < 1e-3
    )
    inner = np.zeros((HEIGHT, WIDTH), bool)
    inner[1:-1, 1:-1] = True
    # The normal's thickness adds a little where the plane is seen from the side.
    assert np.abs(covariances[inner.ravel()] / FOOTPRINT**2 - np.eye(2)).max() < 0.03


def test_scales_of_a_facing_plane_are_the_pixel_spacing():
    splats = splats_of(np.full((HEIGHT, WIDTH), 3.0))
    spacing = 3.0 / INTRINSICS[[1, 0], [1, 0]]
    expected = FOOTPRINT * np.array([*spacing, THICKNESS * spacing[1]])
    assert np.abs(splats.scales / expected - 1).max() < 1e-4
    assert (splats.scales[:, 0] >= splats.scales[:, 1]).all()


def test_means_lie_on_the_pixels_points():
    depth = plane(slanted(40))
    splats = splats_of(depth)
    seen = splats.means @ EXTRINSICS[:3, :3].T + EXTRINSICS[:3, 3]
    assert np.abs(seen - (RAYS * depth[..., None]).reshape(-1, 3)).max() < 1e-5


@pytest.mark.parametrize("slant", [0, 60, 78])
def test_no_holes(slant):
    """Alpha of all splats together, anywhere between the pixels of a plane's interior."""
    splats = splats_of(plane(slanted(slant, towards=0.2)))
    pixels, covariances = image_covariances(splats)
    places = np.random.default_rng(1).uniform([50, 40], [78, 56], (150, 2))
    offsets = places[:, None] - pixels
    distances = np.einsum("pgi,gij,pgj->pg", offsets, np.linalg.inv(covariances), offsets)
    alpha = 1 - np.prod(1 - splats.opacities * np.exp(-distances / 2), axis=1)
    assert alpha.min() > 0.975


def test_normals_of_a_sphere():
    centre, radius = np.array([0.03, -0.06, 4.0]), 0.45
    depth = sphere(centre, radius)
    hit = np.isfinite(depth)
    splats = splats_of(depth, hit)
    points = RAYS[hit] * depth[hit][:, None]
    expected = (points - centre) / radius
    # Away from the rim: seen at less than 65 degrees, so that both neighbours are on the sphere too.
    inner = -(expected * points).sum(-1) / np.linalg.norm(points, axis=-1) > np.cos(np.radians(65))
    assert inner.sum() > 3000
    assert degrees_between(camera_axes(splats)[inner, :, 2], expected[inner]).max() < 0.3


def test_splats_do_not_lean_across_depth_edges():
    """A wall behind a sphere: its splats are those of the bare wall, up to the sphere's rim."""
    wall = np.full((HEIGHT, WIDTH), 8.0)
    depth = sphere(np.array([0.03, -0.06, 4.0]), 0.45)
    behind = ~np.isfinite(depth)
    splats = splats_of(np.where(behind, wall, depth))
    bare = splats_of(wall)
    rows = behind.ravel()
    assert degrees_between(camera_axes(splats)[rows, :, 2], np.array([0, 0, 1.0])).max() < 0.05
    # Only the few pixels cut off on both sides of an axis take the facing footprint, seen a little from the side.
    assert np.abs(splats.scales[rows] / bare.scales[rows] - 1).max() < 0.05


def test_grazing_surfaces_do_not_become_needles():
    splats = splats_of(plane(slanted(83, towards=0.0)))
    ratio = splats.scales[:, 0] / splats.scales[:, 1]
    assert ratio.max() == pytest.approx(MAX_ELONGATION, rel=1e-4)


def test_a_lone_pixel_faces_the_camera():
    valid = np.zeros((HEIGHT, WIDTH), bool)
    valid[5, 7] = True
    splats = splats_of(np.full((HEIGHT, WIDTH), 3.0), valid)
    assert len(splats.means) == 1
    assert degrees_between(camera_axes(splats)[0, :, 2], RAYS[5, 7] / np.linalg.norm(RAYS[5, 7])) < 0.01
    assert splats.scales[0, :2] == pytest.approx(FOOTPRINT * 3 / np.array([370, 400]), rel=0.02)


def test_opacity_follows_confidence_below_half_of_the_median():
    confidence = np.full((HEIGHT, WIDTH), 10.0, np.float32)
    confidence[0, :5] = [1, 2.5, 5, 6, 50]
    opacities = splats_of(plane(slanted(20)), confidence=confidence).opacities
    assert opacities[:5] == pytest.approx(OPACITY * np.array([0.2, 0.5, 1, 1, 1]), rel=1e-6)
    assert opacities[5:] == pytest.approx(OPACITY)


def test_colours_and_the_rest_of_the_message():
    valid = np.random.default_rng(2).random((HEIGHT, WIDTH)) < 0.5
    confidence = np.random.default_rng(3).uniform(1, 9, (HEIGHT, WIDTH)).astype(np.float32)
    splats = splats_of(plane(slanted(20)), valid, confidence)
    count = valid.sum()
    assert splats.harmonics.shape == (count, 3, 1)
    shown = 0.5 + 0.28209479177387814 * splats.harmonics[..., 0]
    assert np.abs(shown - COLOR[valid] / 255).max() < 1e-6
    assert np.array_equal(splats.confidence, confidence[valid])
    assert np.array_equal(splats.view_index, np.full(count, 3))
    assert splats.source == "surface"
    for name in ("means", "scales", "rotations", "opacities", "harmonics", "confidence"):
        assert getattr(splats, name).dtype == np.float32
    assert np.abs(np.linalg.norm(splats.rotations, axis=1) - 1).max() < 1e-6


def test_unusable_depths_and_empty_views():
    depth = np.full((HEIGHT, WIDTH), 2.0)
    depth[0, :4] = [np.nan, np.inf, 0, -1]
    splats = splats_of(depth)
    assert len(splats.means) == HEIGHT * WIDTH - 4
    assert all(np.isfinite(getattr(splats, name)).all() for name in ("means", "scales", "rotations", "opacities"))
    empty = splats_of(depth, np.zeros(depth.shape, bool))
    assert empty.means.shape == (0, 3) and empty.rotations.shape == (0, 4) and empty.harmonics.shape == (0, 3, 1)


def test_splats_of_a_very_wide_lens_lie_on_their_surface_to_its_corners():
    """130 degrees across, and a wall on the side, seen at up to 80 degrees from its normal."""
    intrinsics = np.array([[WIDTH / 2 / np.tan(np.radians(65)), 0, WIDTH / 2], [0, 30.0, HEIGHT / 2], [0, 0, 1]])
    pixels = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5, [1.0]), -1)[:, :, 0]
    rays = pixels @ np.linalg.inv(intrinsics).T
    normal = np.array([-1.0, 0, 0])
    beside = rays[..., 0] > 0.2
    depth = np.where(beside, 2 / np.where(beside, rays[..., 0], 1), 0).astype(np.float32)
    splats = surface_splats(depth, depth, COLOR, EXTRINSICS, intrinsics, beside)
    assert len(splats.means) == beside.sum() > 5000
    assert degrees_between(camera_axes(splats)[:, :, 2], normal).max() < 0.05
    assert (camera_axes(splats)[:, :, 2] @ normal).min() > 0.99
