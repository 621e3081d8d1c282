"""Files, modules and functions that the README and docs/ name are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
TOP = {path.name for path in ROOT.iterdir()} - {"dist"}
FOLDERS = ("da3_blender", "model_runtime", "tests", "locks", "examples")
MODULES = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
SCRIPTS = {"build.py"} | {file.name for file in MODULES}
IN_CODE = re.compile(r"`([^`\n]+)`")
OWN_FILE = re.compile(r"\b(?:" + "|".join(FOLDERS) + r")/[\w/]+\.py\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE = re.compile(r"\b(?:model_runtime|da3_blender|tests)(?:\.\w+)+")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def paths_in(text: str) -> set[str]:
    """What stands in backticks and begins with a file or folder of the repository's top."""
    words = {word for code in IN_CODE.findall(text) for word in code.split() if "/" in word}
    return {word for word in words if word.partition("/")[0] in TOP and "<" not in word}


def scripts_in(text: str) -> set[str]:
    """Python files that are named without their folder."""
    return {word for code in IN_CODE.findall(text) for word in code.split() if re.fullmatch(r"\w+\.py", word)}


def is_module(name: str) -> bool:
    """Whether `name` is a module of ours, or ends with a name that stands in one."""
    path = ROOT / name.replace(".", "/")
    if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file() or path.is_dir():
        return True
    module = path.parent.with_suffix(".py")
    return module.is_file() and re.search(rf"\b{path.name}\b", module.read_text(encoding="utf-8")) is not None


def definitions(path: Path) -> set[str]:
    """Names of a module's functions, classes and methods."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {name for name in paths_in(text) if not (ROOT / name).exists()} == set()
    assert scripts_in(text) <= SCRIPTS
    assert {name for name in MODULE.findall(text) if not is_module(name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_to_what_is_there(page: Path) -> None:
    missing = set()
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        if not link.startswith("http") and (
            not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8")))
        ):
            missing.add(link)
    assert missing == set()


def test_a_photos_way_names_functions_of_its_files() -> None:
    text = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    way = text.partition("**One photo's way")[2].partition("\n#")[0]
    files = {name for name in paths_in(way) if name.endswith(".py")}
    names = {part for code in IN_CODE.findall(way) if "/" not in code for part in code.split(".")}
    assert len(files) > 10
    assert names <= {name for file in files for name in definitions(ROOT / file)}


def test_the_readme_is_short_and_has_its_two_commands() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert len(text.split()) < 900
    assert "\npython3 build.py scene examples/living_room --output living_room.blend\npython3 build.py test\n" in text


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [PAGES[0]]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            links = {link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))}
            waiting += [(page.parent / link).resolve() for link in links if link.endswith(".md") and "://" not in link]
    assert reached == set(PAGES)


def test_the_code_names_files_that_are_there() -> None:
    missing = set()
    for file in MODULES:
        text = file.read_text(encoding="utf-8")
        named = {name for name in OWN_FILE.findall(text) if not (ROOT / name).exists()}
        missing |= {(str(file.relative_to(ROOT)), name) for name in named | (scripts_in(text) - SCRIPTS)}
    assert missing == set()
