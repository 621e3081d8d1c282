"""Every kind of help has its button, and every button exists."""

from __future__ import annotations

import pytest

import da3_blender
from da3_blender.remedies import REMEDIES, remedy_of
from model_runtime.contract.failures import Help


def test_every_kind_of_help_has_its_button() -> None:
    assert REMEDIES.keys() == set(Help) - {Help.NONE}
    assert remedy_of("offline") == REMEDIES[Help.GO_ONLINE]
    assert remedy_of("cancelled") is None and remedy_of("a code of a later version") is None


def test_every_button_exists() -> None:
    bpy = pytest.importorskip("bpy")
    da3_blender.register()
    try:
        for remedy in REMEDIES.values():
            group, name = remedy.operator.split(".")
            properties = getattr(getattr(bpy.ops, group), name).get_rna_type().properties
            assert remedy.properties.keys() <= set(properties.keys())
    finally:
        da3_blender.unregister()
