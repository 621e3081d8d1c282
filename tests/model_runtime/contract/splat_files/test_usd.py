"""USD: what usd-core reads with the schema for splats."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.contract.splat_files.files import write_splats

pxr = pytest.importorskip("pxr")
UsdVol = pytest.importorskip("pxr.UsdVol")
if not hasattr(UsdVol, "ParticleField3DGaussianSplat"):
    pytest.skip("this USD has no splats yet", allow_module_level=True)

from pxr import Usd, UsdGeom  # noqa: E402


@pytest.mark.parametrize("degree", [0, 2, 4])
def test_usd_core_reads_every_number(tmp_path, make_cloud, degree):
    cloud = make_cloud(count=5000 if degree == 0 else 30, degree=degree)
    write_splats(tmp_path / "a.usda", cloud)
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    field = UsdVol.ParticleField3DGaussianSplat(stage.GetDefaultPrim())
    assert field and UsdGeom.GetStageUpAxis(stage) == "Z"

    def values(name: str) -> np.ndarray:
        return np.array(field.GetPrim().GetAttribute(name).Get(), np.float32)

    np.testing.assert_array_equal(values("positions"), cloud.means)
    np.testing.assert_array_equal(values("scales"), cloud.scales)
    np.testing.assert_array_equal(values("opacities"), cloud.opacities)
    turns = field.GetPrim().GetAttribute("orientations").Get()
    wxyz = np.array([(turn.GetReal(), *turn.GetImaginary()) for turn in turns], np.float32)
    np.testing.assert_array_equal(wxyz, cloud.rotations)
    assert field.GetPrim().GetAttribute("radiance:sphericalHarmonicsDegree").Get() == degree
    coefficients = values("radiance:sphericalHarmonicsCoefficients").reshape(len(cloud), (degree + 1) ** 2, 3)
    np.testing.assert_array_equal(coefficients, cloud.harmonics.swapaxes(1, 2))
    low, high = values("extent")
    assert (low <= cloud.means.min(0)).all() and (high >= cloud.means.max(0)).all()
