"""GLB: the attributes of KHR_gaussian_splatting, read by hand out of the file."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.splat_files.files import write_splats

WIDTH = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
TYPES = {5126: "<f4", 5123: "<u2"}


def attributes(path: Path) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    data = path.read_bytes()
    magic, version, length, words, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, length, kind) == (b"glTF", 2, len(data), b"JSON")
    content = json.loads(data[20 : 20 + words])
    size, kind = struct.unpack_from("<I4s", data, 20 + words)
    numbers = data[28 + words :]
    assert kind == b"BIN\0" and size == len(numbers) == content["buffers"][0]["byteLength"]
    found = {}
    for name, index in content["meshes"][0]["primitives"][0]["attributes"].items():
        accessor = content["accessors"][index]
        view = content["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        piece = numbers[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        found[name] = np.frombuffer(piece, TYPES[accessor["componentType"]]).reshape(-1, WIDTH[accessor["type"]])
        assert len(found[name]) == accessor["count"]
    return content, found


@pytest.mark.parametrize("degree", range(5))
def test_attributes(tmp_path, make_cloud, degree):
    cloud = make_cloud(degree=degree)
    write_splats(tmp_path / "a.glb", cloud)
    content, found = attributes(tmp_path / "a.glb")
    primitive = content["meshes"][0]["primitives"][0]
    assert content["extensionsUsed"] == ["KHR_gaussian_splatting"] and primitive["mode"] == 0
    assert primitive["extensions"]["KHR_gaussian_splatting"]["kernel"] == "ellipse"
    assert primitive["extensions"]["KHR_gaussian_splatting"]["colorSpace"] == "srgb_rec709_display"
    own = {key.removeprefix("KHR_gaussian_splatting:"): value for key, value in found.items()}
    np.testing.assert_array_equal(own["POSITION"], cloud.means)
    np.testing.assert_array_equal(own["SCALE"], cloud.scales)
    np.testing.assert_array_equal(own["ROTATION"], np.roll(cloud.rotations, -1, axis=1))
    np.testing.assert_array_equal(own["OPACITY"][:, 0], cloud.opacities)
    names = [f"SH_DEGREE_{d}_COEF_{n}" for d in range(min(degree, 3) + 1) for n in range(2 * d + 1)]
    assert [name for name in own if name.startswith("SH_")] == names
    for index, name in enumerate(names):
        np.testing.assert_array_equal(own[name], cloud.harmonics[:, :, index])
    assert {"POSITION", "COLOR_0", "SCALE", "ROTATION", "OPACITY", *names} == own.keys()


def test_bounds_and_fallback_colour(tmp_path, make_cloud):
    cloud = make_cloud(count=3, degree=0)
    cloud.harmonics[:, :, 0] = np.array([[0.5, 0.0, 10], [0, 0, 0], [-10, -0.5, 0.2]]) / 0.28209479
    write_splats(tmp_path / "a.glb", cloud)
    content, found = attributes(tmp_path / "a.glb")
    assert content["accessors"][0]["min"] == cloud.means.min(0).tolist()
    assert content["accessors"][0]["max"] == cloud.means.max(0).tolist()
    gray = 0.21404114  # of sRGB's 0.5 (IEC 61966-2-1)
    expected = [[1, gray, 1], [gray, gray, gray], [0, 0, 0.44798841]]
    np.testing.assert_allclose(found["COLOR_0"][:, :3] / 65535, expected, atol=1e-5)
    np.testing.assert_allclose(found["COLOR_0"][:, 3] / 65535, cloud.opacities, atol=1e-5)
