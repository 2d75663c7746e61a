"""Drops fall where they belong, nothing is interpolated, and what is wrong does not fall."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.calibration import CalibratedLight
from solodark.errors import NotEnoughFramesError, SettingError
from solodark.frames import Acquisition, Camera, Frame, FrameKind, PixelFlags
from solodark.registration import Transform, find_stars, register
from solodark.stacking import drizzle, drizzled, stack
from solodark.synthetic import Pointing, Scene, make_scene, scene_electrons

SHAPE = (120, 160)
LIGHT = Acquisition(kind=FrameKind.LIGHT, exposure_s=180.0, camera=Camera(pixel_size_um=4.0))
INNER = (slice(20, -20), slice(20, -20))


def shifted(dy, dx):
    return Transform(matrix=np.array([[1.0, 0.0, dy], [0.0, 1.0, dx]]))


def dither(rng, n):
    return [Transform.identity(), *(shifted(*rng.uniform(-5, 5, 2)) for _ in range(n - 1))]


def flat_lights(rng, n=10, sigma=10.0, **acquisition):
    taken = replace(LIGHT, **acquisition)
    return [Frame(rng.normal(500.0, sigma, SHAPE), taken, f"light_{k}") for k in range(n)]


@pytest.fixture
def night(rng):
    """Dithered lights of one scene, and what a perfect sensor of each colour would see."""

    def take(cfa_pattern, n=16, fwhm_px=2.0):
        scene = make_scene(rng, shape=SHAPE, stars_per_megapixel=3000, fwhm_px=fwhm_px)
        places = [Pointing()]
        places += [
            Pointing(dy_px=dy, dx_px=dx, rotation_rad=0.004 * k)
            for k, (dy, dx) in enumerate(rng.uniform(-6, 6, (n - 1, 2)))
        ]
        taken = replace(LIGHT, cfa_pattern=cfa_pattern)
        lights = []
        for place in places:
            mean = scene_electrons(
                scene, SHAPE, exposure_s=180.0, cfa_pattern=cfa_pattern, pointing=place
            )
            lights.append(Frame(rng.poisson(mean) + rng.normal(0, 3, SHAPE), taken))
        stars = [find_stars(one.data, cfa_pattern=cfa_pattern) for one in lights]
        return lights, register(stars, reference=0).transforms, scene

    return take


def seen_by(scene: Scene, shape=SHAPE):
    return scene_electrons(scene, shape, exposure_s=180.0, cfa_pattern=None)


@pytest.mark.parametrize("cfa_pattern", [None, "GRBG"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_an_even_sky_stays_even(rng, cfa_pattern, scale):
    lights = [Frame(np.full(SHAPE, 500.0), replace(LIGHT, cfa_pattern=cfa_pattern))] * 12
    picture = drizzle(lights, dither(rng, 12), scale=scale)
    np.testing.assert_allclose(picture.data, 500.0, rtol=1e-5)
    assert picture.data.shape[-2:] == tuple(int(scale * side) for side in SHAPE)
    assert picture.acquisition.camera.pixel_size_um == 4.0 / scale
    assert picture.acquisition.n_combined == 12


def test_each_colour_is_made_of_its_own_pixels_only(rng):
    level = {"R": 100.0, "G": 200.0, "B": 300.0}
    pixels = np.empty(SHAPE)
    for place, letter in zip(((0, 0), (0, 1), (1, 0), (1, 1)), "GBRG", strict=True):
        pixels[place[0] :: 2, place[1] :: 2] = level[letter]
    lights = [Frame(pixels, replace(LIGHT, cfa_pattern="GBRG"))] * 6
    picture = drizzle(lights, dither(rng, 6))
    for colour, letter in zip(picture.data, "RGB", strict=True):
        np.testing.assert_allclose(colour, level[letter], rtol=1e-5)


def test_noise_falls_with_the_number_and_the_uncertainty_says_so(rng):
    lights = flat_lights(rng, 16)
    picture = drizzle(lights, [shifted(k % 4, k // 4) for k in range(16)])
    assert picture.data[INNER].std() == pytest.approx(10.0 / 4, rel=0.1)
    assert np.median(picture.uncertainty[INNER]) == pytest.approx(10.0 / 4, rel=0.1)
    assert (picture.coverage[INNER] == 16).mean() > 0.9


def test_noisier_lights_count_less(rng):
    lights = [*flat_lights(rng, 4, sigma=5.0), *flat_lights(rng, 4, sigma=20.0)]
    picture = drizzle(lights, [shifted(k, 0) for k in range(8)])
    best = 1 / np.sqrt(4 / 5.0**2 + 4 / 20.0**2)
    assert picture.data[INNER].std() == pytest.approx(best, rel=0.08)


def test_colours_are_sharper_than_interpolated_ones(night):
    lights, transforms, scene = night("RGGB", n=30)
    truth = seen_by(scene)[INNER]
    bright = truth > np.median(truth) + 400
    error = {}
    for name, make in (("drizzle", drizzle), ("stack", stack)):
        red = make(lights, transforms).data[0][INNER]
        red = (red - np.median(red)) * np.ptp(truth) / np.ptp(red)
        away = red - (truth - np.median(truth))
        error[name] = np.abs(away[bright]).mean()
    assert error["drizzle"] < 0.8 * error["stack"]


def test_stars_fall_though_they_are_sharper_than_their_stack(night):
    lights, transforms, scene = night("RGGB", fwhm_px=1.8)
    picture = drizzle(lights, transforms)
    truth = seen_by(scene)
    stars = truth > np.median(truth) + 400
    refused = picture.n_rejected_high[1].astype(float) + picture.n_rejected_low[1]
    assert refused[stars].sum() < 0.03 * picture.coverage[1][stars].sum()


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_rays_and_satellites_do_not_fall(night, rng, cfa_pattern):
    lights, transforms, _ = night(cfa_pattern)
    clean = drizzle(lights, transforms)
    struck = lights[5].data.copy()
    struck[60:62] += 5000.0
    struck[rng.integers(0, SHAPE[0], 100), rng.integers(0, SHAPE[1], 100)] += 9000.0
    lights[5] = replace(lights[5], data=struck)
    picture = drizzle(lights, transforms)
    moved = np.abs(picture.data - clean.data) / clean.uncertainty
    assert moved[..., 10:-10, 10:-10].max() < 8
    low, high = picture.rejected_fraction
    assert high > low + 0.0005
    everything = drizzle(lights, transforms, method="mean")
    assert everything.rejected_fraction == (0.0, 0.0)
    assert np.nanmax(np.abs(everything.data - clean.data) / clean.uncertainty) > 50


def test_a_star_is_twice_as_wide_and_as_far_at_twice_the_scale(night):
    lights, transforms, _ = night(None, n=8, fwhm_px=3.0)
    once, twice = (drizzle(lights, transforms, scale=s).data for s in (1.0, 2.0))
    stars, doubled = find_stars(once), find_stars(twice)
    nearest = [
        np.hypot(doubled.y - (2 * y + 0.5), doubled.x - (2 * x + 0.5)).min()
        for y, x in zip(stars.y[:15], stars.x[:15], strict=True)
    ]
    assert np.median(nearest) < 0.1


def test_bands_leave_no_seam(night, monkeypatch):
    lights, transforms, _ = night("RGGB", n=6)
    whole = drizzle(lights, transforms).data
    monkeypatch.setattr(drizzled, "_ROWS", 14)
    inner = (slice(None), *INNER)
    np.testing.assert_allclose(drizzle(lights, transforms).data[inner], whole[inner], rtol=1e-5)


def test_dead_pixels_do_not_fall(rng):
    flags = np.zeros(SHAPE, np.uint8)
    flags[50, 60] = PixelFlags.DEAD
    lights = []
    for _ in range(8):
        pixels = rng.normal(500.0, 5.0, SHAPE).astype(np.float32)
        pixels[50, 60] = 60_000.0
        ones = np.ones(SHAPE, np.float32)
        lights.append(
            CalibratedLight(data=pixels, uncertainty=ones, flags=flags, acquisition=LIGHT)
        )
    ways = dither(rng, 8)
    picture = drizzle(lights, ways, method="mean")
    assert np.nanmax(picture.data) < 540


def test_colours_of_lights_that_never_moved_are_filled_in_and_known_as_such(rng):
    lights = flat_lights(rng, 4, sigma=1.0, cfa_pattern="RGGB")
    picture = drizzle(lights)
    assert (picture.coverage[0] == 0).mean() == pytest.approx(0.75)
    assert np.isfinite(picture.data).all()
    assert np.isnan(picture.uncertainty[0][picture.coverage[0] == 0]).all()


def test_smaller_drops_leave_noise_of_neighbours_apart(rng):
    lights = flat_lights(rng, 60)
    ways = dither(rng, 60)
    near = {}
    for pixfrac in (1.0, 0.5):
        data = drizzle(lights, ways, pixfrac=pixfrac).data[INNER]
        near[pixfrac] = np.corrcoef(data[:, 1:].ravel(), data[:, :-1].ravel())[0, 1]
    assert near[1.0] > near[0.5] + 0.1


@pytest.mark.parametrize(
    "wrong", [{"scale": 0.0}, {"scale": 9.0}, {"pixfrac": 0.0}, {"pixfrac": 1.5}, {"sigma": -1.0}]
)
def test_settings_without_sense_are_refused(rng, wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))} = "):
        drizzle(flat_lights(rng, 3), **wrong)


def test_one_light_is_no_picture(rng):
    with pytest.raises(NotEnoughFramesError):
        drizzle(flat_lights(rng, 1))
