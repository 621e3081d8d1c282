"""Files of splats become objects like a DA3 scene's own, and what is seen of splats goes into files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from da3_blender.plan.splat_affine import matrices_from_quaternions
from da3_blender.plan.splat_cloud import lone_splats
from model_runtime.contract.harmonics import basis
from model_runtime.contract.splat_files.axes import to_z_up
from model_runtime.contract.splat_files.cloud import SplatCloud
from model_runtime.contract.splat_files.files import read_splats, write_splats
from model_runtime.contract.splat_files.suffixes import READ

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix  # noqa: E402

from da3_blender.operators.splat_files import FORMATS  # noqa: E402
from da3_blender.scene.splats import write  # noqa: E402
from da3_blender.scene.splats.files import seen_splats  # noqa: E402
from da3_blender.scene.splats.filters import filter_group  # noqa: E402
from da3_blender.scene.splats.read import read_splats as read_object  # noqa: E402

SPLATS = Path(__file__).parents[2] / "reference" / "splats"
FILES = ("original.ply", "gaussforge_3.spz", "splat_transform.sog", "gaussforge.splat")


@pytest.fixture
def scene(addon_scene):
    bpy.ops.ed.undo_push(message="before")
    return addon_scene


def cloud_of(item) -> SplatCloud:
    plan = read_object(item.data)
    harmonics = np.concatenate([plan.base[:, :3, None], np.moveaxis(plan.harmonics, 0, 2)], axis=2)
    return SplatCloud(plan.position, plan.scale, plan.rotation, plan.base[:, 3], harmonics)


def covariances(cloud: SplatCloud) -> np.ndarray:
    axes = matrices_from_quaternions(cloud.rotations) * cloud.scales[:, None, :]
    return axes @ axes.swapaxes(1, 2)


def colors(cloud: SplatCloud, eye: np.ndarray) -> np.ndarray:
    """[G,3] as seen from `eye`."""
    directions = cloud.means - eye
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.einsum("gck,gk->gc", cloud.harmonics, basis(directions, cloud.degree))


def splats_object(scene, degree: int = 2, name: str = "some", count: int = 30):
    rng = np.random.default_rng(degree)
    rotations = rng.normal(size=(count, 4))
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    base = np.column_stack([rng.normal(scale=0.3, size=(count, 3)), rng.uniform(0.1, 0.9, count)])
    higher = rng.normal(scale=0.2, size=((degree + 1) ** 2 - 1, count, 3))
    arrays = (rng.normal(size=(count, 3)), rng.uniform(0.05, 0.3, (count, 3)), rotations, base, higher)
    return write.write_splats(lone_splats(*arrays), name, scene.collection)


@pytest.mark.parametrize("name", FILES)
def test_import_makes_an_object_like_a_scenes_own(scene, decoded, name):
    assert bpy.ops.da3.import_splats(filepath=str(SPLATS / name)) == {"FINISHED"}
    item = bpy.context.object
    assert (item.name, item.select_get()) == (f"{Path(name).stem} splats", True)
    assert item.modifiers[0].node_group == filter_group()
    found = read_splats(SPLATS / name, decoded)
    wanted, got = to_z_up(found.splats, found.axes), cloud_of(item)
    np.testing.assert_allclose(got.means, wanted.means, atol=1e-6)
    np.testing.assert_allclose(covariances(got), covariances(wanted), atol=1e-6)
    np.testing.assert_allclose(got.opacities, wanted.opacities, atol=1e-6)
    np.testing.assert_allclose(got.harmonics, wanted.harmonics, atol=1e-5)
    assert [image.name for image in bpy.data.images if image.name.startswith("DA3")] == []


def test_import_is_undoable_and_takes_several(scene, tmp_path):
    for name in FILES[:2]:
        shutil.copy(SPLATS / name, tmp_path)
    files = [{"name": name} for name in FILES[:2]]
    assert bpy.ops.da3.import_splats(directory=str(tmp_path), files=files, axes="Z_UP") == {"FINISHED"}
    assert {item.name for item in bpy.data.objects} == {"original splats", "gaussforge_3 splats"}
    kept = read_splats(tmp_path / "original.ply").splats.means
    np.testing.assert_allclose(cloud_of(bpy.data.objects["original splats"]).means, kept, atol=1e-6)
    bpy.ops.ed.undo_push(message="imported")
    bpy.ops.ed.undo()
    assert len(bpy.data.objects) == 0


def test_broken_files_make_nothing(scene, tmp_path):
    (tmp_path / "cut.ply").write_bytes((SPLATS / "original.ply").read_bytes()[:-5])
    for name, words in (("cut.ply", "shorter than its head says"), ("missing.spz", "cannot be read")):
        with pytest.raises(RuntimeError, match=words):
            bpy.ops.da3.import_splats(filepath=str(tmp_path / name))
    assert (len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.node_groups)) == (0, 0, 0)


@pytest.mark.parametrize("suffix", [suffix for suffix, _, _ in FORMATS if suffix in READ])
def test_export_is_what_is_seen(scene, tmp_path, suffix):
    """Where they stand, whatever the object's transform, as seen from any side; without the hidden."""
    one, two, hidden = splats_object(scene), splats_object(scene, 1, "other"), splats_object(scene, 0, "hidden")
    one.matrix_world = Matrix.LocRotScale((1, 2, 3), Euler((0.4, 0.5, -0.6)), (2, 2, 2))
    two.matrix_world = Matrix(((1, 0.8, 0, -4), (0, -1.5, 0, 0), (0, 0.2, 0.5, 1), (0, 0, 0, 1)))
    hidden.hide_set(True)
    path = tmp_path / f"out{suffix}"
    assert bpy.ops.da3.export_splats(filepath=str(path), format=suffix) == {"FINISHED"}
    found = read_splats(path)
    got = to_z_up(found.splats, found.axes)
    assert len(got) == 60
    exact = suffix == ".ply"
    for item, part in ((one, slice(0, 30)), (two, slice(30, 60))):
        linear, place = np.array(item.matrix_world)[:3, :3], np.array(item.matrix_world)[:3, 3]
        own = cloud_of(item)
        np.testing.assert_allclose(got.means[part], own.means @ linear.T + place, atol=1e-5 if exact else 2e-5)
        wanted = linear @ covariances(own) @ linear.T
        size = np.linalg.norm(wanted, axis=(1, 2))
        off = np.linalg.norm(covariances(got)[part] - wanted, axis=(1, 2))
        assert (off / size).max() < (1e-4 if exact else 0.09)
        np.testing.assert_allclose(got.opacities[part], own.opacities, atol=1e-5 if exact else 0.003)
    if exact:  # a turn: colours are those that the object has for somebody who turns along
        eye = np.array((3.0, -5.0, 2.0))
        inside = np.linalg.inv(np.array(one.matrix_world)) @ (*eye, 1)
        first = SplatCloud(*(getattr(got, n)[:30] for n in ("means", "scales", "rotations", "opacities", "harmonics")))
        np.testing.assert_allclose(colors(first, eye), colors(cloud_of(one), inside[:3]), atol=1e-4)
        assert not got.harmonics[30:, :, 4:].any()


def test_export_heeds_filters_and_selection(scene, tmp_path):
    one, two = splats_object(scene), splats_object(scene, 0, "other")
    modifier = one.modifiers[0]
    tree = filter_group().interface.items_tree
    set_input(modifier, next(each for each in tree if each.name == "Least Opacity"), 0.5)
    one.select_set(True)
    two.select_set(False)
    one.update_tag()
    path = tmp_path / "out.ply"
    assert bpy.ops.da3.export_splats(filepath=str(path), use_selection=True) == {"FINISHED"}
    kept = cloud_of(one).opacities >= 0.5
    assert 0 < kept.sum() < 30
    np.testing.assert_allclose(read_splats(path).splats.opacities, cloud_of(one).opacities[kept], atol=1e-5)
    assert bpy.ops.da3.export_splats(filepath=str(path)) == {"FINISHED"}
    assert len(read_splats(path).splats) == kept.sum() + 30


def set_input(modifier, item, value: float) -> None:
    if hasattr(modifier, "properties") and hasattr(modifier.properties, "inputs"):  # Blender 5.2
        getattr(modifier.properties.inputs, item.identifier).value = value
    else:
        modifier[item.identifier] = value


def test_nothing_shown_is_told_and_the_file_stays(scene, tmp_path):
    splats_object(scene).hide_set(True)
    (tmp_path / "out.ply").write_bytes(b"mine")
    with pytest.raises(RuntimeError, match="No splats are shown"):
        bpy.ops.da3.export_splats(filepath=str(tmp_path / "out.ply"))
    assert (tmp_path / "out.ply").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out.ply"]


def test_round_trip_through_blender(scene, tmp_path):
    write_splats(tmp_path / "a.ply", read_splats(SPLATS / "original.ply").splats)
    bpy.ops.da3.import_splats(filepath=str(tmp_path / "a.ply"))
    bpy.ops.da3.export_splats(filepath=str(tmp_path / "b.ply"))
    one, two = (read_splats(tmp_path / name).splats for name in ("a.ply", "b.ply"))
    np.testing.assert_allclose(two.means, one.means, atol=1e-5)
    np.testing.assert_allclose(covariances(two), covariances(one), atol=1e-5)
    np.testing.assert_allclose(two.harmonics, one.harmonics, atol=1e-5)


def test_broken_splats_of_a_file_are_left_out_and_told(scene, tmp_path):
    cloud = read_splats(SPLATS / "original.ply").splats
    cloud.means[4] = np.nan
    write_splats(tmp_path / "a.ply", cloud)
    bpy.ops.da3.import_splats(filepath=str(tmp_path / "a.ply"))
    assert len(cloud_of(bpy.context.object).means) == 11
    assert len(seen_splats({bpy.context.object}, bpy.context.evaluated_depsgraph_get())) == 11


@pytest.fixture
def decoded():
    from da3_blender.scene.splats.webp import decode_webp

    return decode_webp
