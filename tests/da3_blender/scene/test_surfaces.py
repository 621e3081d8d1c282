"""Textured surfaces in Blender: what the meshes hold, and that renders show what the photos show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract.messages import Mesh, Prediction, View

bpy = pytest.importorskip("bpy")

from da3_blender.scene import visibility, write, write_scene  # noqa: E402
from da3_blender.scene.surfaces import photo_behind  # noqa: E402

PHOTO = (160, 120)
SHEETS = PlanSettings(sheets=True, confidence_threshold=0, standard_view=True, upright=False, centre=False)
FUSED = replace(SHEETS, sheets=False)


def paint(points: np.ndarray) -> np.ndarray:
    """What colour, [...,3] uint8, the room has at `points` [...,3]: no two places near each other alike."""
    x, y, z = np.moveaxis(points, -1, 0)
    waves = np.stack((np.sin(5 * x + y), np.sin(4 * y - 3 * z), np.sin(6 * z + 2 * x)), -1)
    return np.round(128 + 110 * waves).astype(np.uint8)


def painted(room, view: View) -> np.ndarray:
    """[120,160,3] uint8: what a perfect camera takes from where `view` is."""
    width, height = PHOTO
    depth, _ = room.cast(view.extrinsics, view.intrinsics, PHOTO, (height, width))
    pixel = np.stack([*np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), np.ones((height, width))], -1)
    seen = depth[..., None] * (pixel @ np.linalg.inv(view.intrinsics).T)
    return paint((seen - view.extrinsics[:3, 3]) @ view.extrinsics[:3, :3])


def look(room, eye=(0.0, 0.0, 1.6), name="a.png", **options) -> View:
    return room.view(eye=eye, photo_size=PHOTO, focal=(130, 120), principal=(85, 55), name=name, detail=4, **options)


@pytest.fixture
def photos(room, tmp_path) -> tuple[list[View], list[object]]:
    views = [look(room), look(room, eye=(0.5, 0.2, 1.4), name="b.png")]
    paths = [tmp_path / view.name for view in views]
    for view, path in zip(views, paths, strict=True):
        Image.fromarray(painted(room, view)).save(path)
    return views, paths


def wall_and_floor(face_views: int) -> Mesh:
    """The room as two big rectangles of a few thousand triangles, their photos in turns."""
    count = 40
    across, along = np.meshgrid(np.linspace(-4, 4, count), np.linspace(0, 4, count))
    wall = np.stack((across, np.full_like(across, 4.0), along), -1).reshape(-1, 3)
    floor = np.stack((across, 4 - along, np.zeros_like(across)), -1).reshape(-1, 3)
    place = np.arange(count * count).reshape(count, count)
    a, b, c, d = (place[i : count - 1 + i, j : count - 1 + j].ravel() for i in (0, 1) for j in (0, 1))
    triangles = np.concatenate((np.stack((a, b, d), -1), np.stack((a, d, c), -1)))
    triangles = np.concatenate((triangles, triangles[:, ::-1] + count * count)).astype(np.int32)
    vertices = np.concatenate((wall, floor)).astype(np.float32)
    return Mesh(vertices, triangles, np.arange(len(triangles), dtype=np.int32) % face_views, paint(vertices))


def shown_in(views: list[View], mesh: Mesh) -> Mesh:
    """`mesh` with the other photo, or none, where a triangle is not within the chosen one."""
    whole = np.zeros((len(views) + 1, len(mesh.triangles)), bool)
    for inside, view in zip(whole, views, strict=False):
        seen = mesh.vertices @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
        pixel = seen @ view.intrinsics.T
        place = pixel[:, :2] / np.where(seen[:, 2:] > 0, seen[:, 2:], np.nan)
        inside[:] = ((place >= 0) & (place <= PHOTO)).all(1)[mesh.triangles].all(1)
    rows = np.arange(len(mesh.triangles))
    other = np.where(whole[1 - mesh.face_view, rows], 1 - mesh.face_view, -1)
    return replace(mesh, face_view=np.where(whole[mesh.face_view, rows], mesh.face_view, other))


def rendered(scene, path) -> tuple[np.ndarray, np.ndarray]:
    """[H,W,3] in 0..255 of what the active camera sees, first row at the top, and where [H,W] it is all surface."""
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 16, False
    scene.render.film_transparent = True
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    pixels = np.asarray(Image.open(path).convert("RGBA"), float)
    return pixels[..., :3], pixels[..., 3] == 255


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def only(made, *shown) -> None:
    for item in list(made.collection.all_objects):
        item.hide_render = item not in shown


def compare(room, scene, path, made, view: View) -> tuple[float, float]:
    """How well the scene's camera sees the room as `view` sees it, PSNR, and the share of the picture it compares."""
    picture, covered = rendered(scene, path)
    truth = painted(room, view)
    return psnr(picture[covered], truth[covered]), float(covered.mean())


def test_a_sheet_renders_as_its_photo(room, empty_scene, tmp_path, photos):
    views, paths = photos
    made = write_scene(plan_scene(room.prediction(*views, source="given"), "room", paths, SHEETS), empty_scene)
    only(made, made.surfaces[0])
    right, covered = compare(room, empty_scene, tmp_path / "right.png", made, views[0])
    assert covered > 0.9
    assert right > 45
    layer = made.surfaces[0].data.uv_layers[0].uv
    uv = np.zeros(2 * len(layer), np.float32)
    layer.foreach_get("vector", uv)
    shift = np.float32((1 / PHOTO[0], 0))
    for wrong in (uv.reshape(-1, 2) * (1, -1) + (0, 1), uv.reshape(-1, 2) + shift):
        layer.foreach_set("vector", wrong.astype(np.float32).ravel())
        made.surfaces[0].data.update()
        assert compare(room, empty_scene, tmp_path / "wrong.png", made, views[0])[0] < 35


def test_sheets_show_the_room_from_elsewhere(room, empty_scene, tmp_path, photos):
    views, paths = photos
    made = write_scene(plan_scene(room.prediction(*views, source="given"), "room", paths, SHEETS), empty_scene)
    for item in made.surfaces:
        only(made, item)
        other = made.cameras[1 - made.surfaces.index(item)]
        empty_scene.timeline_markers.clear()
        empty_scene.camera = other
        seen, covered = compare(room, empty_scene, tmp_path / "other.png", made, views[made.cameras.index(other)])
        assert covered > 0.5 and seen > 40


def test_the_fused_mesh_shows_the_room_from_anywhere(room, empty_scene, tmp_path, photos):
    views, paths = photos
    mesh = shown_in(views, wall_and_floor(2))
    assert {-1, 0, 1} == set(mesh.face_view.tolist())
    new = look(room, eye=(0.25, 0.5, 1.2), target=(0.2, 4, 0.8))
    prediction = replace(room.prediction(*views, new, source="given"), mesh=mesh)
    made = write_scene(plan_scene(prediction, "room", [*paths, None], FUSED), empty_scene)
    (item,) = made.surfaces
    only(made, item)
    for index, view in enumerate((*views, new)):
        empty_scene.timeline_markers.clear()
        empty_scene.camera = made.cameras[index]
        seen, covered = compare(room, empty_scene, tmp_path / "fused.png", made, view)
        assert covered > 0.8 and seen > 40


def test_meshes_hold_the_plan(room, empty_scene, photos):
    views, paths = photos
    prediction = replace(room.prediction(*views), mesh=wall_and_floor(2))
    plan = plan_scene(prediction, "room", paths, replace(SHEETS, sheet_budget=1000))
    made = write_scene(plan, empty_scene)
    assert [item["da3_role"] for item in made.surfaces] == ["mesh", "sheet", "sheet"]
    assert [item.get("da3_view") for item in made.surfaces] == [None, "a.png", "b.png"]
    assert {child.name: len(child.objects) for child in made.collection.children if child.objects} == {
        "Cameras": 2,
        "Points": 1,
        "Mesh": 1,
        "Sheets": 2,
    }
    for item, surface in zip(made.surfaces, plan.surfaces, strict=True):
        mesh = item.data
        assert mesh.validate() is False and len(mesh.polygons) == len(surface.triangles)
        found = np.zeros((len(mesh.vertices), 3), np.float32)
        mesh.vertices.foreach_get("co", found.ravel())
        np.testing.assert_array_equal(found, surface.vertices)
        corners = np.zeros(3 * len(mesh.polygons), np.int32)
        mesh.loops.foreach_get("vertex_index", corners)
        np.testing.assert_array_equal(corners.reshape(-1, 3), surface.triangles)
        normals = np.zeros((len(mesh.polygons), 3), np.float32)
        mesh.polygons.foreach_get("normal", normals.ravel())
        sight = np.array(made.cameras[max(surface.view, 0)].location) - surface.vertices[surface.triangles].mean(1)
        assert ((normals * sight).sum(1) > 0).all()
        slots = np.zeros(len(mesh.polygons), np.int32)
        mesh.polygons.foreach_get("material_index", slots)
        np.testing.assert_array_equal(slots, surface.material)
        colors = np.zeros((len(mesh.vertices), 4), np.float32)
        mesh.attributes["Color"].data.foreach_get("color_srgb", colors.ravel())
        np.testing.assert_allclose(colors[:, :3] * 255, surface.colors, atol=0.01)


def test_every_photo_is_loaded_once(room, empty_scene, photos):
    views, paths = photos
    prediction = replace(room.prediction(*views), mesh=wall_and_floor(2))
    made = write_scene(plan_scene(prediction, "room", paths, SHEETS), empty_scene)
    assert len(bpy.data.images) == 2
    for material, camera in zip(made.surfaces[0].data.materials, made.cameras, strict=True):
        (texture,) = (node for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
        assert texture.image == photo_behind(camera)
    assert list(made.surfaces[0].data.materials) == [item.data.materials[0] for item in made.surfaces[1:]]


def test_without_photos_surfaces_have_their_own_colours(room, empty_scene, photos):
    views, _ = photos
    prediction = replace(room.prediction(*views), mesh=wall_and_floor(2))
    made = write_scene(plan_scene(prediction, "room", settings=SHEETS), empty_scene)
    names = {material.name for item in made.surfaces for material in item.data.materials}
    assert len(names) == 1 and names.pop().startswith("DA3 Points")


def test_sheets_hide_with_their_photos(room, empty_scene, photos):
    views, paths = photos
    prediction = replace(room.prediction(*views), mesh=wall_and_floor(2))
    made = write_scene(plan_scene(prediction, "room", paths, SHEETS), empty_scene)
    visibility.hide_photos(made.collection, ["b.png"])
    assert [item.hide_viewport for item in made.surfaces] == [False, False, True]
    visibility.hide_photos(made.collection, [])
    assert not any(item.hide_render for item in made.surfaces)


def test_taking_a_scene_out_takes_its_materials(room, empty_scene, photos, monkeypatch):
    views, paths = photos
    prediction: Prediction = replace(room.prediction(*views), mesh=wall_and_floor(2))
    plan = plan_scene(prediction, "room", paths, replace(SHEETS, points=False))

    def fail(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(write, "mark", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        write_scene(plan, empty_scene)
    assert not bpy.data.meshes and not bpy.data.materials and not bpy.data.objects
