"""A cooled camera whose amplifier glows over pixels that hardly differ, as many of today do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.errors import WrongSubError
from solodark.frames import cfa_planes
from solodark.synthetic import expose_bias, expose_dark, make_camera

QUICK = LearnSettings(ranks=(1, 2), n_random=8000, n_hot=2500, rounds=3)
START = datetime(2025, 1, 1, tzinfo=UTC)
COLD = {
    "telegraph_dark_fraction": 0.0,
    "birth_fraction_per_year": 0.0,
    "bias_pixel_e": 0.3,
    "bias_column_e": 0.1,
    "diffusion_e_per_s": 2e-4,
    "depletion_e_per_s": 1e-3,
    "hot_fraction": 2e-3,
    "hot_e_per_s": 0.1,
    "row_noise_e": 0.1,
    "optical_black_ratio": 0.0,
}


@pytest.fixture(scope="module")
def camera():
    return make_camera(np.random.default_rng(1), shape=(256, 384), **COLD)


def series(camera, *, temperature_c, day, n, exposure_s=None):
    """Some darks, or biases, of one night."""
    rng = np.random.default_rng(day)
    for k in range(n):
        taken = {"temperature_c": temperature_c, "date": START + timedelta(days=day, minutes=6 * k)}
        if exposure_s is None:
            yield expose_bias(camera, rng, **taken).frame
        else:
            yield expose_dark(camera, rng, exposure_s=exposure_s, **taken).frame


@pytest.fixture(scope="module")
def model(camera):
    library, day = [], 0
    for temperature_c in (-15.0, -10.0, -5.0):
        for exposure_s, n in ((60.0, 2), (120.0, 2), (300.0, 2), (None, 3)):
            taken = {"temperature_c": temperature_c, "exposure_s": exposure_s}
            library += series(camera, day=day, n=n, **taken)
            day += 7
    return learn(library, rng=np.random.default_rng(1), settings=QUICK)


@pytest.fixture(scope="module")
def tonight(camera):
    return list(series(camera, temperature_c=-7.0, day=200, n=16, exposure_s=240.0))


def test_its_darks_are_trusted_and_worth_many(model, tonight):
    masters = [generate(model, sub) for sub in tonight[:4]]
    assert all(master.verdict.trusted for master in masters)
    halves = [np.mean([sub.data for sub in tonight[k::2]], axis=0) for k in (4, 5)]
    errors = [above_level(masters[0].data - half) for half in halves]
    noise2 = np.mean(above_level(tonight[0].data - tonight[1].data) ** 2) / 2
    assert noise2 / np.mean(errors[0] * errors[1]) > 25.0


def test_its_dark_is_refused_upside_down(model, tonight):
    with pytest.raises(WrongSubError, match="upside down"):
        generate(model, type(tonight[0])(tonight[0].data[::-1], tonight[0].acquisition, "flipped"))


def above_level(image):
    """An image less the level of each colour, its hottest and coldest pixels clipped."""
    above = np.asarray(image, np.float64).copy()
    for plane in cfa_planes("RGGB"):
        above[plane] -= np.median(above[plane])
    return np.clip(above, -60.0, 60.0)
