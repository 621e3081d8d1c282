"""The add-on's preferences: where the worker runs, its installation, and where models are kept."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from model_runtime.contract.messages import Failure, Progress

from .panels import paragraph
from .remedies import INSTALL, PREFERENCES, REPAIR, remedy_of
from .runtime.manager import FolderState, manager
from .runtime.torch_build import build_warning, choose_build
from .runtime.worker_command import ARGUMENTS, RuntimeSettings, worker_command
from .translation import iface

KINDS = (
    ("installed", "Own Environment", "Compute in an environment of its own, installed here"),
    ("python", "Existing Python", "Compute in a Python of yours that has the worker's package"),
    ("command", "Remote Worker", "Compute on another machine, through a command such as ssh"),
)
TORCH_BACKENDS = (
    ("auto", "Automatic", "The build for this machine's GPU where its files can be verified, else the one for the CPU"),
    ("cpu", "CPU", "The small build without a GPU"),
    ("index", "Package Index", "What the package index has, as with a mirror of your own"),
    ("unverified", "GPU, Unverified", "The build that fits this machine's GPU, though no hash vouches for its files"),
)


class DA3_Preferences(bpy.types.AddonPreferences):
    bl_idname = str(__package__)
    __annotations__ = {
        "runtime_kind": EnumProperty(name="Runtime", description="Where the computing is done", items=KINDS),
        "torch_backend": EnumProperty(
            name="PyTorch Build",
            description="Which build of PyTorch is installed",
            items=TORCH_BACKENDS,
            default="auto",
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
        ),
    }

    def draw(self, context):
        draw_preferences(self, self.layout, context)


def addon_preferences() -> DA3_Preferences | None:
    """The preferences; None where the package is used without being switched on as an add-on."""
    addon = bpy.context.preferences.addons.get(str(__package__))
    return None if addon is None else addon.preferences


def runtime_folder() -> Path:
    """Where the runtime is installed: the extension's own folder, which goes when the extension is removed."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, path="runtime"))
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
        torch_backend=chosen.torch_backend,
    )


def chosen_worker_command() -> list[str]:
    """The command of the worker that the preferences name; this Python's where the package is no add-on.

    Raises JobError where they name none that is there.
    """
    if addon_preferences() is None:
        return [sys.executable, *ARGUMENTS]
    return worker_command(runtime_settings())


def draw_preferences(chosen: DA3_Preferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Everything, from the choice of a runtime down to what its test found."""
    state = manager()
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.row().prop(chosen, "runtime_kind", expand=True)
    if chosen.runtime_kind == "installed":
        _draw_installed(chosen, layout, context, state.state)
    elif chosen.runtime_kind == "python":
        layout.prop(chosen, "python_path")
        if state.progress is not None:
            _draw_progress(layout.box().column(), state.progress)
    else:
        layout.prop(chosen, "command")
    if chosen.runtime_kind != "command":
        layout.prop(chosen, "models_folder")
    row = layout.row()
    row.operator("da3.open_guide", icon="HELP")
    row.operator("da3.test_runtime", text="Testing..." if state.testing else "Test", icon="VIEWZOOM")
    if state.report is not None:
        box = layout.box().column(align=True)
        for line in state.report.lines:
            box.label(text=iface(line), translate=False)
        for note in state.report.notes:
            draw_failure(layout, context, note)
    if state.failure is not None:
        draw_failure(layout, context, state.failure)


def _draw_installed(
    chosen: DA3_Preferences, layout: bpy.types.UILayout, context: bpy.types.Context, found: FolderState | None
) -> None:
    state = manager()
    layout.prop(chosen, "torch_backend")
    box = layout.box().column()
    if state.progress is not None:
        _draw_progress(box, state.progress)
        return
    if found is None:
        from .operators import runtime  # which imports this module

        runtime.look()
        box.label(text="Looking at the runtime...")
        return
    for line in folder_lines(found):
        box.label(text=line, translate=False)
    warning = build_warning(choose_build(chosen.torch_backend, found.gpu), found.gpu)
    if warning:
        paragraph(box, context, iface(warning), icon="ERROR")
    row = box.row()
    if found.runtime is None:
        label = "Resume Installation" if found.interrupted else INSTALL.label
        row.operator(INSTALL.operator, text=label, icon="IMPORT")
        return
    if found.upgrade:
        row.operator(INSTALL.operator, text="Upgrade Runtime", icon="IMPORT")
    row.operator(REPAIR.operator, text=REPAIR.label, icon="TOOL_SETTINGS").repair = True
    row.operator("da3.remove_runtime", icon="TRASH")


def _draw_progress(layout: bpy.types.UILayout, progress: Progress) -> None:
    layout.progress(factor=progress.fraction, type="BAR", text=iface(progress.sentence), translate=False)
    layout.operator("da3.cancel_install", icon="CANCEL")


def folder_lines(found: FolderState) -> list[str]:
    """The runtime's state as the artist reads it."""
    if found.runtime is not None:
        runtime = found.runtime
        lines = [
            iface(
                "Installed: version {version}, {size} GB, torch {torch} on {device}, Python {python}",
                version=runtime.version,
                size=f"{runtime.size / 1e9:.1f}",
                torch=runtime.torch,
                device=runtime.device,
                python=runtime.python_version,
            )
        ]
        if not runtime.verified:
            lines.append(iface("Not all of its files were checked by their hashes"))
        if found.upgrade:
            lines.append(iface("The add-on comes with another version; the runtime should be upgraded"))
    else:
        lines = [
            iface(found.interrupted.sentence if found.interrupted else "Not installed"),
            iface(
                "Needs {needed} GB while it is installed; {free} GB are free",
                needed=f"{found.needed / 1e9:.0f}",
                free=f"{found.free / 1e9:.0f}",
            ),
        ]
    return lines


def draw_failure(layout: bpy.types.UILayout, context: bpy.types.Context, failure: Failure) -> None:
    """A failure or note: what happened, what to do, and its button."""
    box = layout.box()
    paragraph(box, context, both(failure), icon="ERROR")
    row = box.row()
    if remedy_of(failure.code) != PREFERENCES:
        draw_remedy(row, failure)
    if failure.log:
        row.operator("da3.copy_runtime_log", icon="COPYDOWN")


def both(failure: Failure) -> str:
    """What happened and what to do, in the language of the interface."""
    return f"{iface(failure.sentence)} {iface(failure.advice)}".strip()


def draw_remedy(layout: bpy.types.UILayout, failure: Failure) -> None:
    """The button that helps against a failure, where there is one."""
    remedy = remedy_of(failure.code)
    if remedy is not None:
        button = layout.operator(remedy.operator, text=remedy.label)
        for name, value in remedy.properties.items():
            setattr(button, name, value)


def register() -> None:
    bpy.utils.register_class(DA3_Preferences)


def unregister() -> None:
    bpy.utils.unregister_class(DA3_Preferences)
