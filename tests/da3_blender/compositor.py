"""A scene's compositor, in every Blender: a tree of its own before 5.0, then a node group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


def begin_compositor(scene: Any) -> Any:
    """The tree that composites the scene's renders from now on: the render as it is."""
    if hasattr(scene, "node_tree"):
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        result = tree.nodes.new("CompositorNodeComposite")
    else:
        tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        result = tree.nodes.new("NodeGroupOutput")
        if hasattr(scene, "compositor_effects"):
            scene.compositor_effects.new("Scene Effect").node_group = tree
        else:
            scene.compositing_node_group = tree
    tree.links.new(tree.nodes.new("CompositorNodeRLayers").outputs["Image"], result.inputs[0])
    return tree


def write_exrs(tree: Any, picture: Any, folder: Path) -> None:
    """Let renders write what the socket `picture` gives into the folder, in single precision."""
    file = tree.nodes.new("CompositorNodeOutputFile")
    if hasattr(file, "base_path"):
        file.base_path = str(folder)
    else:
        file.directory, file.format.media_type = str(folder), "IMAGE"
        file.file_output_items.new("RGBA", "Image")
    file.format.file_format, file.format.color_depth = "OPEN_EXR", "32"
    tree.links.new(picture, file.inputs[0])
