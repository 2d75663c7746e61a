"""The compiled fit of pixels beside the same formulas in plain numpy, one pixel at a time."""

from itertools import pairwise

import numpy as np
import pytest

from solodark.dark_model.model import encoded_weight
from solodark.dark_model.pixel_fit import fit_pixels
from solodark.dark_model.pixel_numbers import EXCESS_PRIOR_DOF, LibraryNumbers, Memory
from solodark.dark_model.prior import MixturePrior

N = 300  # two strips and a part of one
STARTS = np.array([0, 1, 4, 6, 11])
STATES = np.repeat([[0.0, 0.0], [0.4, 0.1], [0.7, -0.1], [1.0, 0.2]], np.diff(STARTS), axis=0)
GRID = np.concatenate([[0.0], 2.0 * 8.0 ** np.arange(6)])
CENSOR_ADU = 900.0


@pytest.fixture
def library(rng):
    scatter_prior = rng.uniform(0.1, 1.0, (3, GRID.size))
    spreads = np.array([3.0, 40.0, 600.0])
    prior = MixturePrior(
        np.array([0.7, 0.2, 0.1]),
        np.outer([0.0, 20.0, 200.0], [0.1, 1.0, 0.2]),
        np.array([np.diag([0.3, spread**-2, 4 * spread**-2]) for spread in spreads]),
    )
    return LibraryNumbers(
        design=np.hstack([np.ones((len(STATES), 1)), STATES]),
        frame_variance=rng.uniform(20.0, 30.0, len(STATES)),
        slope=np.full(len(STATES), 0.3),
        curvature=1e-5,
        censor_adu=CENSOR_ADU,
        frame_count=np.ones(len(STATES)),
        series_start=STARTS,
        amplitude2=np.array([0.0025, 0.16, 0.5, 1.0]),
        kept_as=np.zeros(0, np.intp),
        precisions=prior.precisions,
        prior_pulls=prior.pulls,
        log_norms=prior.log_norms,
        scatter_grid=GRID,
        scatter_prior=scatter_prior / scatter_prior.sum(axis=1, keepdims=True),
    )


@pytest.fixture
def values(library, rng):
    """Ordinary, hot, saturated and hopping pixels, with cosmic rays."""
    maps = rng.normal(0.0, [2.0, 5.0, 3.0], (N, 3))
    maps[::3, 1] += rng.exponential(300.0, N // 3)
    maps[::20, 1] += 2000.0
    frames = library.design @ maps.T + rng.normal(0.0, 5.0, (len(STATES), N))
    frames[6:, ::7] += 80.0
    frames[rng.random(frames.shape) < 0.02] += 700.0
    return np.minimum(frames, 1000.0).astype(np.float32)


@pytest.fixture
def memory(rng):
    return Memory(squares=rng.uniform(3.0, 9.0, N), dof=np.full(N, 6.0))


@pytest.fixture
def smooth(rng):
    return rng.normal(0.0, [[1.0], [15.0], [5.0]], (3, N)).astype(np.float32)


@pytest.mark.parametrize(("remembers", "glows"), [(False, False), (True, False), (True, True)])
def test_every_pixel_is_fitted_as_the_formulas_say(
    values, library, memory, smooth, remembers, glows
):
    memory = memory if remembers else Memory(*(np.zeros_like(part) for part in memory))
    smooth = smooth if glows else np.zeros_like(smooth)
    found = fit_pixels(
        values,
        library,
        memory if remembers else Memory.none(),
        iterations=3,
        smooth=smooth if glows else None,
    )
    for i in range(N):
        own = Memory(*(part[i] for part in memory))
        expected = plain_fit(values[:, i], library, own, smooth[:, i].astype(float))
        for name, value in expected.items():
            got = getattr(found, name)[i]
            np.testing.assert_allclose(got, value, rtol=1e-7, atol=1e-9, err_msg=f"{name} of {i}")


def test_codes_of_weights_are_rounded_logarithms(rng):
    weights = np.concatenate([[0.0, 1.0, 1e-13], 10.0 ** rng.uniform(-9.0, 0.0, 1000)])
    expected = np.rint(np.maximum(255.0 + 12.0 * np.log2(np.maximum(weights, 1e-12)), 0.0))
    np.testing.assert_array_equal(np.vectorize(encoded_weight)(weights), expected)


def plain_fit(values, library, memory, smooth, iterations=3):
    """One pixel; `memory` and `smooth` are its own part."""
    values = values.astype(float)
    full = values > library.censor_adu
    maps, excess, scatter = None, 1.0, None
    for iteration in range(iterations):
        if iteration == 0:
            variance, target = library.frame_variance, values
            weight = 1.0 / np.where(full, 1e6 * variance, variance)
        else:
            variance, target, weight = weigh(values, full, library, maps, excess, scatter)
        information = (library.design.T * weight) @ library.design
        pulls = library.design.T @ (weight * target) - information @ smooth
        covariances = np.linalg.inv(information + library.precisions)
        rights = pulls + library.prior_pulls
        centres = np.einsum("kij,kj->ki", covariances, rights)
        logs = library.log_norms + 0.5 * np.linalg.slogdet(covariances)[1]
        odds = softmax(logs + 0.5 * np.sum(rights * centres, axis=1))[0]
        maps = odds @ centres + smooth
        log_prior = np.log(odds @ library.scatter_prior)
        if iteration == 0:
            scatter = softmax(log_prior)[0]
            continue
        error = target - library.design @ maps
        means, noise = average(error, variance)
        left = 1.0 - leverage(library.design, weight, covariances[np.argmax(odds)])
        squares = np.minimum((error - np.repeat(means, np.diff(STARTS))) ** 2 / variance, 25.0)
        several = np.repeat(np.diff(STARTS), np.diff(STARTS)) > 1
        dof = EXCESS_PRIOR_DOF + memory.dof + np.maximum(np.diff(STARTS) - 1, 0).sum()
        excess = (EXCESS_PRIOR_DOF + memory.squares + excess * squares[several].sum()) / dof
        spread = (noise + np.outer(GRID, library.amplitude2)) / left
        likelihood = -0.5 * ((means / left) ** 2 / spread + np.log(spread)).sum(axis=1)
        scatter, evidence = softmax(log_prior + likelihood)
    return {
        "maps": maps,
        "excess": excess,
        "information": information,
        "pulls": pulls,
        "scatter": scatter,
        "odds": odds,
        "evidence": evidence,
    }


def weigh(values, full, library, maps, excess, scatter):
    predicted = library.design @ maps
    signal = np.maximum(predicted, 0.0)
    own = library.frame_variance + library.slope * signal + library.curvature * signal**2
    variance = excess * np.where(full, 1e6, 1.0) * own
    target = np.where(full, np.maximum(values, predicted), values)
    kept = np.where(scatter > 1e-5, scatter, 0.0)
    weight = np.empty_like(values)
    for g, (first, last) in enumerate(pairwise(STARTS)):
        term = GRID * library.amplitude2[g]
        shared = kept @ (variance[first] / (variance[first] + (last - first) * term))
        typical = kept @ (variance[first] / (variance[first] + term))
        here = slice(first, last)
        z2 = (target - predicted)[here] ** 2 * typical / variance[here]
        weight[here] = shared / variance[here] * np.minimum(1.0, 9.0 / np.maximum(z2, 1e-300))
    return variance, target, weight


def average(error, variance):
    """Mean residual of each series, and its variance from noise alone."""
    part = 1.0 / variance
    robust = np.minimum(1.0, 3.0 / np.sqrt(np.maximum(error**2 * part, 1e-300)))
    part = part * np.where(np.repeat(np.diff(STARTS), np.diff(STARTS)) > 2, robust, 1.0)
    noise = 1.0 / np.add.reduceat(part, STARTS[:-1])
    return noise * np.add.reduceat(part * error, STARTS[:-1]), noise


def leverage(design, weight, covariance):
    middle = design[(STARTS[:-1] + STARTS[1:]) // 2]
    pulls = np.add.reduceat(weight, STARTS[:-1])
    return np.minimum(pulls * np.einsum("gi,ij,gj->g", middle, covariance, middle), 0.95)


def softmax(logs):
    best = logs.max()
    total = np.exp(logs - best).sum()
    return np.exp(logs - best) / total, best + np.log(total)
