"""PLY: every order, type and encoding that the format allows, against rows that are laid out here by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest

from model_runtime.contract.splat_files.cloud import SplatCloud
from model_runtime.contract.splat_files.files import read_splats, write_splats

NUMPY = {"float": "f4", "double": "f8"}


def columns(cloud: SplatCloud) -> dict[str, np.ndarray]:
    """What Kerbl et al. (2023) save of each splat, by name."""
    found = dict(zip("xyz", cloud.means.T, strict=True))
    found |= {f"f_dc_{i}": cloud.harmonics[:, i, 0] for i in range(3)}
    each = cloud.harmonics.shape[2] - 1
    found |= {f"f_rest_{c * each + k}": cloud.harmonics[:, c, 1 + k] for c in range(3) for k in range(each)}
    opacity = cloud.opacities.astype(np.float64)
    found["opacity"] = np.log(opacity / (1 - opacity))
    found |= {f"scale_{i}": np.log(cloud.scales[:, i]) for i in range(3)}
    return found | {f"rot_{i}": cloud.rotations[:, i] for i in range(4)}


def ply(table: dict[str, np.ndarray], encoding: str, kind: str = "float", before: str = "", data: bytes = b"") -> bytes:
    count = len(next(iter(table.values())))
    properties = "".join(f"property {kind} {name}\n" for name in table)
    head = f"ply\nformat {encoding} 1.0\ncomment made by hand\n{before}element vertex {count}\n{properties}end_header\n"
    if encoding == "ascii":
        file = io.BytesIO()
        np.savetxt(file, np.column_stack(list(table.values())), fmt="%.9g")
        return head.encode() + data + file.getvalue()
    order = "<" if encoding == "binary_little_endian" else ">"
    rows = np.empty(count, [(name, order + NUMPY[kind]) for name in table])
    for name, values in table.items():
        rows[name] = values
    return head.encode() + data + rows.tobytes()


def check_same(got: SplatCloud, wanted: SplatCloud, tolerance: float = 1e-6) -> None:
    for name in ("means", "scales", "rotations", "opacities", "harmonics"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("degree", range(5))
@pytest.mark.parametrize("encoding", ["binary_little_endian", "binary_big_endian", "ascii"])
def test_any_order_and_encoding(tmp_path, make_cloud, degree, encoding):
    cloud = make_cloud(degree=degree)
    table = columns(cloud)
    names = np.random.default_rng(1).permutation(list(table))
    mixed = {str(name): table[name] for name in names} | {"nx": np.zeros(len(cloud))}
    (tmp_path / "a.PLY").write_bytes(ply(mixed, encoding, "double" if degree % 2 else "float"))
    got = read_splats(tmp_path / "a.PLY")
    assert (got.axes, got.splats.degree, got.splats.left_out) == ("opencv", degree, 0)
    check_same(got.splats, cloud)


def test_other_elements_before_and_after_are_passed_over(tmp_path, make_cloud):
    cloud = make_cloud(degree=0)
    before = "element chunk 3\nproperty uchar a\nproperty int b\n"
    data = ply(columns(cloud), "binary_little_endian", before=before, data=bytes(15)) + bytes(100)
    (tmp_path / "a.ply").write_bytes(data)
    check_same(read_splats(tmp_path / "a.ply").splats, cloud)


def test_flat_splats_have_no_third_scale(tmp_path, make_cloud):
    cloud = make_cloud(degree=1)
    table = columns(cloud)
    del table["scale_2"]
    (tmp_path / "a.ply").write_bytes(ply(table, "binary_little_endian"))
    scales = read_splats(tmp_path / "a.ply").splats.scales
    np.testing.assert_allclose(scales, cloud.scales * [1, 1, 0], rtol=1e-6)


@pytest.mark.parametrize("degree", range(5))
def test_written_rows_are_those_of_the_format(tmp_path, make_cloud, degree):
    cloud = make_cloud(count=20_000 if degree == 0 else 40, degree=degree)
    write_splats(tmp_path / "a.ply", cloud)
    head, _, rows = (tmp_path / "a.ply").read_bytes().partition(b"end_header\n")
    names = [line.split()[2].decode() for line in head.splitlines() if line.startswith(b"property float ")]
    values = np.frombuffer(rows, "<f4").reshape(len(cloud), len(names))
    for name, wanted in columns(cloud).items():
        np.testing.assert_allclose(values[:, names.index(name)], wanted, rtol=1e-5, atol=1e-5)
    assert len(names) == 17 + 3 * ((degree + 1) ** 2 - 1)


def test_opacities_and_scales_at_their_ends_stay_finite(tmp_path, make_cloud):
    cloud = make_cloud(count=2, degree=0)
    cloud.opacities[:], cloud.scales[0] = (0, 1), 0
    write_splats(tmp_path / "a.ply", cloud)
    got = read_splats(tmp_path / "a.ply").splats
    assert len(got) == 2
    np.testing.assert_allclose(got.opacities, [0, 1], atol=2e-7)
    np.testing.assert_allclose(got.scales, cloud.scales, rtol=1e-6, atol=1e-19)
