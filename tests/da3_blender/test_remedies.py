"""Every code that anything an artist can reach raises has its button, or is declared as needing none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import da3_blender
import model_runtime
from da3_blender.remedies import NO_REMEDY, REMEDIES, remedy_of

CARRIERS = {"JobError", "Failure", "FrameError", "__init__"}
OUT_OF_REACH = {"training", "benchmark", "bench.py", "predict.py", "train.py"}
"""Folders and modules of model_runtime that no job calls."""


def raised_codes() -> dict[str, str]:
    """Code -> the module that raises it: first arguments of JobError and its like, and of keyword `code`."""
    codes = {}
    for package in (da3_blender, model_runtime):
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            if OUT_OF_REACH.isdisjoint(path.relative_to(root).parts):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    codes |= {code: path.name for code in literal_codes(node)}
    return codes


def literal_codes(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return []
    name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
    if name not in CARRIERS:
        return []
    first = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")][:1]
    texts = [part for value in first for part in ast.walk(value) if isinstance(part, ast.Constant)]
    return [text.value for text in texts if isinstance(text.value, str) and text.value]


def test_every_code_has_its_button_or_needs_none() -> None:
    codes = raised_codes()
    assert {"out-of-memory", "worker-died", "no-space", "photo-unreadable", "truncated-frame"} <= codes.keys()
    known = REMEDIES.keys() | NO_REMEDY
    assert {code: where for code, where in codes.items() if code not in known} == {}
    assert known - codes.keys() == set(), "raised nowhere"
    assert not REMEDIES.keys() & NO_REMEDY
    assert remedy_of("cancelled") is None and remedy_of("offline") is not None


def test_the_guide_tells_what_to_do_about_every_code() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    told = guide.partition("## Troubleshooting by message")[2]
    first_cells = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    faults = told.partition("### Faults of the program")[2]
    explained = {code for text in (*first_cells, faults) for code in re.findall(r"`([a-z-]+)`", text)}
    assert explained == raised_codes().keys()


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
