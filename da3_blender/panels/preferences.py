"""The add-on's preferences as Blender shows them: where the worker runs, its installation, and what its test found."""

from __future__ import annotations

import bpy

from model_runtime.contract.messages import Progress

from .. import live
from ..preferences import PACKAGE, Preferences
from ..remedies import INSTALL, PREFERENCES, REPAIR
from ..runtime.edition import Parts, Wanted, choose_parts
from ..runtime.folder import InstalledRuntime
from ..runtime.manager import FolderState
from ..runtime.onnxruntime_build import variant_warning
from ..runtime.torch_build import Gpu, build_warning
from ..translation import iface
from . import paragraph
from .failures import draw_failure


class DA3_Preferences(Preferences, bpy.types.AddonPreferences):
    bl_idname = PACKAGE
    __annotations__ = Preferences.__annotations__

    def draw(self, context: bpy.types.Context) -> None:
        draw_preferences(self, self.layout, context)


def draw_preferences(chosen: Preferences, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Everything, from the choice of a runtime down to what its test found."""
    state = live.runtime()
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.row().prop(chosen, "runtime_kind", expand=True)
    if chosen.runtime_kind == "installed":
        _draw_installed(chosen, layout, context, state.state)
    elif chosen.runtime_kind == "python":
        layout.prop(chosen, "python_path")
        layout.row().prop(chosen, "edition", expand=True)
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
            draw_failure(layout, context, note, without=PREFERENCES)
    if state.failure is not None:
        draw_failure(layout, context, state.failure, "runtime", without=PREFERENCES)


def _draw_installed(
    chosen: Preferences, layout: bpy.types.UILayout, context: bpy.types.Context, found: FolderState | None
) -> None:
    state = live.runtime()
    layout.row().prop(chosen, "edition", expand=True)
    layout.prop(chosen, "torch_backend" if chosen.edition == "full" else "onnxruntime_build")
    box = layout.box().column()
    if state.progress is not None:
        _draw_progress(box, state.progress)
        return
    if found is None:
        box.label(text="Looking at the runtime...")
        return
    wanted = Wanted(chosen.edition, chosen.torch_backend, chosen.onnxruntime_build)
    parts = choose_parts(wanted, found.gpu)
    for line in folder_lines(found, parts):
        box.label(text=line, translate=False)
    other = found.runtime is not None and found.runtime.edition != chosen.edition
    if found.runtime is None or other:
        paragraph(box, context, edition_text(parts), icon="INFO")
    warning = _warning(wanted, parts, found.gpu)
    if warning:
        paragraph(box, context, iface(warning), icon="ERROR")
    row = box.row()
    if found.runtime is None:
        label = "Resume Installation" if found.interrupted else INSTALL.label
        row.operator(INSTALL.operator, text=label, icon="IMPORT")
        return
    if other:
        label = "Replace by the Light Runtime" if chosen.edition == "light" else "Replace by the Full Runtime"
        row.operator(INSTALL.operator, text=label, icon="IMPORT")
    else:
        if found.upgrade:
            row.operator(INSTALL.operator, text="Upgrade Runtime", icon="IMPORT")
        row.operator(REPAIR.operator, text=REPAIR.label, icon="TOOL_SETTINGS").repair = True
    row.operator("da3.remove_runtime", icon="TRASH")


def _draw_progress(layout: bpy.types.UILayout, progress: Progress) -> None:
    layout.progress(factor=progress.fraction, type="BAR", text=iface(progress.sentence), translate=False)
    layout.operator("da3.cancel_install", icon="CANCEL")


def edition_text(parts: Parts) -> str:
    """How large an edition is, and what it cannot do."""
    size = iface("About {size} GB on the disk.", size=f"{parts.space().installed / 1e9:.1f}")
    if parts.edition == "full":
        return size
    cannot = iface("It makes whole scenes, but cannot improve splats or train networks, which needs PyTorch.")
    return f"{size} {cannot}"


def _warning(wanted: Wanted, parts: Parts, gpu: Gpu) -> str:
    if parts.torch is None:
        return variant_warning(wanted.onnxruntime_build, parts.onnxruntime, gpu)
    return build_warning(parts.torch, gpu)


def _computes_with(runtime: InstalledRuntime) -> str:
    return f"torch {runtime.torch}" if runtime.torch else f"ONNX Runtime {runtime.onnxruntime}"


def folder_lines(found: FolderState, parts: Parts) -> list[str]:
    """The runtime's state as the artist reads it. parts: of what would be installed."""
    if found.runtime is not None:
        runtime = found.runtime
        lines = [
            iface(
                "Installed: version {version}, {size} GB, {backend} on {device}, Python {python}",
                version=runtime.version,
                size=f"{runtime.size / 1e9:.1f}",
                backend=_computes_with(runtime),
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
                needed=f"{parts.space().needed / 1e9:.0f}",
                free=f"{found.free / 1e9:.0f}",
            ),
        ]
    return lines


CLASSES = (DA3_Preferences,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
