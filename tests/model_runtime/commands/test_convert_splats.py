"""`da3-runtime convert-splats`: one format into another, right way up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model_runtime.commands.command_line import main
from model_runtime.contract.splat_files.files import read_splats

SPLATS = Path(__file__).parents[2] / "reference" / "splats"


def test_a_sog_becomes_a_ply(tmp_path, capsys):
    main(["convert-splats", str(SPLATS / "splat_transform.sog"), str(tmp_path / "a.ply")])
    assert capsys.readouterr().out == f"{tmp_path / 'a.ply'}: 12 splats, colors of degree 2\n"
    wanted = read_splats(SPLATS / "splat_transform_sog.ply").splats
    got = read_splats(tmp_path / "a.ply").splats
    np.testing.assert_allclose(got.means, wanted.means, atol=1e-5)
    np.testing.assert_allclose(got.harmonics, wanted.harmonics, atol=1e-5)


@pytest.mark.parametrize(("axes", "signs"), [((), (1, -1, -1)), (("--output-axes", "opencv"), (1, 1, 1))])
def test_axes_follow_the_formats_unless_others_are_asked_for(tmp_path, axes, signs):
    main(["convert-splats", str(SPLATS / "original.ply"), str(tmp_path / "a.spz"), "--spz-version", "4", *axes])
    assert (tmp_path / "a.spz").read_bytes()[:8] == b"NGSP\4\0\0\0"
    wanted = read_splats(SPLATS / "original.ply").splats.means * signs
    np.testing.assert_allclose(read_splats(tmp_path / "a.spz").splats.means, wanted, atol=1e-4)


def test_what_is_there_stays_and_broken_files_are_told(tmp_path):
    (tmp_path / "a.ply").write_bytes(b"mine")
    for arguments, words in (
        ((SPLATS / "original.ply", tmp_path / "a.ply"), "is there already. Give --overwrite"),
        ((tmp_path / "a.ply", tmp_path / "b.ply"), "a.ply cannot be read: it is not a PLY file."),
    ):
        with pytest.raises(SystemExit, match=words):
            main(["convert-splats", *map(str, arguments)])
    assert (tmp_path / "a.ply").read_bytes() == b"mine"
    main(["convert-splats", str(SPLATS / "original.ply"), str(tmp_path / "a.ply"), "--overwrite"])
    assert len(read_splats(tmp_path / "a.ply").splats) == 12
