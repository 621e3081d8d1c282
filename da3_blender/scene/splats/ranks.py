"""What filters go by, as point attributes of splats: reckoned when they are written, unless their plan knows it."""

from __future__ import annotations

from ...plan.floaters import floating
from ...plan.point_cloud import rank
from ...plan.splat_cloud import SplatPlan
from ...plan.splat_ranks import thinning
from ..meshes import Attribute
from .filters import ALONE, CONFIDENCE_RANK, FLOATER, RANK


def filter_attributes(plan: SplatPlan) -> dict[str, Attribute]:
    """The attributes that `filters` reads; the rank of confidence only where it differs."""
    places, alone = plan.thinning or thinning(plan.position, plan.scale, plan.base, plan.repeated)
    floater = floating(plan.position, plan.scale, plan.view) if plan.floater is None else plan.floater
    values = {RANK: places, ALONE: alone, FLOATER: floater}
    if len(plan.confidence) and plan.confidence.min() < plan.confidence.max():
        ranks = plan.confidence_rank
        values[CONFIDENCE_RANK] = rank(plan.confidence, plan.confidence[~plan.repeated]) if ranks is None else ranks
    return {name: Attribute("FLOAT", "value", array) for name, array in values.items()}
