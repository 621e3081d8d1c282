"""Installs the worker's own environment with uv, in a thread: cancellable, whole or not at all. No bpy.

A new environment is made beside the old one, asked whether it works, and only then named in `runtime.json`; until then
nothing that was there is touched. Finished downloads stay in uv's cache, so an interrupted installation goes on there.
What is fetched has to have the hashes that the extension carries.
"""

from __future__ import annotations

import atexit
import errno
import json
import shutil
import sys
import threading
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

from model_runtime.contract.disk import free_bytes
from model_runtime.contract.messages import Failure, JobError, Progress
from model_runtime.contract.secrecy import failure_without_secrets

from .edition import Parts, Wanted, choose_parts
from .folder import (
    CACHE,
    PART,
    UV,
    InstalledRuntime,
    Wheel,
    environment_python,
    has_nvidia_driver,
    locked,
    open_wheel,
    prune_cache,
    remove_leftovers,
    size_on_disk,
    write_marker,
)
from .guarded_process import GuardedProcess
from .install_words import (
    HASHED,
    NEXT_UV,
    OLDEST_UV,
    hashed_words,
    installer_variables,
    locked_torch,
    unhashed_torch_words,
)
from .onnxruntime_build import PACKAGES
from .torch_build import INDEX, TorchBuild, find_gpu
from .uv_output import UvProgress, explain_output, no_space

PYTHON = "3.12"

STAGES = {"prepare": 0.0, "uv": 0.01, "python": 0.04, "packages": 0.08, "check": 0.95, "finish": 0.99}
"""Where each stage begins on the whole's way from 0 to 1."""

UNVERIFIED_FROM = 0.3
"""Where an unverified torch begins on the way of the stage `packages`, from 0 to 1: it is the largest part."""

ASK_PACKAGES = """
import importlib.metadata, json
found = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
print(json.dumps({name: version for name, version in found.items() if name.startswith(("torch", "onnxruntime"))}))
"""
"""Asked of a Python: torch and variants of ONNX Runtime that it has, with their versions."""


@dataclass(frozen=True)
class Installed:
    """The end of a good installation."""

    runtime: InstalledRuntime


class RuntimeInstall:
    """One installation into `folder`.

    wheel: the worker's wheel, with its hash and those of all packages beside it. online: whether the network may be
    used. wanted: what is installed. repair: trust no earlier download. python: any Python that can make a venv. uv:
    this uv and no other.
    """

    def __init__(
        self,
        folder: Path,
        wheel: Path | None,
        *,
        online: bool = True,
        wanted: Wanted = Wanted(),  # noqa: B008 - frozen
        repair: bool = False,
        python: str = sys.executable,
        uv: Path | None = None,
    ) -> None:
        self._folder, self._wheel_path = folder, wheel
        self._online, self._wanted, self._repair = online, wanted, repair
        self._python, self._uv = python, uv
        self._events: SimpleQueue[Progress | Failure | Installed] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="da3-install", daemon=True)
        self._process: GuardedProcess | None = None
        self._stopping = threading.Lock()
        self._cancelled = False
        self._stage = "prepare"

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        atexit.register(self.cancel)
        self._thread.start()

    def poll(self) -> list[Progress | Failure | Installed]:
        """What happened since the last call; the last event of all is Installed or a Failure."""
        events: list[Progress | Failure | Installed] = []
        while True:
            try:
                events.append(self._events.get_nowait())
            except Empty:
                return events

    def cancel(self) -> None:
        """Stop at once, with every process that was started; `poll` then tells a Failure of code `cancelled`."""
        with self._stopping:
            self._cancelled = True
            if self._process is not None:
                self._process.stop()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        outcome = self._outcome()
        self._events.put(outcome if isinstance(outcome, Installed) else failure_without_secrets(outcome))
        atexit.unregister(self.cancel)

    def _outcome(self) -> Installed | Failure:
        try:
            return Installed(self._install())
        except JobError as error:
            return error.failure
        except OSError as error:
            if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
                return no_space("The disk became full.")
            advice = "Check that the folder can be written to."
            return Failure("install-failed", f"The installation failed: {error}.", advice, traceback.format_exc())
        except Exception as error:  # a thread that ends without a word would leave the progress bar for ever
            sentence = f"The installation failed in a way it does not know: {type(error).__name__}: {error}."
            return Failure("internal", sentence, "Please report this with the log.", traceback.format_exc())

    def _install(self) -> InstalledRuntime:
        self._tell("prepare", 0.0, "Looking at the disk and the package.")
        if not self._online:
            raise JobError(
                "offline",
                "Blender does not allow online access, and the runtime has to be downloaded.",
                "Allow it in Preferences > System > Network, or use an existing Python.",
            )
        wheel = open_wheel(self._wheel_path)
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self._folder):
            remove_leftovers(self._folder)
            if self._repair:
                for name in (CACHE, UV):
                    shutil.rmtree(self._folder / name, ignore_errors=True)
            parts = choose_parts(self._wanted, find_gpu())
            self._check_space(parts)
            environment = self._folder / f"runtime-{wheel.version}-{uuid.uuid4().hex[:8]}"
            part = environment.with_name(environment.name + PART)
            try:
                return self._fill(part, environment, wheel, parts)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise

    def _fill(self, part: Path, environment: Path, wheel: Wheel, parts: Parts) -> InstalledRuntime:
        uv = self._find_uv(wheel)
        self._make_environment(uv, part, parts.pythons)
        self._install_packages(uv, part, wheel, parts)
        facts = self._check(environment_python(part), wheel)
        self._tell("finish", 0.0, "Putting the runtime into place.")
        runtime = _installed(environment.name, wheel, facts, parts.edition, size_on_disk(part), parts.verified)
        part.rename(environment)
        write_marker(self._folder, runtime)
        remove_leftovers(self._folder)
        prune_cache(self._folder)
        return runtime

    def _check_space(self, parts: Parts) -> None:
        needed, free = parts.space().needed, free_bytes(self._folder)
        # What an interrupted or earlier installation has downloaded need not come again.
        needed -= size_on_disk(self._folder / CACHE)
        if free < needed:
            raise JobError(
                "no-space",
                f"The runtime needs {needed / 1e9:.1f} GB of disk space, and {free / 1e9:.1f} GB are free.",
                f"Free some space on the disk of {self._folder}.",
            )

    def _find_uv(self, wheel: Wheel) -> Path:
        """uv of this folder, of the PATH, or fetched by pip into a venv of its own."""
        self._tell("uv", 0.0, "Looking for uv, the installer.")
        own = self._folder / UV / ("Scripts/uv.exe" if sys.platform == "win32" else "bin/uv")
        path = shutil.which("uv")
        candidates = [self._uv] if self._uv else [own, *([Path(path)] if path else [])]
        for candidate in candidates:
            if candidate.exists() and OLDEST_UV <= self._uv_version(candidate) < NEXT_UV:
                return candidate
        if self._uv is None:
            self._tell("uv", 0.2, "Fetching uv, the installer.")
            self._fetch_uv(wheel)
            if own.exists() and OLDEST_UV <= self._uv_version(own) < NEXT_UV:
                return own
        raise JobError(
            "uv-missing", "uv, the program that installs the runtime, does not start.", "Install uv and try again."
        )

    def _uv_version(self, uv: Path) -> tuple[int, ...]:
        """(0,) for a file that is no working uv."""
        status, output = self._call([str(uv), "--version"])
        words = output.split()
        if status or len(words) < 2 or words[0] != "uv":
            return (0,)
        return tuple(int(part) for part in words[1].split(".") if part.isdigit())

    def _fetch_uv(self, wheel: Wheel) -> None:
        home = self._folder / UV
        shutil.rmtree(home, ignore_errors=True)
        status, output = self._call([self._python, "-I", "-m", "venv", str(home)])
        if status:
            raise JobError(
                "uv-missing",
                "Blender's Python cannot make the small environment that uv is fetched into.",
                "Install uv (docs.astral.sh/uv) and try again; on Debian, `apt install python3-venv` helps too.",
                output,
            )
        pip = [str(environment_python(home)), "-m", "pip", "install", "--disable-pip-version-check"]
        status, output = self._call([*pip, *HASHED, "-r", str(wheel.locks / "uv.txt")])
        if status:
            raise _error(explain_output("fetching uv", output, has_nvidia=False))

    def _make_environment(self, uv: Path, part: Path, pythons: str) -> None:
        """With a Python that uv fetches, which no update of the system takes away; else with one of `pythons` here."""
        progress = UvProgress("Fetching Python.")
        venv = [str(uv), "venv", "--relocatable", "--no-project"]
        status, output = self._follow("python", progress, [*venv, "--managed-python", "--python", PYTHON, str(part)])
        if status:
            shutil.rmtree(part, ignore_errors=True)
            failure = explain_output("fetching Python", output, has_nvidia=False)
            if failure.code == "package-changed":
                raise _error(failure)
            here = [*venv, "--no-python-downloads", "--python", pythons, str(part)]
            second, more = self._follow("python", UvProgress("Using this machine's Python."), here)
            if second:
                failure = explain_output("fetching Python", f"{output}\n{more}", has_nvidia=False)
                if failure.code == "install-failed":
                    failure = Failure(
                        "wrong-python",
                        f"uv could neither fetch Python {PYTHON} nor find a Python {pythons} here.",
                        "Install Python 3.12 from python.org and try again.",
                        failure.log,
                    )
                raise _error(failure)

    def _install_packages(self, uv: Path, part: Path, wheel: Wheel, parts: Parts) -> None:
        install = [str(uv), "pip", "install", "--python", str(environment_python(part))]
        progress = UvProgress("Choosing packages for this machine.")
        share = (0.0, 1.0 if parts.verified else UNVERIFIED_FROM)
        status, output = self._follow("packages", progress, [*install, *hashed_words(wheel, parts.lists)], share)
        if not status and parts.torch is not None and not parts.verified:
            progress = UvProgress("Choosing PyTorch, unverified.")
            command = [*install, *unhashed_torch_words(wheel, parts.torch.backend)]
            status, output = self._follow("packages", progress, command, (UNVERIFIED_FROM, 1.0), mirrors=False)
        if status:
            raise _error(explain_output("installing packages", output, _needs_driver(parts.torch)))

    def _check(self, python: Path, wheel: Wheel) -> dict[str, object]:
        """What the new worker says of itself. Raises JobError `runtime-broken` where it has not the wheel's version."""
        self._tell("check", 0.0, "Starting the worker for the first time.")
        status, output = self._call([str(python), "-I", "-m", "model_runtime", "info"])
        lines = output.splitlines()
        try:
            start = len(lines) - 1 - lines[::-1].index("{")
            facts = json.loads("\n".join(lines[start:]))
        except ValueError:
            facts = {}
        if status or facts.get("version") != wheel.version:
            raise JobError(
                "runtime-broken",
                "The new runtime does not start.",
                "The log tells why. The earlier runtime, if there was one, is still in place.",
                output,
            )
        return facts

    def _follow(
        self,
        stage: str,
        progress: UvProgress,
        command: Sequence[str],
        share: tuple[float, float] = (0.0, 1.0),
        mirrors: bool = True,
    ) -> tuple[int, str]:
        """Runs uv and tells its progress. share: where this run begins and ends on the stage's way from 0 to 1."""
        used = shutil.disk_usage(self._folder).used
        begin, end = share

        def tell() -> None:
            self._tell(stage, begin + (end - begin) * progress.fraction, progress.sentence)

        def take(line: str) -> None:
            progress.take(line)
            tell()

        def measure() -> None:
            progress.grown(shutil.disk_usage(self._folder).used - used)
            tell()

        tell()
        return self._call(command, take, measure, mirrors)

    def _call(
        self, command: Sequence[str], on_line=lambda line: None, on_tick=lambda: None, mirrors: bool = True
    ) -> tuple[int, str]:
        """Exit status and output of a program that `cancel` can end. Raises JobError `cancelled`."""
        with self._stopping:
            if not self._cancelled:
                variables = installer_variables(self._folder, mirrors=mirrors)
                self._process = GuardedProcess(command, variables, self._folder, self._python)
        if self._process is not None:
            status, output = self._process.wait(on_line, on_tick)
            self._process = None
            if not self._cancelled:
                return status, output
        raise JobError("cancelled", "The installation was cancelled.", "What was installed before is still in place.")

    def _tell(self, stage: str, fraction: float, sentence: str) -> None:
        """fraction: of this stage."""
        begins = list(STAGES.values())
        start = STAGES[stage]
        end = next((begin for begin in begins if begin > start), 1.0)
        self._events.put(Progress(stage, start + (end - start) * fraction, sentence))


class PackageInstall(RuntimeInstall):
    """An installation of the worker's package into a Python of the artist's, by its own pip.

    A torch of the right version that is there already stays, whichever build it is; else the package index's comes. So
    does another variant of ONNX Runtime than the one that would come: two of them spoil each other.
    """

    def __init__(
        self,
        target: Path,
        wheel: Path | None,
        *,
        online: bool = True,
        wanted: Wanted = Wanted(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(target.parent, wheel, online=online, wanted=wanted)
        self._target = target

    def _install(self) -> InstalledRuntime:
        self._tell("prepare", 0.0, "Looking at the package.")
        if not self._online:
            raise JobError(
                "offline",
                "Blender does not allow online access, and packages have to be downloaded.",
                "Allow it in Preferences > System > Network.",
            )
        wheel = open_wheel(self._wheel_path)
        there = self._packages()
        kept = there.get("torch", "").split("+")[0] == locked_torch(wheel)
        parts = choose_parts(replace(self._wanted, torch_backend=INDEX.lock), find_gpu())
        lists = list(parts.lists)
        if parts.torch is not None and kept:
            lists.remove(f"torch-{parts.torch.lock}")
        if any(name.startswith("onnxruntime") and name != PACKAGES[parts.onnxruntime] for name in there):
            lists.remove(f"onnxruntime-{parts.onnxruntime}")
        command = [str(self._target), "-m", "pip", "install", "--disable-pip-version-check"]
        self._tell("packages", 0.0, "Installing packages.")
        status, output = self._call([*command, *hashed_words(wheel, lists)])
        if status:
            raise _error(explain_output("installing packages", output, _needs_driver(parts.torch)))
        facts = self._check(self._target, wheel)
        return _installed(str(self._target), wheel, facts, parts.edition, 0, len(lists) == len(parts.lists))

    def _packages(self) -> dict[str, str]:
        """The versions of torch and of variants of ONNX Runtime that the Python has; empty where it does not tell."""
        status, output = self._call([str(self._target), "-I", "-c", ASK_PACKAGES])
        try:
            return {} if status else json.loads(output.strip().rpartition("\n")[2])
        except ValueError:
            return {}


def _installed(
    environment: str, wheel: Wheel, facts: Mapping[str, object], edition: str, size: int, verified: bool
) -> InstalledRuntime:
    """facts: what the new worker says of itself."""
    told = {name: str(facts[name]) for name in ("torch", "onnxruntime", "device")}
    return InstalledRuntime(
        environment=environment,
        version=wheel.version,
        wheel_sha256=wheel.fingerprint,
        python_version=str(facts["python"]),
        size=size,
        verified=verified,
        edition=edition,
        **told,
    )


def _needs_driver(torch: TorchBuild | None) -> bool:
    """Whether a build that is not there may be one for the machine's NVIDIA driver."""
    return torch is not None and has_nvidia_driver()


def _error(failure: Failure) -> JobError:
    return JobError(failure.code, failure.sentence, failure.advice, failure.log)
