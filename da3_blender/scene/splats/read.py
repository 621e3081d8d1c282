"""The arrays of a splat object, whichever kind of data it has and whoever made it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...plan.splat_cloud import NO_VIEW, SplatPlan
from ..meshes import point_count, read_attribute, read_values
from ..repeated import REPEATED
from .filters import FLOATER


def read_splats(data: Any, source: str = "file") -> SplatPlan:
    """The splats that `data` has, the object's own or as evaluated, in the object's frame.

    Raises KeyError where it has none (`native.is_splats`). What only DA3 scenes tell is confidence 1, NO_VIEW and not
    repeated where it is missing.
    """
    attributes = data.attributes
    position = read_values(attributes["position"], "vector", 3)
    count = len(position)
    return SplatPlan(
        position=position,
        scale=read_values(attributes["scale"], "vector", 3),
        rotation=read_values(attributes["rotation"], "value", 4),
        base=read_base(attributes),
        harmonics=read_harmonics(data),
        confidence=read_attribute(attributes, "confidence", "value", 1, 1.0, count=count).ravel(),
        view=read_attribute(attributes, "view", "value", 1, NO_VIEW, np.int32, count).ravel(),
        repeated=read_attribute(attributes, REPEATED, "value", 1, False, np.bool_, count).ravel(),
        source=source,
        left_out=0,
        floater=read_attribute(attributes, FLOATER, "value", 1).ravel() if FLOATER in attributes else None,
    )


def read_base(attributes: Any) -> np.ndarray:
    """[G,4] float32: the coefficients of degree 0, then the opacity."""
    base = attributes["radiance:base"]
    return read_values(base, "vector" if base.data_type == "FLOAT4" else "color", 4)


def read_harmonics(data: Any) -> np.ndarray:
    """[K-1,G,3] float32: the coefficients of degree 1 and up, as of `SplatPlan`; whole degrees only."""
    values = np.empty((len(bands_of(data)), point_count(data), 3), np.float32)
    for band, attribute in zip(values, bands_of(data), strict=True):
        attribute.data.foreach_get("vector", band.reshape(-1))
    return values


def bands_of(data: Any) -> list[Any]:
    """The attributes with the coefficients of degree 1 and up, of whole degrees."""
    attributes, bands = data.attributes, []
    while (name := f"radiance:sh_{len(bands)}") in attributes:
        bands.append(attributes[name])
    return bands[: int((len(bands) + 1) ** 0.5) ** 2 - 1]


def degree_in(data: Any) -> int:
    """The degree of the harmonics of `data`."""
    return int((len(bands_of(data)) + 1) ** 0.5) - 1


def write_splats_into(data: Any, plan: SplatPlan) -> None:
    """Change the scale, rotation and harmonics of `data` to those of `plan`, of as many splats."""
    data.attributes["scale"].data.foreach_set("vector", plan.scale.ravel())
    data.attributes["rotation"].data.foreach_set("value", plan.rotation.ravel())
    for band, values in zip(bands_of(data), plan.harmonics, strict=True):
        band.data.foreach_set("vector", values.ravel())
