"""Buttons of the runtime: install, cancel, repair, remove, test, and those that help against failures."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty

from .. import live, preferences
from ..translation import rpt


def guide() -> Path:
    """The guide beside the extension's modules; in a checkout that of its documentation."""
    package = Path(__file__).parents[1]
    return next(path for path in (package / "guide.md", package.parent / "docs" / "guide.md") if path.exists())


class ChangesRuntime:
    """Operators that wait for a job, and for an installation, to end."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.runtime().installing and not live.jobs().state.running


class DA3_OT_install_runtime(ChangesRuntime, bpy.types.Operator):
    """Download and install what computes the scenes, in a folder of its own"""

    bl_idname = "da3.install_runtime"
    bl_label = "Install Runtime"
    __annotations__ = {
        "repair": BoolProperty(name="Repair", description="Download everything again", options={"SKIP_SAVE"}),
    }

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.runtime().install(preferences.runtime_settings(), bpy.app.online_access, self.repair)
        live.move_on()
        return {"FINISHED"}


class DA3_OT_install_package(ChangesRuntime, bpy.types.Operator):
    """Download and install what computes the scenes into the chosen Python, by its own pip"""

    bl_idname = "da3.install_package"
    bl_label = "Install in This Python"

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.runtime().install_package(preferences.runtime_settings(), bpy.app.online_access)
        live.move_on()
        return {"FINISHED"}


class DA3_OT_cancel_install(bpy.types.Operator):
    """Stop the installation; what was installed before stays"""

    bl_idname = "da3.cancel_install"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return live.runtime().installing

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.runtime().cancel()
        return {"FINISHED"}


class DA3_OT_remove_runtime(ChangesRuntime, bpy.types.Operator):
    """Delete the runtime from the disk; models stay"""

    bl_idname = "da3.remove_runtime"
    bl_label = "Remove Runtime"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.runtime().remove(preferences.runtime_settings())
        live.move_on()
        return {"FINISHED"}


class DA3_OT_test_runtime(bpy.types.Operator):
    """Start the worker once and tell what it runs on"""

    bl_idname = "da3.test_runtime"
    bl_label = "Test Runtime"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not live.runtime().testing and not live.runtime().installing

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.runtime().test(preferences.runtime_settings())
        live.move_on()
        return {"FINISHED"}


class DA3_OT_show_preferences(bpy.types.Operator):
    """Show the add-on's preferences, where the runtime is installed and chosen"""

    bl_idname = "da3.show_preferences"
    bl_label = "Show Preferences"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return preferences.addon_preferences() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        live.refresh()
        return bpy.ops.preferences.addon_show(module=preferences.PACKAGE)


class DA3_OT_open_guide(bpy.types.Operator):
    """Open the guide, which explains every setting and message"""

    bl_idname = "da3.open_guide"
    bl_label = "Guide"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return bpy.ops.wm.path_open(filepath=str(guide()))


class DA3_OT_lower_resolution(bpy.types.Operator):
    """Let the model see the photos with three quarters of the detail, which takes about half of the memory"""

    bl_idname = "da3.lower_resolution"
    bl_label = "Lower Detail"
    bl_options = {"UNDO"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.da3
        settings.resolution = max(settings.resolution * 3 // 4 // 14 * 14, 112)
        settings.own_resolution = True
        self.report({"INFO"}, rpt("Detail is now {detail}", detail=settings.resolution))
        return {"FINISHED"}


CLASSES = (
    DA3_OT_install_runtime,
    DA3_OT_install_package,
    DA3_OT_cancel_install,
    DA3_OT_remove_runtime,
    DA3_OT_test_runtime,
    DA3_OT_show_preferences,
    DA3_OT_open_guide,
    DA3_OT_lower_resolution,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
