"""The runtime's state for the preferences: installing, testing, removing, and what was found. No bpy; nothing waits.

`pump` is called by the add-on's timer, and by scripts in background mode, while it returns True.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from model_runtime.contract.disk import free_bytes
from model_runtime.contract.messages import Failure, JobError, Progress

from .check import RuntimeCheck, RuntimeReport
from .folder import (
    InstalledRuntime,
    find_wheel,
    installed_runtime,
    interruption,
    needs_upgrade,
    open_wheel,
    remove_runtime,
)
from .install import Installed, PackageInstall, RuntimeInstall
from .torch_build import Gpu, find_gpu
from .worker_command import RuntimeSettings

LOOK_THREAD = "da3-look"
"""Looks at the runtime's folder."""


@dataclass(frozen=True)
class FolderState:
    """What was found on this machine. upgrade: the extension carries another worker than the installed one. gpu: what
    builds are chosen for."""

    runtime: InstalledRuntime | None
    upgrade: bool
    interrupted: Failure | None
    free: int
    gpu: Gpu = Gpu()  # noqa: RUF009 - frozen


class RuntimeManager:
    """One installation, one test and one reading of the disk at a time.

    state: of the folder, None until it was first read. progress: of an installation that is going on.
    failure: why the last thing asked for did not work. report: what the last test found.
    """

    def __init__(self) -> None:
        self.state: FolderState | None = None
        self.progress: Progress | None = None
        self.failure: Failure | None = None
        self.report: RuntimeReport | None = None
        self._install: RuntimeInstall | None = None
        self._check: RuntimeCheck | None = None
        self._answers: SimpleQueue[FolderState | Failure] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._settings = RuntimeSettings()

    @property
    def installing(self) -> bool:
        return self._install is not None

    @property
    def testing(self) -> bool:
        return self._check is not None

    @property
    def busy(self) -> bool:
        return self.installing or self.testing or self._thread is not None

    def install(self, settings: RuntimeSettings, online: bool, repair: bool = False) -> None:
        """Install, upgrade or repair the runtime of `settings.folder`."""
        wanted = settings.wanted
        self._begin(
            settings, RuntimeInstall(settings.folder, find_wheel(), online=online, wanted=wanted, repair=repair)
        )

    def install_package(self, settings: RuntimeSettings, online: bool) -> None:
        """Install the worker's package into the Python that `settings` names."""
        self._begin(
            settings, PackageInstall(Path(settings.python), find_wheel(), online=online, wanted=settings.wanted)
        )

    def _begin(self, settings: RuntimeSettings, install: RuntimeInstall) -> None:
        if self.installing:
            return
        self._forget(settings)
        self.progress = Progress("prepare", 0.0, "Starting.")
        self._install = install
        install.start()

    def cancel(self) -> None:
        if self._install is not None:
            self._install.cancel()

    def test(self, settings: RuntimeSettings) -> None:
        """Start the worker once and tell what it runs on."""
        if self.testing:
            return
        self._forget(settings)
        self._check = RuntimeCheck(settings)
        self._check.start()

    def refresh(self, settings: RuntimeSettings) -> None:
        """Read the disk again, in a thread: hashes and folders take a moment."""
        if self._thread is None:
            self._in_thread(settings, lambda: None)

    def remove(self, settings: RuntimeSettings) -> None:
        """Remove the runtime, in a thread: it is many files."""
        if not self.installing:
            self._forget(settings)
            self._in_thread(settings, lambda: remove_runtime(settings.folder))

    def pump(self) -> bool:
        """Take in what happened since the last call; whether there is more to come."""
        self._pump_install()
        self._pump_check()
        while True:
            try:
                found = self._answers.get_nowait()
            except Empty:
                break
            if isinstance(found, Failure):
                self.failure = found
            else:
                self.state = found
        if self._thread is not None and not self._thread.is_alive() and self._answers.empty():
            self._thread = None
        return self.busy

    def close(self) -> None:
        """Stop everything; waits a moment for threads to see it."""
        if self._install is not None:
            self._install.cancel()
            self._install.join(5.0)
            self._install = None
        if self._check is not None:
            self._check.close()
            self._check = None
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None

    def _pump_install(self) -> None:
        for event in self._install.poll() if self._install else ():
            if isinstance(event, Progress):
                self.progress = event
                continue
            self._install = self.progress = None
            if isinstance(event, Failure) and event.code != "cancelled":
                self.failure = event
            self.refresh(self._settings)
            if isinstance(event, Installed):
                self.test(self._settings)

    def _pump_check(self) -> None:
        found = self._check.poll() if self._check else None
        if found is not None:
            self._check = None
            if isinstance(found, Failure):
                self.failure = found
            else:
                self.report = found

    def _forget(self, settings: RuntimeSettings) -> None:
        self._settings, self.failure, self.report = settings, None, None

    def _in_thread(self, settings: RuntimeSettings, first: Callable[[], None]) -> None:
        """Do `first`, then look at the folder."""

        def work() -> None:
            try:
                try:
                    first()
                except JobError as error:
                    self._answers.put(error.failure)
                self._answers.put(folder_state(settings.folder))
            except OSError as error:
                sentence = f"The folder of the runtime cannot be used: {error}."
                self._answers.put(Failure("folder-unusable", sentence, "Check its permissions."))

        self._thread = threading.Thread(target=work, name=LOOK_THREAD, daemon=True)
        self._thread.start()


def folder_state(folder: Path) -> FolderState:
    """What is installed in a folder, and what the machine has for an installation there."""
    runtime = installed_runtime(folder)
    upgrade = False
    if runtime is not None:
        try:
            upgrade = needs_upgrade(runtime, open_wheel(find_wheel()))
        except JobError:  # a checkout carries no wheel; an installation tells what is wrong with a damaged one
            upgrade = False
    return FolderState(runtime, upgrade, interruption(folder), free_bytes(folder), find_gpu())
