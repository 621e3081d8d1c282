"""A photo thrown from its camera onto objects, as a slide projector does: seen through the camera it is the photo.

The material works out for every shaded point which pixel of the photo lies there. Where camera, lens and shift are it
follows by drivers without Python, so files keep it alive without the add-on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import bpy

from model_runtime.contract.messages import JobError

from .clip_camera import is_clip
from .marks import BEFORE_PROJECTION, PIXEL_ASPECT, RESOLUTION, ROLE
from .materials import make_material, output
from .node_tools import Builder, group, socket
from .surfaces import photo_behind

PROJECTION = "DA3 Camera Projection v1"
NAME = "DA3 Projection "
"""Of materials, before the camera's."""

TALL, WIDE = "max(1, height * aspect_y)", "max(1, width * aspect_x)"
"""The photo's sides. All variables are 0 once the camera is deleted."""

IS_VERTICAL = f"(fit == 2 or (fit == 0 and {TALL} > {WIDE}))"
"""Whether Blender fits the sensor's height: `Camera.sensor_fit` is 0 for AUTO, 1 for HORIZONTAL, 2 for VERTICAL."""

INPUTS = {
    "Focal Length": "lens / max(0.001, sensor_height if fit == 2 else sensor_width)",
    "Shift X": "shift_x",
    "Shift Y": "shift_y",
    "Scale X": f"{TALL} / {WIDE} if {IS_VERTICAL} else 1",
    "Scale Y": f"1 if {IS_VERTICAL} else {WIDE} / {TALL}",
}
"""Inputs of the node group, as expressions that Blender works out without Python. The first three are shares of the
side that the sensor is fitted to; the scales are that side in widths and in heights of the photo."""

VARIABLES = {
    "lens": "data.lens",
    "fit": "data.sensor_fit",
    "sensor_width": "data.sensor_width",
    "sensor_height": "data.sensor_height",
    "shift_x": "data.shift_x",
    "shift_y": "data.shift_y",
    "width": f'data["{RESOLUTION}"][0]',
    "height": f'data["{RESOLUTION}"][1]',
    "aspect_x": f'data["{PIXEL_ASPECT}"][0]',
    "aspect_y": f'data["{PIXEL_ASPECT}"][1]',
}
"""What the expressions name, on the camera."""

CLOUDS = ("points", "splats")
"""Roles of meshes that have no faces to project on."""


def projecting_camera(*candidates: bpy.types.Object | None) -> bpy.types.Object:
    """The first of them that is the camera of a photo. Raises JobError where none is."""
    for item in candidates:
        if item is not None and item.get(ROLE) == "camera" and item.type == "CAMERA":
            return item
    raise JobError(
        "no-projection",
        "No camera of a DA3 scene is chosen to project its photo.",
        "Make one active, or look through one.",
    )


def project_photo(camera: bpy.types.Object, items: Iterable[bpy.types.Object]) -> bpy.types.Material:
    """Project the photo behind `camera` onto the mesh objects among `items`, in all their material slots.

    The materials that were there stay in the meshes' own slots, where `take_off` lets them show again. Raises JobError
    where there is no photo, or nothing to project on.
    """
    items = [item for item in items if item.type == "MESH" and item.get(ROLE) not in CLOUDS]
    image = photo_behind(camera)
    if is_clip(camera):
        sentence = f"The camera '{camera.name}' is that of a clip, and photos alone are projected."
        raise JobError("no-projection", sentence, "Choose the camera of a photo.")
    if image is None:
        raise JobError("no-projection", f"The camera '{camera.name}' has no photo behind it.", "Choose another camera.")
    if camera.data.type != "PERSP":
        sentence = f"The camera '{camera.name}' is no perspective camera."
        raise JobError("no-projection", sentence, "Set its type to Perspective, or choose another.")
    if not items:
        raise JobError("no-projection", "No mesh object is selected to project the photo on.", "Select some.")
    if any(item.library or (item.data.library and not item.material_slots) for item in items):
        raise JobError(
            "no-projection", "A selected object is linked from another file.", "Make it local, or deselect it."
        )
    material = projection_material(camera, image)
    for item in items:
        _put_on(item, material)
    return material


def take_off(items: Iterable[bpy.types.Object]) -> int:
    """Give `items` back the materials that they had before photos were projected on them; of how many there were."""
    items = [item for item in items if BEFORE_PROJECTION in item]
    for item in items:
        before: Any = item[BEFORE_PROJECTION].to_dict()
        for index, slot in enumerate(item.material_slots):
            if not is_projection(slot.material):
                continue  # the artist's since
            had = before.get(str(index), {"link": "DATA"})
            slot.material = had.get("material")
            slot.link = had["link"]
        del item[BEFORE_PROJECTION]
    return len(items)


def is_projection(material: bpy.types.Material | None) -> bool:
    """Whether `project_photo` made it."""
    tree = None if material is None else material.node_tree
    groups = [] if tree is None else [node for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeGroup)]
    return any(node.node_tree is not None and node.node_tree.name == PROJECTION for node in groups)


def projects_from(material: bpy.types.Material, camera: bpy.types.Object) -> bool:
    """Whether it is the projection from this camera."""
    tree = material.node_tree
    places = [] if tree is None else [node for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeTexCoord)]
    return is_projection(material) and any(node.object == camera for node in places)


def projection_material(camera: bpy.types.Object, image: bpy.types.Image) -> bpy.types.Material:
    """The material that projects `image` from `camera`: the one that does so already, or else a new one."""
    for material in bpy.data.materials:
        tree = material.node_tree
        if tree is not None and material.library is None and projects_from(material, camera):
            for node in tree.nodes:
                if isinstance(node, bpy.types.ShaderNodeTexImage):
                    node.image = image
            return material

    def build(nodes: Builder) -> None:
        place = nodes.node("ShaderNodeTexCoord", object=camera).outputs["Object"]
        pixel = nodes.node("ShaderNodeGroup", node_tree=projection_group())
        nodes.feed(pixel.inputs["Position"], place)
        for name, expression in INPUTS.items():
            drive(pixel.inputs[name], expression, camera)
        photo = nodes.node("ShaderNodeTexImage", {"Vector": pixel.outputs["UV"]}, image=image, extension="CLIP")
        nodes.tree.nodes.active = photo  # what Solid shading with texture colours shows
        shown = nodes.math("MULTIPLY", photo.outputs["Alpha"], pixel.outputs["In Front"])
        clear = nodes.node("ShaderNodeBsdfTransparent").outputs[0]
        light = nodes.node("ShaderNodeEmission", {"Color": photo.outputs["Color"]}).outputs[0]
        output(nodes, nodes.node("ShaderNodeMixShader", {0: shown, 1: clear, 2: light}).outputs[0])

    return make_material(f"{NAME}{camera.name}", build)


def projection_group() -> bpy.types.NodeTree:
    """Shader group: where in the photo, 0..1 from its lower left corner, a point is seen that lies at Position in the
    camera's own space; and whether it lies before the camera."""

    def build(nodes: Builder) -> None:
        socket(nodes.tree, "Position", "Vector")
        for name in INPUTS:
            socket(nodes.tree, name, "Float", default_value=1.0 if "Shift" not in name else 0.0)
        socket(nodes.tree, "UV", "Vector", "OUTPUT")
        socket(nodes.tree, "In Front", "Float", "OUTPUT")
        inputs = nodes.node("NodeGroupInput").outputs
        x, y, z = nodes.separate(inputs["Position"])
        ahead = nodes.math("MULTIPLY", z, -1.0)

        def along(side: Any, axis: str) -> Any:
            seen = nodes.math("MULTIPLY", nodes.math("DIVIDE", side, ahead), inputs["Focal Length"])
            shifted = nodes.math("SUBTRACT", seen, inputs[f"Shift {axis}"])
            return nodes.math("ADD", nodes.math("MULTIPLY", shifted, inputs[f"Scale {axis}"]), 0.5)

        place = nodes.combine(along(x, "X"), along(y, "Y"), 0.0)
        in_front = nodes.math("GREATER_THAN", ahead, 0.0)
        nodes.node("NodeGroupOutput", {"UV": place, "In Front": in_front})

    return group(PROJECTION, "ShaderNodeTree", build)


def drive(target: Any, expression: str, camera: bpy.types.Object) -> None:
    """Let the value of the socket `target` follow the camera. expression: of VARIABLES."""
    driver = target.driver_add("default_value").driver
    driver.type = "SCRIPTED"
    for name in VARIABLES.keys() & set(re.findall(r"\w+", expression)):
        variable = driver.variables.new()
        variable.name = name
        variable.targets[0].id = camera
        variable.targets[0].data_path = VARIABLES[name]
    driver.expression = expression


def _put_on(item: bpy.types.Object, material: bpy.types.Material) -> None:
    """Fill the object's own slots, which hide the mesh's, and remember what was in them."""
    if not item.material_slots:
        item.data.materials.append(None)
    before: Any = item[BEFORE_PROJECTION].to_dict() if BEFORE_PROJECTION in item else {}
    for index, slot in enumerate(item.material_slots):
        if not is_projection(slot.material):
            had: dict[str, Any] = {"link": slot.link}
            if slot.link == "OBJECT" and slot.material is not None:
                had["material"] = slot.material
            before[str(index)] = had
        slot.link = "OBJECT"
        slot.material = material
    item[BEFORE_PROJECTION] = before
