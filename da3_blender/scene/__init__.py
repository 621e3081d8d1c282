"""A `ScenePlan` becomes Blender datablocks. Everything here needs `bpy` and only writes: nothing is decided or checked.

objects = write_scene(plan_scene(prediction, "living room", photo_paths), bpy.context.scene)
"""

from .write import SceneObjects, write_scene

__all__ = ["SceneObjects", "write_scene"]
