#!/usr/bin/env python3
"""The front door: makes its own environment, then does what is asked. Standard library only.

    python3 build.py scene PHOTOS... [--output X.blend]     photos to a Blender scene; `scene --help` tells the rest
    python3 build.py splats FILE.blend FOLDER               exact pictures of its splats; `splats --help` tells more
    python3 build.py test [--blender all] [PYTEST OPTIONS]  ruff, pyright and pytest, or the add-on in several bpy
    python3 build.py extension                              dist/da3_blender-<version>.zip, to install in Blender
    python3 build.py lock                                   constraints.txt and locks/ anew, with today's versions

The environments (`.venv*`) hold the dependencies that pyproject.toml names, in the versions that constraints.txt
names. They are made once and again when those change; each one notes what it holds only when it is complete, so an
interrupted installation is noticed.
"""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":  # Ctrl-C before there is anything to clean up
    signal.signal(signal.SIGINT, lambda *_: (os.write(2, b"cancelled\n"), os._exit(130)))

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
CONSTRAINTS = "constraints.txt"
"""One version of every package, direct or not, for the environments here and for the worker's installations."""

LOCKS, SUMS = "locks", "SHA256SUMS"
"""The hashes of what the extension's installations fetch, and those of the files that it carries for them."""

PYTHONS = ((3, 11), (3, 13))
"""The Python versions that the bpy package exists for (3.11: Blender 4.2 to 5.0, 3.13: from 5.2 on)."""

BLENDERS = {
    "4.2": ("4.2.23", (3, 11)),
    "4.5": ("4.5.15", (3, 11)),
    "5.0": ("5.0.1", (3, 11)),
    "5.2": ("5.2.3", (3, 13)),
    "5.3": ("5.3.0", (3, 13)),
}
"""Blender releases the add-on is tested in: the bpy package and its Python."""

SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
"""pytest's processes: one for each core, not more than memory has room for; a file's tests, which share what is costly
to make, in one of them. `-n 0` after it has all in one."""

ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
BY_SIGNAL = 128
"""Exit status of a program that one of them ended, less its number, as shells tell it."""

TICK = 0.05
PASS_ON = 0.5
PATIENCE = 10.0
"""Seconds: between looks at a command; until a signal is passed on to one that goes on, and until it is killed."""

SAME_TIME = (1980, 1, 1, 0, 0, 0)
SAME_EPOCH = "315532800"
"""The age of every file in the extension, so that the same sources make the same zip."""

VALIDATE = """
import importlib.util, pathlib, runpy, sys
bpy = pathlib.Path(importlib.util.find_spec("bpy").origin).parent
(tool,) = bpy.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
sys.argv = [str(tool), "validate", sys.argv[1]]
runpy.run_path(str(tool), run_name="__main__")
"""
"""Blender's own check of an extension; it needs no running Blender."""


class BuildError(Exception):
    """A sentence for the user; nothing else went wrong in this program."""


def say(sentence: str) -> None:
    print(f"build.py: {sentence}", flush=True)


# Finding a Python


def find_python(version: tuple[int, int]) -> str | None:
    """The path of a Python of this version: the running one, or one on PATH that really starts."""
    if sys.version_info[:2] == version:
        return sys.executable
    name = f"{version[0]}.{version[1]}"
    folders = os.environ.get("PATH", "").split(os.pathsep)
    paths = [shutil.which(program, path=folder) for program in (f"python{name}", "python3") for folder in folders]
    candidates = [[path] for path in paths if path]
    launcher = shutil.which("py") if os.name == "nt" else None
    if launcher:
        candidates.insert(0, [launcher, f"-{name}"])
    question = "import sys; print(sys.version_info[:2] == " + repr(version) + ", sys.executable)"
    for candidate in candidates:
        answer = subprocess.run([*candidate, "-c", question], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.startswith("True "):
            return answer.stdout.strip()[len("True ") :]
    return None


def use_right_python() -> None:
    """Hands over to a Python that bpy exists for when this one is not; returns when it is."""
    if sys.version_info[:2] in PYTHONS:
        return
    for version in PYTHONS:
        path = find_python(version)
        if path:
            say(f"this is Python {sys.version_info[0]}.{sys.version_info[1]}; going on with {path}")
            sys.exit(call([path, *sys.argv]))
    raise BuildError(
        f"This is Python {sys.version_info[0]}.{sys.version_info[1]}, but Blender's Python package (bpy) exists for "
        "Python 3.11 and 3.13 only, and neither is on the PATH. Install one of them (python.org, your system's "
        "packages, pyenv or uv) and run: python3.11 build.py ..."
    )


# Environments


def requirements(*groups: str, torch: bool = True) -> list[str]:
    """The lines of pyproject.toml: the project's dependencies and those of the dependency groups. torch: whether to
    have PyTorch, too, which a worker can do without."""
    import tomllib  # older Pythons must reach the sentence that tells them so

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = project["project"]["optional-dependencies"]["torch"] if torch else []
    grouped = (line for group in groups for line in project["dependency-groups"][group])
    return [*project["project"]["dependencies"], *extra, *grouped]


def constraints_mark() -> str:
    """A line that changes with constraints.txt."""
    return f"{CONSTRAINTS} {hashlib.sha256((ROOT / CONSTRAINTS).read_bytes()).hexdigest()}"


class Environment:
    """A virtual environment in this checkout, with a note of what it holds; `version` is its Python's."""

    def __init__(self, name: str, base_python: str, version: tuple[int, int]) -> None:
        self.folder = ROOT / name
        self.base_python, self.version = base_python, version
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.note = self.folder / "complete.txt"
        self.begun = self.folder / "installing.txt"

    def ensure(self, wanted: list[str]) -> Path:
        """The environment's Python with `wanted` installed; takes no time when that is so already."""
        if not self._holds(wanted):
            with only_one(f"{self.folder.name}.lock"):
                if not self._holds(wanted):
                    self.make()
                    self._install(wanted)
        return self.python

    def _holds(self, wanted: list[str]) -> bool:
        if not self.note.is_file() or not self.python.exists():
            return False
        return {*wanted, constraints_mark()} <= set(self.note.read_text(encoding="utf-8").splitlines())

    def make(self) -> None:
        """An environment whose Python starts, anew where there is none or a broken one."""
        if self._works():
            return
        if self.folder.exists():
            if not (self.folder / "pyvenv.cfg").is_file():
                raise BuildError(f"{self.folder} is not a Python environment. Move it away and try again.")
            say(f"the Python of {self.folder.name} does not start: making the environment anew")
            shutil.rmtree(self.folder)
        say(f"making the environment {self.folder.name} with {self.base_python}")
        command = [self.base_python, "-m", "venv", str(self.folder)]
        with tempfile.TemporaryFile("w+", errors="replace") as output_file:
            try:
                failed = call(command, stdout=output_file, stderr=subprocess.STDOUT, env=clean_variables())
            except BaseException:  # half an environment would be taken for somebody's folder
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
            output_file.seek(0)
            output = output_file.read()
        if failed:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise BuildError(
                "Python's venv module failed. On Debian and Ubuntu it is a package of its own: "
                f"apt install python{self.version[0]}.{self.version[1]}-venv\n{output}"
            )

    def _works(self) -> bool:
        """Whether the environment's Python starts, has the right version, and has pip."""
        question = "import sys, pip; print(sys.version_info[:2])"
        try:
            answer = subprocess.run([str(self.python), "-c", question], capture_output=True, text=True, check=False)
        except OSError:
            return False
        return answer.returncode == 0 and answer.stdout.strip() == str(self.version)

    def _install(self, wanted: list[str]) -> None:
        say(f"installing into {self.folder.name}: {', '.join(wanted)}")
        command = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["-c", str(ROOT / CONSTRAINTS)]
        if self.begun.exists():
            say("an earlier installation was interrupted: unpacking everything again")
            command.append("--force-reinstall")
        self.note.unlink(missing_ok=True)
        self.begun.touch()
        if call([*command, *wanted], env=clean_variables()):
            raise BuildError(
                "The installation failed; pip says why above. It needs to reach PyPI and some 3 GB of free disk "
                "(10 GB where pip takes the CUDA build of torch). Run the same command again to go on."
            )
        self._check_bpy()
        self.note.write_text("\n".join([*wanted, constraints_mark()]) + "\n", encoding="utf-8")
        self.begun.unlink()

    def _check_bpy(self) -> None:
        command = [str(self.python), "-c", "import bpy"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_variables())
        if answer.returncode:
            raise BuildError(
                "Blender's Python package is installed but does not start. On a bare Linux it misses system libraries; "
                "on Debian and Ubuntu: apt install libgl1 libegl1 libxrender1 libxi6 libxfixes3 libxxf86vm1 "
                f"libxkbcommon0 libsm6 libice6 libgomp1\n{answer.stderr.strip()}"
            )


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Waits until no other build.py holds the lock `name`, and holds it; it is free again when this process ends."""
    from model_runtime.contract.file_lock import try_lock

    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a+") as file:
        waiting = False
        while not try_lock(file):
            if not waiting:
                say("waiting for another build.py that is installing")
            waiting = True
            time.sleep(1)
        yield


def call(command: list[str], held: bool = False, **options: Any) -> int:
    """Runs a command to its end and returns its status.

    A signal to this program ends the command, too: a terminal sends it Ctrl-C anyway, else it is passed on. Then raises
    KeyboardInterrupt or, for another signal, SystemExit, unless the command itself has told that it was interrupted.
    held: the command begins with signals blocked, and looks at them when it is ready to.
    """
    received: list[int] = []
    with signals_to(lambda number, _: received.append(number)):
        with blocked_signals() if held else nullcontext():
            process = subprocess.Popen(command, **options)
        since = 0.0
        passed_on = False
        while (status := process.poll()) is None:
            time.sleep(TICK)
            since += TICK if received else 0
            if since > PASS_ON and not passed_on:
                passed_on = True
                pass_on(process, received[0])
            if since > PATIENCE:
                process.kill()
    if received and status != BY_SIGNAL + received[0]:
        raise_for(received[0], None)
    return status


def pass_on(process: subprocess.Popen[Any], number: int) -> None:
    if os.name == "nt":  # which has no signals between processes
        process.terminate()
    else:
        process.send_signal(number)


@contextmanager
def signals_to(handler: Callable[[int, Any], Any]) -> Iterator[None]:
    """Lets `handler` have the signals that end programs, but for those that are ignored, as nohup does."""
    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, old in before.items():
        if old is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def blocked_signals() -> Iterator[None]:
    """No signal reaches what is started meanwhile before it lets them."""
    if os.name == "nt":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def raise_for(number: int, _: object) -> None:
    """A signal as the exception that ends this program and cleans up."""
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(BY_SIGNAL + number)


def clean_variables() -> dict[str, str]:
    """This process's variables without those that let other installations of Python leak in."""
    leaks = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
    kept = {name: value for name, value in os.environ.items() if name not in leaks}
    return {**kept, "PYTHONNOUSERSITE": "1", "PIP_USER": "0"}


def main_environment() -> Environment:
    version = sys.version_info[:2]
    name = ".venv" if version == PYTHONS[0] else f".venv-{version[0]}.{version[1]}"
    return Environment(name, sys.executable, version)


# Commands


def scene(arguments: list[str]) -> int:
    """Photos to a .blend, in the environment; bad arguments are refused before anything is installed."""
    sys.path.insert(0, str(ROOT))
    from da3_blender.headless.arguments import parse_arguments

    options = parse_arguments(arguments, program="build.py scene")
    torch = options.backend != "onnx" or options.improve_splats
    return call_headless("da3_blender.headless", arguments, torch)


def splats(arguments: list[str]) -> int:
    """Exact pictures of the splats of a .blend, in the environment; bad arguments are refused as by `scene`."""
    sys.path.insert(0, str(ROOT))
    from da3_blender.headless.splat_pictures import parse_arguments

    parse_arguments(arguments, program="build.py splats")
    return call_headless("da3_blender.headless.splat_pictures", arguments, torch=False)


def call_headless(module: str, arguments: list[str], torch: bool) -> int:
    """A module that needs Blender's package, as a program in the environment; returns its exit status. torch: whether
    PyTorch has to be there."""
    python = main_environment().ensure(requirements("blender", torch=torch))
    variables = {**clean_variables(), "PYTHONPATH": str(ROOT)}
    return call([str(python), "-m", module, *arguments], env=variables, held=True)


def test(arguments: list[str]) -> int:
    """ruff, pyright and pytest, pytest last; all of them run. `--blender` tests the add-on in other bpy instead."""
    if arguments[:1] == ["--blender"]:
        return test_in_blenders(arguments[1:])
    python = str(main_environment().ensure(requirements("blender", "benchmark", "extension", "test", "training")))
    variables = {**clean_variables(), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    failed = []
    for name, command in (
        ("ruff check", ["-m", "ruff", "check"]),
        ("ruff format", ["-m", "ruff", "format", "--check"]),
        ("pyright", ["-m", "pyright", "--pythonpath", python]),
        ("pytest", ["-m", "pytest", *SIDE_BY_SIDE, *arguments]),
    ):
        say(name)
        if call([python, *command], cwd=ROOT, env=variables):
            failed.append(name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def test_in_blenders(arguments: list[str]) -> int:
    """The add-on's tests in one environment per bpy; their worker runs in the main environment."""
    names = list(BLENDERS) if arguments[:1] == ["all"] else arguments[:1]
    if not names or names[0] not in BLENDERS:
        raise BuildError(f"--blender wants `all` or one of {', '.join(BLENDERS)}.")
    worker_python = main_environment().ensure(requirements("blender", "extension", "test"))
    built = build_extension(worker_python, ROOT / "dist")
    shared = ("numpy", "openexr", "pillow", "pycolmap", "pytest", "scipy")
    wanted = [line for line in requirements("test") if line.startswith(shared)]
    results = []
    for name in names:
        package, version = BLENDERS[name]
        base = find_python(version)
        if base is None:
            results.append((name, f"not run: needs Python {version[0]}.{version[1]} on the PATH"))
            continue
        python = Environment(f".venv-bpy-{name}", base, version).ensure([f"bpy=={package}", *wanted])
        say(f"bpy {package}")
        variables = {**clean_variables(), "DA3_WORKER_PYTHON": str(worker_python), "DA3_EXTENSION": str(built)}
        folders = ["tests/da3_blender", "tests/extension"]
        code = call([str(python), "-m", "pytest", *folders, *arguments[1:]], cwd=ROOT, env=variables)
        results.append((name, "passed" if code == 0 else f"failed (pytest's code {code})"))
    for name, result in results:
        say(f"Blender {name}: {result}")
    return 0 if all(result == "passed" for _, result in results) else 1


def extension(arguments: list[str]) -> int:
    """The zip that Blender installs, in dist/, checked by Blender's own validator."""
    if arguments:
        raise BuildError(f"extension takes no options: {' '.join(arguments)}")
    python = main_environment().ensure(requirements("blender", "extension", torch=False))
    path = build_extension(python, ROOT / "dist")
    if call([str(python), "-c", VALIDATE, str(path)], env=clean_variables()):
        raise BuildError(f"Blender finds fault with {path}; it says why above.")
    say(f"{path} ({path.stat().st_size / 1e6:.1f} MB): drag it into Blender's window to install it")
    return 0


def build_extension(python: Path, folder: Path) -> Path:
    """Writes da3_blender-<version>.zip into `folder` and returns its path; `python` has pip and setuptools.

    The zip holds the manifest, the add-on's package, the guide and the worker's wheel, which the manifest names, with
    the versions and hashes of what the wheel needs; SHA256SUMS beside the wheel has the hashes of these files.
    """
    import tomllib

    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    package = ROOT / "da3_blender"
    files = {str(file.relative_to(package)): file for file in package.rglob("*") if file.is_file()}
    files = {name: file for name, file in files.items() if "__pycache__" not in name}
    files |= {name: ROOT / name for name in ("blender_manifest.toml", "LICENSE")}
    files["guide.md"] = ROOT / "docs" / "guide.md"
    carried = {CONSTRAINTS: ROOT / CONSTRAINTS}
    carried |= {f"{LOCKS}/{file.name}": file for file in (ROOT / LOCKS).glob("*.txt")}
    with tempfile.TemporaryDirectory() as temporary:
        wheel = build_wheel(python, Path(temporary))
        if manifest["wheels"] != [f"./wheels/{wheel.name}"] or manifest["version"] != wheel.name.split("-")[1]:
            raise BuildError(
                f"blender_manifest.toml has version {manifest['version']} and names {manifest['wheels']}, but "
                f"model_runtime/__init__.py makes {wheel.name}. Write one version in all three places."
            )
        carried[wheel.name] = wheel
        carried[SUMS] = write_sums(Path(temporary) / SUMS, carried)
        files |= {f"wheels/{name}": file for name, file in carried.items()}
        made = Path(temporary) / f"{manifest['id']}-{manifest['version']}.zip"
        write_zip(made, files)
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, folder / made.name))


def build_wheel(python: Path, folder: Path) -> Path:
    """The wheel of model_runtime, made in `folder` from a copy: setuptools would take up what earlier builds left."""
    source = folder / "source"
    shutil.copytree(ROOT / "model_runtime", source / "model_runtime", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [str(python), "-m", "pip", "wheel", "--disable-pip-version-check", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    if call(command, env={**clean_variables(), "SOURCE_DATE_EPOCH": SAME_EPOCH}):
        raise BuildError("The worker's wheel cannot be built; pip says why above.")
    (wheel,) = folder.glob("*.whl")
    return wheel


def write_zip(path: Path, files: dict[str, Path]) -> None:
    """A zip of the files under the given names, the same whenever it is made."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name.replace(os.sep, "/"), SAME_TIME)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())


def write_sums(path: Path, files: dict[str, Path]) -> Path:
    """The SHA-256 of each file, under the given names, as sha256sum writes them."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n" for name, file in sorted(files.items())]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


def lock(arguments: list[str]) -> int:
    """constraints.txt and locks/ anew: the newest versions that pyproject.toml allows, for every system and Python at
    once, and the hashes of their files."""
    import tomllib

    from locks import making

    if arguments:
        raise BuildError(f"lock takes no options: {' '.join(arguments)}")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    (uv_requirement,) = groups["lock"]
    with tempfile.TemporaryDirectory() as folder:
        tools = Environment(str(Path(folder) / "tools"), sys.executable, sys.version_info[:2])
        tools.make()
        if call([str(tools.python), "-m", "pip", "install", "--quiet", uv_requirement], env=clean_variables()):
            raise BuildError("uv cannot be installed; pip says why above.")
        locks = making.Locks(ROOT, [str(tools.python), "-m", "uv"], say, clean_variables())
        try:
            locks.make(list(groups), f"{PYTHONS[0][0]}.{PYTHONS[0][1]}", uv_requirement)
        except making.LockError as error:
            raise BuildError(str(error)) from error
    return 0


COMMANDS = {"scene": scene, "splats": splats, "test": test, "extension": extension, "lock": lock}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    try:
        use_right_python()
        return COMMANDS[arguments[0]](arguments[1:])
    except BuildError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return BY_SIGNAL + signal.SIGINT


if __name__ == "__main__":
    from da3_blender.headless.terminal import print_any_name

    print_any_name()
    with signals_to(raise_for):
        sys.exit(main(sys.argv[1:]))
