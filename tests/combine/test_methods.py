"""Every method equals plain numpy on every kind of stack."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from solodark.combine import METHODS, combine
from solodark.errors import FrameMismatchError, NotEnoughFramesError, SettingError
from solodark.frames import Acquisition, Frame, PixelFlags

MODEST = settings(max_examples=40, deadline=None, derandomize=True)
methods = st.sampled_from(sorted(METHODS))
limits = st.sampled_from([1.0, 1.5, 2.0, 3.0, 4.5, np.inf])


@st.composite
def uint16_stacks(draw):
    n = draw(st.integers(1, 24))
    spread = draw(st.sampled_from([0, 1, 2, 10, 1000, 65535]))
    low = draw(st.integers(0, 65535 - spread))
    return draw(arrays(np.uint16, (n, 3, 5), elements=st.integers(low, low + spread)))


@st.composite
def float32_stacks(draw):
    n = draw(st.integers(1, 24))
    value = st.floats(-1000.0, 70000.0, width=32)
    return draw(arrays(np.float32, (n, 3, 5), elements=value | st.just(np.float32(np.nan))))


@MODEST
@given(uint16_stacks(), methods, limits, limits)
def test_integers_are_combined_as_plain_numpy_does(equals_plain, stack, method, low, high):
    combined = combine(stack, method=method, sigma_low=low, sigma_high=high)
    equals_plain(
        combined, stack, method, sigma_low=low, sigma_high=high, step=step_of(stack[:, :2])
    )


@MODEST
@given(float32_stacks(), methods, limits, limits)
def test_floats_with_holes_are_combined_as_plain_numpy_does(equals_plain, stack, method, low, high):
    combined = combine(stack, method=method, sigma_low=low, sigma_high=high)
    equals_plain(combined, stack, method, sigma_low=low, sigma_high=high)


def step_of(values):
    bits = int(np.bitwise_or.reduce(values.reshape(-1) ^ values.reshape(-1)[0]))
    return bits & -bits


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("n", [4, 5, 20, 33, 100])
def test_noise_with_cosmic_rays_is_combined_as_plain_numpy_does(equals_plain, rng, method, n):
    stack = rng.normal(1000.0, 8.0, (n, 10, 20))
    stack[rng.random(stack.shape) < 0.02] += 3000.0
    stack[rng.random(stack.shape) < 0.02] -= 500.0
    stack = stack.round().astype(np.uint16)
    equals_plain(combine(stack, method=method), stack, method, step=1.0)
    stack = stack.astype(np.float32) * np.float32(1.01)
    equals_plain(combine(stack, method=method), stack, method)


@pytest.mark.parametrize("shape", ["uniform", "heavy", "two_levels"])
def test_any_distribution_is_winsorised_as_plain_numpy_does(equals_plain, rng, shape):
    size = (40, 10, 12)
    stack = {
        "uniform": rng.random(size),
        "heavy": rng.standard_cauchy(size),
        "two_levels": rng.integers(0, 2, size) + 0.01 * rng.standard_normal(size),
    }[shape].astype(np.float32)
    for k in (1.0, 1.4, 1.6, 2.0, 3.0):
        combined = combine(stack, method="winsorized", sigma_low=k, sigma_high=2 * k)
        equals_plain(combined, stack, "winsorized", sigma_low=k, sigma_high=2 * k)


def test_a_constant_stack_is_returned_with_no_uncertainty():
    for method in METHODS:
        combined = combine(np.full((9, 2, 3), 777, np.uint16), method=method)
        assert (combined.data == 777.0).all()
        assert (combined.uncertainty == 0.0).all()
        assert (combined.n_used == 9).all()


def test_equal_values_beside_rejected_ones_have_no_uncertainty():
    stack = np.full((15, 3, 5), 8321.0, np.float32)
    stack[6, 2, 0], stack[14, 2, 0] = 0.0, 128.15
    combined = combine(stack, method="sigma", sigma_low=1.0, sigma_high=1.0)
    assert combined.n_rejected_low[2, 0] == 2
    assert (combined.data == 8321.0).all()
    assert (combined.uncertainty == 0.0).all()


@pytest.mark.parametrize("method", ["sigma", "winsorized"])
def test_cosmic_rays_vanish(rng, method):
    darks = rng.normal(500.0, 6.0, (20, 40, 50)).round().astype(np.uint16)
    clean = combine(darks)
    struck = darks.copy()
    rays = np.unravel_index(rng.permutation(40 * 50)[:300], (40, 50))
    struck[rng.integers(0, 20, 300), *rays] += 5000
    combined = combine(struck, method=method)
    assert (combined.n_rejected_high[rays] >= 1).all()
    assert np.abs(combined.data - clean.data)[rays].max() < 6.0 * 5 / np.sqrt(20)


def test_a_ray_among_six_frames_escapes_sigma_clipping_but_not_winsorising(rng):
    darks = rng.normal(500.0, 6.0, (6, 10, 10)).round().astype(np.uint16)
    darks[2] += 4000
    assert (combine(darks, method="sigma").n_rejected_high == 0).all()
    assert (combine(darks, method="winsorized").n_rejected_high >= 1).all()


def test_dropouts_are_counted_as_low_and_rays_as_high(rng):
    darks = rng.normal(500.0, 6.0, (20, 30, 30)).round().astype(np.uint16)
    darks[4, 3, 3], darks[5, 7, 7] = 0, 60000
    combined = combine(darks, method="winsorized", sigma_low=6.0, sigma_high=6.0)
    assert (combined.n_rejected_low[3, 3], combined.n_rejected_high[3, 3]) == (1, 0)
    assert (combined.n_rejected_low[7, 7], combined.n_rejected_high[7, 7]) == (0, 1)
    assert combined.rejected_fraction_low == combined.n_rejected_low.sum() / darks.size
    assert combined.rejected_fraction_high == combined.n_rejected_high.sum() / darks.size


def test_each_limit_guards_its_own_side(rng):
    darks = rng.normal(500.0, 6.0, (20, 30, 30)).astype(np.float32)
    combined = combine(darks, method="winsorized", sigma_low=np.inf, sigma_high=2.0)
    assert combined.rejected_fraction_low == 0.0
    assert combined.rejected_fraction_high > 0.01


@pytest.mark.parametrize("method", ["sigma", "winsorized"])
def test_without_a_limit_nothing_is_rejected_even_where_most_values_are_equal(method):
    darks = np.full((12, 2, 2), 500.0, np.float32)
    darks[3], darks[4, 0, 0] = 800.0, 100.0
    combined = combine(darks, method=method, sigma_low=2.0, sigma_high=np.inf)
    assert (combined.n_rejected_high == 0).all()
    if method == "winsorized":
        assert combined.n_rejected_low.tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("n", [3, 4, 5, 8, 20, 60])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_uncertainty_is_the_error_there_is(rng, method, n):
    darks = rng.normal(300.0, 5.0, (n, 200, 200)).astype(np.float32)
    combined = combine(darks, method=method)
    error = np.mean((combined.data - 300.0) ** 2)
    claimed = np.mean(combined.uncertainty.astype(np.float64) ** 2)
    assert np.sqrt(error / claimed) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("method", ["mean", "median"])
def test_without_rejection_the_uncertainty_is_right_within_two_percent(rng, method):
    for n in (2, 3, 4, 9, 20):
        combined = combine(rng.normal(300.0, 5.0, (n, 300, 300)).astype(np.float32), method=method)
        error = np.mean((combined.data - 300.0) ** 2)
        claimed = np.mean(combined.uncertainty.astype(np.float64) ** 2)
        assert np.sqrt(error / claimed) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("n", [3, 12])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_noise_of_one_frame_is_found(rng, method, n):
    darks = rng.normal(300.0, 5.0, (n, 100, 100)).astype(np.float32)
    darks[:, :3] = np.nan
    assert combine(darks, method=method).noise_adu == pytest.approx(5.0, rel=0.05)
    assert np.isnan(combine(darks[:1], method=method).noise_adu)


def test_winsorising_honest_noise_rejects_under_one_percent(rng):
    darks = rng.normal(1000.0, 8.0, (20, 100, 100)).astype(np.float32)
    combined = combine(darks, method="winsorized")
    assert 0.004 < combined.rejected_fraction_low + combined.rejected_fraction_high < 0.01


@pytest.mark.parametrize("shift", [0, 2, 4])
@pytest.mark.parametrize("method", ["sigma", "winsorized"])
def test_noise_below_the_converters_step_is_not_taken_for_outliers(rng, shift, method):
    darks = rng.normal(100.4, 0.25, (20, 60, 60)).round().astype(np.uint16) << shift
    assert (combine(darks, method=method).n_used == 20).mean() > 0.99
    rounded = combine(darks, method=method).data.mean() / 2**shift
    assert rounded == pytest.approx(darks.mean() / 2**shift, abs=0.001)


def test_one_frame_is_its_own_master_and_knows_no_uncertainty(rng):
    dark = rng.integers(0, 60000, (1, 4, 6)).astype(np.uint16)
    for method in METHODS:
        combined = combine(dark, method=method)
        assert (combined.data == dark[0]).all()
        assert np.isnan(combined.uncertainty).all()
        assert (combined.n_used == 1).all()
        assert not combined.flags.any()


def test_two_frames_are_averaged_whatever_the_method():
    darks = np.array([[[10, 20]], [[14, 60000]]], np.uint16)
    for method in METHODS:
        combined = combine(darks, method=method)
        assert combined.data.tolist() == [[12.0, 30010.0]]
        assert combined.uncertainty[0, 0] == pytest.approx(2.0)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_missing_values_are_skipped_and_a_pixel_without_any_is_dead(method):
    darks = np.full((4, 2, 2), 5.0, np.float32)
    darks[:, 0, 0] = np.nan
    darks[1:, 0, 1] = np.nan
    darks[0, 1, 0] = np.inf
    combined = combine(darks, method=method)
    assert np.isnan(combined.data[0, 0])
    assert np.isnan(combined.uncertainty[0, 0])
    assert combined.flags.tolist() == [[PixelFlags.DEAD, 0], [0, 0]]
    assert combined.data[0, 1] == combined.data[1, 0] == 5.0
    assert combined.n_used.tolist() == [[0, 1], [3, 4]]


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("n", [4, 5])
def test_a_pixel_is_saturated_when_most_of_its_values_are_at_full_scale(method, n):
    darks = np.full((n, 1, 4), 60000, np.uint16)
    for x in range(4):
        darks[: x + 1, 0, x] = 65535
    flags = combine(darks, method=method, sigma_low=np.inf, sigma_high=np.inf).flags[0]
    expected = [PixelFlags.SATURATED if 2 * (x + 1) > n else 0 for x in range(4)]
    assert flags.tolist() == expected


def test_half_of_the_survivors_at_full_scale_is_not_most_of_them():
    darks = np.array([np.nan, 9.0, 9.0, 5.0, 5.0], np.float32).reshape(5, 1, 1)
    assert not combine(darks, saturation_adu=9.0).flags.any()
    darks[4] = 9.0
    assert combine(darks, saturation_adu=9.0).flags.all()


def test_three_values_survive_and_of_two_that_are_equally_far_the_higher_is_one():
    darks = np.array([0.0, 100.0, 100.0, 200.0], np.float32).reshape(4, 1, 1)
    combined = combine(darks, method="winsorized", sigma_low=1.0, sigma_high=1.0)
    assert combined.data == pytest.approx(400.0 / 3)
    assert (combined.n_rejected_low, combined.n_rejected_high) == (1, 0)


def test_a_cosmic_ray_at_full_scale_does_not_saturate_the_master(rng):
    darks = rng.normal(500.0, 6.0, (12, 4, 4)).round().astype(np.uint16)
    darks[3] = 65535
    assert not combine(darks, method="winsorized").flags.any()


def test_full_scale_of_the_camera_can_be_given():
    darks = np.full((5, 2, 2), 16383, np.uint16)
    assert not combine(darks).flags.any()
    assert (combine(darks, saturation_adu=16383).flags == PixelFlags.SATURATED).all()
    assert not combine(darks.astype(np.float32)).flags.any()


@pytest.mark.parametrize("dtype", ["u1", ">u2", ">f4", "f8", "i4"])
def test_pixels_of_other_types_are_combined_too(rng, equals_plain, dtype):
    darks = rng.integers(50, 90, (6, 4, 5)).astype(dtype)
    step = 1.0 if np.dtype(dtype).kind == "u" else 0.0
    equals_plain(combine(darks, method="winsorized"), darks, "winsorized", step=step)


def test_frames_of_integers_and_floats_mix(rng, equals_plain):
    darks = rng.integers(50, 90, (6, 4, 5))
    sources = [Frame(dark, Acquisition(), f"{i}") for i, dark in enumerate(darks)]
    equals_plain(combine(sources, method="median"), darks, "median")


def test_frames_are_not_changed(rng):
    darks = rng.integers(0, 65535, (7, 6, 8)).astype(np.uint16)
    before = darks.copy()
    combine(darks, method="winsorized")
    assert (darks == before).all()


def test_frames_of_another_size_are_refused_by_name():
    frames = [Frame(np.zeros((4, 4)), name=f"{i}.fit") for i in range(3)]
    with pytest.raises(FrameMismatchError, match=r"6 x 4 pixels in odd\.fit"):
        combine([*frames, Frame(np.zeros((4, 6)), name="odd.fit")])


def test_settings_that_mean_nothing_are_refused():
    darks = np.zeros((3, 2, 2), np.uint16)
    with pytest.raises(SettingError, match="no method 'average'; expected one of mean, median"):
        combine(darks, method="average")
    with pytest.raises(SettingError, match="found sigma_low = -1"):
        combine(darks, sigma_low=-1)
    with pytest.raises(SettingError, match="found sigma_high = nan"):
        combine(darks, sigma_high=np.nan)
    with pytest.raises(SettingError, match="found iterations = 0"):
        combine(darks, iterations=0)
    with pytest.raises(SettingError, match="expected \\(n, ny, nx\\)"):
        combine(darks[0])
    with pytest.raises(NotEnoughFramesError, match="found 0 frames"):
        combine([])
