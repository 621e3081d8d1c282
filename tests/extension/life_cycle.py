"""Run by Blender: installs the extension, switches it off and on, upgrades and uninstalls it; notes its traces.

    blender --background --python life_cycle.py -- EXTENSION.zip UPGRADE.zip PHOTOS WORKER REPORT.json
    python life_cycle.py EXTENSION.zip UPGRADE.zip PHOTOS WORKER REPORT.json                  with the bpy package

WORKER is the worker's command in one word.

The report has the traces of every stage; the tests judge them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

MODULE = "bl_ext.user_default.da3_blender"
TIMERS: list[Callable[[], float | None]] = []
DRAWN: list[object] = []


@contextmanager
def watched() -> Iterator[None]:
    """Notes every timer and draw handler meanwhile, for Blender has no list of them."""
    timers, view = bpy.app.timers, bpy.types.SpaceView3D
    register, add, remove = timers.register, view.draw_handler_add, view.draw_handler_remove

    def noted_register(function: Callable[[], float | None], **options: Any) -> None:
        TIMERS.append(function)
        register(function, **options)

    def noted_add(*arguments: Any) -> object:
        DRAWN.append(add(*arguments))
        return DRAWN[-1]

    def noted_remove(handle: object, region: str) -> None:
        remove(handle, region)
        DRAWN.remove(handle)

    timers.register, view.draw_handler_add, view.draw_handler_remove = noted_register, noted_add, noted_remove
    yield
    timers.register, view.draw_handler_add, view.draw_handler_remove = register, add, remove


def traces() -> dict[str, list[str]]:
    """Everything an add-on can leave in Blender, as sorted words."""
    found = {
        "classes": {*dir(bpy.types), *groups()},
        "properties": properties(),
        "handlers": handlers(),
        "menus": menus(),
        "keys": keys(),
        "timers": [name_of(timer) for timer in TIMERS if bpy.app.timers.is_registered(timer)],
        "draw handlers": [repr(handle) for handle in DRAWN],
        "threads": [thread.name for thread in threading.enumerate()],
        "children": children(),
    }
    return {kind: sorted(words) for kind, words in found.items()}


def name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"


def groups() -> list[str]:
    """Registered property groups and preferences of add-ons, which `bpy.types` does not list."""
    kinds = [*bpy.types.PropertyGroup.__subclasses__(), *bpy.types.AddonPreferences.__subclasses__()]
    return [kind.__name__ for kind in kinds if kind.is_registered]


def properties() -> list[str]:
    """Properties of everything that lives in a file, such as `Scene.da3`, and of the window manager."""
    types = [getattr(bpy.types, name) for name in dir(bpy.types)]
    groups = [t for t in types if isinstance(t, type) and issubclass(t, (bpy.types.ID, bpy.types.ViewLayer))]
    return [f"{group.__name__}.{name}" for group in groups for name in group.bl_rna.properties.keys()]  # noqa: SIM118


def handlers() -> list[str]:
    lists = {
        name: value for name in dir(bpy.app.handlers) if isinstance(value := getattr(bpy.app.handlers, name), list)
    }
    return [f"{name}: {name_of(function)}" for name, functions in lists.items() for function in functions]


def menus() -> list[str]:
    """Functions that were appended to menus, headers and panels."""
    drawn = [(name, getattr(getattr(bpy.types, name), "draw", None)) for name in dir(bpy.types)]
    return [f"{name}: {name_of(f)}" for name, draw in drawn for f in getattr(draw, "_draw_funcs", ())[1:]]


def keys() -> list[str]:
    configuration = bpy.context.window_manager.keyconfigs.addon
    maps = configuration.keymaps if configuration else ()
    return [f"{keymap.name}: {item.idname}" for keymap in maps for item in keymap.keymap_items]


def children() -> list[str]:
    """Command lines of this process's child processes, where the system tells (Linux)."""
    lists = Path("/proc/self/task").glob("*/children")
    ids = [child for text in lists for child in text.read_text().split()]
    return [Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in ids]


def loaded(*names: str) -> dict[str, str]:
    """File by name of the loaded modules that are, or are inside, one of these packages."""
    modules = {name: module for name, module in sys.modules.items() for n in names if (name + ".").startswith(n + ".")}
    return {name: str(getattr(module, "__file__", "")) for name, module in modules.items()}


def switch(on: bool) -> None:
    def fail(error: Exception) -> None:
        raise error

    import addon_utils  # bpy makes it findable

    (addon_utils.enable if on else addon_utils.disable)(MODULE, default_set=True, handle_error=fail)


def uninstall() -> None:
    repositories = bpy.context.preferences.extensions.repos
    index = next(i for i, repository in enumerate(repositories) if repository.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id=MODULE.rpartition(".")[2])


def start_job(photos: str, worker: str) -> None:
    """Starts a job and returns when its worker is at it."""
    live, timer, job_request, photo_list = (
        import_module(f"{MODULE}.{name}") for name in ("live", "timer", "jobs.request", "photos.photo_list")
    )
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.runtime_kind, preferences.command = "command", worker
    photo_list.add_folder(bpy.context.scene.da3, Path(photos))
    live.start(*job_request.make_job(bpy.context.scene))
    while live.jobs().state.fraction == 0:
        assert timer.pump(), live.jobs().state
        time.sleep(0.01)


def live(extension: str, upgrade: str, photos: str, worker: str) -> dict[str, Any]:
    def install(path: str) -> None:
        bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)

    stages: dict[str, Callable[[], object]] = {
        "before": lambda: None,
        "installed": lambda: install(extension),
        "disabled": lambda: switch(False),
        "enabled again": lambda: switch(True),
        "at work": lambda: start_job(photos, worker),
        "disabled at work": lambda: switch(False),
        "enabled once more": lambda: switch(True),
        "upgraded": lambda: install(upgrade),
        "uninstalled": uninstall,
    }
    report: dict[str, Any] = {name: {} for name in ("traces", "loaded", "enabled", "runtime", "installed")}
    for name, step in stages.items():
        step()
        report["traces"][name] = traces()
        report["loaded"][name] = loaded(MODULE, "da3_blender", "model_runtime", "torch")
        report["enabled"][name] = MODULE in bpy.context.preferences.addons
        report["runtime"][name] = getattr(sys.modules.get("model_runtime"), "__version__", None)
        report["installed"][name] = installed()
    return report


def installed() -> list[str]:
    """What lies in the folder of Blender's own Python packages that extensions add to."""
    folder = Path(bpy.utils.user_resource("EXTENSIONS")) / ".local"
    return sorted(path.name for path in folder.glob("lib/python*/site-packages/*") if path.name != "__pycache__")


if __name__ == "__main__":
    *words, report = sys.argv
    try:
        with watched():
            told = live(*words[-4:])
    except Exception:
        told = {"error": traceback.format_exc()}
    Path(report).write_text(json.dumps({**told, "version": bpy.app.version_string}), encoding="utf-8")
    if "--background" not in sys.argv and bpy.app.version < (4, 3):  # see tests/conftest.py
        sys.stdout.flush()
        os._exit(0)
