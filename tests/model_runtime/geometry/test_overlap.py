import numpy as np

from model_runtime.geometry.overlap import view_overlap


def test_a_plane_seen_by_cameras_side_by_side(kind):
    """What leaves the picture by the camera's shift is not shared, whichever way; a third camera looks away."""
    focal, distance, shift, width = 40.0, 2.0, 0.75, 60
    moved = shift * focal / distance
    extrinsics = np.tile(np.eye(4), (1, 3, 1, 1))
    extrinsics[0, 1, 0, 3] = -shift
    extrinsics[0, 2, :3, :3] = np.diag((-1.0, 1.0, -1.0))
    intrinsics = np.tile([[focal, 0, width / 2], [0, focal, 20], [0, 0, 1]], (1, 3, 1, 1))
    depth = np.full((1, 3, 40, width), distance)
    depth[0, 1, :10] = 0
    expected = [[1, 0.75 * (1 - moved / width), 0], [1 - moved / width, 1, 0], [0, 0, 1]]
    shared = np.asarray(view_overlap(kind(depth), kind(intrinsics), kind(extrinsics), stride=1))
    assert shared.shape == (1, 3, 3)
    assert np.abs(shared[0] - expected).max() < 1e-6


def test_views_without_depth_share_nothing(kind):
    cameras = np.tile(np.eye(4), (1, 2, 1, 1))
    shared = view_overlap(kind(np.zeros((1, 2, 14, 14))), kind(cameras[..., :3, :3]), kind(cameras))
    assert not np.asarray(shared).any()
