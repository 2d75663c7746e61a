import numpy as np
import pytest

from solodark.errors import SettingError
from solodark.evaluation import OneK
from solodark.evaluation.dark_scaling import (
    find_k_least_squares,
    find_k_pixinsight,
    find_k_siril,
    golden_section,
)
from solodark.frames import Acquisition, Frame


@pytest.fixture
def dark(rng):
    """A bias-free master dark whose hot pixels carry nearly all of the pattern."""
    dark = rng.normal(20.0, 0.5, (300, 320))
    hot = rng.random(dark.shape) < 0.02
    dark[hot] += rng.exponential(400.0, hot.sum())
    return dark


def light_of(dark, k, rng):
    return 1000.0 + k * dark + rng.normal(0.0, 4.0, dark.shape)


@pytest.mark.parametrize("k", [0.6, 1.0, 1.7])
def test_every_program_finds_the_k_of_a_dark_that_only_scales(dark, rng, k):
    light = light_of(dark, k, rng)
    assert find_k_siril(light, dark) == pytest.approx(k, abs=0.002)
    assert find_k_least_squares(light, dark, None) == pytest.approx(k, abs=0.01)
    assert find_k_least_squares(light, dark, "RGGB") == pytest.approx(k, abs=0.01)


def test_pixinsight_finds_k_where_hot_pixels_rise_from_nothing(rng):
    dark = np.abs(rng.normal(0.0, 0.5, (300, 320)))
    hot = rng.random(dark.shape) < 0.005
    dark[hot] += rng.exponential(60.0, hot.sum())
    light = light_of(dark, 1.3, rng)
    assert find_k_pixinsight(light, dark, None) == pytest.approx(1.3, abs=0.1)
    assert find_k_pixinsight(light, dark, "GRBG") == pytest.approx(1.3, abs=0.1)


def test_pixinsight_leaves_its_first_bracket_and_siril_does_not(rng):
    dark = np.zeros((256, 256))
    dark[rng.random(dark.shape) < 0.004] = 12.0
    light = light_of(dark, 3.0, rng)
    assert find_k_pixinsight(light, dark, None) > 2.3
    assert find_k_siril(light, dark) == pytest.approx(2.0, abs=0.003)


def test_only_the_centre_counts_for_siril(rng):
    dark = rng.exponential(30.0, (700, 800))
    light = light_of(dark, 1.2, rng)
    light[:80] += 0.8 * dark[:80]
    assert find_k_siril(light, dark) == pytest.approx(1.2, abs=0.003)


def test_the_best_k_ignores_pixels_that_changed(dark, rng):
    light = light_of(dark, 0.8, rng)
    changed = rng.random(dark.shape) < 0.002
    light[changed] += 20000.0
    assert find_k_least_squares(light, dark, None) == pytest.approx(0.8, abs=0.02)


def test_golden_section_ends_within_its_tolerance():
    assert golden_section(lambda x: abs(x - 1.234), 0.5, 4.4, tolerance=1e-5) == pytest.approx(
        1.234, abs=1e-5
    )


def test_one_k_gives_bias_plus_k_times_dark(dark, rng):
    bias = rng.normal(1000.0, 5.0, dark.shape)
    master = Frame(bias + dark, Acquisition(exposure_s=60.0))
    sub = Frame(bias + 1.4 * dark + rng.normal(0.0, 4.0, dark.shape))
    estimate = OneK(master, bias, "best")(sub)
    assert np.std(estimate - (bias + 1.4 * dark)) < 0.5
    assert OneK(master, bias, "Siril").find_k(sub) == pytest.approx(1.4, abs=0.002)


def test_an_unknown_way_to_scale_is_refused():
    with pytest.raises(SettingError, match="expected PixInsight, Siril or best"):
        OneK(Frame(np.zeros((4, 4))), np.zeros((4, 4)), "DSS")
