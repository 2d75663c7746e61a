"""Cosmic rays come at their rate and leave connected tracks."""

import numpy as np
import pytest
from scipy.ndimage import label

from solodark.synthetic.cosmic_rays import draw_tracks


def strike(
    rng: np.random.Generator, rate: float, exposure_s: float
) -> tuple[np.ndarray, np.ndarray]:
    return draw_tracks(
        rng,
        (100, 100),
        exposure_s=exposure_s,
        pixel_size_um=100.0,
        rate_per_cm2_s=rate,
    )


def test_strikes_are_as_many_as_area_and_time_say(rng: np.random.Generator) -> None:
    tracks = 0
    for _ in range(60):
        mask = np.zeros((100, 100), bool)
        mask.flat[strike(rng, 0.5, 10.0)[0]] = True
        tracks += label(mask, structure=np.ones((3, 3)))[1]
    assert tracks / 60 == pytest.approx(5.0, rel=0.2)


def test_every_pixel_struck_is_named_once_and_charged(rng: np.random.Generator) -> None:
    index, charge_e = strike(rng, 20.0, 10.0)
    assert np.unique(index).size == index.size
    assert np.all((index >= 0) & (index < 100 * 100))
    assert np.all(charge_e > 0)
    assert 100 < np.median(charge_e) < 3000


def test_no_time_no_strikes(rng: np.random.Generator) -> None:
    index, charge_e = strike(rng, 5.0, 0.0)
    assert index.size == charge_e.size == 0
