"""Everything an artist can read has its German and its Japanese, and nothing else has."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest

bpy = pytest.importorskip("bpy")

import da3_blender  # noqa: E402
import model_runtime  # noqa: E402
from da3_blender import translation  # noqa: E402
from model_runtime.contract.catalogue import CATALOGUE  # noqa: E402
from model_runtime.contract.messages import Failure  # noqa: E402
from model_runtime.contract.photo_kinds import READ_NAMES  # noqa: E402

BLENDER = os.environ.get("DA3_BLENDER")
ROOTS = [Path(str(package.__file__)).parent for package in (da3_blender, model_runtime)]

NOT_SHOWN = {
    # only on a terminal
    *("headless", "camera_file.py", "camera_lens.py", "camera_entry.py"),
    *(
        f"commands/{name}.py"
        for name in (
            "command_line",
            "bench",
            "convert_splats",
            "export",
            "export_onnx",
            "farm",
            "models",
            "predict",
            "train",
        )
    ),
    *("training", "benchmark", "farm"),
    # faults of a program, to be reported in the words of the one who made it
    *(
        "pipe.py",
        "plain_values.py",
        "frame_files.py",
        "prediction_checks.py",
        "network",
        "geometry",
        "similarity.py",
        "harmonics.py",
    ),
    # names in the file, which stay the same whoever opens it
    *("materials.py", "points.py", "repeated.py", "node_tools.py", "usd.py"),
    *(f"scene/splats/{name}.py" for name in ("cards", "crops", "filters", "lens", "solids", "stand_ins")),
    "translation",
}
"""Modules and folders whose sentences are no artist's to read in a panel."""

UNTRANSLATED = {
    **dict.fromkeys(
        (
            *("The {0} is {1}.", "Set it between {0} and {1}.", "Choose {0} to {1}."),
            *("edge angle", "confidence threshold", "point stride", "point limit", "splat limit"),
            *("limit of sheet triangles", "A mesh with a {0} of {1} cannot be made.", "share of unsure pixels"),
            "torch has no build {0} here; there are auto, {1}, {2}",
        ),
        "only scripts go beyond the limits of the panel's settings",
    ),
    **dict.fromkeys(
        (
            *("There are {0} photos but {1} views.", "torch-index.txt names no torch"),
            "{0} has no picture any more, and nothing remembers its features.",
            "A chunk of photos {0} must have a depth, a confidence and a camera for each.",
            "Known cameras must be of photos that are in a chunk.",
            "Every photo must be in a chunk: some are in none.",
            "Chunk {0} has no photo in common with those before it.",
        ),
        "a fault of the program",
    ),
    **dict.fromkeys(
        (
            *("there is no photo or folder {0}: {1}", "the folder {0} holds", "there is"),
            "{0} no photo ({1}){2}",
        ),
        "printed on a terminal",
    ),
    **dict.fromkeys(("{0} mm", "{0} px", "{0} kB", "{0} MB", "{0} GB", "{0} min"), "a unit"),
    **dict.fromkeys(
        ("Python {0}, {1}", "PyTorch", "ONNX Runtime", "{0} {1} mm", READ_NAMES, "JPEG XL", "JPEG 2000"),
        "names",
    ),
    **dict.fromkeys(
        (
            "COLMAP",
            "Nerfstudio",
            "USD",
            "Alembic",
            "FBX",
            "GLB",
            "PLY",
            "SPZ",
            "SPZ 3",
            "SPZ 4",
            "PNG",
            "OpenEXR",
            "meta.json",
        ),
        "names of formats",
    ),
    **dict.fromkeys(
        (
            *("da3_notes", "da3_resolution", "pinhole", "constant {0} {1} {2}"),
            *("DA3 Distort {camera} v1", "DA3 Undistort {camera} v1"),
        ),
        "identifiers",
    ),
    "Apple GPU ({0})": "a name",
    **dict.fromkeys(("{0} and {1}", "and {0} more"), "between names of photos; would be recognised anywhere"),
}
"""Texts that stay English, and why."""

SAME = {
    "Brown-Conrady",
    "Name",
    "Python",
    "torch",
    "CPU",
    "Problem",
    "Splats",
    "Detail",
    "Details",
    "STMaps",
    "Backend",
    "Backend: {0}",
}
"""Words that are the same in a translation."""


def shown_modules() -> dict[str, ast.Module]:
    modules = {}
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts
            if NOT_SHOWN.isdisjoint({*parts, "/".join(parts)}):
                modules["/".join(path.relative_to(root.parent).parts)] = ast.parse(path.read_text(encoding="utf-8"))
    return modules


def registered_texts() -> Iterator[tuple[str, str]]:
    """What Blender shows of every class and property that the add-on registers."""
    da3_blender.register()
    try:
        for kind in registered_classes():
            where = kind.__name__
            if issubclass(kind, bpy.types.Operator):
                module, verb = kind.bl_idname.split(".")
                rna = getattr(getattr(bpy.ops, module), verb).get_rna_type()
                described = [rna.name, rna.description]
            else:
                rna = kind.bl_rna
                described = [getattr(kind, "bl_label", "")]
                if issubclass(kind, bpy.types.Menu | bpy.types.Panel):
                    described.append(kind.__doc__ or "")
            for item in rna.properties:
                if item.identifier in kind.__annotations__ and not item.is_hidden:
                    described += [item.name, item.description]
                    if item.type == "ENUM":
                        described += [part for choice in item.enum_items for part in (choice.name, choice.description)]
            yield from ((text, where) for text in described if re.search(r"[A-Za-z]{2}", text))
    finally:
        da3_blender.unregister()


def test_names_and_tooltips_follow_blenders_habits() -> None:
    """Names in Title Case; tooltips begin with a capital letter and end without a full stop."""
    small = {"a", "all", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "per", "the", "to", "with"}
    da3_blender.register()
    try:
        for kind in registered_classes():
            if issubclass(kind, bpy.types.Operator):
                module, verb = kind.bl_idname.split(".")
                rna = getattr(getattr(bpy.ops, module), verb).get_rna_type()
                names, tooltips = [rna.name], [rna.description]
            else:
                rna, names, tooltips = kind.bl_rna, [getattr(kind, "bl_label", "")], []
            for item in rna.properties:
                if item.identifier in kind.__annotations__ and not item.is_hidden:
                    names.append(item.name)
                    tooltips.append(item.description)
                    if item.type == "ENUM":
                        names += [choice.name for choice in item.enum_items]
                        tooltips += [choice.description for choice in item.enum_items]
            for name in filter(None, names):
                words = re.findall(r"[A-Za-z]+", name)
                assert all(word in small or word[0].isupper() for word in words) and words[0][0].isupper(), name
            for tooltip in filter(None, tooltips):
                assert tooltip[0].isupper() and not tooltip.endswith("."), tooltip
    finally:
        da3_blender.unregister()


def registered_classes() -> list[type]:
    kinds = []
    for base in ("Operator", "Panel", "Menu", "UIList", "PropertyGroup", "AddonPreferences", "FileHandler"):
        for kind in getattr(bpy.types, base).__subclasses__():
            if kind.__module__.startswith("da3_blender."):
                kinds.append(kind)
    return kinds


def fields(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


@pytest.fixture(scope="module")
def known(find_shown: Callable[[dict[str, ast.Module]], dict[str, str]]) -> dict[str, str]:
    """English text or template -> where it stands."""
    found = find_shown(shown_modules()) | dict(registered_texts())
    assert UNTRANSLATED.keys() <= found.keys(), "not in the code any more"
    left = UNTRANSLATED.keys() | {model.title for model in CATALOGUE.values()}
    return {text: where for text, where in found.items() if text not in left}


@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_every_text_has_its_translation_and_no_other(known: dict[str, str], language: str) -> None:
    translated = translation.catalogue(language)
    missing = {text: where for text, where in known.items() if translation.recognise(text)[0] not in translated}
    assert missing == {}, "not translated"
    assert [text for text in translated if text not in known] == [], "not in the code any more"


SHOWING = """
SOURCES = {"given": "Given", "rays": "From rays"}

class Wheel:
    problem: str = ""

def draw(layout, source, sure):
    text = "Sure" if sure else "Not so sure"
    layout.label(text=iface(text), icon="ERROR")
    layout.label(text=iface(SOURCES[source]))
    for icon, name in (("X", "Cross"), ("Y", "Tree")):
        layout.operator("da3.run", text=name, icon=icon)

def refuse(path, why):
    raise JobError("no-wheel", f"{path} cannot be used: {why}.", "Choose another.")

def read(path, progress):
    progress.part(0.0, 0.5, "files")(0.0, "Reading.")
    if not path:
        refuse(path, "it has no name")
    lines = []
    lines.append(f"{count(path)} lines")
    return Wheel("Its spokes are missing")
"""

JOB_ERROR = "class JobError(Exception):\n    def __init__(self, code, sentence, advice): pass"


def test_texts_are_found_by_their_use(find_shown: Callable[[dict[str, ast.Module]], dict[str, str]]) -> None:
    found = find_shown({"showing": ast.parse(SHOWING), "errors": ast.parse(JOB_ERROR)})
    assert found.keys() == {
        *("Sure", "Not so sure", "Given", "From rays", "Cross", "Tree", "Reading.", "{0} lines"),
        *("{0} cannot be used: {1}.", "it has no name", "Choose another.", "Its spokes are missing"),
    }


@pytest.mark.parametrize("language", translation.LANGUAGES)
def test_translations_are_whole(language: str) -> None:
    for text, translated in translation.catalogue(language).items():
        assert translated.strip() == translated != ""
        assert translated != text or text in SAME
        if "{" in text:
            assert fields(translated) == fields(text), text
        if language == "ja_JP":
            assert re.search("[\u3040-\u30ff\u4e00-\u9fff]", translated) or text in SAME, text
        full_stop = translated.endswith((".", "\N{IDEOGRAPHIC FULL STOP}")) and not translated.endswith("...")
        assert full_stop == (text.endswith(".") and not text.endswith("...")), text


def test_languages_have_the_same_texts_in_the_same_order_one_a_line() -> None:
    """So that changes are easy to read."""
    orders = []
    for file in sorted(Path(translation.__file__).parent.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        orders.append(list(json.loads(text)))
        assert json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n" == text
    assert len(orders) == len(translation.LANGUAGES) and all(order == orders[0] for order in orders)


def test_every_template_is_recognised_in_what_is_made_of_it() -> None:
    for text in translation.catalogue(translation.LANGUAGES[0]):
        names = fields(text) if "{" in text else []
        if names:
            values = {name: f"value-{name}.jpg" for name in names}
            assert translation.recognise(translation.fill(text, values)) == (text, values)
        else:
            assert translation.recognise(text) == (text, {})


@pytest.fixture(params=translation.LANGUAGES)
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Blender's lookup as it is with this language; the bpy package brings none."""
    for name in ("_pgettext_iface", "_pgettext_tip", "_pgettext_rpt"):
        monkeypatch.setattr(translation, name, lambda text: translation.catalogue(request.param).get(text, text))
    return request.param


def test_templates_and_finished_sentences_of_others(language: str) -> None:
    german = language == "de_DE"
    making = translation.iface("Making '{name}'", name="Küche")
    assert making == ("'Küche' wird erstellt" if german else "「Küche」を作成中")
    told = translation.rpt("room.jpg is empty (0 bytes). 3 more photos cannot be used either. Something unknown.")
    assert told == (
        "room.jpg ist leer (0 Byte). 3 weitere Fotos sind auch nicht verwendbar. Something unknown."
        if german
        else "room.jpg は空です\uff080 バイト\uff09。 さらに 3 枚の写真が使えません。 Something unknown."
    )
    failed = translation.iface("The installation failed while fetching uv.")
    assert ("beim Holen von uv." if german else "uv の取得") in failed
    assert translation.iface("Something {unknown}.") == "Something {unknown}." and translation.iface("") == ""


def test_panels_speak_it(language: str) -> None:
    from da3_blender.panels.failures import both

    failure = Failure("checkpoint-missing", "DA3 Base is not here yet (542 MB).", "Allow online access.")
    assert both(failure) == (
        "DA3 Base ist noch nicht da (542 MB). Onlinezugriff erlauben."
        if language == "de_DE"
        else "DA3 Base はまだありません (542 MB)。 オンラインアクセスを許可してください。"
    )


def test_english_stays() -> None:
    assert translation.iface("Making '{name}'", name="x") == "Making 'x'"
    assert translation.iface("Looking for features in a.jpg.") == "Looking for features in a.jpg."


IN_BLENDER = """
import sys
sys.path.insert(0, {root!r})
import bpy, da3_blender
from da3_blender import translation
view = bpy.context.preferences.view
for _ in range(2):
    da3_blender.register()
    for language in translation.LANGUAGES:
        texts = translation.catalogue(language)
        view.language = language
        lookup = bpy.app.translations.pgettext_iface
        own = [text for text in texts if lookup(text) == texts[text]]
        assert len(own) > 0.95 * len(texts), [text for text in texts if text not in own]
        assert lookup("Make Scene", "Operator") == texts["Make Scene"]
        assert translation.iface("Making '{{name}}'", name="x") == texts["Making '{{name}}'"].format(name="x")
        done = translation.rpt("Reading a.jpg (1 of 2).")
        assert done == texts["Reading {{0}} ({{1}} of {{2}})."].format("a.jpg", 1, 2), done
    da3_blender.unregister()
    assert lookup("Make Scene") == "Make Scene"
print("translated", "well")
"""


@pytest.mark.skipif(not BLENDER, reason="DA3_BLENDER is not set")
def test_blender_itself_speaks_it(tmp_path: Path) -> None:
    script = tmp_path / "speak.py"
    script.write_text(IN_BLENDER.format(root=str(ROOTS[0].parent)), encoding="utf-8")
    command = [str(BLENDER), "--background", "--factory-startup", "--python-exit-code", "1", "--python", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "translated well" in done.stdout, done.stdout + done.stderr
