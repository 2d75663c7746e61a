"""What a frame's pixels say about it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solodark.frames import Acquisition, Frame
from solodark.frames.sensor_sample import sample_positions
from solodark.frames.statistics import N_SAMPLE, FrameStatistics, measure_statistics


def noise_frame(rng, shape=(400, 600), level=1000.0, sigma=8.0):
    return rng.normal(level, sigma, shape).round()


def measure(data, **acquisition) -> FrameStatistics:
    return measure_statistics(Frame(data, Acquisition(**acquisition)))


def star(data, y, x, peak, sigma=1.2):
    yy, xx = np.mgrid[: data.shape[0], : data.shape[1]]
    return data + peak * np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * sigma**2))


def test_level_and_noise_of_plain_noise_come_out_right(rng):
    found = measure(noise_frame(rng))
    assert found.mean_level_adu == pytest.approx(1000.0, abs=0.1)
    assert found.mean_noise_adu == pytest.approx(8.0, rel=0.02)


def test_coarse_steps_of_the_converter_do_not_move_level_or_noise(rng):
    finely = rng.normal(1000.7, 8.0, (800, 800))
    found = measure(np.round(finely / 4) * 4)
    assert found.mean_level_adu == pytest.approx(1000.7, abs=0.15)
    assert found.mean_noise_adu == pytest.approx(np.hypot(8.0, 4 / np.sqrt(12)), rel=0.02)


def test_each_colour_plane_has_its_own_level(rng):
    data = noise_frame(rng)
    data[0::2, 1::2] += 40.0
    found = measure(data, cfa_pattern="RGGB")
    assert np.allclose(found.level_adu, (1000, 1040, 1000, 1000), atol=0.3)
    assert np.allclose(found.noise_adu, 8.0, rtol=0.03)


def test_hot_pixels_neither_move_the_level_nor_count_as_stars(rng):
    data = noise_frame(rng)
    hot = rng.random(data.shape) < 0.02
    data[hot] += 2000.0
    found = measure(data)
    assert found.mean_level_adu == pytest.approx(1000.0, abs=0.4)
    assert found.fraction_hot == pytest.approx(hot.mean(), rel=0.01)
    assert found.n_stars == 0


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_stars_are_counted_and_told_from_hot_pixels(rng, cfa_pattern):
    data = noise_frame(rng)
    for y, x in ((50.2, 60.7), (120.5, 300.1), (201.0, 410.0), (330.4, 90.3)):
        data = star(data, y, x, peak=900.0)
    found = measure(data, cfa_pattern=cfa_pattern)
    assert found.n_stars == 4


def test_a_star_seen_by_one_colour_alone_is_a_star(rng):
    data = noise_frame(rng)
    lit = star(data, 200.0, 300.0, peak=2000.0, sigma=2.0)
    data[0::2, 0::2] = lit[0::2, 0::2]
    assert measure(data, cfa_pattern="RGGB").n_stars == 1


def test_a_cosmic_ray_is_no_star(rng):
    data = noise_frame(rng)
    for step in range(12):
        data[100 + step, 200 + step // 3] += 900.0
    assert measure(data).n_stars == 0


def test_the_hottest_pixels_are_listed_where_they_are(rng):
    data = noise_frame(rng)
    data[37, 401] += 5000.0
    data[300, 11] += 9000.0
    found = measure(data)
    assert found.hot_pixels_yx.tolist() == [[300, 11], [37, 401]]
    assert np.allclose(found.hot_pixels_adu, (9000, 5000), atol=40)


def test_the_sample_holds_the_pixels_at_the_fixed_places(rng):
    data = noise_frame(rng)
    y, x = sample_positions(data.shape, N_SAMPLE)
    assert np.array_equal(measure(data).sample_adu, data[y, x].astype(np.float32))


def test_sample_residuals_are_free_of_level_and_gradient(rng):
    tilt = np.linspace(0, 200, 600)[np.newaxis, :]
    found = measure(noise_frame(rng) + tilt)
    assert abs(float(np.median(found.sample_residuals_adu))) < 1.0
    assert float(np.std(found.sample_residuals_adu)) < 9.5


def test_a_gradient_shows_in_the_blocks(rng):
    flat, tilted = noise_frame(rng), noise_frame(rng) + np.linspace(0, 50, 600)
    assert measure(flat).gradient_adu < 2.0
    assert measure(tilted).gradient_adu == pytest.approx(45, rel=0.1)


def test_banding_of_rows_is_told_from_that_of_columns(rng):
    rows = noise_frame(rng) + rng.normal(0, 3.0, (400, 1))
    found = measure(rows)
    assert found.row_structure_adu == pytest.approx(3.0, rel=0.15)
    assert found.column_structure_adu < 0.5


def test_a_frame_at_its_ceiling_is_saturated_even_where_the_header_is_silent(rng):
    data = np.minimum(noise_frame(rng) + rng.exponential(500, (400, 600)), 2000.0)
    at_ceiling = float((data == 2000.0).mean())
    assert measure(data).fraction_saturated == pytest.approx(at_ceiling)
    assert measure(data, saturation_adu=1500.0).fraction_saturated > at_ceiling


def test_one_brightest_pixel_is_no_ceiling(rng):
    assert measure(noise_frame(rng)).fraction_saturated == 0.0


def test_not_finite_pixels_are_counted_and_kept_out_of_the_level(rng):
    data = noise_frame(rng).astype(np.float32)
    data[10:20] = np.nan
    found = measure(data)
    assert found.fraction_not_finite == pytest.approx(10 / 400)
    assert found.mean_level_adu == pytest.approx(1000.0, abs=0.3)


@pytest.mark.parametrize("value", [0.0, 65535.0, np.nan])
def test_a_constant_frame_has_no_noise_no_stars_and_no_hot_pixels(value):
    found = measure(np.full((100, 130), value))
    assert (found.mean_noise_adu, found.n_stars, found.fraction_hot) == (0.0, 0, 0.0)


def test_bands_of_sixteen_bit_pixels_give_what_a_frame_in_memory_gives(rng):
    pixels = noise_frame(rng).astype(np.uint16)
    frame = Frame(pixels)

    class Source:
        name, shape, acquisition = "open file", pixels.shape, Acquisition()

        def read_rows(self, start, stop):
            return pixels[start:stop]

    for name in FrameStatistics.__slots__:
        first, second = (getattr(measure_statistics(source), name) for source in (Source(), frame))
        assert np.array_equal(first, second), name


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    cfa_pattern=st.sampled_from([None, "GBRG"]),
)
def test_frames_of_any_size_are_measured(shape, cfa_pattern):
    data = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    if cfa_pattern and min(shape) < 2:
        shape = (max(shape[0], 2), max(shape[1], 2))
        data = np.resize(data, shape)
    found = measure(data, cfa_pattern=cfa_pattern)
    assert (found.minimum_adu, found.maximum_adu) == (data.min(), data.max())
    assert found.sample_residuals_adu.shape == found.sample_adu.shape
    assert len(found.level_adu) == found.block_levels_adu.shape[0]


def test_measuring_changes_nothing(rng):
    frame = Frame(noise_frame(rng))
    before = frame.data.copy()
    first, second = measure_statistics(frame), measure_statistics(replace(frame, name="again"))
    assert np.array_equal(frame.data, before)
    assert first.level_adu == second.level_adu
