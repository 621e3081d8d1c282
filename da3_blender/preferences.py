"""The add-on's preferences: where the worker runs, and where its environment and models are kept. No drawing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from .runtime.edition import Wanted
from .runtime.models import local_folder
from .runtime.worker_command import RuntimeSettings

PACKAGE = str(__package__)
"""What Blender calls the add-on."""

KINDS = (
    ("installed", "Own Environment", "Compute in an environment of its own, installed here"),
    ("python", "Existing Python", "Compute in a Python of yours that has the worker's package"),
    ("command", "Remote Worker", "Compute on another machine, through a command such as ssh"),
)
EDITIONS = (
    ("full", "Full (PyTorch)", "With PyTorch: everything, and on the GPU wherever PyTorch is"),
    (
        "light",
        "Light (ONNX Runtime)",
        "With ONNX Runtime alone: small and quickly there, but cannot improve splats or train networks",
    ),
)
TORCH_BACKENDS = (
    ("auto", "Automatic", "The build for this machine's GPU where its files can be verified, else the one for the CPU"),
    ("cpu", "CPU", "The small build without a GPU"),
    ("index", "Package Index", "What the package index has, as with a mirror of your own"),
    ("unverified", "GPU, Unverified", "The build that fits this machine's GPU, though no hash vouches for its files"),
)

ONNXRUNTIME_BUILDS = (
    ("auto", "Automatic", "The build for this machine's GPU where there is one, else the one for the CPU"),
    ("cpu", "CPU", "The small build without a GPU"),
)

on_change: list[Callable[[], None]] = []
"""Called when the artist has changed where the worker or its models are."""


def _changed(_preferences: object, _context: object) -> None:
    for each in on_change:
        each()


class Preferences:
    """The values, for the class that Blender shows."""

    runtime_kind: str
    edition: str
    torch_backend: str
    onnxruntime_build: str
    python_path: str
    command: str
    models_folder: str
    __annotations__ = {
        "runtime_kind": EnumProperty(
            name="Runtime", description="Where the computing is done", items=KINDS, update=_changed
        ),
        "edition": EnumProperty(
            name="Edition", description="How much is installed", items=EDITIONS, default="full", update=_changed
        ),
        "torch_backend": EnumProperty(
            name="PyTorch Build",
            description="Which build of PyTorch is installed",
            items=TORCH_BACKENDS,
            default="auto",
            update=_changed,
        ),
        "onnxruntime_build": EnumProperty(
            name="ONNX Runtime Build",
            description="Which build of ONNX Runtime is installed",
            items=ONNXRUNTIME_BUILDS,
            default="auto",
            update=_changed,
        ),
        "python_path": StringProperty(
            name="Python", description="A Python that has the worker's package", subtype="FILE_PATH"
        ),
        "command": StringProperty(
            name="Command",
            description="Starts the worker on another machine, as in a terminal; it must not ask for a password",
            default="ssh gpubox da3-runtime worker",
        ),
        "models_folder": StringProperty(
            name="Models",
            description="Where downloaded models are kept; empty for .da3 in your home",
            subtype="DIR_PATH",
            update=_changed,
        ),
    }


def addon_preferences() -> Preferences | None:
    """The preferences; None where the package is used without being switched on as an add-on."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return None if addon is None else addon.preferences


def runtime_folder() -> Path:
    """Where the runtime is installed: the extension's own folder, which goes when the extension is removed."""
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path="runtime"))
    except ValueError:  # a package that is no extension
        return Path(bpy.utils.user_resource("DATAFILES")) / "da3_blender" / "runtime"


def runtime_settings() -> RuntimeSettings:
    """The preferences as plain data; their defaults where the package is no add-on."""
    chosen = addon_preferences()
    if chosen is None:
        return RuntimeSettings(folder=runtime_folder())
    return RuntimeSettings(
        kind=chosen.runtime_kind,
        folder=runtime_folder(),
        python=bpy.path.abspath(chosen.python_path),
        command=chosen.command,
        models_folder=bpy.path.abspath(chosen.models_folder),
        wanted=Wanted(chosen.edition, chosen.torch_backend, chosen.onnxruntime_build),
    )


def models_here() -> Path | None:
    """The folder of models on this machine; None where the worker is on another."""
    settings = runtime_settings()
    return local_folder(settings.models_folder) if settings.local else None


def chosen_runtime() -> RuntimeSettings:
    """The worker that DA3_WORKER_PYTHON names, else that of the preferences; this Python's where the package is no
    add-on."""
    python = os.environ.get("DA3_WORKER_PYTHON")
    if not python and addon_preferences() is None:
        python = sys.executable
    return RuntimeSettings("python", python=python) if python else runtime_settings()
