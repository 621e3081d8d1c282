"""The list of failures has every code that is raised anywhere and no other, and so have the tables in the docs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from model_runtime.contract.failures import FAILURES

ROOT = Path(__file__).parents[3]
CARRIERS = {"JobError", "Failure", "FrameError", "__init__"}
FOR_PROGRAMMERS = tuple(f"model_runtime/{room}" for room in ("training", "benchmark", "farm", "commands"))
"""What no artist calls, but for the worker."""

BOTH_SIDES = ("model_runtime/contract/export/", "model_runtime/contract/splat_files/")
"""What Blender and a command line call, but no worker."""

WORKER = "model_runtime/commands/worker.py"
TOLD_BY_THE_ADD_ON = {f"da3_blender/runtime/{name}.py" for name in ("worker_process", "connection", "sending", "spool")}
"""Where the worker's process ends up, which only the other side can tell."""


def raised_codes() -> dict[str, set[str]]:
    """Code -> the modules that raise it: first arguments of JobError and its like, and of keyword `code`."""
    codes: dict[str, set[str]] = {}
    for package in ("da3_blender", "model_runtime"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for code in literal_codes(node):
                    codes.setdefault(code, set()).add(path.relative_to(ROOT).as_posix())
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


def section(file: str, title: str) -> list[str]:
    """The lines of a page under a heading, up to the next one of that level."""
    text = (ROOT / "docs" / file).read_text(encoding="utf-8").partition(f"## {title}\n")[2]
    return text.partition("\n## ")[0].splitlines()


def codes_in_first_cells(lines: list[str]) -> list[str]:
    return [code for line in lines if line.startswith("| `") for code in re.findall(r"`([a-z-]+)`", line.split("|")[1])]


def of_the_worker(module: str) -> bool:
    return module.startswith("model_runtime") and not module.startswith(BOTH_SIDES)


def reached_by_artists(modules: set[str]) -> bool:
    return any(module == WORKER or not module.startswith(FOR_PROGRAMMERS) for module in modules)


def test_the_list_has_what_is_raised_and_nothing_else() -> None:
    codes = raised_codes()
    assert {"out-of-memory", "worker-died", "no-space", "photo-unreadable", "truncated-frame"} <= codes.keys()
    assert {code: where for code, where in codes.items() if code not in FAILURES} == {}, "not in the list"
    assert FAILURES.keys() - codes.keys() == set(), "raised nowhere"


def test_the_guide_tells_what_to_do_about_every_code_that_an_artist_can_meet() -> None:
    lines = section("guide.md", "Troubleshooting by message")
    faults = "\n".join(lines).partition("### Faults of the program")[2]
    explained = [*codes_in_first_cells(lines), *re.findall(r"`([a-z-]+)`", faults)]
    assert sorted(explained) == sorted(code for code, where in raised_codes().items() if reached_by_artists(where))


def test_the_page_of_the_protocol_has_every_code_of_the_worker() -> None:
    told = codes_in_first_cells(section("worker_protocol.md", "Failures"))
    from_the_worker = {
        code
        for code, where in raised_codes().items()
        if where & TOLD_BY_THE_ADD_ON or any(of_the_worker(module) and reached_by_artists({module}) for module in where)
    }
    assert set(told) == from_the_worker
