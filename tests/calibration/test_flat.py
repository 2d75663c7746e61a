"""A flat is a ratio: no lamp, no bias and no dead pixel in it."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.calibration import normalised_flat
from solodark.errors import FrameFormatError, FrameMismatchError
from solodark.frames import FrameKind, PixelFlags

from .conftest import SHAPE, master


def flat(data, **acquisition):
    return master(data, uncertainty=30.0, kind=FrameKind.FLAT, exposure_s=1.0, **acquisition)


def test_the_colour_of_the_lamp_goes():
    lamp = np.empty(SHAPE)
    lamp[0::2, 0::2], lamp[0::2, 1::2], lamp[1::2, 0::2], lamp[1::2, 1::2] = 9e3, 2e4, 2.1e4, 5e3
    normalised = normalised_flat(flat(lamp, cfa_pattern="RGGB"))
    np.testing.assert_allclose(normalised.response, 1.0, rtol=1e-6)
    blue, red = normalised.uncertainty[1, 1], normalised.uncertainty[0, 0]
    assert blue == pytest.approx(30 / 5e3)
    assert red == pytest.approx(30 / 9e3)


def test_half_the_light_is_half_the_response_only_without_the_bias():
    shade = np.full(SHAPE, 10_500.0)
    shade[:10] = 5_500.0
    bias = master(500.0, uncertainty=40.0, kind=FrameKind.BIAS)
    normalised = normalised_flat(flat(shade), offset=bias)
    assert normalised.response[0, 0] == pytest.approx(0.5)
    assert normalised.uncertainty[20, 20] == pytest.approx(50.0 / 10_000)
    assert normalised_flat(flat(shade)).response[0, 0] > 0.52
    assert "still in it" in normalised_flat(flat(shade)).notes[0]


def test_a_black_level_of_the_header_stands_for_the_bias():
    shade = np.full(SHAPE, 10_500.0)
    shade[:10] = 5_500.0
    assert normalised_flat(flat(shade, black_level_adu=500.0)).response[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("value", [0.0, -50.0, np.nan, np.inf, 300.0])
def test_pixels_without_response_are_dead_and_never_infinite(value):
    holed = np.full(SHAPE, 10_000.0)
    holed[3, 4] = value
    normalised = normalised_flat(flat(holed))
    assert np.isfinite(normalised.response).all()
    assert (normalised.response > 0).all()
    assert [tuple(where) for where in np.argwhere(normalised.dead)] == [(3, 4)]


def test_a_saturated_pixel_of_the_flat_is_dead():
    bright = flat(np.full(SHAPE, 10_000.0))
    bright.flags[2, 2] = PixelFlags.SATURATED
    assert normalised_flat(bright).dead[2, 2]


@pytest.mark.parametrize("pattern", [None, "RGGB"])
def test_a_flat_that_is_mostly_zero_is_refused(pattern):
    zeros = np.zeros(SHAPE)
    zeros[:10] = 10_000.0
    with pytest.raises(FrameFormatError, match=r"75%.*do not respond"):
        normalised_flat(flat(zeros, cfa_pattern=pattern))
    with pytest.raises(FrameFormatError, match="100%"):
        normalised_flat(flat(np.zeros(SHAPE), cfa_pattern=pattern))


def test_a_flat_without_one_colour_is_refused():
    blueless = np.full(SHAPE, 10_000.0)
    blueless[1::2, 1::2] = 0.0
    with pytest.raises(FrameFormatError, match="one colour"):
        normalised_flat(flat(blueless, cfa_pattern="RGGB"))


def test_a_bias_above_the_flat_is_refused():
    with pytest.raises(FrameFormatError, match="do not respond"):
        normalised_flat(flat(np.full(SHAPE, 900.0)), offset=master(1000.0))


def test_a_bias_of_another_size_is_refused():
    small = replace(master(500.0), data=np.zeros((4, 4), np.float32))
    with pytest.raises(FrameMismatchError, match="its bias"):
        normalised_flat(flat(np.full(SHAPE, 9e3)), offset=small)


def test_the_flat_is_as_it_was():
    given = flat(np.full(SHAPE, 9e3))
    normalised_flat(given)
    assert (given.data == 9e3).all()
