"""Stars of a light: where they are, to a small part of a pixel, and how bright."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from solodark.errors import FrameFormatError, SettingError
from solodark.registration.background import without_background
from solodark.registration.lone_pixels import without_lone_pixels

__all__ = ["Stars", "find_stars"]

Image = NDArray[np.float32]
Vector = NDArray[np.float64]

_LEAST_AREA_PX = 5
_APERTURE_WIDTHS = 2.5
_RISES = 6  # of the threshold, each twofold, where a light is too crowded for the detection
_BINOMIAL = (0.25, 0.5, 0.25)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stars:
    """Stars of one light, the brightest first.

    Attributes
    ----------
    y, x : ndarray of float64, shape (n,)
        Centres, px; whole numbers are pixel centres, row 0 at the top of the sensor.
    flux_adu : ndarray of float64, shape (n,)
        Light within 2.5 times the light's usual full width, above the background, ADU.
    fwhm_px : ndarray of float64, shape (n,)
        Twice the radius that holds half of that light: a Gaussian's full width at half maximum.
    error_px : ndarray of float64, shape (n,)
        One sigma of a centre in y and in x, as far as the background's noise decides it.
    """

    y: Vector
    x: Vector
    flux_adu: Vector
    fwhm_px: Vector
    error_px: Vector

    def __len__(self) -> int:
        return int(self.y.size)

    def chosen(self, which: NDArray[Any]) -> "Stars":
        """Give some of the stars.

        Parameters
        ----------
        which : ndarray of bool or int
            A mask, or places in the list.

        Returns
        -------
        Stars
            Those, in that order.
        """
        return Stars(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def find_stars(
    image: NDArray[Any],
    *,
    cfa_pattern: str | None = None,
    threshold_sigma: float = 5.0,
    most: int = 500,
) -> Stars:
    """Find the brightest stars of a light.

    SExtractor's detection, then Gaussian-windowed centres, which for well-sampled stars come close
    to those of a fitted profile. A light with a colour filter array is first smoothed by the
    binomial 3 x 3, after which red, green and blue weigh the same at every pixel and no star is
    displaced by its colour. Bright pixels without light beside them are no stars and are left out,
    so lights need not be free of hot pixels.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        ADU; NaN where there is no value. Not changed.
    cfa_pattern : str, optional
        Bayer pattern; None for a mono light.
    threshold_sigma : float
        Stars whose pixels stand so many sigma above the background are found.
    most : int
        How many are kept.

    Returns
    -------
    Stars
        Perhaps none: clouds.

    Raises
    ------
    SettingError
        The threshold or `most` is not positive, or the pattern is not a Bayer layout.
    FrameFormatError
        The image holds no finite pixel.

    References
    ----------
    E. Bertin, S. Arnouts, A&AS 117, 393 (1996); K. Barbary, JOSS 1(6), 58 (2016).

    Examples
    --------
    >>> y, x = np.mgrid[:64, :64]
    >>> light = np.random.default_rng(1).normal(100.0, 1.0, (64, 64))
    >>> light += 500.0 * np.exp(-((y - 30.3) ** 2 + (x - 20.6) ** 2) / (2 * 1.3**2))
    >>> stars = find_stars(light)
    >>> stars.y.round(1).tolist(), stars.x.round(1).tolist(), stars.fwhm_px.round().tolist()
    ([30.3], [20.6], [3.0])
    """
    if not (threshold_sigma > 0 and most > 0):
        raise SettingError(
            f"found a threshold of {threshold_sigma} sigma and {most} stars at most, expected "
            "numbers above 0"
        )
    field = without_background(image, cfa_pattern)
    mask = _without_value(field)
    # On a Bayer sensor light of one colour shows two pixels away, that of all colours beside it.
    field = without_lone_pixels(field, steps=(1, 1) if cfa_pattern is None else (1, 2))
    if cfa_pattern is not None:
        field = _smoothed(field)
    noise = _noise(field)
    found = _detect(field, noise, mask, threshold_sigma, filtered=cfa_pattern is not None)
    brightest = np.argsort(-found["flux"], kind="stable")[:most]
    return _measure(field, noise, mask, found[brightest])


def _without_value(field: Image) -> NDArray[np.bool_] | None:
    """Tell where pixels are not finite, and set them to 0; nothing where all are finite."""
    if np.isfinite(field.sum(dtype=np.float64)):
        return None
    bad: NDArray[np.bool_] = ~np.isfinite(field)
    if bad.all():
        raise FrameFormatError(f"a light of shape {field.shape} holds no finite pixel")
    field[bad] = 0.0
    return bad


def _smoothed(level: Image) -> Image:
    rows = ndimage.convolve1d(level, _BINOMIAL, axis=0, mode="mirror")
    smooth: Image = ndimage.convolve1d(rows, _BINOMIAL, axis=1, mode="mirror")
    return smooth


def _noise(field: Image) -> float:
    """Give the robust spread of pixels about zero; never nothing."""
    return max(1.4826 * float(np.median(np.abs(field[:: max(1, field.shape[0] // 128)]))), 1e-6)


def _detect(
    field: Image,
    noise: float,
    mask: NDArray[np.bool_] | None,
    threshold_sigma: float,
    *,
    filtered: bool,
) -> NDArray[Any]:
    """Detect sources; where they are too many for the detection's memory, only brighter ones."""
    import sep

    sep.set_extract_pixstack(max(300_000, field.size // 20))
    options = {"filter_kernel": None} if filtered else {}
    for rise in range(_RISES):
        try:
            found: NDArray[Any] = sep.extract(
                field,
                threshold_sigma * 2**rise,
                err=noise,
                mask=mask,
                minarea=_LEAST_AREA_PX,
                **options,
            )
        except Exception as error:  # sep raises no narrower one
            if "buffer full" not in str(error) and "overflow" not in str(error):
                raise
            continue
        whole: NDArray[np.bool_] = (found["flag"] & sep.OBJ_TRUNC) == 0
        return np.asarray(found[whole])
    raise FrameFormatError(
        f"a light of {field.shape[1]} x {field.shape[0]} pixels holds so many bright ones that no "
        "star can be told; expected a calibrated light of a starry field"
    )


def _measure(
    field: Image, noise: float, mask: NDArray[np.bool_] | None, found: NDArray[Any]
) -> Stars:
    """Centres, light and width of detected sources."""
    import sep

    moments_px = 2.0 * np.sqrt(np.log(2.0) * np.maximum(found["a"] ** 2 + found["b"] ** 2, 0.5))
    width = float(np.median(moments_px)) if found.size else 1.0
    x, y, _ = sep.winpos(field, found["x"], found["y"], width / 2.355, mask=mask)
    strayed = ~(np.hypot(x - found["x"], y - found["y"]) < width)
    x, y = np.where(strayed, found["x"], x), np.where(strayed, found["y"], y)
    flux, _, _ = sep.sum_circle(field, x, y, _APERTURE_WIDTHS * width, mask=mask)
    reach = np.full(found.size, 2.0 * _APERTURE_WIDTHS * width)
    radius, _ = sep.flux_radius(field, x, y, reach, 0.5, normflux=flux, subpix=5, mask=mask)
    fwhm = np.where(np.isfinite(radius) & (radius > 0), 2.0 * radius, width)
    # A Gaussian star of sigma s in noise n has its centre known to 2 sqrt(pi) s^2 n / flux.
    error = 2.0 * np.sqrt(np.pi) * (fwhm / 2.355) ** 2 * noise / np.maximum(flux, noise)
    stars = Stars(y=y, x=x, flux_adu=flux, fwhm_px=fwhm, error_px=error)
    return stars.chosen(np.argsort(-flux, kind="stable"))
