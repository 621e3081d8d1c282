"""Pictures of the GPU against the float64 reference and against splats in closed form, whatever holds the splats."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.da3_blender.scene.splats import reference_splatter as reference
from tests.da3_blender.scene.splats.reference_splatter import Camera, Splats

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.drawing import canvas  # noqa: E402
from da3_blender.drawing.atlas import make_atlas, order_texture  # noqa: E402
from da3_blender.drawing.exact import Painter, camera_view  # noqa: E402
from da3_blender.drawing.sorting import back_to_front  # noqa: E402
from da3_blender.drawing.view import Placed, View, depth_rows  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402
from tests.da3_blender.scene.splats.renders import stand_camera, stand_splats  # noqa: E402

pytestmark = pytest.mark.usefixtures("shaders")

LOOKING = Camera(np.eye(4), np.array([[90.0, 0, 48], [0, 90, 36], [0, 0, 1]]), (72, 96))
"""At the origin, along z (OpenCV's)."""

OPENCV = np.diag([1.0, -1, -1, 1])


def made(count: int, degree: int = 3, seed: int = 1) -> Splats:
    """Splats of all kinds before LOOKING, some beyond its edges."""
    random = np.random.default_rng(seed)
    means = random.uniform([-1.8, -1.4, 1], [1.8, 1.4, 5], (count, 3))
    turns = random.normal(size=(count, 4))
    harmonics = random.normal(size=(count, 3, (degree + 1) ** 2)) * 0.15
    harmonics[:, :, 0] = random.uniform(-1.5, 1.5, (count, 3))
    scales = np.exp(random.normal(-2.8, 0.7, (count, 3)))
    splats = Splats(
        means, scales, turns / np.linalg.norm(turns, axis=1, keepdims=True), harmonics, random.random(count)
    )
    single = (np.float64(np.float32(part)) for part in vars(splats).values())
    return Splats(*single)


def sphere(depth: float, size: float, opacity: float, colour: tuple[float, float, float]) -> Splats:
    """One splat on the axis of LOOKING."""
    base = (np.array(colour)[None, :, None] - 0.5) * math.sqrt(4 * math.pi)
    return Splats(np.array([[0, 0, depth]]), np.full((1, 3), size), np.eye(4)[:1], base, np.array([opacity]))


def painted(scene: bpy.types.Scene, solids: bool = True) -> np.ndarray:
    bpy.context.view_layer.update()
    return Painter().paint(bpy.context.evaluated_depsgraph_get(), scene.camera, solids)


def decibels(picture: np.ndarray, expected: tuple[np.ndarray, np.ndarray]) -> float:
    return reference.psnr(picture, np.concatenate([expected[0], expected[1][..., None]], 2))


def test_a_single_splat_is_what_the_formula_says(scene) -> None:
    stand_splats(sphere(3.0, 0.1, 0.8, (0.9, 0.5, 0.2)), scene)
    stand_camera(LOOKING, scene)
    variance = (90 * 0.1 / 3) ** 2 + 0.3
    x, y = np.meshgrid(np.arange(96) + 0.5 - 48, np.arange(72) + 0.5 - 36)
    squared = (x * x + y * y) / variance
    alpha = np.where(squared <= 9, 0.8 * np.exp(-squared / 2), 0)[..., None]
    expected = np.concatenate([alpha * [0.9, 0.5, 0.2], alpha], 2)
    np.testing.assert_allclose(painted(scene), expected, atol=2e-5)


def test_parallel_projection_has_the_same_size_at_any_distance(scene) -> None:
    stand_splats(replace(sphere(3.0, 0.1, 0.8, (1, 1, 1)), means=np.array([[-1.0, 0, 3], [1, 0, 30]])[:1]), scene)
    stand_splats(replace(sphere(3.0, 0.1, 0.8, (1, 1, 1)), means=np.array([[1.0, 0, 30]])), scene)
    camera = stand_camera(LOOKING, scene)
    camera.data.type, camera.data.ortho_scale = "ORTHO", 4.8  # 20 pixels a unit
    variance = (20 * 0.1) ** 2 + 0.3
    x, y = np.meshgrid(np.arange(96) + 0.5 - 48, np.arange(72) + 0.5 - 36)
    expected = np.zeros((72, 96))
    for middle in (-20, 20):
        squared = ((x - middle) ** 2 + y * y) / variance
        expected += np.where(squared <= 9, 0.8 * np.exp(-squared / 2), 0)
    np.testing.assert_allclose(painted(scene)[..., 3], expected, atol=2e-5)


@pytest.mark.parametrize("degree", [0, 2, 4])
def test_many_splats_are_as_the_reference_has_them(scene, degree: int) -> None:
    splats = made(400, degree)
    stand_splats(splats, scene)
    stand_camera(LOOKING, scene)
    assert decibels(painted(scene), reference.render(splats, LOOKING)) > 75


def test_shift_and_unequal_focal_lengths_are_the_cameras(scene) -> None:
    camera = replace(LOOKING, intrinsics=np.array([[90.0, 0, 61], [0, 60, 28], [0, 0, 1]]))
    splats = made(400)
    stand_splats(splats, scene)
    item = stand_camera(camera, scene)
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = 1, 1.5  # focal lengths of 90 and 60
    item.data.shift_x, item.data.shift_y = (48 - 61) / 96, (28 - 36) / 96 * 1.5
    assert decibels(painted(scene), reference.render(splats, camera)) > 75


def test_objects_stand_anywhere_in_any_size_and_are_sorted_together(scene) -> None:
    """What the objects' matrices do to the splats is worked out here by the covariances' own axes."""
    matrices = [
        Matrix.Translation((0.1, -0.2, 0.3)) @ Matrix.Rotation(0.3, 4, (1, 2, 3)) @ Matrix.Diagonal((1.3, 0.7, 1.1, 1)),
        Matrix.Rotation(-0.2, 4, (0, 1, 1)) @ Matrix.Diagonal((-1.1, 0.9, 1.2, 1)),  # a mirror
    ]
    parts = [made(250, 0, seed) for seed in (2, 3)]
    moved = []
    for part, matrix in zip(parts, matrices, strict=True):
        stand_splats(part, scene).matrix_world = matrix
        moved.append(_mapped(part, np.array(matrix)))
    stand_camera(LOOKING, scene)
    together = Splats(*(np.concatenate(each) for each in zip(*(vars(part).values() for part in moved), strict=True)))
    assert decibels(painted(scene), reference.render(together, LOOKING)) > 75


def _mapped(splats: Splats, matrix: np.ndarray) -> Splats:
    """Splats of degree 0 after an affine map."""
    linear = matrix[:3, :3]
    root = linear @ (reference.rotation_matrices(splats.rotations) * splats.scales[:, None, :])
    variances, axes = np.linalg.eigh(root @ np.swapaxes(root, 1, 2))
    axes[:, :, 0] *= np.linalg.det(axes)[:, None]
    quaternions = np.array([list(Matrix(each.tolist()).to_quaternion()) for each in axes])
    means = splats.means @ linear.T + matrix[:3, 3]
    return replace(splats, means=means, scales=np.sqrt(np.maximum(variances, 0)), rotations=quaternions)


def test_colours_turn_with_their_object(scene) -> None:
    """An object that turns together with the camera looks as before; one in a mirror, as before in the mirror."""
    item = stand_splats(made(300), scene)
    camera = stand_camera(LOOKING, scene)
    before = painted(scene)
    turn = Matrix.Translation((3, 1, -2)) @ Matrix.Rotation(1.1, 4, (1, -2, 0.5)) @ Matrix.Scale(2.0, 4)
    item.matrix_world = turn
    camera.matrix_world = turn @ camera.matrix_world
    assert reference.psnr(painted(scene), before) > 75
    item.matrix_world = turn @ Matrix.Diagonal((-1, 1, 1, 1))
    assert reference.psnr(painted(scene)[:, ::-1], before) > 75


def test_meshes_hide_what_is_behind_them_alone(scene) -> None:
    near, far = sphere(2.0, 0.1, 0.9, (1, 0, 0)), sphere(4.0, 0.2, 0.9, (0, 1, 0))
    for splats in (near, far):
        stand_splats(splats, scene)
    stand_camera(LOOKING, scene)
    mesh = bpy.data.meshes.new("wall")
    mesh.from_pydata([(0, -9, 3), (9, -9, 3), (9, 9, 3), (0, 9, 3)], [], [(0, 1, 2, 3)])
    wall = bpy.data.objects.new("wall", mesh)
    scene.collection.objects.link(wall)
    both, one = (_over(reference.render(part, LOOKING) for part in parts) for parts in ((near, far), (near,)))
    picture = painted(scene)
    np.testing.assert_allclose(picture[:, :48], both[:, :48], atol=2e-5)
    np.testing.assert_allclose(picture[:, 48:], one[:, 48:], atol=2e-5)
    np.testing.assert_allclose(painted(scene, solids=False), both, atol=2e-5)
    wall.hide_render = True
    np.testing.assert_allclose(painted(scene), both, atol=2e-5)


def test_what_renders_hide_is_left_out_also_by_collections_and_in_instances(scene) -> None:
    item = stand_splats(sphere(2.0, 0.1, 0.9, (1, 0, 0)), scene)
    stand_camera(LOOKING, scene)
    outer, inner = (bpy.data.collections.new(name) for name in ("outer", "inner"))
    scene.collection.children.link(outer)
    outer.children.link(inner)
    inner.objects.link(item)
    for collection in item.users_collection:
        if collection != inner:
            collection.objects.unlink(item)
    assert painted(scene)[36, 48, 3] > 0.8
    outer.hide_render = True
    with pytest.raises(JobError, match="No splats are shown"):
        painted(scene)
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", inner
    scene.collection.objects.link(instance)
    assert painted(scene)[36, 48, 3] > 0.8
    item.hide_render = True
    with pytest.raises(JobError, match="No splats are shown"):
        painted(scene)


def test_panoramic_cameras_are_refused(scene) -> None:
    stand_splats(sphere(2.0, 0.1, 0.9, (1, 0, 0)), scene)
    stand_camera(LOOKING, scene)
    scene.camera.data.type = "PANO"
    with pytest.raises(JobError, match="panoramic"):
        painted(scene)


def _over(layers) -> np.ndarray:
    """Pictures with their coverage, the first before the others."""
    result = np.zeros((72, 96, 4))
    for picture, coverage in layers:
        result += (1 - result[..., 3:]) * np.concatenate([picture, coverage[..., None]], 2)
    return result


def test_a_clipped_border_and_hidden_objects_are_left_out(scene) -> None:
    """As the viewport asks for it: planes in the world, objects that are not shown, and what is selected."""
    for side in (-0.4, 0.4):
        splats = sphere(2.0, 0.05, 0.9, (1, 1, 1))
        stand_splats(replace(splats, means=splats.means + np.array([side, 0, 0])), scene)
    stand_camera(LOOKING, scene)
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    view = camera_view(graph, scene.camera)
    data = [item.evaluated_get(graph).data for item in scene.objects if item.type != "CAMERA"]
    atlas, positions = make_atlas(data)

    def covered(view: View, placed: list[Placed]) -> list[bool]:
        ranges = [(index, index + 1, row.tolist()) for index, row in enumerate(depth_rows(view, placed))]
        target = canvas.Canvas(view.size)
        target.draw(atlas, placed, view, order_texture(back_to_front(positions, ranges)), len(positions))
        alpha = target.read()[36, :, 3]
        marks = canvas.numbers_of(target.selection.read()).reshape(72, 96, 2)[36]
        assert (marks.max(1) > 0.5).tolist() == (alpha * (np.arange(96) > 48) > 0.5).tolist()  # the right one is active
        return [bool(alpha[x] > 0.5) for x in (30, 66)]

    left, right = Placed(np.eye(4)), Placed(np.eye(4), active=1.0)
    assert covered(view, [left, right]) == [True, True]
    assert covered(view, [replace(left, shown=False), right]) == [False, True]
    assert covered(replace(view, planes=np.array([[-1.0, 0, 0, 0.1]])), [left, right]) == [True, False]


def test_points_stand_for_splats_whose_order_is_not_known(scene) -> None:
    stand_splats(sphere(2.0, 0.5, 0.9, (0.25, 0.5, 0.75)), scene)
    stand_camera(LOOKING, scene)
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    data = [item.evaluated_get(graph).data for item in scene.objects if item.type != "CAMERA"]
    atlas, _ = make_atlas(data)
    target = canvas.Canvas((96, 72))
    target.draw(atlas, [Placed(np.eye(4))], camera_view(graph, scene.camera), None, atlas.count)
    picture = target.read()
    rows, columns = np.nonzero(picture[..., 3])
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) <= {
        (y, x) for y in range(34, 38) for x in range(46, 50)
    }
    np.testing.assert_allclose(picture[36, 48], [0.25, 0.5, 0.75, 1], atol=1e-3)
