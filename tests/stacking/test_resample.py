"""Light between pixels: whatever lies on a colour's lattice is found again off it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.errors import SettingError
from solodark.frames import CFA_PATTERNS
from solodark.registration import Transform
from solodark.stacking.lattice import Lattice, colour_lattices, to_lattice
from solodark.stacking.resample import KERNELS, Band, kernel_table, resample

SHAPE = (60, 80)


def resampled(image, transform, lattice, kernel="lanczos3", rows=(0, SHAPE[0])):
    result = np.empty((rows[1] - rows[0], SHAPE[1]), np.float32)
    band = Band(np.ascontiguousarray(image, np.float32), 0, 1.0, 0.0)
    matrix = to_lattice(transform, lattice)
    resample(band, lattice, matrix, kernel_table(kernel), result, rows[0])
    return result


def moved(dy=0.0, dx=0.0, turn_deg=0.0):
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    return Transform(matrix=np.array([[c, s, dy], [-s, c, dx]]))


@pytest.mark.parametrize("pattern", [None, *CFA_PATTERNS])
def test_lattices_hold_each_pixel_of_their_colour_and_no_other(pattern):
    seen = np.zeros((16, 16), int)
    i, j = np.mgrid[-40:40, -40:40]
    for number, lattice in enumerate(colour_lattices(pattern)):
        y = lattice.y_i * i + lattice.y_j * j + lattice.y_0
        x = lattice.x_i * i + lattice.x_j * j + lattice.x_0
        inside = (y >= 0) & (y < 16) & (x >= 0) & (x < 16)
        seen[y[inside], x[inside]] += 1
        if pattern is not None:
            letters = np.array(list(pattern))[2 * (y[inside] % 2) + x[inside] % 2]
            assert set(letters) == {"RGB"[number]}
    assert (seen == 1).all()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pattern", [None, "RGGB", "GRBG"])
def test_an_even_light_stays_even(kernel, pattern):
    for lattice in colour_lattices(pattern):
        inner = resampled(np.full(SHAPE, 70.0), moved(0.3, -0.7, 1.0), lattice, kernel)
        known = inner[np.isfinite(inner)]
        assert known.size > 0.9 * inner.size
        np.testing.assert_allclose(known, 70.0, rtol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pattern", [None, "RGGB"])
def test_a_slope_is_found_between_pixels(kernel, pattern):
    y, x = np.indices(SHAPE)
    for lattice in colour_lattices(pattern):
        found = resampled(2.0 * x - 3.0 * y, moved(0.25, 0.5), lattice, kernel)
        expected = 2.0 * (x - 0.5) - 3.0 * (y - 0.25)
        np.testing.assert_allclose(found[8:-8, 8:-8], expected[8:-8, 8:-8], atol=2e-2)


@pytest.mark.parametrize("pattern", [None, "RGGB"])
def test_pixels_that_do_not_move_keep_their_values_exactly(rng, pattern):
    image = rng.normal(100, 10, SHAPE).astype(np.float32)
    for number, lattice in enumerate(colour_lattices(pattern)):
        same = resampled(image, moved(), lattice)
        own = np.ones(SHAPE, bool)
        if pattern is not None:
            y, x = np.indices(SHAPE)
            own = np.array(list(pattern))[2 * (y % 2) + x % 2] == "RGB"[number]
        np.testing.assert_allclose(same[own], image[own], rtol=2e-6)


@pytest.mark.parametrize("turn_deg", [0.0, 3.0, 90.0, 180.0])
def test_a_star_keeps_its_light_and_goes_where_it_should(turn_deg):
    y, x = np.indices(SHAPE)
    star = 1000.0 * np.exp(-((y - 30.2) ** 2 + (x - 40.7) ** 2) / (2 * 1.3**2))
    turn = moved(0, 0, turn_deg)
    to_y, to_x = turn.apply(np.array([30.2]), np.array([40.7]))
    shift = np.array([[0, 0, 31.4 - to_y[0]], [0, 0, 38.1 - to_x[0]]])
    there = Transform(matrix=turn.matrix + shift)
    found = np.nan_to_num(resampled(star, there, Lattice()))
    assert found.sum() == pytest.approx(star.sum(), rel=2e-3)
    found[np.hypot(y - 31.4, x - 38.1) > 6] = 0.0  # far arms of the ringing move a moment
    assert (y * found).sum() / found.sum() == pytest.approx(31.4, abs=0.01)
    assert (x * found).sum() / found.sum() == pytest.approx(38.1, abs=0.01)


@pytest.mark.parametrize("pattern", [None, "GBRG"])
def test_beyond_the_edge_there_is_nothing(pattern):
    for lattice in colour_lattices(pattern):
        found = resampled(np.full(SHAPE, 5.0), moved(10.0, 0.0), lattice)
        assert np.isnan(found[:8]).all()
        np.testing.assert_allclose(found[12:], 5.0, rtol=1e-5)


def test_a_missing_pixel_is_a_gap_of_one_pixel(rng):
    image = rng.normal(100, 1, SHAPE)
    image[20, 30] = np.nan
    found = resampled(image, moved(0.2, 0.3), Lattice())
    assert [tuple(place) for place in np.argwhere(np.isnan(found[2:-2, 2:-2])) + 2] == [(20, 30)]
    assert np.nanmax(np.abs(found - 100)) < 8


@settings(max_examples=30, deadline=None)
@given(
    dy=st.floats(-70, 70),
    dx=st.floats(-90, 90),
    turn_deg=st.floats(-180, 180),
    pattern=st.sampled_from([None, "BGGR"]),
    kernel=st.sampled_from(list(KERNELS)),
)
def test_wherever_a_light_lies_an_even_one_gives_its_level_or_nothing(
    dy, dx, turn_deg, pattern, kernel
):
    for lattice in colour_lattices(pattern):
        found = resampled(np.full(SHAPE, 9.0), moved(dy, dx, turn_deg), lattice, kernel)
        np.testing.assert_allclose(found[np.isfinite(found)], 9.0, rtol=1e-4)


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(SettingError, match="nearest"):
        kernel_table("nearest")
