"""The update of every pixel by one sub: beside the same mixture in plain double precision."""

import numpy as np
import pytest

from solodark.dark_model.model import decoded_weights
from solodark.dark_model.update_kernel import PixelNumbers, SubNumbers, update_pixels

SHAPE = (6, 300)  # a strip and a part of one
GRID = np.array([0.0, 1.0, 8.0, 64.0, 512.0, 4096.0])
CHANGES = 20.0 * 64.0 * 8.0 ** np.arange(8)
NUMBERS = SubNumbers(
    frame_variance=20.0,
    slope=0.4,
    curvature=1e-5,
    censor_adu=30_000.0,
    ceiling_adu=np.inf,
    changed_share=1e-4,
    cosmic_share=3e-5,
)


@pytest.fixture
def pixels(rng):
    """Pixels of all kinds: ordinary, hot, surprising a little, and by far."""
    pattern = rng.normal(0.0, 2.0, SHAPE)
    hot = rng.random(SHAPE) < 0.1
    pattern[hot] += 10.0 ** rng.uniform(1.0, 4.0, hot.sum())
    deviation = rng.normal(0.0, np.sqrt(20.0 + 0.4 * np.maximum(pattern, 0.0)))
    surprising = rng.random(SHAPE) < 0.03
    deviation[surprising] += rng.normal(0.0, 1000.0, surprising.sum())
    codes = rng.integers(60, 240, (GRID.size, *SHAPE))
    codes[3:] = np.where(rng.random((GRID.size - 3, *SHAPE)) < 0.8, 0, codes[3:])
    return {
        "pattern": pattern.astype(np.float32),
        "field": rng.normal(0.0, 0.3, SHAPE).astype(np.float32),
        "deviation": deviation.astype(np.float32),
        "variance": rng.uniform(0.2, 3.0, SHAPE).astype(np.float32),
        "excess": rng.uniform(0.7, 3.0, SHAPE).astype(np.float32),
        "scatter": codes.astype(np.uint8),
    }


def update(pixels, numbers=NUMBERS):
    weights = decoded_weights().astype(np.float32)
    given = {name: values.copy() for name, values in pixels.items()}  # some give their memory
    return update_pixels(PixelNumbers(**given), weights, GRID, CHANGES, numbers)


def test_every_pixel_gets_mean_and_variance_of_the_mixture(pixels):
    mean, variance, changed = update(pixels)
    for y, x in np.ndindex(*SHAPE):
        expected = plain_mixture(pixels, y, x)
        sigma = np.sqrt(expected[1])
        assert mean[y, x] == pytest.approx(expected[0], abs=1e-3 * sigma)
        assert variance[y, x] == pytest.approx(expected[1], rel=1e-3)
        assert changed[y, x] == (expected[2] > 0.5)


def test_parts_that_no_pixel_of_a_strip_has_count_for_nothing(pixels):
    pixels["scatter"][1:] = 0
    mean, variance, _ = update(pixels)
    for y, x in ((0, 0), (3, 299)):
        expected = plain_mixture(pixels, y, x)
        assert mean[y, x] == pytest.approx(expected[0], abs=1e-3 * np.sqrt(expected[1]))
        assert variance[y, x] == pytest.approx(expected[1], rel=1e-3)


def test_a_pixel_without_a_value_stays_as_predicted(pixels):
    pixels["deviation"][2, 5] = np.nan
    mean, variance, changed = update(pixels)
    weights = decoded_weights()[pixels["scatter"][:, 2, 5]]
    assert mean[2, 5] == pixels["pattern"][2, 5] + pixels["field"][2, 5]
    assert variance[2, 5] == pytest.approx(pixels["variance"][2, 5] + weights @ GRID, rel=1e-5)
    assert not changed[2, 5]
    assert np.isfinite(mean).all()
    assert np.isfinite(variance).all()


def test_a_pixel_that_is_full_as_expected_shows_what_it_shows(pixels):
    pixels["pattern"][1, 7], pixels["deviation"][1, 7] = 41_000.0, 400.0
    mean = update(pixels, NUMBERS._replace(ceiling_adu=41_200.0))[0]
    assert mean[1, 7] == pytest.approx(41_400.0, abs=1.0)


def test_a_nearly_full_pixel_is_no_reason_to_take_over_the_noise_of_the_sub(pixels):
    sigma = np.sqrt(NUMBERS.frame_variance + (0.4 + 1e-5 * 31_000.0) * 31_000.0)
    pixels["pattern"][1, 7], pixels["deviation"][1, 7] = 31_000.0, sigma
    pixels["excess"][1, 7], pixels["scatter"][:, 1, 7] = 1.0, [255, 0, 0, 0, 0, 0]
    expected = pixels["pattern"][1, 7] + pixels["field"][1, 7]
    mean, _, changed = update(pixels)
    assert abs(mean[1, 7] - expected) < 0.2 * sigma
    assert not changed[1, 7]


def test_a_nearly_full_pixel_far_from_what_was_foretold_is_not_linear_and_believed(pixels):
    pixels["pattern"][1, 7], pixels["deviation"][1, 7] = 39_000.0, -5_000.0
    mean, _, changed = update(pixels)
    assert mean[1, 7] == pytest.approx(34_000.0, abs=300.0)
    assert not changed[1, 7]


def test_a_newborn_hot_pixel_is_believed_and_a_cosmic_ray_is_not(pixels):
    pixels["deviation"][:] = 0.0
    pixels["pattern"][:] = 0.0
    pixels["scatter"][:] = 0
    pixels["scatter"][0] = 255
    pixels["deviation"][3, 100] = 3000.0
    aged = NUMBERS._replace(changed_share=1e-3, cosmic_share=1e-7)
    fresh = NUMBERS._replace(changed_share=1e-7, cosmic_share=1e-3)
    assert update(pixels, aged)[0][3, 100] == pytest.approx(3000.0, rel=0.05)
    assert abs(update(pixels, fresh)[0][3, 100]) < 30.0


def test_a_bright_neighbour_makes_a_cosmic_ray_of_a_newborn_pixel(pixels):
    pixels["deviation"][:] = 0.0
    pixels["pattern"][:] = 0.0
    pixels["scatter"][:] = 0
    pixels["scatter"][0] = 255
    pixels["deviation"][3, 255:257] = 3000.0  # on both sides of a strip's end
    pixels["deviation"][0, 0] = 3000.0
    mean = update(pixels, NUMBERS._replace(changed_share=1e-4, cosmic_share=1e-4))[0]
    assert mean[0, 0] > 2000.0
    assert np.abs(mean[3, 255:257]).max() < 30.0


def test_a_track_is_a_cosmic_ray_even_where_pixels_change_often(pixels):
    for name in ("deviation", "pattern", "scatter"):
        pixels[name][:] = 0
    pixels["scatter"][0] = 255
    pixels["deviation"][3, 254:257] = 200.0, 300.0, 70.0
    pixels["deviation"][1, 100:102] = 300.0
    often = NUMBERS._replace(changed_share=2e-3, cosmic_share=1e-5)
    mean = update(pixels, often)[0]
    assert np.abs(mean[3, 254:257]).max() < 15.0
    assert mean[1, 100:102].min() > 100.0  # two may be by chance


def plain_mixture(pixels, y, x):
    """Mean, variance and chance of change of one pixel, as the formulas say."""
    signal = float(pixels["pattern"][y, x]) + float(pixels["field"][y, x])
    error, known = float(pixels["deviation"][y, x]), float(pixels["variance"][y, x])
    born, hit = chances(pixels, y, x, signal, error)
    shares, extra = parts(pixels["scatter"][:, y, x], born + hit)
    is_change = np.arange(shares.size) >= GRID.size
    believed = np.where(is_change, born**3 / (born**3 + hit**3), 1.0)
    prior = known + extra
    gain = prior / (prior + noise(pixels, y, x, signal))
    v = noise(pixels, y, x, signal + gain * error)
    gain = prior / (prior + v)
    logs = np.log(shares + 1e-300) - 0.5 * np.log(prior + v) - 0.5 * error**2 / (prior + v)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    means = np.concatenate([gain * error, np.zeros(gain.size)])
    spreads = np.concatenate([gain * v, np.full(gain.size, known)])
    weights = np.concatenate([weights * believed, weights * (1.0 - believed)])
    mean = weights @ means
    variance = weights @ (spreads + (means - mean) ** 2)
    return signal + mean, variance, weights[: gain.size][is_change].sum()


def chances(pixels, y, x, signal, error):
    beside, near = (
        bright(pixels)[max(y - k, 0) : y + k + 1, max(x - k, 0) : x + k + 1].sum()
        - int(bright(pixels)[y, x])
        for k in (1, 2)
    )
    kind = 0 if not beside else 1 if near < 2 else 2  # alone, with one other, on a track
    born = NUMBERS.changed_share * (0.98, 0.02 * 0.95, 0.02 * 0.05)[kind]
    if signal > 0 and signal**2 > 100.0 * noise(pixels, y, x, signal):
        born = max(born, 1e-3)
    hit = NUMBERS.cosmic_share * (0.3, 0.35, 0.35)[kind] * (2.0 if error > 0 else 0.0)
    return born, hit


def parts(codes, change):
    own = np.concatenate([np.zeros(3), decoded_weights()[codes]])
    tail = 1.0 / 1.0111, 0.01, 0.001, 0.0001
    shares = sum(part * own[3 - back : own.size - back] for back, part in enumerate(tail))
    changes = np.full(CHANGES.size, change / CHANGES.size)
    return np.concatenate([shares, changes]), np.concatenate([GRID, CHANGES])


def bright(pixels):
    signal = pixels["pattern"].astype(float) + pixels["field"]
    positive = np.maximum(signal, 0.0)
    own = NUMBERS.frame_variance + NUMBERS.slope * positive + NUMBERS.curvature * positive**2
    scatter = np.tensordot(GRID, decoded_weights()[pixels["scatter"]], 1)
    known = pixels["variance"] + pixels["excess"] * own
    surprise2 = np.where(pixels["deviation"] > 0, pixels["deviation"].astype(float) ** 2, 0.0)
    return surprise2 > 36.0 * (known + scatter)


def noise(pixels, y, x, signal):
    positive = np.maximum(signal, 0.0)
    own = NUMBERS.frame_variance + NUMBERS.slope * positive + NUMBERS.curvature * positive**2
    return float(pixels["excess"][y, x]) * own
