"""Bundle adjustment (Triggs et al. 2000) of a COLMAP model, with little heed to what does not fit."""

from __future__ import annotations

import pycolmap

SMALLEST_LOSS_SCALE = 0.1


def adjust(model: pycolmap.Reconstruction, loss_scale: float) -> None:
    """Move cameras, focal lengths and points of the model to agree with its observations.

    loss_scale: error in pixels of the model from which on an observation counts less (Cauchy loss).
    """
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = max(loss_scale, SMALLEST_LOSS_SCALE)
    options.ceres.solver_options.num_threads = 1
    config = pycolmap.BundleAdjustmentConfig()
    for number in model.reg_image_ids():
        config.add_image(number)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
