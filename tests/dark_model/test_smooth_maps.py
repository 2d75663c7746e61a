"""What is smooth in a sensor's maps, told from the means of blocks of pixels."""

import numpy as np
import pytest

from solodark.dark_model.block_levels import above_rows, block_levels
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.smooth_maps import SmoothMaps
from solodark.dark_model.survey import Survey
from solodark.frames import cfa_planes

SHAPE = (385, 514)  # neither is a multiple of a block
NOISE_ADU = 5.0
STATES = np.linspace(0.0, 1.0, 12)
DESIGN = np.column_stack([np.ones(STATES.size), STATES])
VARIANCE = np.full(STATES.size, NOISE_ADU**2)
ALL_ROWS = slice(0, SHAPE[0])


def glow_adu(reach=300.0):
    """A lamp in the corner, which each colour sees a little differently."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    glow = 60.0 * np.exp(-np.hypot(y, SHAPE[1] - x) / reach)
    return glow * np.where((y + x) % 2, 1.1, 0.9)


def learned(pattern, rng, cfa="RGGB"):
    """The smooth maps of a library of frames with so much dark signal."""
    frames = (state * pattern + rng.normal(0.0, NOISE_ADU, SHAPE) for state in STATES)
    levels = np.array([block_levels(f.astype(np.float32), cfa, NOISE_ADU) for f in frames])
    return fitted(levels, cfa)


def fitted(levels, cfa="RGGB", design=DESIGN, shape=SHAPE):
    """The smooth maps of frames of such blocks, without banding."""
    n = len(design)
    survey = Survey(np.zeros((n, 4)), np.zeros((n, shape[0])), None, levels, LevelParts(cfa))
    return SmoothMaps.of(survey, survey.profiles, design, VARIANCE[:n], shape)


def test_glow_is_known_far_better_than_any_pixel_in_every_colour(rng):
    smooth = learned(glow_adu(), rng)
    bias, dark = smooth.of_rows(ALL_ROWS).reshape(2, *SHAPE)
    of_a_pixel = NOISE_ADU / np.sqrt(np.sum((STATES - STATES.mean()) ** 2))
    for plane in cfa_planes("RGGB"):
        assert np.std((dark - glow_adu())[plane]) < 0.1 * of_a_pixel
        assert np.std(bias[plane]) < 0.1 * of_a_pixel


@pytest.mark.parametrize("cfa", [None, "RGGB"])
def test_pixels_and_rows_are_told_the_same(rng, cfa):
    smooth = learned(glow_adu(), rng, cfa)
    y, x = rng.integers(0, SHAPE[0], 500), rng.integers(0, SHAPE[1], 500)
    of_rows = smooth.of_rows(ALL_ROWS).reshape(2, *SHAPE)[:, y, x]
    np.testing.assert_allclose(smooth.at(y, x), of_rows, atol=1e-4)
    band = smooth.of_rows(slice(64, 97)).reshape(2, 33, -1)
    whole = smooth.of_rows(ALL_ROWS).reshape(2, *SHAPE)
    np.testing.assert_allclose(band, whole[:, 64:97], atol=1e-4)


def test_hot_pixels_and_rays_leave_no_mark(rng):
    y, x = (rng.integers(0, n, 4000) for n in SHAPE)
    hot = glow_adu()
    hot[y, x] += 5000.0
    without, of = (
        learned(p, np.random.default_rng(4)).of_rows(ALL_ROWS) for p in (glow_adu(), hot)
    )
    assert np.abs(of - without).max() < 0.5


def test_a_cliff_counts_as_nothing_and_makes_no_waves(rng):
    cliff = np.zeros(SHAPE)
    cliff[:, :40] = -2000.0
    _, dark = learned(cliff, rng).of_rows(ALL_ROWS).reshape(2, *SHAPE)
    assert np.all(dark[:, :64] == 0.0)
    assert np.abs(dark).max() < NOISE_ADU


def test_a_sensor_steep_all_over_has_no_smooth_maps(rng):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    waves = 500.0 * np.sin(x / 9.0) * np.sin(y / 9.0)
    assert np.all(learned(waves, rng).of_rows(ALL_ROWS) == 0.0)


def test_maps_that_no_frame_tells_of_stay_flat(rng):
    levels = rng.normal(0.0, 0.2, (STATES.size, 4, 12, 16)).astype(np.float32)
    design = np.column_stack([DESIGN, STATES + rng.normal(0.0, 1e-6, STATES.size)])
    smooth = fitted(levels, design=design).of_rows(ALL_ROWS)
    assert np.abs(smooth).max() < 1.0


def test_banding_is_taken_from_the_blocks_it_lies_in(rng):
    image = rng.normal(0.0, 1.0, SHAPE).astype(np.float32)
    rows = rng.normal(0.0, 8.0, SHAPE[0]).cumsum()[None] / 10.0
    banded = image + rows[0, :, None].astype(np.float32)
    level = block_levels(image, "RGGB", 1.0)
    found = above_rows(block_levels(banded, "RGGB", 20.0)[None], rows)[0]
    np.testing.assert_allclose(found, level, atol=0.5)


def test_a_tiny_frame_is_one_block_and_has_no_smooth_maps(rng):
    image = rng.normal(3.0, 1.0, (9, 14)).astype(np.float32)
    levels = block_levels(image, "RGGB", 1.0)
    assert levels.shape == (4, 1, 1)
    smooth = fitted(np.stack([levels] * 3), design=np.ones((3, 1)), shape=(9, 14))
    assert np.all(smooth.of_rows(slice(0, 9)) == 0.0)  # beyond its level nothing is smooth
