"""Every pixel's maps, fitted to frames whose states are known."""

import numpy as np
import pytest

from solodark.dark_model.pixel_fit import fit_pixels
from solodark.dark_model.pixel_numbers import LibraryNumbers, Memory
from solodark.dark_model.prior import MixturePrior

NOISE_ADU = 5.0
STARTS = np.array([0, 6, 12, 18, 24, 30])
STATES = np.repeat([0.0, 0.3, 0.6, 0.8, 1.0], 6)
DESIGN = np.stack([np.ones(30), STATES], axis=1)
GRID = np.concatenate([[0.0], NOISE_ADU**2 / 16 * 8.0 ** np.arange(6)])
NO_LIMIT = 1e9


def vague_prior(spread_adu=500.0):
    return MixturePrior(
        np.array([1.0]), np.zeros((1, 2)), np.diag([spread_adu**-2.0] * 2)[None, :, :]
    )


def fit(values, *options, **more):
    found = fit_whole(np.ascontiguousarray(values.T, dtype=np.float32), *options, **more)
    return found.maps, found.excess, found.information, found.scatter, found.evidence


def fit_whole(
    pixels,
    prior=None,
    *,
    slope=0.0,
    censor_adu=NO_LIMIT,
    iterations=4,
    memory=None,
    room=None,
    means=False,
):
    """Fit thirty frames of five series, or the means of these."""
    prior = prior or vague_prior()
    own, starts = (STARTS[:-1], np.arange(6)) if means else (np.arange(30), STARTS)
    shares = 0.5 ** np.arange(1, GRID.size + 1)
    library = LibraryNumbers(
        design=DESIGN[own],
        frame_variance=np.full(len(own), NOISE_ADU**2),
        slope=np.full(len(own), slope),
        curvature=0.0,
        censor_adu=censor_adu,
        frame_count=np.full(len(own), 30.0 / len(own)),
        kept_as=np.array([0, 1, 1, 2, 3]),
        series_start=starts,
        amplitude2=np.array([0.05**2, 0.09, 0.36, 0.64, 1.0]),
        precisions=prior.precisions,
        prior_pulls=prior.pulls,
        log_norms=prior.log_norms,
        scatter_grid=GRID,
        scatter_prior=(shares / shares.sum())[None, :],
    )
    return fit_pixels(pixels, library, memory or Memory.none(), iterations=iterations, room=room)


@pytest.fixture
def truth(rng):
    return np.stack([rng.normal(0.0, 3.0, 3000), rng.exponential(200.0, 3000)], axis=1)


@pytest.fixture
def frames(truth, rng):
    return truth @ DESIGN.T + rng.normal(0.0, NOISE_ADU, (len(truth), 30))


def test_maps_are_found_within_their_own_error(truth, frames):
    maps, _, information, _, _ = fit(frames)
    sigma = np.sqrt(np.diagonal(np.linalg.inv(information), axis1=1, axis2=2))
    pulls = (maps - truth) / sigma
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.1
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.25)


def test_cosmic_rays_in_single_frames_do_not_enter_the_maps(truth, frames, rng):
    clean = fit(frames)[0]
    hit = frames.copy()
    hit[np.arange(3000), rng.integers(0, 30, 3000)] += 2000.0
    change = fit(hit)[0] - clean
    assert np.abs(np.median(change, axis=0)).max() < 0.3
    assert np.quantile(np.abs(change), 0.95) < NOISE_ADU


def test_noisy_pixels_are_told_from_quiet_ones(truth, frames, rng):
    noisy = np.arange(3000) < 300
    loud = truth[noisy] @ DESIGN.T + rng.normal(0.0, 3.0 * NOISE_ADU, (300, 30))
    excess = fit(np.concatenate([loud, frames[300:]]))[1]
    assert np.median(excess[noisy]) == pytest.approx(9.0, rel=0.4)
    assert np.median(excess[~noisy]) == pytest.approx(1.0, rel=0.1)


def test_a_pixel_that_hops_between_series_is_known_to_scatter(truth, frames):
    hop = np.repeat([0.0, 150.0, 0.0, 150.0, 0.0], 6) * STATES
    hopping = np.arange(3000) < 300
    scatter = fit(np.where(hopping[:, None], frames + hop, frames))[3] @ GRID
    assert np.median(scatter[hopping]) > 20.0 * np.median(scatter[~hopping])


def test_a_firm_prior_holds_pixels_that_a_vague_one_lets_go(frames):
    vague, firm = fit(frames)[0], fit(frames, vague_prior(spread_adu=0.5))[0]
    assert np.abs(firm[:, 0]).mean() < 0.2 * np.abs(vague[:, 0]).mean()


def test_saturated_values_do_not_pull_a_bright_pixel_down(truth, frames):
    bright = truth[:, 1] > 400.0
    flattened = np.minimum(frames, 300.0)
    censored = fit(flattened, censor_adu=299.0, iterations=8)[0][bright, 1]
    believed = fit(flattened, iterations=8)[0][bright, 1]
    true = truth[bright, 1]
    assert np.median(np.abs(censored - true)) < 0.3 * np.median(np.abs(believed - true))


def test_the_number_of_chunks_and_neighbours_does_not_matter(frames):
    whole, part = fit(frames)[0], fit(frames[100:110])[0]
    np.testing.assert_array_equal(whole[100:110], part)


def test_states_that_are_right_have_more_evidence_than_states_that_are_wrong(truth, frames):
    wrong = truth @ DESIGN[::-1].T + (frames - truth @ DESIGN.T)
    assert np.mean(fit(frames)[4]) > np.mean(fit(wrong)[4]) + 1.0


def test_what_is_found_does_not_depend_on_the_memory_that_it_is_put_into(frames):
    pixels = np.ascontiguousarray(frames.T, dtype=np.float32)
    fresh, other = (fit_whole(pixels[:, rows]) for rows in (slice(1000), slice(1000, 2000)))
    kept = [part.copy() for part in fresh]
    again = fit_whole(pixels[:, :1000], room=other)
    assert np.shares_memory(again.maps, other.maps)
    for part, expected in zip(again, kept, strict=True):
        np.testing.assert_array_equal(part, expected)
    smaller = fit_whole(pixels[:, :500], room=other)
    assert not np.shares_memory(smaller.maps, other.maps)
    np.testing.assert_array_equal(smaller.maps, kept[0][:500])


def means_of(frames):
    """The mean of each series, (5, n)."""
    return np.ascontiguousarray(frames.reshape(-1, 5, 6).mean(axis=2).T, dtype=np.float32)


def noise_of(frames):
    """What the scatter of frames within their series tells of each pixel's noise."""
    series = frames.reshape(-1, 5, 6)
    deviations = (series - series.mean(axis=2, keepdims=True)) / NOISE_ADU
    return Memory(np.sum(deviations**2, axis=(1, 2)), np.full(len(frames), 25.0))


def test_the_means_of_series_stand_for_their_frames(frames):
    whole = fit_whole(np.ascontiguousarray(frames.T, dtype=np.float32))
    stand = fit_whole(means_of(frames), means=True, memory=noise_of(frames))
    sigma = np.sqrt(np.diagonal(np.linalg.inv(whole.information), axis1=1, axis2=2))
    off = (stand.maps - whole.maps) / sigma
    assert np.median(np.abs(off)) < 0.02
    assert np.quantile(np.abs(off), 0.99) < 0.5
    assert np.median(np.abs(stand.excess / whole.excess - 1.0)) < 0.01
    np.testing.assert_allclose(stand.information, whole.information, rtol=0.3)
    assert np.median(np.abs(stand.scatter - whole.scatter)) < 0.01


def test_a_mean_that_is_unknown_tells_nothing(frames):
    known = means_of(frames)
    some = known.copy()
    some[3] = np.nan
    told, untold = fit_whole(known, means=True), fit_whole(some, means=True)
    state = DESIGN[STARTS[3]]
    assert np.median(np.abs((untold.maps - told.maps) @ state)) < NOISE_ADU
    lost = np.median(told.information - untold.information, axis=0)
    np.testing.assert_allclose(lost, 6.0 * np.outer(state, state) / NOISE_ADU**2, rtol=0.1)


def test_what_maps_leave_of_a_series_is_handed_over(frames):
    pixels = np.ascontiguousarray(frames.T, dtype=np.float32)
    found = fit_whole(pixels)
    left = pixels - (DESIGN @ found.maps.T)
    quiet = (np.abs(left) < 3.0 * NOISE_ADU).all(axis=0)  # all frames weigh the same
    expected = [left[:6], left[6:18], left[18:24], left[24:]]
    for mean, own in zip(found.residuals[quiet].T, expected, strict=True):
        assert np.mean(np.abs(mean - own[:, quiet].mean(axis=0)) < 0.2) > 0.95


def test_full_and_unknown_series_are_told_apart_from_others(frames):
    pixels = np.ascontiguousarray(frames.T, dtype=np.float32)
    pixels[18:24, 0], pixels[18:23, 1] = 2e4, 2e4
    pixels[18:24, 2], pixels[18:23, 3] = np.nan, np.nan
    residuals = fit_whole(pixels, censor_adu=1e4).residuals
    assert residuals[0, 2] == np.inf
    assert np.isnan(residuals[2, 2])
    assert np.isfinite(residuals[[1, 3], 2]).all()
    assert np.abs(residuals[[1, 3], 2]).max() < 10.0 * NOISE_ADU
