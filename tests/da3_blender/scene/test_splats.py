"""The splat object in Blender: what it carries, and Gaussians where they must be in a render."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.conventions import srgb_to_linear
from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract import harmonics

bpy = pytest.importorskip("bpy")

from da3_blender.scene import visibility, write_scene  # noqa: E402
from da3_blender.scene.meshes import point_count, set_input  # noqa: E402
from da3_blender.scene.splats.native import has_native, is_native  # noqa: E402

AS_IS = PlanSettings(upright=False, centre=False, standard_view=True)
SIZE = (64, 48)
FOCAL = 150.0


def write_splats(room, scene, gaussians):
    """The splats alone before a camera at the origin that looks along +y with z up."""
    view = room.view(eye=(0, 0, 0), target=(0, 1, 0), photo_size=SIZE, focal=(FOCAL, FOCAL), detail=2)
    view.depth[:] = 100
    made = write_scene(
        plan_scene(room.prediction(view, gaussians=gaussians, source="given"), "x", settings=AS_IS), scene
    )
    visibility.show_part(made.collection, "points", False)
    visibility.show_part(made.collection, "splats", True)
    return made


def render(scene, path, engine: str = "CYCLES") -> np.ndarray:
    """[H,W,4] scene-linear, premultiplied, first row at the top."""
    scene.render.engine = engine
    scene.render.film_transparent = True
    scene.cycles.samples = 64
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.filter_width = 1.0
    scene.cycles.use_denoising = False
    scene.eevee.taa_render_samples = 4
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[::-1]


def footprint(mean, rotation, scale) -> np.ndarray:
    """[H,W] of a splat's image before a camera at the origin that looks along +y, to first order (Zwicker et al. 2001):
    a 2-D Gaussian with covariance J S J^T, J the derivative of the projection at the mean."""
    x, y, z = mean
    covariance = rotation @ np.diag(np.square(scale)) @ rotation.T
    jacobian = FOCAL / y * np.array([[1, -x / y, 0], [0, z / y, -1]])
    inverse = np.linalg.inv(jacobian @ covariance @ jacobian.T)
    middle = np.array([SIZE[0] / 2 + FOCAL * x / y, SIZE[1] / 2 - FOCAL * z / y])
    pixel = np.stack(np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5), axis=-1) - middle
    return np.exp(-0.5 * np.einsum("...i,ij,...j", pixel, inverse, pixel))


def assert_close(alpha, expected) -> None:
    """Blender's own splats let every ray through or not, by chance: there the noise is that of the number of rays."""
    error = alpha - expected
    if has_native():
        assert abs(error.mean()) < 0.004
        assert np.sqrt(np.mean(error**2)) < 1.2 * np.sqrt(np.mean(expected * (1 - expected)) / 64) + 0.004
    else:
        assert np.abs(error).max() < 0.02


@pytest.mark.parametrize(
    ("mean", "scale", "axis", "degrees"),
    [
        ((0.0, 10.0, 0.0), (0.4, 0.4, 0.4), (0, 0, 1), 0),
        ((0.7, 10.0, -0.4), (0.6, 0.2, 0.3), (1, 2, 0.5), 40),
        ((-0.5, 8.0, 0.3), (0.5, 0.3, 0.0), (1, 0.2, 0), 70),
    ],
)
@pytest.mark.parametrize("face_camera", [True, False])
def test_splat_renders_as_its_gaussian(room, empty_scene, tmp_path, mean, scale, axis, degrees, face_camera):
    rotation = room.rotation_about(axis, degrees)
    half = np.radians(degrees) / 2
    quaternion = [np.cos(half), *(np.sin(half) * np.array(axis) / np.linalg.norm(axis))]
    color = (0.9, 0.5, 0.1)
    made = write_splats(room, empty_scene, room.gaussians(mean, scale, [quaternion], 0.8, color))
    if not has_native():
        set_input(made.splats.modifiers[1], "Face Camera", face_camera)
    rendered = render(empty_scene, tmp_path / "render.exr")
    expected = 0.8 * footprint(mean, rotation, scale)
    assert_close(rendered[..., 3], expected)
    np.testing.assert_allclose(rendered[..., :3], rendered[..., 3:] * srgb_to_linear(color), atol=0.005)


def test_nearer_splats_cover_farther_ones(room, empty_scene, tmp_path):
    gaussians = room.gaussians([(0, 9, 0), (0, 11, 0)], 0.5, opacities=[0.6, 1.0], colors=[(1, 0, 0), (0, 0, 1)])
    write_splats(room, empty_scene, gaussians)
    middle = render(empty_scene, tmp_path / "render.exr")[22:26, 30:34].mean(axis=(0, 1))
    np.testing.assert_allclose(middle, (0.6, 0, 0.4, 1), atol=0.02)


@pytest.mark.large
def test_eevee_draws_the_same_in_the_right_order(room, empty_scene, tmp_path):
    gaussians = room.gaussians([(0, 9, 0), (0, 11, 0), (1, 10, 0)], 0.4, None, [0.6, 1.0, 0.8], np.eye(3))
    write_splats(room, empty_scene, gaussians)
    engine = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"
    cycles = render(empty_scene, tmp_path / "cycles.exr")
    assert np.abs(render(empty_scene, tmp_path / "eevee.exr", engine) - cycles).max() < 0.03


@pytest.mark.parametrize("degree", [1, 2, 4])
def test_colour_depends_on_the_side_it_is_seen_from(room, empty_scene, tmp_path, degree):
    mean = np.array((1.2, 10.0, -0.8))
    gaussians = room.gaussians(mean, 0.8, degree=degree)
    gaussians.harmonics[:] = np.random.default_rng(degree).normal(0, 0.1, gaussians.harmonics.shape)
    made = write_splats(room, empty_scene, gaussians)
    if is_native(made.splats.data) and degree > 3:
        pytest.skip("Blender 5.3 draws its own splats with harmonics up to degree 3")
    rendered = render(empty_scene, tmp_path / "render.exr")
    row, column = np.unravel_index(rendered[..., 3].argmax(), SIZE[::-1])
    functions = harmonics.basis(mean[None] / np.linalg.norm(mean), degree)[0]
    expected = srgb_to_linear(0.5 + gaussians.harmonics[0] @ functions)
    np.testing.assert_allclose(rendered[row, column, :3] / rendered[row, column, 3], expected, atol=0.005)


def test_moved_object_takes_its_splats_along(room, empty_scene, tmp_path):
    made = write_splats(room, empty_scene, room.gaussians((0, 10, 0), 0.2))
    made.splats.location = (1.0, -8.0, 0.5)
    made.splats.scale = (2.0, 2.0, 2.0)
    rendered = render(empty_scene, tmp_path / "render.exr")
    expected = footprint((1.0, 12.0, 0.5), np.eye(3), (0.4, 0.4, 0.4))
    assert_close(rendered[..., 3], expected)


def test_every_number_is_stored(room, empty_scene):
    rng = np.random.default_rng(0)
    quaternion = rng.normal(size=(5, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    gaussians = room.gaussians(rng.normal(size=(5, 3)), rng.uniform(0.1, 1, (5, 3)), quaternion, 0.7, degree=3)
    gaussians.harmonics[:] = rng.normal(size=(5, 3, 16))
    mesh = write_splats(room, empty_scene, gaussians).splats.data

    def read(name, member, width):
        values = np.zeros(5 * width, np.float32)
        mesh.attributes[name].data.foreach_get(member, values)
        return values.reshape(5, width)

    base = mesh.attributes["radiance:base"]
    assert base.data_type in ("FLOAT4", "FLOAT_COLOR")
    stored = read("radiance:base", "vector" if base.data_type == "FLOAT4" else "color", 4)
    np.testing.assert_allclose(stored[:, :3], gaussians.harmonics[:, :, 0], atol=1e-6)
    np.testing.assert_allclose(stored[:, 3], 0.7, atol=1e-6)
    for index in range(15):
        expected = gaussians.harmonics[:, :, index + 1]
        np.testing.assert_allclose(read(f"radiance:sh_{index}", "vector", 3), expected, atol=1e-6)
    assert "radiance:sh_15" not in mesh.attributes
    np.testing.assert_allclose(read("position", "vector", 3), gaussians.means, atol=1e-6)
    np.testing.assert_allclose(read("scale", "vector", 3), gaussians.scales)
    stored = read("rotation", "value", 4)
    np.testing.assert_allclose(np.abs(np.sum(stored * quaternion, axis=1)), 1, atol=1e-6)


def drawn(made) -> int:
    """How many splats are shown in viewports."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    return point_count(made.splats.evaluated_get(graph).data)


def test_shown_share(room, empty_scene):
    made = write_splats(room, empty_scene, room.gaussians(np.random.default_rng(0).normal(size=(1000, 3))))
    assert drawn(made) == 1000
    set_input(made.splats.modifiers[0], "Shown", 0.25)
    assert 200 < drawn(made) < 300


def test_repeated_splats_show_when_all_are_kept(room, empty_scene):
    gaussians = replace(room.gaussians(np.zeros((10, 3))), repeated=np.arange(10) < 4)
    made = write_splats(room, empty_scene, gaussians)
    assert drawn(made) == 6
    set_input(made.splats.modifiers[0], "Keep All", True)
    assert drawn(made) == 10


def test_cycles_may_look_deep_enough(room, empty_scene):
    empty_scene.cycles.transparent_max_bounces = 8
    write_splats(room, empty_scene, room.gaussians((0, 10, 0)))
    assert empty_scene.cycles.transparent_max_bounces >= 256
    assert empty_scene.cycles.min_transparent_bounces >= 64
