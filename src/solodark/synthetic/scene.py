"""A piece of sky: stars, a nebula, the glow of the air."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solodark.frames import cfa_planes
from solodark.synthetic.pointing import Pointing
from solodark.synthetic.stars import add_stars

__all__ = ["Scene", "make_scene", "scene_electrons"]

Image = NDArray[np.float32]
Vector = NDArray[np.float64]

ZERO_POINT_MAG = 22.0
"""Magnitude of a star that frees 1 e-/s in green pixels."""
FAINTEST_MAG = 21.5
COUNT_SLOPE = 0.30
"""Growth of log10 N(< m) with each magnitude, as in the Milky Way between 14 and 20."""
MARGIN = 0.15
"""Share of the frame by which the catalogue reaches beyond it, for drift and rotation."""

COLOUR_OF_SKY = (0.7, 1.0, 1.0, 0.7)
COLOUR_OF_NEBULA = (1.0, 0.35, 0.35, 0.3)
"""Response of R, G, G and B pixels; the nebula shines in H alpha."""
NEBULA_CLOUDS = 48


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Scene:
    """Sky before it meets a sensor; places are in px, where `Pointing()` would show them.

    Attributes
    ----------
    star_y, star_x : ndarray of float64, shape (n,)
        Places of the stars, some beyond the frame.
    star_e_per_s : ndarray of float64, shape (n,)
        Electrons each would free in green pixels of response 1.
    star_colour : ndarray of float64, shape (n, 4)
        Response of the four planes of a Bayer sensor over that of green.
    fwhm_px, beta : float
        The Moffat profile of every star.
    cloud_y, cloud_x, cloud_width_px, cloud_e_per_s : ndarray of float64, shape (m,)
        Round Gaussian clouds that the nebula is made of: centre, sigma, peak.
    sky_e_per_s : float
        Glow of the air at the centre of the frame, in green pixels.
    sky_slope_y, sky_slope_x : float
        Its change from edge to edge of the frame, as a share; fixed to the sensor.
    """

    star_y: Vector
    star_x: Vector
    star_e_per_s: Vector
    star_colour: NDArray[np.float64]
    fwhm_px: float
    beta: float
    cloud_y: Vector
    cloud_x: Vector
    cloud_width_px: Vector
    cloud_e_per_s: Vector
    sky_e_per_s: float
    sky_slope_y: float
    sky_slope_x: float

    @property
    def star_magnitude(self) -> Vector:
        """Magnitudes in green, shape (n,)."""
        magnitude: Vector = ZERO_POINT_MAG - 2.5 * np.log10(self.star_e_per_s)
        return magnitude


def make_scene(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int] = (512, 768),
    stars_per_megapixel: float = 2000.0,
    fwhm_px: float = 2.8,
    sky_e_per_s: float = 0.5,
    nebula_e_per_s: float = 0.4,
) -> Scene:
    """Draw a piece of sky.

    Magnitudes follow a power law, ``log10 N(< m) = 0.3 m + const``, down to a star that barely
    shows in one light of 180 s.

    Parameters
    ----------
    rng : numpy.random.Generator
        The dice.
    shape : tuple of int
        (ny, nx) of the sensor that will look at it.
    stars_per_megapixel : float
        Mean number of stars.
    fwhm_px : float
        Seeing and optics together.
    sky_e_per_s : float
        Glow of the air in a green pixel.
    nebula_e_per_s : float
        Brightest part of the nebula, about, in a red pixel.

    Returns
    -------
    Scene
        For `scene_electrons` and `expose_light`.

    Examples
    --------
    >>> scene = make_scene(np.random.default_rng(1), shape=(100, 100))
    >>> scene.star_y.size, bool(scene.star_magnitude.max() <= 21.5)
    (34, True)
    """
    margin = MARGIN * np.array(shape)
    area_px = float(np.prod(np.array(shape) + 2 * margin))
    n = int(rng.poisson(stars_per_megapixel * 1e-6 * area_px))
    magnitude = FAINTEST_MAG + np.log10(1.0 - rng.random(n)) / COUNT_SLOPE
    cloud_y, cloud_x, cloud_width_px, cloud_weight = _draw_clouds(rng, shape)
    slope_y, slope_x = rng.uniform(-0.15, 0.15, 2)
    return Scene(
        star_y=rng.uniform(-margin[0], shape[0] + margin[0], n),
        star_x=rng.uniform(-margin[1], shape[1] + margin[1], n),
        star_e_per_s=10.0 ** (0.4 * (ZERO_POINT_MAG - magnitude)),
        star_colour=_star_colours(rng, n),
        fwhm_px=fwhm_px,
        beta=4.0,
        cloud_y=cloud_y,
        cloud_x=cloud_x,
        cloud_width_px=cloud_width_px,
        cloud_e_per_s=nebula_e_per_s * cloud_weight,
        sky_e_per_s=sky_e_per_s,
        sky_slope_y=float(slope_y),
        sky_slope_x=float(slope_x),
    )


def scene_electrons(
    scene: Scene,
    shape: tuple[int, int],
    *,
    exposure_s: float,
    cfa_pattern: str | None,
    pointing: Pointing | None = None,
) -> Image:
    """Give the electrons that the sky would free in pixels of response 1, without noise.

    Parameters
    ----------
    scene : Scene
        The sky.
    shape : tuple of int
        (ny, nx).
    exposure_s : float
        Exposure time.
    cfa_pattern : str or None
        Bayer pattern; a mono sensor sees all as green.
    pointing : Pointing, optional
        Where the frame looks; straight at the scene where it is left out.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        Mean electrons.

    Raises
    ------
    SettingError
        The pattern is not a Bayer layout.
    """
    pointing = pointing or Pointing()
    image = _sky(scene, shape) * np.float32(exposure_s * pointing.sky_factor)
    nebula = _nebula(scene, shape, pointing) * np.float32(exposure_s * pointing.transparency)
    for plane, sky, red in zip(
        cfa_planes(cfa_pattern),
        plane_colours(COLOUR_OF_SKY, cfa_pattern),
        plane_colours(COLOUR_OF_NEBULA, cfa_pattern),
        strict=True,
    ):
        image[plane] = np.float32(sky) * image[plane] + np.float32(red) * nebula[plane]
    y, x = pointing.to_sensor(scene.star_y, scene.star_x, shape)
    charge_e = scene.star_e_per_s * exposure_s * pointing.transparency
    colours = _star_plane_colours(scene, cfa_pattern)
    return add_stars(
        image, y, x, charge_e[:, None] * colours, fwhm_px=scene.fwhm_px, beta=scene.beta
    )


def plane_colours(
    red_green_green_blue: tuple[float, float, float, float], cfa_pattern: str | None
) -> tuple[float, ...]:
    """Sort the response to R, G, G and B light into the order of `cfa_planes`.

    Parameters
    ----------
    red_green_green_blue : tuple of float
        Response of R, G, G and B pixels.
    cfa_pattern : str or None
        Bayer pattern; a mono sensor sees all as green.

    Returns
    -------
    tuple of float
        One number per plane.

    Examples
    --------
    >>> plane_colours((3.0, 1.0, 1.0, 2.0), "BGGR"), plane_colours((3.0, 1.0, 1.0, 2.0), None)
    ((2.0, 1.0, 1.0, 3.0), (1.0,))
    """
    red, green, _, blue = red_green_green_blue
    if cfa_pattern is None:
        return (green,)
    response = {"R": red, "G": green, "B": blue}
    return tuple(response[letter] for letter in cfa_pattern)


def _star_plane_colours(scene: Scene, cfa_pattern: str | None) -> NDArray[np.float64]:
    """Colours of the stars in the four corners of a 2 x 2 cell, shape (n, 4)."""
    if cfa_pattern is None:
        return np.ones_like(scene.star_colour)
    column = {"R": 0, "G": 1, "B": 3}
    return scene.star_colour[:, [column[letter] for letter in cfa_pattern]]


def _star_colours(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """From red to blue stars along the line of black bodies: what R gains, B loses."""
    tint = np.clip(0.25 * rng.standard_normal(n), -0.6, 0.6)
    return np.stack([0.7 * np.exp(-tint), np.ones(n), np.ones(n), 0.75 * np.exp(tint)], axis=1)


def _draw_clouds(
    rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[Vector, Vector, Vector, Vector]:
    """Centres, widths and weights: a random walk of ever other clouds about the middle."""
    size = float(min(shape))
    walk = np.cumsum(rng.normal(0.0, 0.06 * size, (NEBULA_CLOUDS, 2)), axis=0)
    walk += np.array(shape) * 0.5 - walk.mean(axis=0)
    width_px = size * np.exp(rng.uniform(np.log(0.03), np.log(0.2), NEBULA_CLOUDS))
    weight = rng.uniform(0.05, 0.4, NEBULA_CLOUDS)
    return walk[:, 0], walk[:, 1], width_px, weight


def _sky(scene: Scene, shape: tuple[int, int]) -> Image:
    """Glow of the air, e-/s in green pixels: a plane, tilted."""
    y = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32)[None, :]
    tilt = 1.0 + np.float32(scene.sky_slope_y) * y + np.float32(scene.sky_slope_x) * x
    sky: Image = np.float32(scene.sky_e_per_s) * tilt
    return sky


def _nebula(scene: Scene, shape: tuple[int, int], pointing: Pointing) -> Image:
    """Sum of round Gaussians, each the product of one in y and one in x: a matrix product."""
    y, x = pointing.to_sensor(scene.cloud_y, scene.cloud_x, shape)
    rows = _gaussians(np.arange(shape[0]), y, scene.cloud_width_px)
    columns = _gaussians(np.arange(shape[1]), x, scene.cloud_width_px)
    nebula: Image = (rows * scene.cloud_e_per_s.astype(np.float32)) @ columns.T
    return nebula


def _gaussians(places: NDArray[np.int64], centre: Vector, width: Vector) -> Image:
    """One Gaussian per column, shape (len(places), n)."""
    distance = (places[:, None] - centre) / width
    return np.exp(-0.5 * distance**2).astype(np.float32)
