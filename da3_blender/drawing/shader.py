"""The program by which the GPU draws splats.

Splats are drawn as in 3D Gaussian Splatting (Kerbl et al. 2023): each goes through the camera's affine approximation at
its middle (Zwicker et al. 2001), as a rectangle along its picture's own axes; the GPU blends them as they come.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import gpu

from model_runtime.contract.harmonics import BASE, higher_basis

LOW_PASS = 0.3
"""Pixels squared added to the projected variances, so that no splat falls between pixels."""
REACH = 3.0
"""Standard deviations a splat is drawn out to."""
LARGEST_ALPHA = 0.99
NARROWEST = 1e-5
"""Least determinant of a projected covariance, as a share of the product of its variances."""
MARGIN = 0.3
"""How far beyond the picture, as a share of its half, the affine approximation follows a splat."""
DOT = 1.5
"""Half the side of the points that stand for splats whose order is not known yet, in pixels."""
SEEN_DOT = 0.1
"""Least opacity of a splat that such a point stands for."""

SPLAT_TEXELS = 4
"""Of a splat: position, opacity; scale, number of its object; rotation wxyz; colour coefficients of degree 0."""
OBJECT_TEXELS = 6
"""Of an object: the rows that lead into the camera's frame, then those that turn a direction of the camera's frame
into its own, each with a number more: whether it is shown, how much it is marked as selected, and as active."""

BANDS = ((0, 3), (3, 8), (8, 15), (15, 24))
"""First and end of the higher harmonics of each degree."""


class _Term:
    """A GLSL expression that sums and products make longer."""

    def __init__(self, glsl: str) -> None:
        self.glsl = glsl

    def __add__(self, other: _Term | float) -> _Term:
        return _Term(f"({self.glsl} + {_glsl(other)})")

    def __sub__(self, other: _Term | float) -> _Term:
        return _Term(f"({self.glsl} - {_glsl(other)})")

    def __mul__(self, other: _Term | float) -> _Term:
        return _Term(f"({self.glsl} * {_glsl(other)})")


def _glsl(value: _Term | float) -> str:
    return value.glsl if isinstance(value, _Term) else repr(float(value))


def texels_of(terms: int) -> int:
    """How many texels of four hold the vectors of `terms` higher harmonics."""
    return (3 * terms + 3) // 4


def _higher_harmonics() -> str:
    """GLSL statements that add to `color` what the harmonics above degree 0 say about direction x, y, z."""
    functions = higher_basis(_Term("x"), _Term("y"), _Term("z"))
    code = []
    for first, end in BANDS:
        code.append(f"if (terms > {first}) {{")
        for texel in range(3 * first // 4, texels_of(end)):
            code.append(f"vec4 h{texel} = AT(harmonics, first + {texel});")
        for index in range(first, end):
            parts = (f"h{place // 4}.{'xyzw'[place % 4]}" for place in range(3 * index, 3 * index + 3))
            code.append(f"color += {functions[index].glsl} * vec3({', '.join(parts)});")
        code.append("}")
    return "\n".join(code)


SPLAT_VERTEX = f"""
#define AT(data, index) \
    texelFetch(data, ivec2((index) % textureSize(data, 0).x, (index) / textureSize(data, 0).x), 0)

vec3 seen_color(int splat, vec3 base, vec3 sight)
{{
  vec3 color = vec3(0.5) + {BASE} * base;
  float x = sight.x, y = sight.y, z = sight.z;
  int first = splat * ((3 * terms + 3) / 4);
  {_higher_harmonics()}
  return max(color, vec3(0.0));
}}

bool is_clipped(vec3 view)
{{
  for (int i = 0; i < planes; i++) {{
    vec4 plane = AT(objects, {OBJECT_TEXELS} * count + i);
    if (dot(plane.xyz, view) + plane.w < 0.0) {{
      return true;
    }}
  }}
  return false;
}}

mat3 turned(vec4 q)
{{
  float size = dot(q, q);
  q = size > 0.0 ? q * inversesqrt(size) : vec4(1.0, 0.0, 0.0, 0.0);
  vec3 v = q.yzw, twice = 2.0 * v, scalar = q.x * twice;
  return mat3(1.0 - twice.y * v.y - twice.z * v.z, twice.x * v.y + scalar.z, twice.x * v.z - scalar.y,
              twice.x * v.y - scalar.z, 1.0 - twice.x * v.x - twice.z * v.z, twice.y * v.z + scalar.x,
              twice.x * v.z + scalar.y, twice.y * v.z - scalar.x, 1.0 - twice.x * v.x - twice.y * v.y);
}}

void main()
{{
  int splat = dots != 0 ? gl_InstanceID : int(AT(order, gl_InstanceID).x);
  vec4 place = AT(splats, {SPLAT_TEXELS} * splat);
  vec4 shape = AT(splats, {SPLAT_TEXELS} * splat + 1);
  vec4 base = AT(splats, {SPLAT_TEXELS} * splat + 3);
  int object = {OBJECT_TEXELS} * int(shape.w);
  vec4 row_x = AT(objects, object), row_y = AT(objects, object + 1), row_z = AT(objects, object + 2);
  vec4 sight_x = AT(objects, object + 3), sight_y = AT(objects, object + 4), sight_z = AT(objects, object + 5);
  vec4 middle = vec4(place.xyz, 1.0);
  vec3 view = vec3(dot(row_x, middle), dot(row_y, middle), dot(row_z, middle));
  bool central = window[3][3] == 0.0;
  float away = central ? -view.z : 1.0;

  mat3 axes = transpose(mat3(row_x.xyz, row_y.xyz, row_z.xyz));
  vec4 rotation = AT(splats, {SPLAT_TEXELS} * splat + 2);
  mat3 root = axes * turned(rotation) * mat3(shape.x, 0.0, 0.0, 0.0, shape.y, 0.0, 0.0, 0.0, shape.z);
  float radius = {REACH} * max(length(root[0]), max(length(root[1]), length(root[2])));
  vec2 low = (vec2(window[2][0], window[2][1]) - 1.0) / vec2(window[0][0], window[1][1]);
  vec2 high = (vec2(window[2][0], window[2][1]) + 1.0) / vec2(window[0][0], window[1][1]);
  vec2 beyond = max((low * away - view.xy) * inversesqrt(1.0 + low * low),
                    (view.xy - high * away) * inversesqrt(1.0 + high * high));
  bool outside = central && (away <= 0.0 || max(beyond.x, beyond.y) > radius);
  // Behind the far plane: nothing of it is drawn.
  gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
  whitened = vec2(0.0);
  tint = vec4(0.0);
  marks = vec2(0.0);
  if (sight_x.w == 0.0 || outside || is_clipped(view) || (dots != 0 && place.w < {SEEN_DOT})) {{
    return;
  }}

  vec2 focal = 0.5 * size * vec2(window[0][0], window[1][1]) / away;
  vec2 margin = {MARGIN} * 0.5 * (high - low);
  vec2 slope = central ? clamp(view.xy / away, low - margin, high + margin) : vec2(0.0);
  vec3 across = vec3(1.0, 0.0, slope.x) * root * focal.x;
  vec3 upward = vec3(0.0, 1.0, slope.y) * root * focal.y;
  float xx = dot(across, across) + {LOW_PASS}, yy = dot(upward, upward) + {LOW_PASS}, xy = dot(across, upward);
  float mean = 0.5 * (xx + yy), apart = 0.5 * (xx - yy);
  float spread = sqrt(apart * apart + xy * xy);
  vec2 axis = apart >= 0.0 ? vec2(apart + spread, xy) : vec2(xy, spread - apart);
  axis = spread > 1e-6 * mean ? normalize(axis) : vec2(1.0, 0.0);
  float longest = mean + spread;
  // Rounding leaves nothing of the determinant of a long splat close to the camera, or less than nothing.
  float shortest = max(xx * yy - xy * xy, {NARROWEST} * xx * yy) / longest;

  whitened = {REACH} * corner;
  vec2 along = sqrt(longest) * axis * whitened.x + sqrt(shortest) * vec2(-axis.y, axis.x) * whitened.y;
  if (dots != 0) {{
    along = {DOT} * corner;
    whitened = vec2(0.0);
  }}
  gl_Position = window * vec4(view, 1.0);
  gl_Position.xy += 2.0 * along / size * gl_Position.w;
  vec3 sight = central ? normalize(view) : vec3(0.0, 0.0, -1.0);
  sight = vec3(dot(sight_x.xyz, sight), dot(sight_y.xyz, sight), dot(sight_z.xyz, sight));
  tint = vec4(seen_color(splat, base.xyz, sight), place.w);
  marks = vec2(sight_y.w, sight_z.w);
}}
"""

SPLAT_FRAGMENT = f"""
void main()
{{
  float squared = dot(whitened, whitened);
  if (squared > {REACH * REACH}) {{
    discard;
  }}
  float alpha = dots != 0 ? 1.0 : min(tint.a * exp(-0.5 * squared), {LARGEST_ALPHA});
  picture = vec4(tint.rgb * alpha, alpha);
  selection = vec4(marks * alpha, 0.0, alpha);
}}
"""


@cache
def splat_shader() -> gpu.types.GPUShader:
    """Draws splats, four corners each; needs a GPU.

    Textures: `splats`, `harmonics` and `objects` as laid out above; behind the objects planes of the camera's frame,
    on whose other side nothing is shown; `order`, the splats' numbers as they are to be drawn. Constants: `window`,
    the camera's frame to the clip space; `size` of the picture in pixels; `terms`, harmonics of a splat; `count` of
    objects; `planes`; `dots`, whether to draw plain points in the data's own order.
    Results: `picture`, premultiplied; `selection`, by how much selected and active objects cover a pixel.
    """
    info: Any = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC2", "corner")
    between: Any = gpu.types.GPUStageInterfaceInfo("da3_splat")
    between.no_perspective("VEC2", "whitened")
    between.flat("VEC4", "tint")
    between.flat("VEC2", "marks")
    info.vertex_out(between)
    for slot, name in enumerate(("splats", "harmonics", "objects", "order")):
        info.sampler(slot, "FLOAT_2D", name)
    info.push_constant("MAT4", "window")
    info.push_constant("VEC2", "size")
    for name in ("terms", "count", "planes", "dots"):
        info.push_constant("INT", name)
    info.fragment_out(0, "VEC4", "picture")
    info.fragment_out(1, "VEC4", "selection")
    info.vertex_source(SPLAT_VERTEX)
    info.fragment_source(SPLAT_FRAGMENT)
    return gpu.shader.create_from_info(info)
