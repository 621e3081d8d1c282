"""The front door: which Python it takes, when it installs, and what it says when something is missing."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from model_runtime.contract.file_lock import try_lock

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")

FAKE_PYTHON = """#!/bin/sh
# Answers like a Python {version}: tells its version, makes environments holding itself, and notes what pip is asked.
case "$1 $2" in
  "-c "*pip*) echo "({version_tuple})" ;;
  "-c "*sys.version_info*) test "{version}" = "$FAKE_WANTED" && echo "True $0" || echo "False $0" ;;
  "-c "*bpy*) exit ${{FAKE_BPY:-0}} ;;
  "-m venv") test -z "$FAKE_NO_VENV" || {{ echo "ensurepip is not available"; exit 1; }}
             mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/pyvenv.cfg" ;;
  "-m pip") echo "$@" >> "$FAKE_LOG"; exit ${{FAKE_PIP:-0}} ;;
esac
"""


def fake_python(folder: Path, version: str, name: str = "python") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(FAKE_PYTHON.format(version=version, version_tuple=version.replace(".", ", ")))
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def checkout(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout for environments; pip's calls are noted in pip.log."""
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("a==2\n")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "pip.log"))
    return tmp_path


def pip_calls(checkout: Path) -> list[str]:
    """What pip was told beside what it is always told: a quiet check, and the constraints of the checkout."""
    log = checkout / "pip.log"
    always = f"-m pip install --disable-pip-version-check -c {checkout / 'constraints.txt'} "
    lines = log.read_text().splitlines() if log.exists() else []
    assert all(line.startswith(always) for line in lines)
    return [line.removeprefix(always) for line in lines]


def run_build(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


# Which Python


def pretend_version(build: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(build.sys, "version_info", (3, 12, 1, "final", 0))
    monkeypatch.setattr(build.sys, "argv", ["build.py", "test"])
    monkeypatch.setenv("PATH", str(path))


def test_another_python_without_a_right_one_gets_a_sentence(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_version(build, monkeypatch, tmp_path)
    assert build.main(["test"]) == 1
    said = capsys.readouterr().out
    assert "This is Python 3.12" in said
    assert "3.11 and 3.13" in said
    assert "Traceback" not in said


@posix
def test_another_python_hands_over_to_one_on_the_path_that_starts(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")  # as a version manager's shim for a version that is not there
    broken.chmod(0o755)
    right = fake_python(tmp_path / "later", "3.13", "python3.13")
    pretend_version(build, monkeypatch, tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{tmp_path / 'later'}")
    monkeypatch.setenv("FAKE_WANTED", "3.13")
    called: list[list[str]] = []
    monkeypatch.setattr(build, "call", lambda command: called.append(command) or 7)
    with pytest.raises(SystemExit) as end:
        build.main(["test"])
    assert end.value.code == 7
    assert called == [[right, "build.py", "test"]]


def test_the_running_python_is_one_of_the_right_ones(build: ModuleType) -> None:
    assert build.find_python(sys.version_info[:2]) == sys.executable
    build.use_right_python()


# Environments


def test_requirements_are_pinned_and_leave_the_index_to_pip(build: ModuleType) -> None:
    lines = build.requirements("blender", "test")
    assert "torch==2.13.0" in lines
    assert any(line.startswith("bpy==4.5") for line in lines)
    assert any(line.startswith("pytest==") for line in lines)
    assert not any("://" in line or line.startswith("-") for line in lines)
    assert len(build.requirements("blender")) < len(lines)
    light = build.requirements("blender", torch=False)
    assert sorted({*build.requirements("blender")} - {*light}) == ["torch==2.13.0"]
    assert sum(line.startswith("onnxruntime") for line in lines) == 1


@posix
def test_a_complete_environment_takes_no_second_installation(build: ModuleType, checkout: Path) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))
    python = environment.ensure(["a==1", "b==2"])
    assert python == checkout / ".venv/bin/python"
    assert pip_calls(checkout) == ["a==1 b==2"]
    environment.ensure(["a==1", "b==2"])
    environment.ensure(["a==1"])
    assert len(pip_calls(checkout)) == 1
    environment.ensure(["a==2", "b==2"])
    assert pip_calls(checkout)[1:] == ["a==2 b==2"]


@posix
def test_other_constraints_are_installed(build: ModuleType, checkout: Path) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))
    environment.ensure(["a"])
    (checkout / "constraints.txt").write_text("a==3\n")
    for _ in range(2):
        environment.ensure(["a"])
    assert pip_calls(checkout) == ["a", "a"]


@posix
def test_after_an_interrupted_installation_everything_is_unpacked_again(
    build: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))
    monkeypatch.setenv("FAKE_PIP", "1")
    with pytest.raises(build.BuildError, match="PyPI"):
        environment.ensure(["a==1"])
    monkeypatch.delenv("FAKE_PIP")
    environment.ensure(["a==1"])
    assert pip_calls(checkout)[1:] == ["--force-reinstall a==1"]
    environment.ensure(["a==1"])
    assert len(pip_calls(checkout)) == 2


@posix
@pytest.mark.parametrize(("version", "made_anew"), [("3.11", False), ("3.13", True)])
def test_an_environment_of_another_python_is_made_anew(
    build: ModuleType, checkout: Path, version: str, made_anew: bool
) -> None:
    build.Environment(".venv", fake_python(checkout / "old", version), (3, 11)).make()
    left_over = checkout / ".venv/left_over"
    left_over.touch()
    build.Environment(".venv", fake_python(checkout / "new", "3.11"), (3, 11)).ensure(["a==1"])
    assert left_over.exists() != made_anew


@posix
def test_an_environment_whose_python_has_gone_is_made_anew(build: ModuleType, checkout: Path) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))
    environment.ensure(["a==1"]).unlink()
    environment.ensure(["a==1"])
    assert environment.python.exists()
    assert len(pip_calls(checkout)) == 2


def test_a_second_installation_waits_for_the_first(build: ModuleType, checkout: Path) -> None:
    with build.only_one("x.lock"), (checkout / ".cache/x.lock").open("a+") as second:
        assert not try_lock(second)
    with (checkout / ".cache/x.lock").open("a+") as third:
        assert try_lock(third)


@posix
def test_a_folder_that_is_no_environment_is_left_alone(build: ModuleType, checkout: Path) -> None:
    treasure = checkout / ".venv/treasure"
    treasure.parent.mkdir()
    treasure.touch()
    with pytest.raises(build.BuildError, match="not a Python environment"):
        build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11)).ensure(["a==1"])
    assert treasure.exists()


@posix
def test_a_missing_venv_module_gets_a_sentence(
    build: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_NO_VENV", "1")
    with pytest.raises(build.BuildError, match=r"apt install python3\.\d+-venv"):
        build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11)).ensure(["a==1"])
    assert not (checkout / ".venv").exists()


@posix
def test_bpy_that_does_not_start_gets_a_sentence_and_stays_incomplete(
    build: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))
    monkeypatch.setenv("FAKE_BPY", "1")
    with pytest.raises(build.BuildError, match="libxi6"):
        environment.ensure(["a==1"])
    assert not environment.note.exists()


def test_other_installations_of_python_do_not_leak_in(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    variables = build.clean_variables()
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET"} & set(variables)
    assert variables["PIP_USER"] == "0"
    assert variables["PYTHONNOUSERSITE"] == "1"
    assert variables["PIP_FIND_LINKS"] == "/wheels"


def run_inside(tmp_path: Path, child: str, number: int, group: bool) -> subprocess.CompletedProcess[str]:
    """Lets build.py call a `child`, which touches `begun`, and sends it, or its whole group, the signal then."""
    begun = tmp_path / "begun"
    outer = f"""
import build, sys
build.COMMANDS["child"] = lambda _: build.call([sys.executable, "-c", {child.format(begun=str(begun))!r}])
with build.signals_to(build.raise_for):
    sys.exit(build.main(["child"]))
"""
    command = [sys.executable, "-c", outer]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, process_group=0) as process:
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.05)
        (os.killpg if group else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=30)
    return subprocess.CompletedProcess(command, process.returncode, "", errors)


NOTES_ITS_END = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.{name}, lambda *_: sys.exit(Path({{begun!r}}).with_name("ended").write_text("ended")))
Path({{begun!r}}).touch()
time.sleep(60)
"""


@posix
@pytest.mark.parametrize("group", [True, False], ids=["terminal", "alone"])
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_program_told_to_end_ends_what_it_started(tmp_path: Path, name: str, status: int, group: bool) -> None:
    child = NOTES_ITS_END.format(name=name)
    ended = run_inside(tmp_path, child, getattr(signal, name), group)
    assert ended.returncode == status
    assert ended.stderr == ("cancelled\n" if name == "SIGINT" else "")
    assert (tmp_path / "ended").read_text() == "ended"


@posix
def test_a_child_that_tells_of_the_interrupt_itself_is_not_told_of_twice(tmp_path: Path) -> None:
    child = (
        "import os, time\ntry: open({begun!r}, 'w').close(); time.sleep(60)\nexcept KeyboardInterrupt: os._exit(130)"
    )
    ended = run_inside(tmp_path, child, signal.SIGINT, group=True)
    assert (ended.returncode, ended.stderr) == (130, "")


@posix
def test_an_interrupted_environment_leaves_nothing_that_is_in_the_way(
    build: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = build.Environment(".venv", fake_python(checkout / "base", "3.11"), (3, 11))

    def interrupted(command: list[str], **_: object) -> int:
        (checkout / ".venv").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(build, "call", interrupted)
        environment.make()
    environment.ensure(["a==1"])
    assert pip_calls(checkout) == ["a==1"]


@posix
def test_ctrl_c_before_anything_has_begun_is_quiet() -> None:
    """build.py takes signals in its first line; only Python's own start comes before."""
    source = (ROOT / "build.py").read_text(encoding="utf-8").replace("import hashlib\n", "os.kill(os.getpid(), 2)\n", 1)
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "cancelled\n")


# Commands


@pytest.mark.parametrize("broken", ["ruff", "pyright", "pytest", ""])
def test_test_runs_all_tools_pytest_last_and_fails_when_one_does(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    ready = type("Ready", (), {"ensure": lambda self, wanted: Path("python")})
    monkeypatch.setattr(build, "main_environment", ready)
    tools: list[str] = []

    def call(command: list[str], **_: object) -> int:
        tools.append(command[2])
        return 1 if command[2] == broken else 0

    monkeypatch.setattr(build, "call", call)
    assert build.main(["test"]) == (1 if broken else 0)
    assert tools == ["ruff", "ruff", "pyright", "pytest"]


def test_without_a_command_it_tells_its_commands() -> None:
    result = run_build()
    assert result.returncode == 2
    assert "build.py scene" in result.stdout
    assert "build.py test" in result.stdout
    assert "build.py extension" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "there is no photo or folder nowhere"),
        ([str(ROOT / "tests/window")], "holds no photo"),
        ([str(ROOT / "examples/living_room"), "--output", "scene.obj"], "does not end in .blend"),
        ([str(ROOT / "examples/living_room"), "--cameras", "nowhere.json"], "there is no file nowhere.json"),
        ([str(ROOT / "examples/living_room"), "--resolution", "-3"], "give a number of pixels"),
        ([], "required: photos"),
    ],
)
def test_bad_scene_arguments_are_refused_before_anything_is_installed(arguments: list[str], sentence: str) -> None:
    result = run_build("scene", *arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "installing" not in result.stdout


@pytest.mark.parametrize(
    ("options", "torch"),
    [([], True), (["--backend", "onnx"], False), (["--backend", "onnx", "--improve-splats"], True)],
)
def test_pytorch_is_installed_only_for_what_needs_it(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], torch: bool
) -> None:
    wanted: list[list[str]] = []
    ready = type("Ready", (), {"ensure": lambda self, lines: wanted.append(lines) or Path("python")})
    monkeypatch.setattr(build, "main_environment", ready)
    monkeypatch.setattr(build, "call", lambda command, **_: 0)
    photos = [str(ROOT / "examples/living_room"), "--output", str(tmp_path / "x.blend")]
    assert build.main(["scene", *photos, *options]) == 0
    assert [any(line.startswith("torch==") for line in lines) for lines in wanted] == [torch]


def test_extension_takes_no_options() -> None:
    result = run_build("extension", "--fast")
    assert result.returncode == 1
    assert "extension takes no options: --fast" in result.stdout


def test_an_extension_that_blender_refuses_is_an_error(
    build: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = type("Ready", (), {"ensure": lambda self, wanted: Path(sys.executable)})
    monkeypatch.setattr(build, "main_environment", ready)
    monkeypatch.setattr(build, "requirements", lambda *groups, torch: [])
    (checkout / "broken.zip").write_bytes(b"no zip")
    monkeypatch.setattr(build, "build_extension", lambda python, folder: checkout / "broken.zip")
    assert build.main(["extension"]) == 1
    assert "Blender finds fault with" in capsys.readouterr().out


def test_an_unknown_blender_gets_a_sentence() -> None:
    result = run_build("test", "--blender", "2.79")
    assert result.returncode == 1
    assert "4.2, 4.5, 5.0, 5.2, 5.3." in result.stdout


# The files with hashes


def compiled(*packages: tuple[str, str]) -> str:
    """What uv tells of packages, each with the digits of its hashes."""
    hashes = {name: [f"    --hash=sha256:{digit * 64}" for digit in digits] for name, digits in packages}
    return "".join(" \\\n".join([name, *lines]) + "\n" for name, lines in hashes.items())


NCCL, TORCH, SYMPY = (
    ("nvidia-nccl-cu13==2.29.7 ; sys_platform == 'linux'", "23"),
    ("torch==2.13.0", "4"),
    ("sympy==1.14", "7"),
)
IDNA, TQDM, ONNXRUNTIME = ("idna==3.20", "1"), ("tqdm==4.70.1", "5"), ("onnxruntime==1.32.0", "6")
CUDA = ("onnxruntime-gpu==1.31.1 ; sys_platform != 'darwin'", "8")
DIRECTML = ("onnxruntime-directml==1.24.4 ; sys_platform == 'win32'", "9")
UV = f"""
import sys
if sys.argv[-1] == "--universal":
    print("uv==0.13.9 " + sys.stdin.read())
elif "torch" in sys.argv:
    print({compiled(IDNA, NCCL, ONNXRUNTIME, SYMPY, TORCH, TQDM)!r})
elif "onnxruntime-cuda" in sys.argv:
    print({compiled(IDNA, NCCL, CUDA)!r})
elif "onnxruntime-directml" in sys.argv:
    print({compiled(IDNA, DIRECTML, SYMPY)!r})
else:
    print({compiled(IDNA, ONNXRUNTIME, TQDM)!r})
"""
"""Answers as uv does to what it is asked for."""


@pytest.fixture
def locking(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    from locks import making

    monkeypatch.setattr(making, "BUILDS", {"cu130": (("3.12", "3.13"), ("win_amd64",))})
    return making


@pytest.fixture
def make_locks(locking: ModuleType, tmp_path: Path) -> Callable[[], tuple[list[str], str]]:
    """Makes all files in tmp_path with UV; returns what was said and torch-cu130.txt."""

    def make() -> tuple[list[str], str]:
        said: list[str] = []
        locks = locking.Locks(tmp_path, [sys.executable, "-c", UV], said.append, dict(os.environ))
        locks.make(["blender"], "3.11", "uv==0.13.9")
        return said, (tmp_path / "locks/torch-cu130.txt").read_text()

    return make


def page(*links: tuple[str, str]) -> dict[str, str]:
    return {f"torch-2.13.0+cu130-{tag}-{tag}-win_amd64.whl": digest for tag, digest in links}


def test_hashes_of_torchs_builds_come_from_its_server(
    locking: ModuleType,
    make_locks: Callable[[], tuple[list[str], str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that the server tells no hash of is fetched for it once."""
    monkeypatch.setattr(locking, "read_index", lambda build: page(("cp312", "a" * 64), ("cp313", "")))
    fetched: list[str] = []
    monkeypatch.setattr(locking.Locks, "_download_hash", lambda self, url: fetched.append(url) or "b" * 64)
    for _ in range(2):
        made = make_locks()[1]
    assert fetched == ["https://download.pytorch.org/whl/cu130/torch-2.13.0%2Bcu130-cp313-cp313-win_amd64.whl"]
    assert made.count("torch @ ") == 2 and made.count("a" * 64) == made.count("b" * 64) == 1
    assert "cp312-win_amd64.whl ; python_version == '3.12' and sys_platform == 'win32'" in made


def test_what_not_every_worker_needs_has_lists_of_its_own(
    locking: ModuleType,
    make_locks: Callable[[], tuple[list[str], str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locking, "read_index", lambda build: page(("cp312", "a" * 64), ("cp313", "b" * 64)))
    make_locks()
    made = {path.stem: path.read_text().partition("\n")[2] for path in (tmp_path / "locks").glob("*.txt")}
    assert made["packages"] == compiled(IDNA, TQDM)
    assert made["onnxruntime-cpu"] == compiled(ONNXRUNTIME)
    assert made["onnxruntime-cuda"] == compiled(NCCL, CUDA)
    assert made["onnxruntime-directml"] == compiled(DIRECTML, SYMPY)
    assert made["torch-common"] == compiled(SYMPY)
    assert made["torch-index"] == compiled(NCCL, TORCH)


def test_a_build_whose_server_is_away_stays_as_it_is(
    locking: ModuleType,
    make_locks: Callable[[], tuple[list[str], str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(build: str) -> dict[str, str]:
        raise OSError("no route")

    monkeypatch.setattr(locking, "read_index", away)
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/torch-cu130.txt").write_text(
        "torch @ x/torch-2.12.0%2Bcu130.whl ; y \\\n    --hash=sha256:" + "a" * 64
    )
    said, made = make_locks()
    assert "2.12.0" in made
    assert "cannot be reached (no route): torch-cu130.txt stays as it was, though it is of another torch" in said[0]


def test_a_build_that_lacks_a_file_is_an_error(
    locking: ModuleType, make_locks: Callable[[], tuple[list[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "read_index", lambda build: page(("cp312", "a" * 64)))
    with pytest.raises(locking.LockError, match=r"has no torch-2\.13\.0\+cu130-cp313"):
        make_locks()


def test_the_servers_list_is_read(locking: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "c" * 64
    listed = (
        f'<a href="/whl/cu130/torch-2.13.0%2Bcu130-cp312-cp312-win_amd64.whl#sha256={digest}" data-x="y">torch</a>'
        '<a href="https://elsewhere/whl/torch-2.13.0%2Bcu130-cp313-cp313-win_amd64.whl">torch</a>'
    )
    monkeypatch.setattr(locking.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(listed.encode()))
    assert locking.read_index("cu130") == page(("cp312", digest), ("cp313", ""))
