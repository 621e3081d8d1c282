"""Materials, made of Blender's procedural textures at true scale (object coordinates are metres)."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

Rgb = tuple[float, float, float]


def linear(rgb: Rgb, gain: float = 1.0) -> tuple[float, float, float, float]:
    """A display (sRGB) colour as the linear one that shaders want, with alpha."""
    c = np.clip(np.asarray(rgb) * gain, 0, 1)
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(c[0]), float(c[1]), float(c[2]), 1.0


class Surface:
    """A material under construction: `add` places a node; sockets given as inputs are linked, values are set."""

    def __init__(self, name: str, **shader: Any) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.set(self.shader, shader)

    def set(self, node: bpy.types.Node, inputs: dict[Any, Any]) -> None:
        for name, value in inputs.items():
            socket = node.inputs[name]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value

    def add(self, kind: str, inputs: dict[Any, Any], out: str | int = 0, **properties: Any) -> bpy.types.NodeSocket:
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in properties.items():
            setattr(node, name, value)
        self.set(node, inputs)
        return node.outputs[out]

    def coordinates(self, scale: tuple[float, float, float] = (1, 1, 1), kind: str = "Object") -> bpy.types.NodeSocket:
        return self.add("Mapping", {"Vector": self.add("TexCoord", {}, kind), "Scale": scale})

    def blend(self, factor: bpy.types.NodeSocket, first: Any, second: Any, mode: str = "MIX") -> bpy.types.NodeSocket:
        return self.add("MixRGB", {"Fac": factor, "Color1": first, "Color2": second}, blend_type=mode)

    def steps(self, value: bpy.types.NodeSocket, low: float, high: float) -> bpy.types.NodeSocket:
        return self.add("MapRange", {"Value": value, "From Min": low, "From Max": high})

    def finish(self, color: Any, height: bpy.types.NodeSocket | None = None, bump: float = 0.2, depth: float = 0.002):
        """Sets the colour and a bump `depth` metres deep; returns the material."""
        self.set(self.shader, {"Base Color": color})
        if height is not None:
            normal = self.add("Bump", {"Height": height, "Strength": bump, "Distance": depth})
            self.set(self.shader, {"Normal": normal})
        return self.material


def plain(name: str, rgb: Rgb, roughness: float = 0.5, grain: float = 30, vary: float = 0.12, metallic: float = 0.0):
    """Paint, plastic, ceramic or metal with slight unevenness."""
    s = Surface(name, Roughness=roughness, Metallic=metallic)
    noise = s.add("TexNoise", {"Vector": s.coordinates(), "Scale": grain, "Detail": 6.0})
    color = s.blend(noise, linear(rgb, 1 - vary), linear(rgb, 1 + vary))
    return s.finish(color, noise, 0.15)


def fabric(name: str, rgb: Rgb, thread: float = 260, vary: float = 0.25):
    """Woven cloth with mottled dye."""
    s = Surface(name, Roughness=0.95, **{"Sheen Weight": 0.2})
    at = s.coordinates()
    weave = s.add("TexVoronoi", {"Vector": at, "Scale": thread})
    dye = s.add("TexNoise", {"Vector": at, "Scale": 14.0, "Detail": 8.0, "Roughness": 0.7})
    base = s.blend(s.steps(dye, 0.3, 0.7), linear(rgb, 1 - vary), linear(rgb, 1 + vary))
    color = s.blend(s.steps(weave, 0.0, 0.9), base, linear(rgb, 0.55))
    return s.finish(color, weave, 0.5, 0.001)


def wood(name: str, rgb: Rgb, along: str = "x", roughness: float = 0.45):
    """Wood with its grain along one axis."""
    s = Surface(name, Roughness=roughness)
    scale = [9.0, 9.0, 9.0]
    scale["xyz".index(along)] = 0.9
    at = s.coordinates(tuple(scale))
    rings = s.add("TexNoise", {"Vector": at, "Scale": 2.2, "Detail": 8.0, "Roughness": 0.62, "Distortion": 0.9})
    pores = s.add("TexNoise", {"Vector": at, "Scale": 16.0, "Detail": 3.0})
    base = s.blend(s.steps(rings, 0.32, 0.68), linear(rgb, 0.62), linear(rgb, 1.12))
    color = s.blend(s.steps(pores, 0.55, 0.75), base, linear(rgb, 0.6))
    return s.finish(color, pores, 0.15)


def planks(name: str, rgb: Rgb):
    """A floor of oak boards, each with its own tone and grain."""
    s = Surface(name, Roughness=0.38)
    at = s.coordinates()
    bricks = {"Vector": at, "Color1": linear(rgb, 0.72), "Color2": linear(rgb, 1.12), "Mortar": linear(rgb, 0.25)}
    bricks |= {"Scale": 1.0, "Mortar Size": 0.0025, "Brick Width": 1.35, "Row Height": 0.13, "Mortar Smooth": 0.3}
    boards = s.tree.nodes.new("ShaderNodeTexBrick")
    boards.offset = 0.37
    s.set(boards, bricks)
    shifted = s.blend(1.0, s.coordinates((1.2, 11, 11)), boards.outputs["Color"], "ADD")
    grain = s.add("TexNoise", {"Vector": shifted, "Scale": 3.0, "Detail": 9.0, "Roughness": 0.65, "Distortion": 1.1})
    color = s.blend(s.steps(grain, 0.35, 0.7), linear((0.62, 0.58, 0.52)), linear((1, 1, 1)))
    color = s.blend(1.0, boards.outputs["Color"], color, "MULTIPLY")
    return s.finish(color, boards.outputs["Fac"], -0.4, 0.002)


def painted(name: str, pixels: np.ndarray, axes: str = "", repeat: float = 0, roughness: float = 0.8, glow: float = 0):
    """A picture [h,w,3] (display colours 0..1, first row on top) laid on by UV, or along two `axes` of the object.

    repeat: 0 stretches the picture over the object's bounding box; otherwise its width in metres, repeated.
    """
    s = Surface(name, Roughness=roughness)
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height)
    rgba = np.concatenate([np.clip(pixels, 0, 1), np.ones((height, width, 1))], -1)[::-1]
    image.pixels.foreach_set(rgba.astype(np.float32).ravel())
    image.pack()
    at = s.add("TexCoord", {}, "UV")
    if axes:
        source = s.coordinates((1 / repeat,) * 3, "Object") if repeat else s.coordinates(kind="Generated")
        parts = s.tree.nodes.new("ShaderNodeSeparateXYZ")
        s.set(parts, {0: source})
        at = s.add("CombineXYZ", {"X": parts.outputs[axes[0].upper()], "Y": parts.outputs[axes[1].upper()]})
    color = s.add("TexImage", {"Vector": at}, image=image)
    if glow:
        s.set(s.shader, {"Emission Color": color, "Emission Strength": glow})
        return s.finish((0, 0, 0, 1))
    fine = s.add("TexNoise", {"Vector": s.coordinates(), "Scale": 180.0})
    return s.finish(s.blend(s.steps(fine, 0.2, 1.6), color, linear((0, 0, 0))), fine, 0.1, 0.001)


def glowing(name: str, rgb: Rgb, strength: float):
    """A lit surface, such as a lamp shade."""
    s = Surface(name, Roughness=0.9, **{"Emission Color": linear(rgb), "Emission Strength": strength})
    return s.finish(linear(rgb))
