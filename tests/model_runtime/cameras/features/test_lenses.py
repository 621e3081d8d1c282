"""Which lens tracks bear out, and how right it is: points that known lenses saw, with noise and wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.cameras.features.bundle import FOCAL, Bundle, Seen, adjust_bundle
from model_runtime.cameras.features.lens_choice import (
    FEWEST_POINTS,
    OF_OTHERS,
    _Jury,
    can_tell,
    choose_kind,
)
from model_runtime.cameras.features.lens_kinds import PINHOLE, Groups, Kind, as_bundle, with_kind
from model_runtime.cameras.features.lenses import KINDS
from model_runtime.contract.lens import BROWN, FISHEYE, Lens
from model_runtime.contract.messages import LENSES

from .made_tracks import SIDE, SIZE, chosen, corner_miss, go_on, groups_of_lenses, lens_of, started, tracks

UPRIGHT = (900, 1200)
PHOTOS, POINTS = 5, 260

CASES: dict[str, tuple[list[Lens], Kind]] = {
    "a pinhole": ([lens_of()] * PHOTOS, PINHOLE),
    "k1": ([lens_of(coefficients=(-0.05,))] * PHOTOS, Kind(BROWN, 1)),
    "k1 the other way": ([lens_of(coefficients=(0.04,))] * PHOTOS, Kind(BROWN, 1)),
    "k1 k2": ([lens_of(coefficients=(-0.26, 0.07), focal=0.55)] * PHOTOS, Kind(BROWN, 2)),
    "brown": (
        [lens_of(coefficients=(-0.18, 0.06, 0.004, -0.005, -0.01), focal=0.62)] * PHOTOS,
        Kind(BROWN, 5),
    ),
    "a fisheye": ([lens_of(FISHEYE, (0.02, -0.01), 0.45)] * PHOTOS, Kind(FISHEYE, 2)),
    "cropped": ([lens_of(middle=(0.06, -0.04))] * PHOTOS, Kind(middle=True)),
    "zoomed": ([lens_of(focal=0.65 + 0.08 * i) for i in range(PHOTOS)], Kind(own=True)),
    "cropped each": (
        [lens_of(middle=(0.06 * np.cos(2.0 * i), 0.06 * np.sin(2.0 * i))) for i in range(PHOTOS)],
        Kind(own=True, own_middle=True),
    ),
    "bent and cropped": ([lens_of(coefficients=(-0.15,), middle=(0.06, -0.04))] * PHOTOS, Kind(BROWN, 1, middle=True)),
    "held upright and not": (
        [lens_of(coefficients=(-0.1,), size=UPRIGHT if i % 2 else SIZE) for i in range(PHOTOS)],
        Kind(BROWN, 1),
    ),
}


def begun(lenses: list[Lens], seed: int = 0, count: int = POINTS, off: float = 1.04) -> tuple[Bundle, Seen, Groups]:
    """Pinholes whose focal length is off by this factor."""
    cameras, points, seen = tracks(lenses, count, seed)
    groups = groups_of_lenses(lenses)
    focal = off * float(np.median([lens.intrinsics[0, 0] for lens in lenses])) / SIDE
    return started(PINHOLE, cameras, points, focal, groups), seen, groups


@pytest.mark.parametrize("what", CASES)
def test_the_kind_of_lens_is_found(what: str) -> None:
    """And the lens: focal length to 1 %, the photo's rim to 3 of 1200 pixels from 260 noisy points; of 520 to 12
    where every photo has a lens of its own."""
    lenses, wanted = CASES[what]
    more = 2 if wanted.own_middle else 1
    kind, found = chosen(*begun(lenses, count=more * POINTS))
    assert kind == wanted
    for mine, true in zip(found.lenses, lenses, strict=True):
        assert mine[FOCAL] * SIDE == pytest.approx(true.intrinsics[0, 0], rel=0.01)
        assert corner_miss(mine, kind.model, true) < (12 if wanted.own_middle else 3)


@pytest.mark.parametrize("seed", range(1, 20))
def test_a_pinhole_stays_one(seed: int) -> None:
    """Whatever the noise; from where the search begins, without the rough look."""
    bundle, seen, groups = begun([lens_of()] * PHOTOS, seed, 130)
    assert choose_kind(bundle, seen, groups, go_on) == PINHOLE


def test_a_lens_is_refused_that_fits_noise_better() -> None:
    """Tracks fit better to own focal lengths and middles which they were fitted to; tracks kept back do not."""
    bundle, seen, groups = begun([lens_of()] * 4, 3, 80)
    free = Kind(own=True, own_middle=True)

    def fitting(kind: Kind) -> float:
        fitted = with_kind(bundle, kind, groups)
        for _ in range(3):
            fitted = adjust_bundle(fitted, seen, 1 / SIDE)
        return float(np.log1p(np.square(SIDE * fitted.errors(seen))).sum())

    jury = _Jury(bundle, seen, groups, go_on)
    pinhole = jury.judged(PINHOLE, None)
    assert fitting(free) < 0.99 * fitting(PINHOLE)
    freer = jury.judged(free, pinhole)
    assert freer.typical > (1 - OF_OTHERS) * pinhole.typical and not freer.is_worth(pinhole)
    assert jury.worth(free, pinhole) is None


def test_what_tells_nothing_is_a_pinhole() -> None:
    """Two photos, or few points, though they are bent."""
    bent = lens_of(coefficients=(-0.26, 0.07), focal=0.55)
    for count, points in ((2, POINTS), (PHOTOS, FEWEST_POINTS - 20)):
        bundle, seen, groups = begun([bent] * count, count=points)
        assert not can_tell(bundle, seen) and choose_kind(bundle, seen, groups, go_on) == PINHOLE
    bundle, seen, groups = begun([bent] * 3)
    assert can_tell(bundle, seen)


def test_upright_photos_share_the_lens_but_not_the_middle() -> None:
    """And tangential distortion, which turns with the camera, neither."""
    lenses = [lens_of(size=SIZE), lens_of(size=UPRIGHT), lens_of(size=SIZE)]
    groups = groups_of_lenses(lenses)
    start = np.array([[0.7], [0.8], [0.9]])
    bundle = as_bundle(Kind(BROWN, 5, middle=True), np.tile(np.eye(4), (3, 1, 1)), np.zeros((1, 3)), start, groups)
    assert (bundle.places[0] == bundle.places[2]).all()
    shared = bundle.places[0] == bundle.places[1]
    assert shared.tolist() == [True, False, False, True, True, False, False, True]
    assert bundle.lenses[:, FOCAL].tolist() == [0.8] * 3 and not bundle.held[bundle.places].any()


def test_every_wish_has_its_kind() -> None:
    assert tuple(KINDS) == tuple(LENSES)
    assert [kind.bends for kind in KINDS.values() if kind is not None] == [False, True, True, True, True]
    assert {name: str(kind) for name, kind in KINDS.items()}["brown"] == "brown k1 k2 p1 p2 k3"


def test_a_lens_that_is_known_bends_nothing_whatever_the_others_do() -> None:
    lenses = [lens_of()] + [lens_of(FISHEYE, (0.02, -0.01), 0.45)] * (PHOTOS - 1)
    bundle, seen, _ = begun(lenses, off=1.0)
    apart = (1, *(0,) * (PHOTOS - 1))
    known = np.full((PHOTOS, 3), np.nan)
    known[0] = (lens_of().intrinsics[0, 0] / SIDE, 0, 0)
    told = Groups(apart, apart, known)
    kind = choose_kind(with_kind(bundle, PINHOLE, told), seen, told, go_on)
    fitted = adjust_bundle(with_kind(bundle, kind, told), seen, 0.002)
    assert kind.model == BROWN and kind.bends
    assert fitted.lenses[0].tolist() == [known[0, 0], 0, 0, 0, 0, 0, 0, 0]
