"""The photos behind the cameras of a result: how opaque, and before or behind what the scene shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import bpy

from . import find
from .cameras import PLATE_DEPTH, PLATE_OPACITY
from .copies import make_single_user
from .marks import PLATE


class Plate(NamedTuple):
    """opacity: 0..1. depth: FRONT or BACK."""

    opacity: float
    depth: str


def plate_of(collection: bpy.types.Collection) -> Plate:
    """How the result's cameras show their photos."""
    opacity = collection.get(f"{PLATE}opacity", PLATE_OPACITY)
    return Plate(float(opacity), str(collection.get(f"{PLATE}depth", PLATE_DEPTH)))


def show_plates(collection: bpy.types.Collection, plate: Plate) -> None:
    """Let all cameras of a result show their photos so, and those that an update adds, too."""
    collection[f"{PLATE}opacity"], collection[f"{PLATE}depth"] = plate
    cameras = find.objects_of(collection, "camera")
    make_single_user(cameras)
    follow(collection, cameras)


def follow(collection: bpy.types.Collection, cameras: Iterable[bpy.types.Object]) -> None:
    """Let these cameras of the result show their photos as its others do. What else they have behind them stays."""
    plate = plate_of(collection)
    for camera in cameras:
        for background in camera.data.background_images[:1]:
            background.alpha, background.display_depth = plate
