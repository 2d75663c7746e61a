"""Two levels of a pixel that hops: found where there are any, and nowhere else."""

from itertools import product

import numpy as np
import pytest

from solodark.dark_model.level_chain import MEMORIES_S, Chain, look_ahead, look_back
from solodark.dark_model.two_levels import Rival, find_two_levels

N_SERIES, PER_SERIES, EXPOSURE_S = 30, 8, 180.0
N = N_SERIES * PER_SERIES
NOISE_ADU = 5.0
SIGNAL = 40.0


@pytest.fixture
def chain(rng):
    """Thirty nights of eight darks of different strengths, a week apart."""
    amplitude = np.repeat(rng.uniform(0.3, 1.0, N_SERIES), PER_SERIES)
    gaps_s = np.full(N, EXPOSURE_S)
    gaps_s[::PER_SERIES] = 7 * 86_400.0
    return Chain(
        amplitude=amplitude,
        order=np.arange(N),
        kept=np.exp(-gaps_s / MEMORIES_S[:, None]),
        floor=np.full(N, NOISE_ADU**2),
        slope=np.full(N, 0.2),
        curvature=0.0,
        censor_adu=60_000.0,
        series_start=np.arange(0, N + 1, PER_SERIES),
    )


def hopping(rng, chain, n, *, rise, duty, memory_s):
    """Residuals of pixels that hop, and where they were."""
    kept = chain.kept[np.argmin(np.abs(np.log(MEMORIES_S / memory_s)))]
    high = np.empty((n, N), bool)
    now = rng.random(n) < duty
    for f in range(N):
        now = rng.random(n) < duty + (now - duty) * kept[f]
        high[:, f] = now
    level = chain.amplitude * rise * (high - duty)
    noise = np.sqrt(NOISE_ADU**2 + 0.2 * np.maximum(SIGNAL + level, 0.0))
    return level + rng.normal(0.0, noise), high


def find(residual, chain, excess=None, scatter=None):
    n = len(residual)
    spread = np.var(residual / chain.amplitude, axis=1)
    signal = np.full(residual.shape, SIGNAL)
    excess = np.ones(n) if excess is None else excess
    scatter = spread if scatter is None else scatter
    return find_two_levels(residual, signal, Rival(residual, signal, excess, scatter), chain)


@pytest.mark.parametrize(
    ("rise", "duty", "memory_s"),
    [(60.0, 0.5, 4800.0), (60.0, 0.15, 19_200.0), (150.0, 0.8, 300.0), (40.0, 0.5, 300_000.0)],
)
def test_levels_duty_and_memory_of_hopping_pixels_are_found(rng, chain, rise, duty, memory_s):
    residual, high = hopping(rng, chain, 60, rise=rise, duty=duty, memory_s=memory_s)
    levels, chance = find(residual, chain)
    assert np.median(levels.high - levels.low) == pytest.approx(rise, rel=0.05)
    assert np.median(levels.duty) == pytest.approx(duty, abs=0.1)
    # Of a week and more of memory, nights a week apart tell little.
    assert abs(np.median(np.log2(MEMORIES_S[levels.memory.astype(int)] / memory_s))) <= 4.0
    assert np.mean(levels.gain > 5.0) > 0.95
    assert np.mean((chance > 0.5) == high) > 0.97


def test_a_pixel_that_is_only_noisier_has_no_levels(rng, chain):
    residual = rng.normal(0.0, 6.0 * NOISE_ADU, (300, N))
    levels, _ = find(residual, chain, excess=np.full(300, 36.0), scatter=np.full(300, 1.0))
    assert np.mean(levels.gain > 5.0) < 0.01


def test_a_pixel_that_drifts_from_night_to_night_has_no_levels(rng, chain):
    nights = np.repeat(rng.normal(0.0, 40.0, (300, N_SERIES)), PER_SERIES, axis=1)
    residual = chain.amplitude * nights + rng.normal(0.0, np.sqrt(33.0), (300, N))
    levels, _ = find(residual, chain)
    assert np.mean(levels.gain > 5.0) < 0.02


def test_cosmic_rays_are_no_level(rng, chain):
    residual = rng.normal(0.0, np.sqrt(33.0), (300, N))
    hit = rng.integers(0, N, (300, 2))
    np.put_along_axis(residual, hit, rng.uniform(200.0, 5000.0, hit.shape), axis=1)
    levels, _ = find(residual, chain)
    assert np.mean(levels.gain > 5.0) < 0.01


def test_one_long_night_at_one_level_tells_no_more_of_the_duty_than_a_short_one(rng, chain):
    """A level that lasts for the night is seen once, in however many frames."""
    residual, _ = hopping(rng, chain, 40, rise=60.0, duty=0.5, memory_s=76_800.0)
    several = 400
    night = np.repeat(chain.kept[:, [0, 1]], [1, several - 1], axis=1)
    longer = chain._replace(
        amplitude=np.append(chain.amplitude, np.ones(several)),
        order=np.arange(N + several),
        kept=np.hstack([chain.kept, night]),
        floor=np.full(N + several, NOISE_ADU**2),
        slope=np.full(N + several, 0.2),
        series_start=np.append(chain.series_start, N + several),
    )
    low = -30.0 + rng.normal(0.0, 6.0, (40, several))
    alone, _ = find(residual, chain)
    both, _ = find(np.hstack([residual, low]), longer)
    assert np.median(both.duty) > np.median(alone.duty) - 0.15


def test_levels_that_differ_a_little_from_night_to_night_are_levels(rng, chain):
    residual, high = hopping(rng, chain, 100, rise=400.0, duty=0.4, memory_s=4800.0)
    nights = np.repeat(rng.normal(0.0, 30.0, (100, N_SERIES)), PER_SERIES, axis=1)
    levels, chance = find(residual + chain.amplitude * nights, chain)
    assert np.mean(levels.gain > 5.0) > 0.95
    assert np.mean((chance > 0.5) == high) > 0.97
    assert np.median(np.sqrt(levels.rest)) == pytest.approx(30.0, rel=0.2)


def test_a_full_frame_tells_that_the_level_is_high(rng, chain):
    residual, high = hopping(rng, chain, 40, rise=4000.0, duty=0.5, memory_s=4800.0)
    full = SIGNAL + residual > 1500.0
    assert 0.3 < np.mean(full[high]) < 0.9
    residual[full] = 30_000.0
    _, chance = find(residual, chain._replace(censor_adu=1500.0))
    assert np.mean(chance[full] > 0.99) > 0.97


def test_the_chain_runs_in_time_however_frames_are_sorted(rng, chain):
    residual, _ = hopping(rng, chain, 60, rise=60.0, duty=0.5, memory_s=4800.0)
    mixed = np.argsort(np.arange(N) % PER_SERIES, kind="stable")  # first frames of all nights first
    sorted_so = chain._replace(
        amplitude=chain.amplitude[mixed], order=np.argsort(mixed), kept=chain.kept[:, mixed]
    )
    levels, chance = find(residual[:, mixed], sorted_so)
    expected, same = find(residual, chain)
    assert np.array_equal(levels.memory, expected.memory)
    assert np.allclose(chance, same[:, mixed], atol=1e-6)


def test_the_chances_are_those_of_all_paths_added_up(rng):
    n, duty, kept = 7, 0.3, np.array([0.0, 0.9, 0.5, 0.2, 0.95, 0.0, 0.7])
    order, none = rng.permutation(n), np.zeros(n)
    chain = Chain(none, order, kept[None], none, none, 0.0, 0.0, np.array([0, n]))
    work = np.zeros((4, n))
    work[:2] = rng.uniform(0.05, 1.0, (2, n))
    told = look_ahead(chain, 0, duty, work)
    look_back(chain, 0, duty, work)
    total, high = 0.0, np.zeros(n)
    for path in product((0, 1), repeat=n):
        weight, before = 1.0, duty
        for f in order:
            z = path[f]
            up = duty + (before - duty) * kept[f]
            weight *= (up if z else 1.0 - up) * work[z, f]
            before = z
        total += weight
        high += weight * np.array(path)
    assert np.exp(told) == pytest.approx(total)
    assert work[3] == pytest.approx(high / total)
