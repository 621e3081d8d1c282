"""Renders of splats against the float64 reference: pictures, alpha, depth, what stands between them, and light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.conventions import linear_to_srgb, srgb_to_linear
from tests.da3_blender.scene.splats import reference_splatter as reference
from tests.da3_blender.scene.splats.made_rooms import made_room, room_camera
from tests.da3_blender.scene.splats.reference_splatter import Camera, Splats

bpy = pytest.importorskip("bpy")

from da3_blender.scene.marks import DISPLAYED  # noqa: E402
from da3_blender.scene.materials import make_material, output  # noqa: E402
from da3_blender.scene.meshes import input_value  # noqa: E402
from da3_blender.scene.splats import photo_colors  # noqa: E402
from da3_blender.scene.splats.native import has_native  # noqa: E402
from tests.da3_blender.scene.splats import renders  # noqa: E402

pytestmark = pytest.mark.skipif(has_native(), reason="This Blender renders splats itself.")

ENGINES = [renders.CYCLES, pytest.param(renders.EEVEE, marks=pytest.mark.large)]
CAMERA = room_camera(96, 72)
LOOKING = Camera(np.eye(4), np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]), (48, 64))
"""At the origin, along z (OpenCV's)."""


def light(splats: Splats, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """The reference's picture, blended as linear light, and its coverage."""
    return reference.render(splats, camera, srgb_to_linear)


def row(depths, sizes=2.0, opacities=0.6, colours=((1.0, 0.5, 0.2),)) -> Splats:
    """Spheres on the axis of LOOKING."""
    count = len(depths)
    harmonics = (np.broadcast_to(colours, (count, 3))[:, :, None] - 0.5) / 0.28209479177387814
    means = np.stack([np.zeros(count), np.zeros(count), np.array(depths, float)], 1)
    sizes, opacities = np.full((count, 3), sizes), np.full(count, opacities)
    return Splats(means, sizes, np.tile((1.0, 0, 0, 0), (count, 1)), harmonics, opacities)


def put(splats: Splats, camera: Camera, scene) -> bpy.types.Object:
    renders.stand_camera(camera, scene)
    return renders.stand_splats(splats, scene)


def plate(scene, depth: float, colour, right: float = 0.0, lit: bool = False) -> None:
    """A plate of a colour across the axis of LOOKING, which covers what is right of it by `right` pixels and more."""
    edge = right / 60 * depth
    mesh = bpy.data.meshes.new("plate")
    corners = [(edge, -99, -depth), (99, -99, -depth), (99, 99, -depth), (edge, 99, -depth)]
    # Blender's camera at OpenCV's origin: y and z the other way round.
    mesh.from_pydata([(x, -y, -z) for x, y, z in corners], [], [(0, 1, 2, 3)])

    def build(nodes) -> None:
        kind = "ShaderNodeBsdfDiffuse" if lit else "ShaderNodeEmission"
        output(nodes, nodes.node(kind, {"Color": (*colour, 1.0)}).outputs[0])

    mesh.materials.append(make_material("plate", build))
    scene.collection.objects.link(bpy.data.objects.new("plate", mesh))


@pytest.mark.parametrize("engine", [renders.CYCLES, renders.EEVEE])
def test_a_room_is_as_the_reference_has_it(empty_scene, tmp_path, engine):
    splats = made_room(600)
    put(splats, CAMERA, empty_scene)
    picture, coverage = light(splats, CAMERA)
    rendered = renders.render(empty_scene, engine, tmp_path / "light.exr", samples=1)
    shown = linear_to_srgb(np.clip(rendered[..., :3], 0, 1))
    assert reference.psnr(shown, linear_to_srgb(np.clip(picture, 0, 1))) > 45
    assert reference.psnr(rendered[..., 3], coverage) > 45

    empty_scene[DISPLAYED] = 1
    rendered = renders.render(empty_scene, engine, tmp_path / "displayed.exr", samples=1)
    assert reference.psnr(rendered[..., :3], reference.render(splats, CAMERA)[0]) > 45


def test_thin_far_splats_are_seen(empty_scene, tmp_path):
    """A grid of splats a tenth of a pixel large: the low pass gives each its share of the picture."""
    x, y = (values.ravel() for values in np.meshgrid(np.arange(-9, 10) * 0.31, np.arange(-7, 8) * 0.31))
    grid = row(np.full(len(x), 10.0), sizes=0.1 * 10 / 60, opacities=0.9)
    splats = replace(grid, means=np.stack([x, y, np.full(len(x), 10.0)], 1))
    put(splats, LOOKING, empty_scene)
    rendered = renders.render(empty_scene, renders.CYCLES, tmp_path / "far.exr", samples=1)
    coverage = light(splats, LOOKING)[1]
    assert coverage.max() > 0.5
    assert reference.psnr(rendered[..., 3], coverage) > 45


def test_many_splats_at_one_depth_all_count(empty_scene, tmp_path):
    """As on a wall before the camera: rays that meet two surfaces at one place see but one of them."""
    splats = row([10.0] * 12, opacities=0.15)
    put(splats, LOOKING, empty_scene)
    rendered = renders.render(empty_scene, renders.CYCLES, tmp_path / "wall.exr", samples=1)
    np.testing.assert_allclose(rendered[24, 32, 3], light(splats, LOOKING)[1][24, 32], atol=0.005)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("depth", [4.0, 10.0, 20.0])
def test_a_plate_before_among_and_behind_them(empty_scene, tmp_path, engine, depth):
    """It hides those whose middles lie behind it, and shows through those before it."""
    splats = row([6.0, 8.0, 12.0, 14.0])
    put(splats, LOOKING, empty_scene)
    colour = (0.1, 0.3, 0.8)
    plate(empty_scene, depth, colour)
    rendered = renders.render(empty_scene, engine, tmp_path / "plate.exr", samples=1)
    before = splats.means[:, 2] < depth
    nearer = Splats(*(values[before] for values in vars(splats).values()))
    picture, coverage = light(nearer, LOOKING)
    expected = picture + (1 - coverage[..., None]) * colour
    np.testing.assert_allclose(rendered[:, 33:, :3], expected[:, 33:], atol=0.01)
    np.testing.assert_allclose(rendered[:, 33:, 3], 1, atol=0.002)
    everything = light(splats, LOOKING)
    np.testing.assert_allclose(rendered[:, :31, :3], everything[0][:, :31], atol=0.01)
    np.testing.assert_allclose(rendered[:, :31, 3], everything[1][:, :31], atol=0.01)


def depth_pass(scene, engine: str, path) -> np.ndarray:
    """[H,W] as the compositor has it."""
    openexr = pytest.importorskip("OpenEXR")
    scene.view_layers[0].use_pass_z = True
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    renders.settle(scene, engine, 1)
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    with openexr.File(str(path)) as file:
        channels = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    return next(pixels for name, pixels in channels.items() if name.endswith("Depth.Z") or name.endswith("Depth.V"))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_depth_pass_tells(empty_scene, tmp_path, engine):
    """Cycles: the first splat that is at least half opaque there. EEVEE: what stands behind the splats."""
    put(row([6.0, 8.0], opacities=(0.3, 0.9)), LOOKING, empty_scene)
    plate(empty_scene, 20.0, (1, 1, 1), right=-99)
    seen = depth_pass(empty_scene, engine, tmp_path / "depth.exr")
    expected = 8.0 if engine == renders.CYCLES else 20.0
    assert seen[24, 32] == pytest.approx(expected, rel=1e-3)
    assert seen[1, 1] == pytest.approx(20.0, rel=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_splats_give_no_light_and_no_shadow(empty_scene, tmp_path, engine):
    """A white plate, lit by a sun through a cloud of splats beside the picture, is as bright as without them."""
    plate(empty_scene, 10.0, (0.8, 0.8, 0.8), right=-99, lit=True)
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 1.0, (np.pi, 0.0, 0.0)
    empty_scene.collection.objects.link(sun)
    put(row([3.0], sizes=2.0, opacities=1.0, colours=((30.0, 30.0, 30.0),)), LOOKING, empty_scene)
    splats = bpy.data.objects["made splats"]
    splats.location.x = 9.0
    rendered = renders.render(empty_scene, engine, tmp_path / "with.exr", samples=16)
    bpy.data.objects.remove(splats)
    without = renders.render(empty_scene, engine, tmp_path / "without.exr", samples=16)
    assert without[24, 16, 0] > 0.2
    np.testing.assert_allclose(rendered[:, :32], without[:, :32], rtol=0.01)


def test_the_frame_follows_the_camera(empty_scene):
    """What drivers tell of lens, sensor, shift and size is what Blender's own frame of the camera tells."""
    item = put(row([6.0]), LOOKING, empty_scene)
    camera = empty_scene.camera.data
    empty_scene.render.resolution_percentage, empty_scene.render.pixel_aspect_x = 50, 1.5
    for fit, size in (("AUTO", (64, 48)), ("AUTO", (48, 96)), ("VERTICAL", (64, 48)), ("HORIZONTAL", (48, 64))):
        camera.sensor_fit, camera.shift_x, camera.shift_y, camera.lens = fit, 0.1, -0.2, 20.0
        empty_scene.render.resolution_x, empty_scene.render.resolution_y = size
        graph = bpy.context.evaluated_depsgraph_get()
        graph.update()
        modifier = item.evaluated_get(graph).modifiers[-1]
        corners = np.array(camera.view_frame(scene=empty_scene))
        corners = corners[:, :2] / -corners[:, 2:]
        half = (corners.max(0) - corners.min(0)) / 2
        np.testing.assert_allclose(input_value(modifier, "Frame")[:2], half, rtol=1e-5)
        np.testing.assert_allclose(input_value(modifier, "Lens Shift")[:2], corners.mean(0), rtol=1e-5)
        np.testing.assert_allclose(input_value(modifier, "Pixel")[:2], 2 * half / (np.array(size) / 2), rtol=1e-5)


def displayed(scene, engine: str, path) -> np.ndarray:
    """[H,W,3] through the compositor and the view transform, over black."""
    renders.settle(scene, engine, 1)
    scene.render.film_transparent = False
    scene.render.image_settings.file_format, scene.render.image_settings.color_depth = "PNG", "16"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return renders.read_picture(path)[..., :3]


def composites(scene) -> bool:
    """Whether a tree of nodes composites what is rendered."""
    if hasattr(scene, "compositing_node_group"):
        return scene.compositing_node_group is not None
    return scene.use_nodes


@pytest.mark.parametrize("engine", ENGINES)
def test_photo_colours_under_every_view_transform(empty_scene, tmp_path, engine):
    splats = made_room(600)
    put(splats, CAMERA, empty_scene)
    expected = reference.render(splats, CAMERA)[0]
    empty_scene.render.engine = renders.EEVEE  # set up once for all engines
    for view in ("Standard", "AgX", "Filmic", "Raw"):
        empty_scene.view_settings.view_transform = view
        photo_colors.blend_as_displayed(empty_scene)
        assert reference.psnr(displayed(empty_scene, engine, tmp_path / "shown.png"), expected) > 45, view


def test_only_the_splats_colours_change(empty_scene, tmp_path):
    """A plate beside the splats is displayed as it was, and all is as before once they blend as light again."""
    put(row([6.0], sizes=0.3), LOOKING, empty_scene)
    plate(empty_scene, 10.0, (0.1, 0.3, 0.8), right=12)
    empty_scene.view_settings.view_transform = "AgX"
    empty_scene.render.engine = renders.CYCLES
    before = displayed(empty_scene, renders.CYCLES, tmp_path / "before.png")
    photo_colors.blend_as_displayed(empty_scene)
    photo_colors.blend_as_displayed(empty_scene)
    assert photo_colors.blends_as_displayed(empty_scene)
    shown = displayed(empty_scene, renders.CYCLES, tmp_path / "shown.png")
    np.testing.assert_allclose(shown[:, 45:], before[:, 45:], atol=0.002)
    assert np.abs(shown[24, 32] - before[24, 32]).max() > 0.05
    photo_colors.blend_as_light(empty_scene)
    assert not photo_colors.blends_as_displayed(empty_scene)
    after = displayed(empty_scene, renders.CYCLES, tmp_path / "after.png")
    np.testing.assert_allclose(after, before, atol=0.002)
    assert not composites(empty_scene)


@pytest.mark.parametrize("engine", ENGINES)
def test_over_nothing_photo_colours_are_premultiplied(empty_scene, tmp_path, engine):
    colour = (1.0, 0.5, 0.2)
    splats = row([6.0], sizes=0.4, colours=(colour,))
    put(splats, LOOKING, empty_scene)
    empty_scene.view_settings.view_transform = "Standard"
    photo_colors.blend_as_displayed(empty_scene)
    rendered = renders.render(empty_scene, engine, tmp_path / "clear.exr", samples=1)
    np.testing.assert_allclose(rendered[..., 3], light(splats, LOOKING)[1], atol=0.005)
    np.testing.assert_allclose(rendered[..., :3], rendered[..., 3:] * srgb_to_linear(colour), atol=0.005)


def test_in_another_scene_splats_are_light(empty_scene, tmp_path):
    """Which has no compositor that makes light of displayed colours: appended, linked or copied."""
    splats = row([6.0], sizes=0.4, colours=((0.5, 0.5, 0.5),))
    item = put(splats, LOOKING, empty_scene)
    photo_colors.blend_as_displayed(empty_scene)
    other = bpy.data.scenes.new("other")
    other.collection.objects.link(item)
    other.collection.objects.link(empty_scene.camera)
    other.camera = empty_scene.camera
    other.render.resolution_x, other.render.resolution_y = 64, 48
    renders.settle(other, renders.CYCLES, 1)
    other.render.image_settings.file_format = "OPEN_EXR"
    other.render.filepath = str(tmp_path / "other.exr")
    bpy.ops.render.render(write_still=True, scene="other")
    rendered = renders.read_picture(tmp_path / "other.exr")
    np.testing.assert_allclose(rendered[..., :3], rendered[..., 3:] * srgb_to_linear((0.5, 0.5, 0.5)), atol=0.005)


def test_the_panels_button_goes_back_and_forth(addon, empty_scene):
    put(row([6.0]), LOOKING, empty_scene)
    for displayed in (True, False):
        assert bpy.ops.da3.photo_colors() == {"FINISHED"}
        assert photo_colors.blends_as_displayed(empty_scene) == displayed


def test_a_scene_that_the_artist_composites_is_left_alone(empty_scene):
    put(row([6.0]), LOOKING, empty_scene)
    photo_colors.by_default(empty_scene)
    assert photo_colors.blends_as_displayed(empty_scene) and composites(empty_scene)
    photo_colors.blend_as_light(empty_scene)
    if hasattr(empty_scene, "compositing_node_group"):
        empty_scene.compositing_node_group = bpy.data.node_groups.new("mine", "CompositorNodeTree")
    else:
        empty_scene.use_nodes = True
    photo_colors.by_default(empty_scene)
    assert not photo_colors.blends_as_displayed(empty_scene)
