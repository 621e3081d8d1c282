"""What surfaces are made of: finishes such as wood, plaster or fabric, from which materials are drawn at random."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.training.world.textures import TextureBank

MATERIAL_WIDTH = 16
"""Pattern index, metres per repeat, offset u and v, three linear RGB colours, gloss, sharpness of highlights, glow."""
WILD_SHARE = 0.05
"""Share of materials with any pattern in any colour, whatever they belong to."""

BUSY_FAMILIES = ("noise", "blotches", "cells", "fur")
"""What plain patterns give way to where scenes are to be easy."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Finish:
    """families: of patterns; hue, saturation, value: ranges of the main colour (display-encoded HSV, 0..1); contrast:
    of the other colours to it; repeat: metres; gloss: 0..1; sharpness: exponent of highlights."""

    families: tuple[str, ...]
    hue: Range = (0.0, 1.0)
    saturation: Range = (0.0, 0.5)
    value: Range = (0.2, 0.9)
    contrast: float = 0.2
    repeat: Range = (0.5, 2.0)
    gloss: Range = (0.0, 0.1)
    sharpness: Range = (8.0, 40.0)


FINISHES: dict[str, Finish] = {
    "plaster": Finish(("plain",), (0.02, 0.7), (0.0, 0.15), (0.55, 0.95), 0.08, (0.6, 2.0)),
    "paint": Finish(("plain", "plain", "gradient"), (0.0, 1.0), (0.1, 0.55), (0.25, 0.85), 0.06, (0.6, 2.0)),
    "wallpaper": Finish(
        ("stripes", "dots", "blotches", "leaves", "plaid", "damask"), (0.0, 1.0), (0.05, 0.5), (0.3, 0.9), 0.22
    ),
    "brick": Finish(("bricks",), (0.0, 0.09), (0.2, 0.65), (0.3, 0.75), 0.3, (0.7, 1.6)),
    "tile": Finish(
        ("tiles", "checker", "cells", "bricks"), (0.0, 1.0), (0.0, 0.4), (0.25, 0.9), 0.35, (0.6, 1.8), (0.1, 0.5)
    ),
    "parquet": Finish(
        ("planks", "planks", "wood"), (0.04, 0.11), (0.3, 0.7), (0.2, 0.7), 0.25, (0.8, 2.2), (0.0, 0.35)
    ),
    "carpet": Finish(("noise", "fur", "plain"), (0.0, 1.0), (0.0, 0.4), (0.25, 0.8), 0.15, (0.3, 1.2)),
    "concrete": Finish(("noise", "plain", "blotches"), (0.05, 0.6), (0.0, 0.1), (0.35, 0.75), 0.12, (1.0, 3.0)),
    "ceiling": Finish(("plain",), (0.05, 0.2), (0.0, 0.08), (0.6, 0.97), 0.05),
    "wood": Finish(("wood", "planks", "plain"), (0.03, 0.11), (0.25, 0.75), (0.12, 0.75), 0.2, (0.3, 1.2), (0.0, 0.4)),
    "lacquer": Finish(("plain",), (0.0, 1.0), (0.0, 0.7), (0.05, 0.95), 0.05, (0.5, 1.5), (0.1, 0.6), (20.0, 120.0)),
    "fabric": Finish(
        ("plain", "noise", "plaid", "stripes", "dots", "fur", "blotches"),
        (0.0, 1.0),
        (0.05, 0.75),
        (0.15, 0.9),
        0.25,
        (0.1, 0.7),
    ),
    "rug": Finish(
        ("medallion", "medallion", "plaid", "stripes", "cells", "fur", "collage"),
        (0.0, 1.0),
        (0.1, 0.8),
        (0.2, 0.9),
        0.45,
        (0.8, 2.4),
    ),
    "leather": Finish(("cells", "plain", "noise"), (0.0, 0.12), (0.2, 0.7), (0.08, 0.6), 0.1, (0.15, 0.5), (0.1, 0.4)),
    "metal": Finish(("plain",), (0.05, 0.65), (0.0, 0.15), (0.1, 0.85), 0.08, (0.3, 1.0), (0.3, 0.9), (30.0, 150.0)),
    "ceramic": Finish(
        ("plain", "plain", "blotches", "stripes", "noise"),
        (0.0, 1.0),
        (0.0, 0.7),
        (0.15, 0.95),
        0.2,
        (0.1, 0.6),
        (0.2, 0.8),
        (30.0, 150.0),
    ),
    "leaf": Finish(("noise", "leaves", "plain"), (0.2, 0.4), (0.3, 0.8), (0.1, 0.6), 0.25, (0.1, 0.8), (0.0, 0.2)),
    "fruit": Finish(
        ("plain", "noise", "blotches"), (0.0, 0.33), (0.5, 0.95), (0.3, 0.9), 0.15, (0.05, 0.3), (0.1, 0.5)
    ),
    "food": Finish(
        ("noise", "blotches", "cells", "fur"), (0.0, 0.35), (0.2, 0.9), (0.15, 0.9), 0.3, (0.04, 0.3), (0.0, 0.5)
    ),
    "fur": Finish(("fur", "noise", "fur"), (0.03, 0.12), (0.1, 0.6), (0.1, 0.9), 0.22, (0.1, 0.6)),
    "picture": Finish(
        ("landscape", "landscape", "collage", "blotches", "damask"), (0.0, 1.0), (0.1, 0.7), (0.2, 0.9), 0.5, (0.5, 1.0)
    ),
    "books": Finish(("books",), (0.0, 1.0), (0.2, 0.7), (0.15, 0.6), 0.45, (0.4, 1.0)),
    "paper": Finish(("script", "plain", "collage"), (0.05, 0.2), (0.0, 0.12), (0.75, 0.97), 0.6, (0.15, 0.4)),
    "stone": Finish(("cells", "noise", "bricks", "tiles"), (0.03, 0.6), (0.0, 0.2), (0.3, 0.8), 0.2, (0.6, 3.0)),
    "asphalt": Finish(("noise", "plain"), (0.5, 0.7), (0.0, 0.1), (0.15, 0.5), 0.1, (0.8, 4.0)),
    "grass": Finish(("fur", "noise", "leaves"), (0.16, 0.36), (0.25, 0.75), (0.2, 0.6), 0.22, (0.8, 3.0)),
    "earth": Finish(("noise", "blotches", "cells"), (0.04, 0.13), (0.15, 0.55), (0.2, 0.7), 0.2, (1.0, 4.0)),
    "water": Finish(
        ("noise", "gradient"), (0.45, 0.65), (0.2, 0.7), (0.15, 0.6), 0.12, (2.0, 6.0), (0.3, 0.9), (20.0, 80.0)
    ),
    "facade": Finish(
        ("facade", "facade", "facade", "bricks"), (0.0, 1.0), (0.0, 0.4), (0.3, 0.9), 0.45, (5.0, 12.0), (0.0, 0.3)
    ),
    "bark": Finish(("noise", "wood"), (0.04, 0.1), (0.15, 0.5), (0.1, 0.45), 0.2, (0.3, 1.0)),
}


def linear_from_hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Linear RGB of a display-encoded HSV colour; hue wraps."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.02), 1.0))
    return r**2.2, g**2.2, b**2.2


def _within(limits: Range, share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])


class MaterialMaker:
    """Draws materials; `difficulty` 0..1 turns more of them plain."""

    def __init__(self, rng: np.random.Generator, bank: TextureBank, difficulty: float) -> None:
        self.rng, self.bank = rng, bank
        self.plain_share = 0.25 * difficulty
        self.busy_share = 0.5 * (1 - difficulty)

    def _pattern(self, finish: Finish, chance: Sequence[float]) -> int:
        family = finish.families[int(chance[0] * len(finish.families))]
        if chance[1] < self.plain_share:
            family = "plain"
        elif family == "plain" and chance[1] < self.plain_share + self.busy_share:
            family = BUSY_FAMILIES[int(chance[2] * len(BUSY_FAMILIES))]
        members = self.bank.families[family]
        return int(members[int(chance[3] * len(members))])

    def of(self, name: str, scale: float = 1.0) -> np.ndarray:
        """A material row [MATERIAL_WIDTH] of a finish in `FINISHES`; `scale` multiplies the size of the pattern."""
        finish = FINISHES[name]
        # Numbers are drawn all at once: a call costs more than what it is drawn for.
        chance, normal = self.rng.random(18).tolist(), self.rng.standard_normal(4).tolist()
        if chance[0] < WILD_SHARE:
            return self.wild(scale)
        hue, saturation = _within(finish.hue, chance[1]), _within(finish.saturation, chance[2])
        value = _within(finish.value, chance[3])
        low, high = finish.repeat
        row = np.zeros(MATERIAL_WIDTH)
        row[0] = self._pattern(finish, chance[4:8])
        row[1] = scale * low * (high / low) ** chance[8]
        row[2:4] = chance[9:11]
        row[4:7] = linear_from_hsv(hue, saturation, value)
        for k, start in enumerate((7, 10)):
            # Half of the busy patterns bring a second hue.
            turn = normal[k] * (0.2 if finish.contrast > 0.2 and chance[11 + k] < 0.5 else 0.02)
            shift = finish.contrast * (1 if chance[13 + k] < 0.5 else -1) * (0.4 + 2 * abs(chance[13 + k] - 0.5))
            if not 0.05 < value + shift < 1:
                shift = -shift
            other = linear_from_hsv(hue + turn, saturation + normal[2 + k] * finish.contrast / 2, value + shift)
            row[start : start + 3] = other
        row[13], row[14] = _within(finish.gloss, chance[15]), _within(finish.sharpness, chance[16])
        return row

    def wild(self, scale: float = 1.0) -> np.ndarray:
        """Any pattern in any colours."""
        rng = self.rng
        row = np.zeros(MATERIAL_WIDTH)
        row[0] = rng.choice(self.bank.busy)
        row[1] = scale * np.exp(rng.uniform(np.log(0.3), np.log(2.0)))
        row[2:4] = rng.random(2)
        base = rng.random(3)
        colours = np.concatenate([base[None], base + rng.normal(size=(2, 3)) * rng.uniform(0.15, 0.5)])
        row[4:13] = (colours.clip(0.02, 0.98) ** 2.2).ravel()
        row[13], row[14] = max(0.0, rng.uniform(-0.5, 0.5)), rng.uniform(8, 80)
        return row

    def glowing(self, colour: np.ndarray | Sequence[float], strength: float, family: str = "plain") -> np.ndarray:
        """A material that shines by itself: lamp shades, screens, window panes."""
        row = np.zeros(MATERIAL_WIDTH)
        members = self.bank.families[family]
        row[0], row[1] = members[int(self.rng.integers(len(members)))], self.rng.uniform(0.8, 2.0)
        row[2:4] = self.rng.random(2)
        row[4:13] = np.tile(colour, 3) * np.repeat([1.0, *self.rng.uniform(0.4, 1.0, 2)], 3)
        row[15] = strength
        return row
