"""Stars put into the raw lights at known places: what a dark does to their magnitudes.

They are added before calibration, so that whatever looks at the lights to find its dark sees them
too. Most are as faint as can just be measured; some are bright, and set the zero point as
catalogue stars do: what the pipeline takes from every star alike is no fault of the dark.
"""

from dataclasses import dataclass

import numpy as np
import sep
from numpy.typing import NDArray

from solodark.synthetic.stars import add_stars, moffat_core_px

__all__ = [
    "InjectedStars",
    "StarPhotometry",
    "measure_aperture_fluxes",
    "paint_stars",
    "place_stars",
    "summarise_photometry",
]

Vector = NDArray[np.float64]

MAG_PER_RELATIVE_FLUX = 2.5 / np.log(10.0)
FAINT_SIGMA = 5.0
"""Flux of a faint star in its aperture, over the noise of the aperture."""
STANDARD_SIGMA = 250.0
ONE_STANDARD_IN = 6
BETA = 4.0
CLIP_SIGMA = 4.0
SPACING_FWHM = 7.0


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class InjectedStars:
    """Stars at known places of the stack.

    Attributes
    ----------
    y, x : ndarray of float64, shape (n,)
        Places in the stack, px.
    is_standard : ndarray of bool, shape (n,)
        The bright ones.
    flux_adu : ndarray of float64, shape (n,)
        Whole flux in each light, ADU.
    fwhm_px : float
        Of their Moffat profile, beta 4.
    """

    y: Vector
    x: Vector
    is_standard: NDArray[np.bool_]
    flux_adu: Vector
    fwhm_px: float

    @property
    def aperture_radius_px(self) -> float:
        """Radius that they are measured in: one FWHM."""
        return self.fwhm_px


@dataclass(frozen=True, slots=True)
class StarPhotometry:
    """What became of the faint stars' magnitudes.

    Attributes
    ----------
    bias_mag : float
        ``-2.5 log10(mean flux / true flux)``, positive where stars come out too faint. The mean is
        taken of fluxes: a mean of magnitudes of faint stars is biased by itself.
    bias_error_mag : float
        Standard error of it.
    scatter_mag : float
        Robust scatter of single stars.
    n_stars : int
        Faint stars that were measured.
    """

    bias_mag: float
    bias_error_mag: float
    scatter_mag: float
    n_stars: int


def place_stars(
    avoid: NDArray[np.bool_],
    *,
    fwhm_px: float,
    aperture_noise_adu: float,
    rng: np.random.Generator,
) -> InjectedStars:
    """Choose places for stars on a jittered grid, away from other stars and from the edges.

    Parameters
    ----------
    avoid : ndarray of bool, shape (ny, nx)
        True where no star may lie: other stars, and what not every light covers.
    fwhm_px : float
        Of the stars in the lights.
    aperture_noise_adu : float
        Noise of an aperture in the stack; faint stars have `FAINT_SIGMA` times it.
    rng : numpy.random.Generator
        The dice.

    Returns
    -------
    InjectedStars
        One in six a bright standard; none where nothing is free.

    Examples
    --------
    >>> free = np.zeros((200, 300), bool)
    >>> stars = place_stars(
    ...     free, fwhm_px=3.0, aperture_noise_adu=10.0, rng=np.random.default_rng(1)
    ... )
    >>> stars.y.size, round(float(stars.flux_adu.min()), 1)
    (104, 61.3)
    """
    step = SPACING_FWHM * fwhm_px
    rows, columns = (np.arange(step, size - step, step) for size in avoid.shape)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    places = grid + rng.uniform(-0.5, 0.5, grid.shape) * fwhm_px
    nearest = np.rint(places).astype(int)
    y, x = places[~avoid[nearest[:, 0], nearest[:, 1]]].T
    is_standard = np.arange(y.size) % ONE_STANDARD_IN == 0
    times = np.where(is_standard, STANDARD_SIGMA, FAINT_SIGMA)
    flux_adu = times * aperture_noise_adu / _share_in_aperture(fwhm_px)
    return InjectedStars(y=y, x=x, is_standard=is_standard, flux_adu=flux_adu, fwhm_px=fwhm_px)


def _share_in_aperture(fwhm_px: float) -> float:
    """Light of a Moffat profile within one FWHM: ``1 - (1 + (r / alpha)^2)^(1 - beta)``."""
    return float(1.0 - (1.0 + (fwhm_px / moffat_core_px(fwhm_px, BETA)) ** 2) ** (1.0 - BETA))


def paint_stars(
    light: NDArray[np.floating], y: Vector, x: Vector, stars: InjectedStars
) -> NDArray[np.float32]:
    """Add the stars to a light where they fall on it.

    Parameters
    ----------
    light : ndarray, shape (ny, nx)
        ADU as the camera gave it, or zeros. Not changed.
    y, x : ndarray of float64, shape (n,)
        Where the stars fall in this light, px.
    stars : InjectedStars
        Their flux and profile.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ADU. All colours get the same: the stars are white. They bring no photon noise of their own.
    """
    colours = np.repeat(stars.flux_adu[:, None], 4, axis=1)
    return add_stars(light.astype(np.float32), y, x, colours, fwhm_px=stars.fwhm_px, beta=BETA)


def measure_aperture_fluxes(
    flat: NDArray[np.float32], y: Vector, x: Vector, radius_px: float
) -> Vector:
    """Sum a picture over apertures, edge pixels by their exact share (by the library sep).

    Parameters
    ----------
    flat : ndarray of float32, shape (ny, nx)
        Stack without its large scales, ADU.
    y, x : ndarray of float64, shape (n,)
        Centres, px.
    radius_px : float
        Radius of the aperture.

    Returns
    -------
    ndarray of float64, shape (n,)
        ADU.

    Examples
    --------
    >>> sky = np.ones((40, 40), np.float32)
    >>> flux = measure_aperture_fluxes(sky, np.array([20.0]), np.array([20.0]), 3.0)
    >>> round(float(flux[0]), 1)
    28.3
    """
    flux, _, _ = sep.sum_circle(np.ascontiguousarray(flat), x, y, radius_px, subpix=0)
    return np.asarray(flux, np.float64)


def summarise_photometry(
    fluxes: Vector, stars: InjectedStars, *, beside: Vector | None = None
) -> StarPhotometry:
    """Compare measured fluxes with what was put in, by the standards' zero point.

    Parameters
    ----------
    fluxes : ndarray, shape (n,)
        From `measure_aperture_fluxes`, in the order of `stars`.
    stars : InjectedStars
        What was put in.
    beside : ndarray, shape (n,), optional
        Fluxes of the same stars in the same lights after a perfect dark. The difference is then
        what counts: the lights' own noise is in both and cancels.

    Returns
    -------
    StarPhotometry
        NaN where there are too few stars.
    """
    faint = ~stars.is_standard
    if faint.sum() < 3 or stars.is_standard.sum() < 3:
        return StarPhotometry(*(float("nan"),) * 3, int(faint.sum()))
    relative = _relative(fluxes, stars)[faint]
    if beside is not None:
        relative = 1.0 + relative - _relative(beside, stars)[faint]
    kept, scatter = _clip(relative)
    mean = float(kept.mean())
    return StarPhotometry(
        bias_mag=float(-2.5 * np.log10(mean)) if mean > 0 else float("nan"),
        bias_error_mag=float(MAG_PER_RELATIVE_FLUX * kept.std() / np.sqrt(kept.size)),
        scatter_mag=float(MAG_PER_RELATIVE_FLUX * scatter),
        n_stars=int(kept.size),
    )


def _relative(fluxes: Vector, stars: InjectedStars) -> Vector:
    """Measured over true flux, with the standards at 1."""
    shares = fluxes / stars.flux_adu
    zero_point = float(np.median(shares[stars.is_standard]))
    return shares / zero_point


def _clip(values: Vector) -> tuple[Vector, float]:
    """Leave out what lies 4 robust sigma away: a real star underneath, a satellite."""
    median = float(np.median(values))
    scatter = 1.4826 * float(np.median(np.abs(values - median)))
    return values[np.abs(values - median) <= max(CLIP_SIGMA * scatter, 1e-12)], scatter
