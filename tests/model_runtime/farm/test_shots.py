"""The file that lists shots, and the folder of their answers."""

from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path

import pytest

from model_runtime.commands.command_line import main
from model_runtime.contract.messages import JobError, Request
from model_runtime.farm.answers import Answers
from model_runtime.farm.lines import Lines, table
from model_runtime.farm.shots import REQUEST_SETTINGS, read_shots
from model_runtime.farm.work import make_order, order_digest

GOOD = """
[defaults]
checkpoint = "da3-small"
resolution = 280
cpus = 4

[[shot]]
name = "Kitchen 01"
photos = "kitchen"

[[shot]]
name = "some"
photos = ["kitchen/*_1.jpg", "hall/door.png"]
resolution = 504
gaussians = false
memory = 1.5
gpus = 0.5
shared = true

[[shot]]
name = "walk"
clip = "walk.mp4"
first = 10
step = 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("kitchen/a_1.jpg", "kitchen/b_2.jpg", "kitchen/notes.txt", "hall/door.png", "walk.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "shots.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_shots_have_their_files_and_settings_and_the_defaults(folder: Path) -> None:
    kitchen, some, walk = read_shots(written(folder, GOOD))
    assert [path.name for path in kitchen.photos] == ["a_1.jpg", "b_2.jpg"]
    assert kitchen.settings == {"checkpoint": "da3-small", "resolution": 280}
    assert (kitchen.cpus, kitchen.gpus, kitchen.memory, kitchen.shared) == (4, None, 0, False)
    assert [path.name for path in some.photos] == ["a_1.jpg", "door.png"]
    assert some.settings == {"checkpoint": "da3-small", "resolution": 504, "gaussians": False}
    assert (some.gpus, some.memory, some.shared) == (0.5, 1_500_000_000, True)
    assert walk.clip == folder / "walk.mp4" and walk.frames == {"first": 10, "step": 2}


def test_settings_are_those_of_a_request() -> None:
    assert {field.name for field in fields(Request)} >= REQUEST_SETTINGS.keys()


ONE = '[[shot]]\nname = "one"\nphotos = "kitchen"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"shots\.toml has no \[\[shot\]\]"),
        ("[[shot]", "is no TOML file"),
        (ONE + "[shots]\na = 1\n", "has shots, which means nothing"),
        (ONE + "resolutoin = 280\n", "one has resolutoin, which is no setting"),
        (ONE + 'resolution = "280"\n', "one has resolution = '280'"),
        (ONE + "resolution = true\n", "one has resolution = True"),
        (ONE + 'camera_source = "given"\n', "one has camera_source = 'given'"),
        (ONE + "cpus = 0\n", "one has cpus = 0"),
        (ONE + "memory = inf\n", "one has memory = inf"),
        (ONE + "first = 3\n", "one has first, but no clip"),
        ("[defaults]\nfirst = 3\n" + ONE, r"\[defaults\] has first, which is no setting"),
        (ONE + 'clip = "walk.mp4"\n', "one has both photos and a clip"),
        ('[[shot]]\nname = "one"\n', "one has neither"),
        (ONE + ONE.replace("one", "ONE"), "Two shots are called ONE"),
        (ONE.replace("one", "../one"), r"Shot 1 is called '\.\./one'"),
        (ONE.replace('"one"', "7"), "Shot 1 is called 7"),
        (ONE.replace("kitchen", "cellar"), "There are no photos cellar for one"),
        (ONE.replace('"kitchen"', "3"), "The photos of one are 3"),
        (ONE.replace('photos = "kitchen"', 'clip = "gone.mp4"'), r"There is no clip gone\.mp4 for one"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(text: str, told: str, folder: Path) -> None:
    with pytest.raises(JobError, match=told) as error:
        read_shots(written(folder, text))
    assert error.value.failure.code == "bad-request" and error.value.failure.sentence.endswith(".")


def test_the_same_order_has_the_same_digest_and_any_other_another(folder: Path) -> None:
    def digests(text: str) -> list[str]:
        return [order_digest(shot) for shot in read_shots(written(folder, text))]

    before = digests(GOOD)
    assert digests(GOOD + "\n# a comment") == before and len(set(before)) == 3
    assert digests(GOOD.replace("resolution = 280", "resolution = 294"))[0] != before[0]
    assert digests(GOOD.replace("step = 2", "step = 3"))[2] != before[2]
    (folder / "kitchen" / "b_2.jpg").write_bytes(b"another")
    changed = digests(GOOD)
    assert changed[0] != before[0] and changed[1:] == before[1:]


def test_an_order_carries_the_files_or_only_says_which_they_are(folder: Path) -> None:
    kitchen, some, walk = read_shots(written(folder, GOOD))
    order = make_order(kitchen)
    assert [photo.data for photo in order.request.photos] == [b"kitchen/a_1.jpg", b"kitchen/b_2.jpg"]
    assert order.request.resolution == 280 and order.threads == 4
    shared = make_order(some).request.photos[1]
    assert not shared.data and shared.file is not None and Path(shared.file.path).name == "door.png"
    order = make_order(walk)
    clip = order.request.clip
    assert clip is not None and clip.file is not None and (clip.first, clip.step, clip.file.path) == (10, 2, "")
    assert order.film == b"walk.mp4" and not order.request.photos


def test_an_answer_is_there_only_whole_and_to_the_same_order(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "new" / "out")
    assert not answers.has("one", "order")
    answers.put("one", "order", b"bytes")
    assert (
        answers.has("one", "order") and not answers.has("one", "other") and answers.path("one").read_bytes() == b"bytes"
    )
    answers.path("one").write_bytes(b"byte")
    assert not answers.has("one", "order")
    answers.check("one")
    answers.path("two").write_bytes(b"somebody's")
    with pytest.raises(JobError, match="no farm's"):
        answers.check("two")
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="cannot be written"):
        Answers(tmp_path / "file" / "out")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_rewritten_on_a_terminal_alone() -> None:
    plain, terminal = io.StringIO(), Terminal()
    for stream in (plain, terminal):
        lines = Lines(["a", "bcd"], stream)
        for stage, text in (("x", "10%"), ("x", "20%"), ("y", "30%")):
            lines.tell("bcd", stage, text)
    assert plain.getvalue() == "bcd  10%\nbcd  30%\n"
    drawn = terminal.getvalue()
    assert drawn.count("\x1b[2A") == 2 and drawn.endswith("a    waits\n\x1b[2Kbcd  30%\n")


def test_columns_of_a_table_are_as_wide_as_their_longest() -> None:
    assert table([("shot", "state"), ("a", "done")]) == "shot  state\na     done"


def test_without_ray_the_command_says_how_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_runtime.commands.farm.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install") as error:
        main(["farm", str(written(folder, ONE)), "--output", str(folder / "out")])
    assert "A farm needs Ray" in str(error.value)
