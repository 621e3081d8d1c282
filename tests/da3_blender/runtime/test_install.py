"""Installations by a stand-in for uv: a script that prints and writes what uv does, and fails or hangs on demand."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from da3_blender.runtime import folder as runtime_folder
from da3_blender.runtime import install as runtime_install
from da3_blender.runtime.edition import Parts, Space, Wanted
from da3_blender.runtime.folder import find_wheel, installed_python, installed_runtime, interruption, open_wheel
from da3_blender.runtime.install import ASK_PACKAGES, STAGES, Installed, PackageInstall, RuntimeInstall
from da3_blender.runtime.torch_build import Gpu
from model_runtime.contract.messages import Failure, JobError, Progress

LISTS = ("packages", "onnxruntime-cpu", "torch-common")
"""What a full runtime has beside its build of torch."""

HASHED = "--require-hashes --no-deps --only-binary :all:"
UNVERIFIED = Wanted(torch_backend="unverified")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are POSIX scripts")

FAKE_UV = """#!{python}
import json, os, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
plan = json.loads((here / "plan.json").read_text())
words = sys.argv[1:]
def note(name, text):
    with (here / name).open("a") as file: file.write(text + chr(10))
def hang():
    child = subprocess.Popen(["sleep", "600"])
    note("pids", f"{{os.getpid()}} {{child.pid}}")
    child.wait()
note("calls", " ".join(words))
if words == ["--version"]:
    print(plan.get("version", "uv 0.13.9 (x86_64-unknown-linux-gnu)"))
    sys.exit(plan.get("version_status", 0))
if words[0] == "venv":
    told = plan.get("managed" if "--managed-python" in words else "here")
    if told:
        sys.exit(told)
    python = pathlib.Path(words[-1]) / "bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\\ncat $(dirname $0)/../info.json\\n")
    python.chmod(0o755)
    sys.exit()
unhashed = words[-1] == "torch"
if unhashed:
    print("Resolved 1 package in 1ms", flush=True)
    sys.exit(plan.get("torch"))
wheel = pathlib.Path(words[-1].partition("#")[0].rpartition("/")[2])
environment = pathlib.Path(words[words.index("--python") + 1]).parent.parent
cached = pathlib.Path(os.environ["UV_CACHE_DIR"]) / "archive-v0/torch/torch.bin"
print("Resolved 2 packages in 1ms", flush=True)
if not cached.exists():
    note("downloads", "torch")
    print("Downloading torch (2.0MiB)", flush=True)
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(bytes(1000000))
    print(" Downloaded torch", flush=True)
if plan.get("hang"):
    hang()
if plan.get("install"):
    sys.exit(plan["install"])
print("Prepared 2 packages in 1ms", flush=True)
os.link(cached, environment / "torch.bin")
version = plan.get("worker", wheel.name.split("-")[1])
has_torch = any("torch-" in word for word in words)
torch = "2.13.0+cpu" if has_torch else ""
info = {{"version": version, "python": "3.12.9", "torch": torch, "onnxruntime": "1.32.0", "device": "cpu"}}
(environment / "info.json").write_text("a warning" + chr(10) + json.dumps(info, indent=2) + chr(10))
print("Installed 2 packages in 1ms", flush=True)
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Place:
    """A folder to install into, a wheel, and the stand-in for uv."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "runtime"
        self.uv, self.constraints, self.locks = root / "bin/uv", root / "constraints.txt", root / "locks"
        self.uv.parent.mkdir()
        self.uv.write_text(FAKE_UV.format(python=sys.executable))
        self.uv.chmod(0o755)
        self.plan()

    def plan(self, **plan: object) -> None:
        (self.uv.parent / "plan.json").write_text(json.dumps(plan))

    def wheel(self, version: str = "0.1.0", content: str = "x") -> Path:
        path = self.root / f"da3_runtime-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            # ZipInfo's own date, not today's: the same content has to make the same bytes.
            archive.writestr(zipfile.ZipInfo("model_runtime/__init__.py"), content)
        self.constraints.write_text("torch==2.13.0\n")
        self.locks.mkdir(exist_ok=True)
        for name in (*LISTS, "torch-index", "torch-cpu", "torch-cu126", "torch-cu130", "uv"):
            (self.locks / f"{name}.txt").write_text(f"{name.partition('-')[0]}==2.13.0 \\\n    --hash=sha256:00\n")
        self.sums()
        return path

    def sums(self) -> None:
        """Hashes of all files as they are, as the extension carries them."""
        files = [*self.root.glob("*.whl"), self.constraints, *self.locks.iterdir()]
        lines = [f"{sha256(file)}  {file.relative_to(self.root).as_posix()}\n" for file in sorted(files)]
        (self.root / "SHA256SUMS").write_text("".join(lines))

    def listed(self, *names: str) -> str:
        """The words that name lists of hashes."""
        return " ".join(f"-r {self.locks / name}.txt" for name in names)

    def named(self, wheel: Path) -> str:
        """The word that names the wheel, with its hash."""
        return f"da3_runtime @ {wheel.as_uri()}#sha256={sha256(wheel)}"

    def noted(self, name: str) -> list[str]:
        path = self.uv.parent / name
        return path.read_text().splitlines() if path.exists() else []

    def start(self, wheel: Path | None = None, **options: object) -> RuntimeInstall:
        install = RuntimeInstall(self.folder, wheel or self.wheel(), **{"uv": self.uv, **options})
        install.start()
        return install

    def install(self, wheel: Path | None = None, **options: object) -> list[Progress | Failure | Installed]:
        return finish(self.start(wheel, **options))

    def failure(self, wheel: Path | None = None, **options: object) -> Failure:
        last = self.install(wheel, **options)[-1]
        assert isinstance(last, Failure), last
        assert last.sentence.endswith(".") and not list(self.folder.glob("*.part"))
        return last

    def environments(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("runtime-*"))


def finish(install: RuntimeInstall) -> list[Progress | Failure | Installed]:
    install.join(30)
    assert not install.running
    return install.poll()


def wait_until(true, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def assert_gone(pids: list[int]) -> None:
    assert pids
    wait_until(lambda: not any(alive(pid) for pid in pids))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(Parts, "space", lambda parts: Space(500, 1000))
    monkeypatch.setattr(runtime_install, "find_gpu", Gpu)
    return Place(tmp_path)


def test_a_fresh_installation(place: Place) -> None:
    wheel = place.wheel()
    events = place.install(wheel)
    steps = [event for event in events if isinstance(event, Progress)]
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == STAGES["finish"]
    assert list(dict.fromkeys(step.stage for step in steps)) == list(STAGES)
    assert "Downloading torch (2 MiB); 1 files to go." in [step.sentence for step in steps]
    assert isinstance(events[-1], Installed)
    runtime = events[-1].runtime
    assert runtime == installed_runtime(place.folder)
    assert (runtime.version, runtime.python_version, runtime.torch) == ("0.1.0", "3.12.9", "2.13.0+cpu")
    assert (runtime.edition, runtime.onnxruntime) == ("full", "1.32.0")
    assert runtime.wheel_sha256 == sha256(place.root / "SHA256SUMS") and runtime.verified
    assert 1_000_000 < runtime.size < 1_001_000
    assert place.environments() == [runtime.environment]
    assert installed_python(place.folder) == place.folder / runtime.environment / "bin/python"
    assert not runtime_folder.needs_upgrade(runtime, open_wheel(wheel))
    assert interruption(place.folder) is None
    assert place.noted("calls")[-1].endswith(f"{HASHED} {place.listed(*LISTS, 'torch-cpu')} {place.named(wheel)}")


@pytest.mark.parametrize(
    ("gpu", "build", "variant"),
    [(Gpu(), "auto", "cpu"), (Gpu("nvidia", 581, 8.9), "auto", "cuda"), (Gpu("nvidia", 581, 8.9), "cpu", "cpu")],
)
def test_the_light_runtime_has_no_torch(
    place: Place, monkeypatch: pytest.MonkeyPatch, gpu: Gpu, build: str, variant: str
) -> None:
    """And one variant of ONNX Runtime. It takes the place of a full one, and the other way round."""
    monkeypatch.setattr(runtime_install, "find_gpu", lambda: gpu)
    wheel = place.wheel()
    place.install(wheel)
    full = installed_runtime(place.folder)
    events = place.install(wheel, wanted=Wanted("light", onnxruntime_build=build))
    assert isinstance(events[-1], Installed)
    runtime = installed_runtime(place.folder)
    assert full is not None and runtime is not None and place.environments() == [runtime.environment]
    assert (full.edition, runtime.edition, runtime.torch, runtime.onnxruntime) == ("full", "light", "", "1.32.0")
    assert runtime.verified and not runtime_folder.needs_upgrade(runtime, open_wheel(wheel))
    lists = place.listed("packages", f"onnxruntime-{variant}")
    assert place.noted("calls")[-1].endswith(f"{HASHED} {lists} {place.named(wheel)}")
    place.install(wheel)
    again = installed_runtime(place.folder)
    assert again is not None and again.edition == "full"


def test_a_light_runtime_needs_no_build_of_torch(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no driver is to blame where a package is missing."""
    monkeypatch.setattr(runtime_install, "has_nvidia_driver", lambda: True)
    place.plan(install="No solution found when resolving dependencies")
    assert place.failure(wanted=Wanted("light")).code == "no-build"
    assert place.failure().code == "driver-too-old"


@pytest.mark.parametrize(
    ("gpu", "backend"), [(Gpu("nvidia", 535, 8.6), "cu126"), (Gpu("nvidia", 580, 8.6), "auto"), (Gpu("amd"), "auto")]
)
def test_an_unverified_torch_comes_alone_and_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, gpu: Gpu, backend: str
) -> None:
    """Only when it is asked for: all else has its hash, no mirror has a say, and the runtime's facts tell it."""
    monkeypatch.setattr(runtime_install, "find_gpu", lambda: gpu)
    wheel = place.wheel()
    events = place.install(wheel, wanted=UNVERIFIED)
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    assert "Choosing PyTorch, unverified." in [event.sentence for event in events if isinstance(event, Progress)]
    hashed, torch = place.noted("calls")[-2:]
    assert hashed.endswith(f"{HASHED} {place.listed(*LISTS)} {place.named(wheel)}")
    assert torch.endswith(f"--only-binary :all: --constraints {place.constraints} --torch-backend={backend} torch")
    runtime = installed_runtime(place.folder)
    assert runtime is not None and not runtime.verified
    place.plan(torch="No solution found when resolving dependencies")
    monkeypatch.setattr(runtime_install, "has_nvidia_driver", lambda: gpu.vendor == "nvidia")
    assert place.failure(wheel, wanted=UNVERIFIED).code == ("driver-too-old" if gpu.vendor == "nvidia" else "no-build")
    assert installed_runtime(place.folder) == runtime


def test_other_hashes_leave_the_earlier_runtime(place: Place) -> None:
    place.install()
    before = installed_runtime(place.folder)
    place.plan(install="error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`")
    failure = place.failure(place.wheel("0.2.0"))
    assert failure.code == "package-changed" and "idna" in failure.log and failure.advice
    assert before is not None and installed_runtime(place.folder) == before
    assert place.environments() == [before.environment]


def test_a_uv_that_does_not_fit_is_not_used(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the lists is fetched instead, by its hash."""
    place.plan(version="uv 0.8.0")
    python = place.root / "python"
    python.write_text(
        f"""#!/bin/sh
case "$1 $2 $3" in
    "-I -m venv") mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; chmod +x "$4/bin/python" ;;
    "-m pip install") echo "$@" > {place.root}/pip; sed 's/0.13.9/0.13.10/' {place.uv} > {place.folder}/uv/bin/uv
        echo '{{}}' > {place.folder}/uv/bin/plan.json; chmod +x {place.folder}/uv/bin/uv ;;
    *) exec {sys.executable} "$@" ;;
esac
"""
    )
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place.uv.parent}{os.pathsep}{os.environ['PATH']}")
    assert isinstance(place.install(uv=None, python=str(python))[-1], Installed)
    asked = (place.root / "pip").read_text().strip()
    assert asked == f"-m pip install --disable-pip-version-check {HASHED} {place.listed('uv')}"
    assert place.noted("calls") == ["--version"], "of the other uv nothing but its version was asked"


@pytest.mark.parametrize("again", ["cancel", "install"])
def test_cancel_ends_everything_at_once_and_changes_nothing(place: Place, again: str) -> None:
    place.install()
    before = installed_runtime(place.folder)
    place.plan(hang=True)
    install = place.start(place.wheel("0.2.0"))
    wait_until(lambda: place.noted("pids"))
    began = time.monotonic()
    install.cancel()
    assert time.monotonic() - began < 2
    last = finish(install)[-1]
    assert isinstance(last, Failure) and last.code == "cancelled"
    assert time.monotonic() - began < 20
    assert_gone([int(pid) for pid in place.noted("pids")[0].split()])
    assert installed_runtime(place.folder) == before and before is not None
    assert place.environments() == [before.environment]
    if again == "install":
        place.plan()
        assert isinstance(place.install(place.wheel("0.2.0"))[-1], Installed)
        assert place.noted("downloads") == ["torch"]


def test_cancel_before_the_first_program(place: Place) -> None:
    install = RuntimeInstall(place.folder, place.wheel(), uv=place.uv)
    install.cancel()
    install.start()
    last = finish(install)[-1]
    assert isinstance(last, Failure) and last.code == "cancelled"
    assert place.noted("calls") == []


KILLED = """
import sys, time
from pathlib import Path
from da3_blender.runtime import install as runtime_install
from da3_blender.runtime.edition import Parts, Space
Parts.space = lambda parts: Space(500, 1000)
install = runtime_install.RuntimeInstall(Path(sys.argv[1]), Path(sys.argv[2]), uv=Path(sys.argv[3]))
install.start()
time.sleep(600)
"""


def test_killed_midway_leaves_no_process_and_goes_on_next_time(place: Place) -> None:
    place.plan(hang=True)
    wheel = place.wheel()
    arguments = [str(place.folder), str(wheel), str(place.uv)]
    blender = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    wait_until(lambda: place.noted("pids"))
    assert interruption(place.folder) is None, "it is going on"
    busy = place.install(wheel)[-1]
    assert isinstance(busy, Failure) and busy.code == "install-busy"
    blender.send_signal(signal.SIGKILL)
    blender.wait()
    assert_gone([int(pid) for pid in place.noted("pids")[0].split()])
    told = interruption(place.folder)
    assert told is not None and told.code == "install-interrupted"
    assert installed_runtime(place.folder) is None
    place.plan()
    assert isinstance(place.install(wheel)[-1], Installed)
    assert interruption(place.folder) is None and len(place.environments()) == 1
    assert place.noted("downloads") == ["torch"], "a finished download does not come again"


def test_upgrade_replaces_and_repair_trusts_no_download(place: Place) -> None:
    place.install()
    old = installed_runtime(place.folder)
    same_version = place.wheel("0.1.0", "other content")
    assert old is not None
    assert runtime_folder.needs_upgrade(old, open_wheel(same_version))
    place.wheel("0.1.0")
    assert not runtime_folder.needs_upgrade(old, open_wheel(same_version))
    (place.locks / "packages.txt").write_text("other hashes\n")
    place.sums()
    assert runtime_folder.needs_upgrade(old, open_wheel(same_version))
    newer = place.wheel("0.2.0")
    assert runtime_folder.needs_upgrade(old, open_wheel(newer))
    place.install(newer)
    new = installed_runtime(place.folder)
    assert new is not None and new.version == "0.2.0" and place.environments() == [new.environment]
    assert place.noted("downloads") == ["torch"]
    place.install(newer, repair=True)
    repaired = installed_runtime(place.folder)
    assert repaired is not None and repaired.environment != new.environment
    assert place.environments() == [repaired.environment]
    assert place.noted("downloads") == ["torch", "torch"]


def test_an_upgrade_that_does_not_start_keeps_the_old(place: Place) -> None:
    place.install()
    old = installed_runtime(place.folder)
    place.plan(worker="9.9")
    failure = place.failure(place.wheel("0.2.0"))
    assert failure.code == "runtime-broken" and '"9.9"' in failure.log
    assert old is not None and installed_runtime(place.folder) == old and place.environments() == [old.environment]


def test_no_space_is_told_before_anything_is_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Parts, "space", lambda parts: Space(1, 3_000_000_000))
    monkeypatch.setattr(runtime_install, "free_bytes", lambda folder: 1_500_000_000)
    failure = place.failure()
    assert failure.code == "no-space"
    assert "3.0 GB" in failure.sentence and "1.5 GB" in failure.sentence
    assert place.noted("calls") == [] and place.environments() == []


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ({"install": "error: No space left on device (os error 28)"}, "no-space"),
        ({"install": "error: Failed to fetch: dns error"}, "no-network"),
        ({"install": "No solution found when resolving dependencies"}, "no-build"),
        ({"managed": "dns error", "here": "No interpreter found"}, "no-network"),
        ({"managed": "  cause: Hash mismatch for `cpython-3.12.16`"}, "package-changed"),
        ({"managed": "unknown", "here": "No interpreter found for Python >=3.11"}, "wrong-python"),
        ({"install": "  cause: Hash mismatch for `torch==2.13.0`"}, "package-changed"),
        ({"version": "uv 0.13.8"}, "uv-missing"),
        ({"version": "uv 0.14.0"}, "uv-missing"),
        ({"version_status": 1}, "uv-missing"),
    ],
)
def test_failures_of_uv(place: Place, monkeypatch: pytest.MonkeyPatch, plan: dict[str, object], code: str) -> None:
    monkeypatch.setattr(runtime_install, "has_nvidia_driver", lambda: False)
    place.plan(**plan)
    assert place.failure().code == code
    assert installed_runtime(place.folder) is None


def test_a_machine_with_no_way_to_fetch_python_uses_its_own(place: Place) -> None:
    place.plan(managed="error sending request")
    assert isinstance(place.install(wanted=Wanted(torch_backend="index"))[-1], Installed)
    managed, here = (line for line in place.noted("calls") if line.startswith("venv"))
    assert "--managed-python --python 3.12" in managed
    assert "--no-python-downloads --python >=3.11,<3.15" in here
    assert place.listed(*LISTS, "torch-index") in place.noted("calls")[-1]


def test_uv_cannot_be_fetched_without_venv(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    python = place.root / "python"
    python.write_text(f'#!/bin/sh\n[ "$3" = venv ] && echo no ensurepip && exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(runtime_install.shutil, "which", lambda name: None)
    failure = place.failure(uv=None, python=str(python))
    assert failure.code == "uv-missing" and failure.log == "no ensurepip"


def test_offline_is_refused(place: Place) -> None:
    failure = place.failure(online=False)
    assert failure.code == "offline" and not place.folder.exists()


def test_a_damaged_or_missing_wheel_is_refused(place: Place) -> None:
    wheel = place.wheel()
    good = wheel.read_bytes()
    for bad in (good[:-1] + b"!", b"no zip"):
        wheel.write_bytes(bad)
        failure = place.failure(wheel)
        assert failure.code == "wheel-damaged" and failure.sentence.startswith(wheel.name)
    wheel.write_bytes(good)
    place.constraints.write_text("torch==2.12.0\n")
    assert place.failure(wheel).sentence.startswith("constraints.txt")
    place.constraints.unlink()
    assert place.failure(wheel).code == "wheel-damaged"
    assert place.failure(place.root / "none.whl").code == "wheel-missing"
    assert find_wheel(place.root / "bin") is None and find_wheel(place.root) == wheel


def test_a_wheel_without_hashes_beside_it_is_refused(place: Place) -> None:
    wheel = place.wheel()
    (place.root / "SHA256SUMS").write_text("no sums")
    assert place.failure(wheel).code == "wheel-missing"
    (place.root / "SHA256SUMS").unlink()
    failure = place.failure(wheel)
    assert failure.code == "wheel-missing" and "hashes" in failure.sentence


def test_remove_leaves_nothing_but_the_lock(place: Place) -> None:
    place.install()
    (place.folder / "python").mkdir()
    runtime_folder.remove_runtime(place.folder)
    assert [path.name for path in place.folder.iterdir()] == ["install.lock"]
    assert installed_runtime(place.folder) is None
    runtime_folder.remove_runtime(place.root / "never installed")


def test_remove_waits_for_no_installation(place: Place) -> None:
    place.plan(hang=True)
    install = place.start()
    wait_until(lambda: place.noted("pids"))
    with pytest.raises(JobError, match="Another Blender"):
        runtime_folder.remove_runtime(place.folder)
    install.cancel()
    finish(install)


def test_downloads_that_nothing_shares_are_pruned(tmp_path: Path) -> None:
    kept, alone = tmp_path / "cache/archive-v0/kept/file", tmp_path / "cache/archive-v0/alone/file"
    for path in (kept, alone):
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(100))
    os.link(kept, tmp_path / "file")
    assert runtime_folder.size_on_disk(tmp_path) == 200
    runtime_folder.prune_cache(tmp_path)
    assert kept.exists() and not alone.parent.exists()


# The package into a Python of the artist's


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A Python that notes what it is asked for; `status` holds what its pip ends with, `packages` those it has."""
    path = tmp_path / "own" / "python"
    path.parent.mkdir()
    path.write_text(
        f"""#!{sys.executable}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as file:
    print(*sys.argv[1:], file=file)
if "-c" in sys.argv:
    print((here / "packages").read_text())
    sys.exit()
if "pip" in sys.argv:
    print("error: externally-managed-environment")
    sys.exit(int((here / "status").read_text()))
facts = {{"version": "0.1.0", "python": "3.12.1", "torch": "2.13.0", "onnxruntime": "1.32.0", "device": "cpu"}}
print(json.dumps(facts, indent=0))
""",
        encoding="utf-8",
    )
    path.with_name("packages").write_text("{}")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("there", "edition", "listed", "verified"),
    [
        ({}, "full", (*LISTS, "torch-index"), True),
        ({"torch": "2.13.0+cu130"}, "full", LISTS, False),
        ({"torch": "2.9.1"}, "full", (*LISTS, "torch-index"), True),
        ({"onnxruntime": "1.30.0"}, "full", (*LISTS, "torch-index"), True),
        ({"onnxruntime-gpu": "1.31.1"}, "full", ("packages", "torch-common", "torch-index"), False),
        ({"torch": "2.9.1"}, "light", ("packages", "onnxruntime-cpu"), True),
        ({"onnxruntime-gpu": "1.31.1"}, "light", ("packages",), False),
    ],
)
def test_the_package_goes_into_a_python_of_the_artists(
    place: Place, target: Path, there: dict[str, str], edition: str, listed: tuple[str, ...], verified: bool
) -> None:
    """Everything with its hash; a torch of the right version stays, whichever build it is, and so does another variant
    of ONNX Runtime, which a second one would spoil."""
    (target.parent / "status").write_text("0")
    (target.parent / "packages").write_text(json.dumps(there))
    wheel = place.wheel()
    install = PackageInstall(target, wheel, wanted=Wanted(edition))
    install.start()
    last = finish(install)[-1]
    assert isinstance(last, Installed) and last.runtime.environment == str(target)
    assert (last.runtime.edition, last.runtime.verified) == (edition, verified)
    installed, asked = (target.parent / "calls").read_text().splitlines()[-2:]
    assert installed.startswith("-m pip install") and asked == "-I -m model_runtime info"
    assert installed.endswith(f"{HASHED} {place.listed(*listed)} {place.named(wheel)}")
    assert not place.folder.exists()


def test_a_python_tells_which_of_them_it_has() -> None:
    told = subprocess.run([sys.executable, "-I", "-c", ASK_PACKAGES], capture_output=True, text=True, check=True).stdout
    found = json.loads(told)
    assert (found["torch"], found["onnxruntime"]) == (version("torch"), version("onnxruntime"))


def test_what_its_pip_says_is_told(place: Place, target: Path) -> None:
    (target.parent / "status").write_text("1")
    install = PackageInstall(target, place.wheel())
    install.start()
    last = finish(install)[-1]
    assert isinstance(last, Failure) and last.code == "install-failed" and "externally-managed" in last.log


def test_the_package_needs_online_access(place: Place, target: Path) -> None:
    install = PackageInstall(target, place.wheel(), online=False)
    install.start()
    last = finish(install)[-1]
    assert isinstance(last, Failure) and last.code == "offline" and not (target.parent / "calls").exists()
