"""The fit of pixels, compiled: strip by strip, every step a loop over the pixels of a strip."""

from typing import Any

from solodark.compiled import njit
from solodark.dark_model.pixel_numbers import LibraryNumbers, Memory, PixelsFound
from solodark.dark_model.strip_numbers import (
    DOF,
    EVIDENCE,
    EXCESS,
    INFORMATION,
    LOG_PRIOR,
    MAPS,
    PULLS,
    SCATTER,
    SMOOTH,
    SQUARES,
    VALUE,
    Strip,
    empty_strip,
)
from solodark.dark_model.strip_scatter import (
    average_series,
    choose_factor,
    keep_means,
    measure_excess,
    weigh_scatter,
)
from solodark.dark_model.strip_weights import weigh_frames
from solodark.dark_model.strips import (
    STRIP,
    Mixture,
    Posterior,
    empty_posterior,
    fill,
    log_of,
    mean_of,
    normalise,
    put,
    solve_components,
)

__all__ = ["fit_strips"]

_RAREST = 1e-12  # share of pixels that scatter by one of the variances, at the least


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def fit_strips(  # numpydoc ignore=PR01
    step: int,
    values: Any,
    library: LibraryNumbers,
    memory: Memory,
    smooth: Any,
    iterations: int,
    found: PixelsFound,
    begin: int,
) -> None:
    """Fit one strip, and each so-many-eth after it."""
    n_frames, n = values.shape
    k, t_all = library.scatter_prior.shape
    d = library.design.shape[1]
    prior = Mixture(library.precisions, library.prior_pulls, library.log_norms)
    strip = empty_strip(n_frames, d, t_all, library.amplitude2.size)
    posterior = empty_posterior(k, d)
    for first in range(begin * STRIP, n, step * STRIP):
        last = min(first + STRIP, n)
        _load(values[:, first:last], strip)
        _recall(memory, first, last, strip)
        for r in range(len(smooth)):
            put(smooth[r, first:last], strip.maps[SMOOTH, r])
        for iteration in range(iterations):
            _begin_sums(strip)
            weigh_frames(strip, library, iteration)
            _mirror(strip.matrices[INFORMATION])
            _measure_from_smooth(strip)
            solve_components(strip.matrices[INFORMATION], strip.maps[PULLS], prior, posterior)
            _conclude_maps(posterior, library.scatter_prior, strip)
            if iteration == 0:  # before a residual is known, the pixels' classes speak
                for t in range(t_all):
                    put(strip.grid[LOG_PRIOR, t], strip.grid[SCATTER, t])
                normalise(strip.grid[SCATTER], strip.rows[EVIDENCE])
            else:
                choose_factor(posterior, strip)
                average_series(strip, library)
                if iteration == iterations - 1:
                    keep_means(strip, library, found.residuals[:, first:last])
                measure_excess(strip, library.series_start)
                weigh_scatter(strip, library)
        _hand_over(strip, posterior.odds, first, last, found)


@njit(cache=True)
def _hand_over(strip: Strip, odds: Any, first: int, last: int, found: PixelsFound) -> None:
    d = len(found.maps)
    put(strip.rows[EXCESS], found.excess[first:last])
    put(strip.rows[EVIDENCE], found.evidence[first:last])
    for r in range(d):
        put(strip.maps[MAPS, r], found.maps[r, first:last])
        put(strip.maps[PULLS, r], found.pulls[r, first:last])
        for q in range(d):
            put(strip.matrices[INFORMATION, r, q], found.information[r, q, first:last])
    for t in range(len(found.scatter)):
        put(strip.grid[SCATTER, t], found.scatter[t, first:last])
    for k in range(len(odds)):
        put(odds[k], found.odds[k, first:last])


@njit(cache=True)
def _load(values: Any, strip: Strip) -> None:
    """Take the values in; places beyond the last pixel keep those of the strip before."""
    for f in range(len(values)):
        put(values[f], strip.frames[VALUE, f])
    fill(strip.rows[EXCESS], 1.0)


@njit(cache=True)
def _begin_sums(strip: Strip) -> None:
    for r in range(strip.maps.shape[1]):
        fill(strip.maps[PULLS, r], 0.0)
        for q in range(r + 1):
            fill(strip.matrices[INFORMATION, r, q], 0.0)


@njit(cache=True)
def _recall(memory: Memory, first: int, last: int, strip: Strip) -> None:
    """Take in what frames seen before told of the noise."""
    if not memory.dof.size:
        return
    put(memory.squares[first:last], strip.rows[SQUARES])
    put(memory.dof[first:last], strip.rows[DOF])


@njit(cache=True)
def _mirror(matrix: Any) -> None:
    for r in range(len(matrix)):
        for q in range(r):
            put(matrix[r, q], matrix[q, r])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _measure_from_smooth(strip: Strip) -> None:
    """Let the right-hand sides be those of what the maps are beyond the smooth ones."""
    for r in range(strip.maps.shape[1]):
        for q in range(strip.maps.shape[1]):
            for x in range(STRIP):
                known = strip.matrices[INFORMATION, r, q, x] * strip.maps[SMOOTH, q, x]
                strip.maps[PULLS, r, x] -= known


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _conclude_maps(posterior: Posterior, scatter_prior: Any, strip: Strip) -> None:
    """Average the components: maps, and the logarithms of the scatter's prior."""
    mean_of(posterior, strip.maps[MAPS])
    for r in range(strip.maps.shape[1]):
        for x in range(STRIP):
            strip.maps[MAPS, r, x] += strip.maps[SMOOTH, r, x]
    for t in range(strip.grid.shape[1]):
        prior = strip.grid[LOG_PRIOR, t]
        fill(prior, _RAREST)
        for k in range(len(posterior.odds)):
            odds, often = posterior.odds[k], scatter_prior[k, t]
            for x in range(STRIP):
                prior[x] += odds[x] * often
        for x in range(STRIP):
            prior[x] = log_of(prior[x])
