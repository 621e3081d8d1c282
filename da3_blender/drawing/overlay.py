"""The program that lays a picture of splats over what a viewport shows, with outlines of those that are selected."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import gpu

SOLID = 0.5
"""Coverage from which on splats count as a body that has an outline."""
RING = 16
"""Places around a pixel, of which an edge has about half on either side; gaps that are narrower do not count."""
EDGE = 1 / 6
"""How far from half that may be: lines are as wide as the ring's radius."""

OVERLAY_VERTEX = """
void main()
{
  place = 0.5 * corner + 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}
"""

OVERLAY_FRAGMENT = f"""
vec3 linear_of(vec3 display)
{{
  vec3 low = display / 12.92, high = pow((max(display, vec3(0.0)) + 0.055) / 1.055, vec3(2.4));
  return mix(high, low, lessThanEqual(display, vec3(0.04045)));
}}

vec2 marked(vec2 pixel)
{{
  return step({SOLID}, texelFetch(selection, clamp(ivec2(pixel), ivec2(0), textureSize(selection, 0) - 1), 0).xy);
}}

vec2 covered_around(vec2 pixel)
{{
  vec2 covered = vec2(0.0);
  for (int i = 0; i < {RING}; i++) {{
    float angle = {math.tau / RING} * float(i);
    covered += marked(pixel + reach * vec2(cos(angle), sin(angle)));
  }}
  return covered / {RING}.0;
}}

void main()
{{
  ivec2 pixel = ivec2(place * vec2(textureSize(picture, 0)));
  vec4 seen = texelFetch(picture, pixel, 0);
  bool inside = all(greaterThanEqual(vec2(pixel), frame.xy)) && all(lessThan(vec2(pixel), frame.zw));
  float opacity = inside ? seen.a * opacities.x : seen.a * opacities.y;
  result = vec4(linear_of(min(seen.rgb / max(seen.a, 1e-6), vec3(1.0))) * opacity, opacity);
  if (reach > 0.0) {{
    vec2 edge = 1.0 - step(vec2({EDGE}), abs(covered_around(place * vec2(textureSize(picture, 0))) - 0.5));
    result = mix(result, vec4(linear_of(selected_color), 1.0), edge.x);
    result = mix(result, vec4(linear_of(active_color), 1.0), edge.y);
  }}
}}
"""


@cache
def overlay_shader() -> gpu.types.GPUShader:
    """Lays `picture` over a viewport, whose colours are turned from linear ones to the screen's as they are written;
    needs a GPU.

    Textures: `picture`, `selection`, results of `splat_shader`. Constants: `frame`, left, bottom, right and top of the
    pixels that the camera sees; `opacities` inside and outside of it; `selected_color`, `active_color` (sRGB) of
    outlines, `reach` their width in pixels, or 0 for none.
    """
    info: Any = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC2", "corner")
    between: Any = gpu.types.GPUStageInterfaceInfo("da3_overlay")
    between.smooth("VEC2", "place")
    info.vertex_out(between)
    info.sampler(0, "FLOAT_2D", "picture")
    info.sampler(1, "FLOAT_2D", "selection")
    info.push_constant("VEC4", "frame")
    info.push_constant("VEC2", "opacities")
    info.push_constant("VEC3", "selected_color")
    info.push_constant("VEC3", "active_color")
    info.push_constant("FLOAT", "reach")
    info.fragment_out(0, "VEC4", "result")
    info.vertex_source(OVERLAY_VERTEX)
    info.fragment_source(OVERLAY_FRAGMENT)
    return gpu.shader.create_from_info(info)
