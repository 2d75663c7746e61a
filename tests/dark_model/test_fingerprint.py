"""The fingerprint of a sensor, and the place where it lies in a frame."""

import numpy as np
import pytest

from solodark.dark_model.fine_structure import above_neighbours, prepare
from solodark.dark_model.fingerprint import agreement, part_agreements, sampled_rows
from solodark.dark_model.geometry import find_geometry

SIGMA = 4.0


@pytest.fixture
def pattern(rng):
    """A fifth of the noise on ordinary pixels, and a few hot ones."""
    ordinary = rng.normal(0.0, 0.2 * SIGMA, (192, 256))
    hot = np.where(rng.random(ordinary.shape) < 2e-3, rng.exponential(4000.0, ordinary.shape), 0)
    return (ordinary + hot).astype(np.float32)


@pytest.fixture
def noise(rng, pattern):
    return rng.normal(0.0, SIGMA, pattern.shape).astype(np.float32)


def seen(frame, pattern):
    return agreement(prepare(frame, SIGMA), prepare(pattern, SIGMA))


def test_a_frame_of_the_sensor_shows_its_pattern_as_strong_as_expected(pattern, noise):
    found = seen(pattern + noise, pattern)
    assert found.slope == pytest.approx(1.0, abs=0.05)
    assert found.sigmas > 20


def test_a_frame_of_another_sensor_shows_none_of_it(pattern, noise):
    assert abs(seen(noise + np.roll(pattern, (11, 7), (0, 1)), pattern).sigmas) < 4


def test_light_and_banding_do_not_hide_the_pattern(pattern, noise, rng):
    y, x = np.mgrid[0:1:192j, 0:1:256j]
    rows = rng.normal(0.0, 3.0, (192, 1))
    found = seen(pattern + noise + rows + 60.0 * np.exp(-(x**2) - y), pattern)
    assert found.slope == pytest.approx(1.0, abs=0.1)


def test_a_pattern_that_both_cameras_have_in_their_columns_proves_nothing(pattern, noise):
    ripple = 3.0 * SIGMA * (np.arange(256) % 2)
    other = np.flipud(pattern)
    assert abs(seen(other + noise + ripple, pattern + ripple).sigmas) < 4


def test_half_a_frame_of_another_sensor_shows_in_the_parts(pattern, noise):
    frame = noise + np.where(np.arange(256) < 128, pattern, 0.0)
    slopes = np.array(
        [part.slope for part in part_agreements(prepare(frame, SIGMA), prepare(pattern, SIGMA))]
    )
    left, right = slopes[[4, 5]], slopes[[6, 7]]
    assert np.all(left > 0.7)
    assert np.all(np.abs(right) < 0.3)


def test_rows_of_a_large_frame_are_taken_all_over_it_in_even_strips():
    rows, _ = sampled_rows((4000, 6000))
    assert rows.size <= 180
    assert rows[0] == 0
    assert rows[-1] == 3999
    assert np.all(rows[::2] % 2 == 0)


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda p: p, ""),
        (np.flipud, "upside down"),
        (np.fliplr, "mirrored"),
        (lambda p: np.rot90(p, 2), "turned by 180 degrees"),
        (lambda p: np.rot90(p, -1), "turned by 90 degrees"),
        (lambda p: np.rot90(p, 1), "turned by 270 degrees"),
        (np.transpose, "rows and columns swapped"),
    ],
)
def test_a_turned_and_shifted_frame_tells_how(pattern, rng, turn, words):
    square = prepare(pattern[:192, :192], SIGMA)
    frame = np.roll(turn(square), (5, -3), (0, 1)) + rng.normal(0.0, 1.0, square.shape)
    found = find_geometry(frame.astype(np.float32), square)
    assert found is not None
    assert words in found.orientation
    assert (found.dy, found.dx) == (5, -3)


def test_noise_has_no_geometry(pattern, noise):
    assert find_geometry(prepare(noise, SIGMA), prepare(pattern, SIGMA)) is None


def test_a_glow_that_fits_itself_at_many_places_has_no_geometry(rng):
    y, x = np.mgrid[0:1:192j, 0:1:256j]
    waves = (3.0 * np.sin(25.0 * (x + 2.0 * y) ** 2)).astype(np.float32)
    frame = waves + rng.normal(0.0, 1.0, waves.shape).astype(np.float32)
    assert find_geometry(frame[:, ::-1], waves) is None


def test_a_pattern_is_judged_only_where_the_frame_is_not_steep(pattern, noise):
    cliff = 2000.0 * np.exp(-np.arange(256) / 20.0)
    frame = prepare(pattern + noise + cliff, SIGMA)
    assert np.mean(frame == 0.0) > 0.3
    found = agreement(frame, prepare(pattern, SIGMA))
    assert found.slope == pytest.approx(1.0, abs=0.05)
    assert found.sigmas > 20


def test_two_units_share_their_steep_glow_and_no_pattern(pattern, noise):
    y, x = np.mgrid[:192, :256]
    glow = 3000.0 * np.exp(-np.hypot(y - 60, 256 - x) / 30.0)
    other = np.roll(pattern, (11, 7), (0, 1))
    assert abs(seen(other + noise + glow, pattern + glow).sigmas) < 4


def test_strips_of_a_large_frame_are_not_each_others_neighbours():
    levels = np.repeat(np.array([0.0, 500.0, -300.0]), 6)[:, None]
    strips = np.broadcast_to(levels, (18, 40)).astype(np.float32)
    assert np.all(above_neighbours(strips, 3) == 0.0)
    assert np.any(above_neighbours(strips) != 0.0)


def test_a_masked_margin_narrower_than_a_neighbourhood_is_no_error():
    assert above_neighbours(np.zeros((1, 3), np.float32)).shape == (1, 3)
