"""How often pixels scatter: learned from what each of them shows."""

import numpy as np

from solodark.dark_model.scatter_prior import first_scatter_prior, refine_scatter, scatter_grid

GRID = scatter_grid(16.0, 3000.0)


def fitted(residuals, noise, prior):
    """Weights of the grid for each pixel, from its residuals in some series and a prior."""
    variance = noise + GRID
    squares = (residuals**2).sum(axis=1)[:, None]
    log_likelihood = -0.5 * (len(residuals[0]) * np.log(variance) + squares / variance)
    weights = prior[0] * np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def learned(residuals, rounds=5):
    prior, n = first_scatter_prior(1, GRID.size), len(residuals)
    for _ in range(rounds):
        prior = refine_scatter(prior, fitted(residuals, 4.0, prior), np.ones((n, 1)), np.ones(n))
    return prior[0]


def test_telegraph_pixels_are_counted(rng):
    residuals = rng.normal(0.0, 2.0, (20_000, 12))
    residuals[:1000] += rng.normal(0.0, 60.0, (1000, 12))
    prior = learned(residuals)
    assert abs(prior[GRID > 500.0].sum() - 0.05) < 0.003


def test_pixels_that_do_what_their_maps_say_need_no_scatter(rng):
    assert learned(rng.normal(0.0, 2.0, (20_000, 12)))[0] > 0.9


def test_no_variance_is_ever_excluded(rng):
    assert learned(rng.normal(0.0, 2.0, (2000, 12))).min() > 0.0
