"""SPZ: what is written comes back within the steps of its bytes; axes that the file tells; no Zstandard."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files import zstandard_frames
from model_runtime.contract.splat_files.files import read_splats, write_splats


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("degree", range(5))
def test_round_trip(tmp_path, make_cloud, version, degree):
    cloud = make_cloud(degree=degree)
    write_splats(tmp_path / "a.spz", cloud, spz_version=version)
    got = read_splats(tmp_path / "a.spz")
    assert (got.axes, got.splats.degree, len(got.splats)) == ("y_up", degree, 40)
    np.testing.assert_allclose(got.splats.means, cloud.means, atol=0.51 / 65536)
    np.testing.assert_allclose(np.log(got.splats.scales), np.log(cloud.scales), atol=0.51 / 16)
    np.testing.assert_allclose(got.splats.opacities, cloud.opacities, atol=0.51 / 255)
    np.testing.assert_allclose(np.abs(np.sum(got.splats.rotations * cloud.rotations, axis=1)), 1, atol=1e-5)
    wanted = cloud.harmonics.copy()
    wanted[:, :, 1:] = np.clip(wanted[:, :, 1:], -1, 127 / 128)
    off = np.abs(got.splats.harmonics - wanted).max(axis=(0, 1))
    assert off[0] < 0.51 / 255 / 0.15
    assert (off[1:4] <= 4.6 / 128).all() and (off[4:] <= 8.6 / 128).all()


@pytest.mark.parametrize(("largest", "bits"), [(1.0, 16), (127.9, 16), (128.1, 15), (5000.0, 10), (1e9, 0)])
def test_far_places_take_bits_from_the_fraction(tmp_path, make_cloud, largest, bits):
    cloud = make_cloud(degree=0)
    cloud.means[:] *= largest / np.abs(cloud.means).max()
    write_splats(tmp_path / "a.spz", cloud)
    assert zlib.decompress((tmp_path / "a.spz").read_bytes(), 31)[13] == bits
    got = read_splats(tmp_path / "a.spz").splats.means
    np.testing.assert_allclose(got, np.clip(cloud.means, 1 - 2**23, 2**23 - 1), atol=0.51 * 2.0**-bits)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(4, (1, 2, 3)), (6, (1, -2, -3)), (8, (1, 2, -3)), (12, (1, 3, -2)), (16, (1, 3, 2))],
    ids=["right up back", "right down front", "right up front", "right front up", "right back up"],
)
def test_axes_that_the_file_tells(tmp_path, make_cloud, number, expected):
    cloud = make_cloud(count=1, degree=1)
    cloud.means[:] = (1, 2, 3)
    write_splats(tmp_path / "a.spz", cloud)
    data = bytearray(zlib.decompress((tmp_path / "a.spz").read_bytes(), 31))
    data[14] |= 2
    data += struct.pack("<III", 0x12340001, 4, 7) + struct.pack("<III", 0xADBE0003, 4, number)
    stream = zlib.compressobj(wbits=31)
    (tmp_path / "a.spz").write_bytes(stream.compress(bytes(data)) + stream.flush())
    np.testing.assert_allclose(read_splats(tmp_path / "a.spz").splats.means, [expected], atol=1e-4)


@pytest.mark.parametrize("modules", [("compression.zstd",), ()])
def test_version_4_without_zstandard(tmp_path, make_cloud, monkeypatch, modules):
    cloud = make_cloud(degree=0)
    write_splats(tmp_path / "a.spz", cloud, spz_version=4)
    monkeypatch.setattr(zstandard_frames, "MODULES", tuple(f"absent_{name}" for name in modules))
    with pytest.raises(JobError) as refused:
        read_splats(tmp_path / "a.spz")
    assert refused.value.failure.sentence == "a.spz cannot be read: this Python has no Zstandard, which SPZ 4 needs."
    before = sorted(tmp_path.iterdir())
    with pytest.raises(JobError, match="has no Zstandard"):
        write_splats(tmp_path / "b.spz", cloud, spz_version=4)
    assert sorted(tmp_path.iterdir()) == before
