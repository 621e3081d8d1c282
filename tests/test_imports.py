"""What each part imports, anywhere in its code, against what is installed where that part runs.

The tests' own environment holds everything, so a missing declaration shows only here and on other machines.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from model_runtime.commands.bench import PACKAGES

ROOT = Path(__file__).parents[1]
OURS = ("model_runtime", "da3_blender")
BLENDERS_OWN = {"bpy", "bpy_extras", "mathutils", "gpu", "gpu_extras", "blf"}
"""Modules that Blender's own Python has."""

LEFT_TO_COMMANDS = ("model_runtime.benchmark", "model_runtime.farm", "model_runtime.training")
"""Packages that the worker never loads: the commands `bench`, `farm` and `train` do."""

RELEASED_CODE = "depth_anything_3"
"""What `bench` measures beside, from a folder that is given to it; no package asks for it."""

LEFT_TO_TORCH = {
    "model_runtime.checkpoints.loading",
    "model_runtime.network.any_view",
    "model_runtime.network.backbone",
    "model_runtime.network.blocks",
    "model_runtime.network.camera",
    "model_runtime.network.create",
    "model_runtime.network.dense",
    "model_runtime.network.dpt",
    "model_runtime.network.dual_head",
    "model_runtime.network.gaussian_head",
    "model_runtime.network.monocular",
    "model_runtime.network.monocular_head",
    "model_runtime.network.nested",
    "model_runtime.network.precision",
    "model_runtime.network.rotary",
    "model_runtime.network.uv_embedding",
    "model_runtime.network.vision_transformer",
    "model_runtime.prediction.torch_network",
    "model_runtime.splats.blending",
    "model_runtime.splats.depth_maps",
    "model_runtime.splats.optimise",
    "model_runtime.splats.renderer",
}
"""Of the worker's modules those that PyTorch has to be there for: its own network, and improving splats."""

DOORS_TO_TORCH = {
    "model_runtime.prediction.network_run",
    "model_runtime.splats.beyond",
    "model_runtime.splats.improve",
}
"""Modules that import one of these late, where a job asks for it and PyTorch is there."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared(*groups: str, torch: bool = True) -> set[str]:
    """Names of the packages that the worker's wheel asks for, and of those of dependency groups. torch: with those of
    its extra."""
    extra = PROJECT["project"]["optional-dependencies"]["torch"] if torch else []
    grouped = (line for group in groups for line in PROJECT["dependency-groups"][group])
    lines = [*PROJECT["project"]["dependencies"], *extra, *grouped]
    return {name_of(re.split(r"[^\w.-]", line)[0]) for line in lines}


def name_of(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def modules_of(package: str) -> dict[str, Path]:
    """The modules of one of our packages, by name."""
    found = {}
    for file in (ROOT / package).rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def imported(module: str) -> frozenset[str]:
    """Full names of what a module of ours imports: at its top, inside functions, and by `import_module("...")`."""
    return frozenset(name for node in ast.walk(tree_of(module)) for name in names_in(node, module))


@cache
def loaded(module: str, late: bool = False) -> frozenset[str]:
    """Likewise, of what Python imports when it loads the module; late: and when it runs it. Never for types alone."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree_of(module)]
    while waiting:
        node = waiting.pop()
        waits = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not late
        if waits or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        names.update(names_in(node, module))
        waiting += ast.iter_child_nodes(node)
    return frozenset(names)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(modules_of(module.partition(".")[0])[module].read_text(encoding="utf-8"))


def names_in(node: ast.AST, module: str) -> set[str]:
    """What a node of the module's tree imports itself."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        is_package = modules_of(module.partition(".")[0])[module].name == "__init__.py"
        package = module if is_package else module.rpartition(".")[0]
        up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*up, *([node.module] if node.module else [])])
        return {base, *(f"{base}.{alias.name}" for alias in node.names)}
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
        return {word.value for word in node.args if isinstance(word, ast.Constant)}
    return set()


def reached(
    starts: Iterable[str], without: tuple[str, ...] = (), look: Callable[[str], frozenset[str]] = imported
) -> tuple[set[str], set[str]]:
    """Our modules that the `starts` lead to, and the top names of all they import that is neither ours nor Python's.

    look: which imports of a module count.
    """
    ours: set[str] = set()
    others: set[str] = set()
    waiting = list(starts)
    while waiting:
        module = waiting.pop()
        if module in ours or module.startswith(without or ("\0",)):
            continue
        ours.add(module)
        for name in look(module):
            top = name.partition(".")[0]
            if top in OURS:
                waiting += our_modules(name)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return ours, others


def loads_torch(module: str) -> bool:
    """Whether loading one of our modules loads torch."""
    return "torch" in reached([module], look=loaded)[1]


def our_modules(name: str) -> Iterator[str]:
    """The module `name` where it is one, and the packages around it, whose __init__ Python runs first."""
    known = modules_of(name.partition(".")[0])
    parts = name.split(".")
    return (n for n in (".".join(parts[:count]) for count in range(1, len(parts) + 1)) if n in known)


def undeclared(modules: set[str], packages: set[str]) -> set[str]:
    """Those of the imported top names that none of the packages brings.

    Python 3.11 does not list a package that is a single compiled file; such a one is called like its module.
    """
    brings = packages_distributions()
    return {name for name in modules if not {name_of(each) for each in brings.get(name, [name])} & packages}


def test_the_scan_sees_late_imports_and_names_in_import_module() -> None:
    assert "pycolmap" in reached(["model_runtime.prediction.predictor"])[1]  # only ever imported inside functions
    assert "model_runtime.commands.worker" in imported("model_runtime.commands.command_line")
    assert "da3_blender.scene.marks" in imported("da3_blender.scene.write")


def test_the_worker_imports_what_its_wheel_asks_for() -> None:
    ours, others = reached(["model_runtime.__main__"], LEFT_TO_COMMANDS)
    assert {
        "model_runtime.commands.worker",
        "model_runtime.depth.tsdf",
        "model_runtime.cameras.features.mapping",
    } <= ours
    assert {"torch", "onnxruntime", "skimage"} <= others
    assert undeclared(others, declared()) == set()
    assert undeclared(others, declared(torch=False)) == {"torch"}


def test_a_worker_without_torch_loads_every_module_but_those_that_are_named() -> None:
    ours, _ = reached(["model_runtime.commands.worker"], LEFT_TO_COMMANDS)
    assert {module for module in ours if loads_torch(module)} == LEFT_TO_TORCH


def test_modules_that_need_torch_are_imported_late_and_in_few_places() -> None:
    ours, _ = reached(["model_runtime.commands.worker"], LEFT_TO_COMMANDS)
    assert {module for module in ours - LEFT_TO_TORCH if loaded(module, late=True) & LEFT_TO_TORCH} == DOORS_TO_TORCH


@pytest.mark.parametrize(
    ("group", "needed"), [("benchmark", "matplotlib"), ("farm", "ray"), ("training", "matplotlib")]
)
def test_commands_import_what_their_group_names(group: str, needed: str) -> None:
    starts = [name for name in modules_of("model_runtime") if name.startswith(f"model_runtime.{group}")]
    _, others = reached(starts)
    assert needed in others
    assert undeclared(others, declared(group)) <= {RELEASED_CODE}


def test_the_benchmark_says_which_packages_it_lacks() -> None:
    assert set(PACKAGES) == declared("benchmark") - declared()


def test_torch_is_told_apart_from_what_is_imported_late_or_for_types_alone() -> None:
    assert loads_torch("model_runtime.checkpoints.loading")
    assert not loads_torch("model_runtime.geometry.arrays")  # inside functions alone
    assert "torch" in imported("model_runtime.prediction.devices")
    assert "torch" not in loaded("model_runtime.prediction.devices")  # for types, and inside functions
    assert "torch" in loaded("model_runtime.prediction.devices", late=True)


ROOMS = {
    "model_runtime": (
        ("contract",),
        ("geometry",),
        ("network", "photos"),
        ("checkpoints",),
        ("onnx_graphs",),
        ("cameras",),
        ("clips",),
        ("depth",),
        ("splats",),
        ("prediction",),
        ("benchmark", "farm", "training"),
        ("commands",),
        ("__main__",),
    ),
    "model_runtime.training": (
        ("world", "runs"),
        ("rendering",),
        ("learning",),
        ("presets", "studies"),
        ("__main__",),
    ),
    "da3_blender": (
        ("handlers", "plan", "remedies", "runtime", "settings", "timer", "translation"),
        ("preferences", "scene"),
        ("drawing", "photos", "result_settings"),
        ("jobs",),
        ("live",),
        ("panels",),
        ("headless", "operators"),
    ),
}
"""The folders of a package, and modules beside them: each imports only of itself and of those above it."""

KNOW_NOBODY = ("contract", "geometry")


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_know_only_those_above_them(package: str) -> None:
    level = {room: i for i, rooms in enumerate(ROOMS[package]) for room in rooms}
    inside = [name for name in modules_of(package.partition(".")[0]) if name.startswith(f"{package}.")]
    for module in inside:
        room = room_of(module, package)
        for name in imported(module) & set(inside):
            other = room_of(name, package)
            if other != room:
                assert level[other] < level[room] and room not in KNOW_NOBODY, f"{module} imports {name}"


def room_of(module: str, package: str) -> str:
    return module.removeprefix(f"{package}.").partition(".")[0]


def test_the_top_of_model_runtime_holds_rooms_alone() -> None:
    files = {file.name for file in (ROOT / "model_runtime").iterdir() if file.is_file()}
    assert files == {"__init__.py", "__main__.py"}


def test_blender_sees_the_contract_alone() -> None:
    names = {name for module in modules_of("da3_blender") for name in imported(module)}
    seen = names & modules_of("model_runtime").keys() - {"model_runtime", "model_runtime.contract"}
    assert seen and all(name.startswith("model_runtime.contract.") for name in seen), seen


def test_blender_imports_nothing_but_what_it_has() -> None:
    """Python's own modules, Blender's, numpy; of model_runtime only modules that do with the same."""
    ours, others = reached(modules_of("da3_blender"))
    assert others - BLENDERS_OWN == {"numpy"}
    assert {"model_runtime.contract.messages", "model_runtime.contract.pipe"} <= ours


def test_the_front_door_needs_python_alone() -> None:
    assert reached(["da3_blender.headless.arguments"])[1] == set()
    names = set()
    for module in ("build.py", "locks/making.py"):
        tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in others} == {"da3_blender", "locks", "model_runtime"}
    assert reached(name for name in others if name.startswith("model_runtime."))[1] == set()
