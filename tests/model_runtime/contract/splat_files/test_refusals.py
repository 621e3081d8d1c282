"""Files that are no splats, or not all of them: a sentence each, and where a few splats are broken the others."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files import refusals
from model_runtime.contract.splat_files.axes import TO_Z_UP, from_z_up, to_z_up
from model_runtime.contract.splat_files.cloud import SplatCloud
from model_runtime.contract.splat_files.files import read_splats, write_splats
from model_runtime.contract.splat_files.spz import GZIP_HEAD, ZSTD_HEAD

ORIGINAL = (Path(__file__).parents[3] / "reference" / "splats" / "original.ply").read_bytes()
HEAD = ORIGINAL[: ORIGINAL.index(b"end_header\n") + 11]
SPZ = (Path(__file__).parents[3] / "reference" / "splats" / "gaussforge_3.spz").read_bytes()
SPZ_4 = (Path(__file__).parents[3] / "reference" / "splats" / "gaussforge_4.spz").read_bytes()


def gzipped(*head: int) -> bytes:
    return gzip(GZIP_HEAD.pack(b"NGSP", *head) + bytes(200))


def gzip(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=31)
    return stream.compress(data) + stream.flush()


BROKEN = {
    "empty.ply": (b"", "it is not a PLY file"),
    "other.ply": (b"solid cube\nfacet normal 0 0 0\n", "it is not a PLY file"),
    "cut.ply": (ORIGINAL[:-7], "it is shorter than its head says"),
    "head.ply": (ORIGINAL[:200], "its head is not complete"),
    "huge_head.ply": (b"ply\n" + b"comment x\n" * 100_000, "its head has no end"),
    "one_line.ply": (b"ply" + b"\0" * 1_000_000, "it is not a PLY file"),
    "count.ply": (ORIGINAL.replace(b"vertex 12\n", b"vertex 99999999999\n"), "it claims to have 99999999999 splats"),
    "digits.ply": (ORIGINAL.replace(b"vertex 12\n", b"vertex 9999999999999\n"), "an element without a number"),
    "negative.ply": (ORIGINAL.replace(b"vertex 12\n", b"vertex -12\n"), "an element without a number"),
    "none.ply": (ORIGINAL.replace(b"vertex 12\n", b"vertex 0\n"), "it has no splats"),
    "twice.ply": (ORIGINAL.replace(b"float ny", b"float nx"), "its head names a property twice"),
    "type.ply": (ORIGINAL.replace(b"float ny", b"floaty ny"), "its head has an unknown property (floaty ny)"),
    "order.ply": (ORIGINAL.replace(b"binary_little", b"binary_middle"), "its format is unknown"),
    "points.ply": (ORIGINAL.replace(b"scale_0", b"scale_x"), "it has no Gaussian splats (its points have no scale_0)"),
    "degree.ply": (ORIGINAL.replace(b"f_rest_23", b"g_rest_23"), "its 23 coefficients of color belong to no degree"),
    "list.ply": (ORIGINAL.replace(b"float nx", b"list uchar int nx"), "its points have lists of numbers"),
    "text.ply": (ORIGINAL.replace(b"binary_little_endian", b"ascii"), "it ends too early"),
    "words.ply": (HEAD.replace(b"binary_little_endian", b"ascii") + b"no " * 1000, "it has words where numbers"),
    "word.ply": (HEAD.replace(b"binary_little_endian", b"ascii") + b"1" * 2000, "it has words where numbers"),
    "empty.spz": (b"", "it is not an SPZ file"),
    "cut.spz": (SPZ[:-80], "it ends too early"),
    "head.spz": (gzip(b"NGSP"), "it ends too early"),
    "magic.spz": (gzip(bytes(500)), "it is not an SPZ file"),
    "damaged.spz": (SPZ[:40] + bytes(60) + SPZ[100:], "its compressed data are damaged"),
    "version.spz": (gzipped(9, 12, 0, 12, 0), "it is version 9 of SPZ, and 2 to 4 are known"),
    "version_1.spz": (gzipped(1, 12, 0, 12, 0), "it is version 1 of SPZ, and 2 to 4 are known"),
    "degree.spz": (gzipped(3, 12, 5, 12, 0), "its colors have degree 5"),
    "none.spz": (gzipped(3, 0, 0, 12, 0), "it has no splats"),
    "count.spz": (gzipped(3, 1_000_000, 0, 12, 0), "it is shorter than its head says"),
    "most.spz": (gzipped(3, 2**32 - 1, 0, 12, 0), "it claims to have 4294967295 splats"),
    "cut_4.spz": (SPZ_4[:-20], "or it ends too early"),
    "streams_4.spz": (SPZ_4[:15] + b"\0" + SPZ_4[16:], "its table of contents is damaged"),
    "damaged_4.spz": (SPZ_4[:128] + bytes(10) + SPZ_4[138:], "its compressed data are damaged"),
    "table_4.spz": (SPZ_4[:16] + struct.pack("<I", 2**32 - 1) + SPZ_4[20:], "its table of contents is damaged"),
    "count_4.spz": (SPZ_4[:8] + struct.pack("<I", 1000) + SPZ_4[12:], "its table of contents is damaged"),
    "head_4.spz": (SPZ_4[: ZSTD_HEAD.size - 1], "it ends too early"),
    "cut.splat": (bytes(33), "it ends within a splat, or is no .splat file"),
    "empty.splat": (b"", "it has no splats"),
    "zero.splat": (bytes(28) + b"\x80" * 4, "none of its splats has numbers"),
    "not.sog": (b"PK\x03\x04 and no more", "it is not a SOG file, or damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path, decode_webp, name):
    data, reason = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(JobError) as refused:
        read_splats(tmp_path / name, decode_webp)
    failure = refused.value.failure
    assert (failure.code, failure.sentence.startswith(f"{name} cannot be read: ")) == ("splats-unreadable", True)
    assert reason in failure.sentence and failure.advice


@pytest.mark.parametrize("name", ["a.obj", "a.ksplat", "a"])
def test_other_suffixes(tmp_path, make_cloud, name):
    with pytest.raises(JobError, match="is no known file of splats") as refused:
        read_splats(tmp_path / name)
    assert refused.value.failure.advice == "Choose a .ply, .spz, .sog or .splat file, or the meta.json of a SOG."
    with pytest.raises(JobError, match="cannot be written as"):
        write_splats(tmp_path / name, make_cloud(1))
    assert not list(tmp_path.iterdir())


def test_missing_files_and_folders(tmp_path, make_cloud):
    (tmp_path / "folder.ply").mkdir()
    for name in ("missing.ply", "folder.ply"):
        with pytest.raises(JobError) as refused:
            read_splats(tmp_path / name)
        assert refused.value.failure.code == "splats-unreadable"
    with pytest.raises(JobError) as refused:
        write_splats(tmp_path / "no" / "a.ply", make_cloud(1))
    assert refused.value.failure.code == "output-unwritten"


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path, make_cloud):
    write_splats(tmp_path / "a.ply", make_cloud(3))
    before = (tmp_path / "a.ply").read_bytes()

    def full(_: float) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(JobError, match="No space left on device"):
        write_splats(tmp_path / "a.ply", make_cloud(5), report=full)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ply"]
    assert (tmp_path / "a.ply").read_bytes() == before


def test_more_than_the_memory_is_refused_before_it_is_taken(tmp_path, make_cloud, monkeypatch):
    write_splats(tmp_path / "a.ply", make_cloud(100))
    monkeypatch.setattr(refusals, "available_memory", lambda: 10_000.0)
    with pytest.raises(JobError) as refused:
        read_splats(tmp_path / "a.ply")
    assert refused.value.failure.code == "out-of-memory"


def spoiled(name: str, value: object, cloud: SplatCloud) -> np.ndarray:
    array = getattr(cloud, name)
    array[3] = value
    return array


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("means", np.nan), ("means", np.inf), ("scales", np.nan), ("scales", np.inf)),
        *(("rotations", 0), ("rotations", np.nan), ("opacities", np.nan), ("harmonics", -np.inf)),
    ],
)
def test_a_broken_splat_is_left_out_and_counted(tmp_path, make_cloud, name, value):
    cloud, whole = make_cloud(6, 1), make_cloud(6, 1)
    spoiled(name, value, cloud)
    write_splats(tmp_path / "a.ply", cloud)
    got = read_splats(tmp_path / "a.ply").splats
    assert (len(got), got.left_out) == (5, 1)
    np.testing.assert_array_equal(got.means, np.delete(whole.means, 3, axis=0))


def test_rotations_become_unit_quaternions_whatever_their_length(tmp_path, make_cloud):
    cloud, whole = make_cloud(3, 0), make_cloud(3, 0)
    cloud.rotations[:] *= np.array([[1e-30], [7], [1e30]])
    write_splats(tmp_path / "a.ply", cloud)
    np.testing.assert_allclose(read_splats(tmp_path / "a.ply").splats.rotations, whole.rotations, atol=1e-6)


def test_negative_scales_are_left_out(tmp_path):
    rows = np.zeros(3, [("means", "<f4", 3), ("scales", "<f4", 3), ("color", "u1", 4), ("rotation", "u1", 4)])
    rows["scales"], rows["rotation"] = [[1, 1, 1], [1, -1, 1], [0, 1, 1]], [255, 128, 128, 128]
    (tmp_path / "a.splat").write_bytes(rows.tobytes())
    got = read_splats(tmp_path / "a.splat").splats
    assert (len(got), got.left_out) == (2, 1)
    np.testing.assert_array_equal(got.scales, [[1, 1, 1], [0, 1, 1]])


@pytest.mark.parametrize("axes", TO_Z_UP)
def test_axes_and_back(make_cloud, axes):
    cloud = make_cloud(degree=3)
    turned = to_z_up(cloud, axes)
    back = from_z_up(turned, axes)
    np.testing.assert_allclose(back.means, cloud.means, atol=1e-6)
    np.testing.assert_allclose(back.harmonics, cloud.harmonics, atol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(back.rotations * cloud.rotations, axis=1)), 1, atol=1e-6)


def test_up_is_up(make_cloud):
    cloud = make_cloud(1, 1)
    cloud.means[:] = (1, 2, 3)
    cloud.harmonics[:] = 0
    cloud.harmonics[:, :, 2] = 1  # brighter where the direction has a larger z
    np.testing.assert_array_equal(to_z_up(cloud, "opencv").means, [[1, 3, -2]])
    np.testing.assert_array_equal(to_z_up(cloud, "y_up").means, [[1, -3, 2]])
    # degree 1 is (-y, z, -x): forward (z) becomes y, whose coefficient comes first and with a minus
    np.testing.assert_allclose(to_z_up(cloud, "opencv").harmonics[0, 0], [0, -1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(to_z_up(cloud, "y_up").harmonics[0, 0], [0, 1, 0, 0], atol=1e-6)
