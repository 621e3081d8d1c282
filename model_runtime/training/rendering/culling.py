"""Which solids a beam of neighbouring rays can meet at all: a cheap test that never misses one."""

import torch


def beam_meets(
    frames: torch.Tensor,
    origin: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    axis: torch.Tensor,
    radius: torch.Tensor,
    spread: torch.Tensor,
) -> torch.Tensor:
    """Whether beams may touch solids, [T,S].

    frames: rows [15,T,S] of the solids' centres, axes row by row and half sizes; origin: planes [T,1] and axis [T,3] of
    the beams' middle rays, axis of unit length; the beams reach `radius` [T] + `spread` [T] * distance to the side.

    The middle ray is met with the solid's bounding box, made larger by the widest the beam is near it.
    """
    c, m, h = frames[0:3], frames[3:12], frames[12:15]
    x, y, z = origin[0] - c[0], origin[1] - c[1], origin[2] - c[2]
    beyond = (x * x + y * y + z * z).sqrt() + (h[0] * h[0] + h[1] * h[1] + h[2] * h[2]).sqrt()
    wide = radius[:, None] + spread[:, None] * beyond
    ax, ay, az = axis.T[..., None]
    near, far = torch.zeros_like(beyond), torch.full_like(beyond, torch.inf)
    for k in range(3):
        o = x * m[k] + y * m[3 + k] + z * m[6 + k]
        d = ax * m[k] + ay * m[3 + k] + az * m[6 + k]
        inverse = torch.where(d.abs() < 1e-6, 1e-6, d).reciprocal()
        middle, reach = -o * inverse, (h[k] + wide) * inverse.abs()
        near, far = torch.maximum(near, middle - reach), torch.minimum(far, middle + reach)
    return near <= far
