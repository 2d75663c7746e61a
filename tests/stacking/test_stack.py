"""A stack is the mean of what the lights saw, deeper than each of them, and knows its noise."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from solodark.calibration import CalibratedLight
from solodark.errors import (
    FrameMismatchError,
    NotEnoughFramesError,
    SettingError,
)
from solodark.frames import Acquisition, Frame, FrameKind, PixelFlags
from solodark.registration import Transform, find_stars, register
from solodark.stacking import stack
from solodark.stacking.brightness import measure_brightness
from solodark.synthetic import Pointing, make_scene, scene_electrons

SHAPE = (120, 160)
LIGHT = Acquisition(kind=FrameKind.LIGHT, exposure_s=180.0)


def frames(rng, n=10, sigma=10.0, level=500.0, **acquisition):
    taken = replace(LIGHT, **acquisition)
    return [Frame(rng.normal(level, sigma, SHAPE), taken, f"light_{k}") for k in range(n)]


def shifted(dy, dx, **more):
    return Transform(matrix=np.array([[1.0, 0.0, dy], [0.0, 1.0, dx]]), **more)


def test_noise_falls_with_the_root_of_the_number_and_the_uncertainty_says_so(rng):
    picture = stack(frames(rng, 16), normalised=False)
    assert picture.data.std() == pytest.approx(10.0 / 4, rel=0.05)
    assert np.median(picture.uncertainty) == pytest.approx(10.0 / 4, rel=0.08)
    assert (picture.coverage == 16).all()
    assert picture.acquisition.n_combined == 16


def test_without_rejection_it_is_the_plain_mean(rng):
    lights = frames(rng, 7)
    mean = np.mean([light.data for light in lights], axis=0, dtype=np.float64)
    deviation = np.std([light.data for light in lights], axis=0, ddof=1, dtype=np.float64)
    picture = stack(lights, method="mean", normalised=False)
    np.testing.assert_allclose(picture.data, mean, rtol=1e-6)
    np.testing.assert_allclose(picture.uncertainty, deviation / np.sqrt(7), rtol=1e-4)


def test_noisier_lights_count_less_by_their_variance(rng):
    quiet, noisy = frames(rng, 4, sigma=5.0), frames(rng, 4, sigma=20.0)
    picture = stack([*quiet, *noisy], method="mean")
    assert picture.weights[0] / picture.weights[-1] == pytest.approx(16.0, rel=0.1)
    best = 1 / np.sqrt(4 / 5.0**2 + 4 / 20.0**2)
    assert picture.data.std() == pytest.approx(best, rel=0.05)
    assert np.median(picture.uncertainty) == pytest.approx(best, rel=0.15)


def test_the_weighted_mean_of_survivors_is_that_of_plain_numpy(rng):
    lights = frames(rng, 9)
    pixels = np.array([light.data for light in lights])
    pixels[4, 50, 60] = 30_000.0
    pixels[2, 70, 80] = -9_000.0
    lights = [Frame(plane, LIGHT) for plane in pixels]
    transforms = [replace(Transform.identity(), transparency=t) for t in (1.0, *[0.8] * 8)]
    picture = stack(lights, transforms)
    found = measure_brightness(lights, transforms)
    alike = pixels * found.scale[:, None, None] + found.shift_adu[0][:, None, None]
    for y, x in ((50, 60), (70, 80), (20, 30)):
        n_low, n_high = int(picture.n_rejected_low[y, x]), int(picture.n_rejected_high[y, x])
        kept = np.argsort(alike[:, y, x])[n_low : 9 - n_high]
        expected = np.average(alike[kept, y, x], weights=found.weights[0][kept])
        assert picture.data[y, x] == pytest.approx(expected, abs=1e-3)
    assert picture.n_rejected_high[50, 60] == 1
    assert picture.n_rejected_low[70, 80] == 1


def test_brighter_skies_are_levelled_and_thinner_air_is_made_up_for(rng):
    scene = make_scene(rng, shape=SHAPE)
    airs = [Pointing(), Pointing(transparency=0.6, sky_factor=3.0), Pointing(transparency=0.8)]
    lights = []
    for air in [*airs, *airs]:
        mean = scene_electrons(scene, SHAPE, exposure_s=180.0, cfa_pattern=None, pointing=air)
        lights.append(Frame(rng.poisson(mean).astype(float), LIGHT))
    found = register([find_stars(light.data) for light in lights], reference=0)
    picture = stack(lights, found.transforms, method="mean")
    truth = scene_electrons(scene, SHAPE, exposure_s=180.0, cfa_pattern=None)
    stars = truth > np.median(truth) + 300
    assert np.median(picture.data) == pytest.approx(np.median(truth), rel=0.02)
    ratio = (picture.data - np.median(picture.data))[stars] / (truth - np.median(truth))[stars]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_a_dithered_night_is_brought_together(rng, cfa_pattern):
    scene = make_scene(rng, shape=SHAPE, stars_per_megapixel=4000, fwhm_px=3.2)
    lights, taken = [], replace(LIGHT, cfa_pattern=cfa_pattern)
    for k in range(10):
        place = Pointing(dy_px=2.3 * k - 9, dx_px=1.7 * k, rotation_rad=0.004 * k)
        mean = scene_electrons(
            scene, SHAPE, exposure_s=180.0, cfa_pattern=cfa_pattern, pointing=place
        )
        lights.append(Frame(rng.poisson(mean) + rng.normal(0, 3, SHAPE), taken))
    found = register([find_stars(one.data, cfa_pattern=cfa_pattern) for one in lights])
    picture = stack(lights, found.transforms, normalised=False)
    reference = Pointing(
        dy_px=2.3 * found.reference - 9,
        dx_px=1.7 * found.reference,
        rotation_rad=0.004 * found.reference,
    )
    green = picture.data if cfa_pattern is None else picture.data[1]
    truth = scene_electrons(scene, SHAPE, exposure_s=180.0, cfa_pattern=None, pointing=reference)
    inner = (slice(30, -30), slice(30, -30))
    assert np.corrcoef(green[inner].ravel(), truth[inner].ravel())[0, 1] > 0.99
    assert (green[inner] - truth[inner]).mean() == pytest.approx(
        0.0, abs=0.02 * float(truth.mean())
    )
    assert picture.data.shape == (SHAPE if cfa_pattern is None else (3, *SHAPE))


def test_a_flipped_light_adds_to_the_others(rng):
    scene = make_scene(rng, shape=SHAPE, stars_per_megapixel=4000)
    mean = scene_electrons(scene, SHAPE, exposure_s=180.0, cfa_pattern=None)
    lights = [Frame(rng.poisson(mean).astype(float), LIGHT) for _ in range(4)]
    lights += [Frame(rng.poisson(mean)[::-1, ::-1].astype(float), LIGHT) for _ in range(4)]
    found = register([find_stars(light.data) for light in lights], reference=0)
    picture = stack(lights, found.transforms, normalised=False)
    inner = (slice(5, -5), slice(5, -5))
    residual = picture.data[inner] - mean[inner]
    assert residual.std() < 1.3 * np.sqrt(mean[inner].mean() / 8)


def test_cosmic_rays_and_satellites_are_rejected(rng):
    lights = frames(rng, 12)
    pixels = lights[3].data.copy()
    pixels[40:42] = 4000.0
    picture = stack([*lights[:3], Frame(pixels, LIGHT), *lights[4:]], normalised=False)
    assert picture.data[40:42].max() < 530
    assert (picture.n_rejected_high[40:42] >= 1).all()
    low, high = picture.rejected_fraction
    assert 0 < low < 0.02
    assert high > low


def test_pixels_out_of_view_count_only_the_lights_that_saw_them(rng):
    lights = frames(rng, 4)
    picture = stack(lights, [Transform.identity(), *[shifted(10.0, 0.0)] * 3], normalised=False)
    assert (picture.coverage[:9] == 1).all()
    assert (picture.coverage[12:] == 4).all()
    assert np.isfinite(picture.data).all()
    assert np.isnan(picture.uncertainty[:9]).all()


def test_where_no_light_reaches_there_is_no_value(rng):
    picture = stack(frames(rng, 3), [shifted(0.0, 40.0)] * 3, normalised=False)
    assert np.isnan(picture.data[:, :35]).all()
    assert (picture.coverage[:, :35] == 0).all()
    assert np.isfinite(picture.data[:, 42:]).all()


def calibrated(frame, dead=()):
    flags = np.zeros(SHAPE, np.uint8)
    for place in dead:
        flags[place] = PixelFlags.DEAD
    data = frame.data.copy()
    data[flags > 0] = 9e4  # whatever stands there must not count
    return CalibratedLight(
        data=data, uncertainty=np.ones(SHAPE, np.float32), flags=flags, acquisition=LIGHT
    )


def test_a_dead_pixel_is_left_out_where_another_light_saw_it(rng):
    lights = [calibrated(light, [(60, 80)]) for light in frames(rng, 6)]
    dithers = [Transform.identity(), *(shifted(3.0 * k, 0.0) for k in range(1, 6))]
    picture = stack(lights, dithers, method="mean", normalised=False)
    assert picture.coverage[60, 80] == 5
    assert np.abs(picture.data[20:, :] - 500).max() < 40


def test_a_pixel_that_is_dead_in_every_light_is_filled_in_and_says_so(rng):
    lights = [calibrated(light, [(60, 80)]) for light in frames(rng, 6)]
    picture = stack(lights, normalised=False)
    assert picture.coverage[60, 80] == 0
    assert picture.data[60, 80] == pytest.approx(500, abs=15)
    assert np.isnan(picture.uncertainty[60, 80])


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_the_memory_given_does_not_change_the_picture(rng, cfa_pattern):
    lights = frames(rng, 5, cfa_pattern=cfa_pattern)
    ways = [Transform.identity(), *(shifted(1.3 * k, -0.6 * k) for k in range(1, 5))]
    much, little = (stack(lights, ways, memory_mb=mb) for mb in (100.0, 0.05))
    np.testing.assert_array_equal(much.data, little.data)
    np.testing.assert_array_equal(much.uncertainty, little.uncertainty)


def test_only_the_rows_that_are_needed_are_read(rng):
    asked, lock = [], threading.Lock()

    class Watched:
        def __init__(self, frame):
            self.frame, self.name = frame, frame.name
            self.acquisition, self.shape = frame.acquisition, frame.shape

        def read_rows(self, start, stop):
            with lock:
                asked.append(stop - start)
            return self.frame.read_rows(start, stop)

    stack([Watched(light) for light in frames(rng, 4)], normalised=False, memory_mb=0.05)
    assert max(asked) < SHAPE[0] // 2


def test_the_median_is_the_median(rng):
    lights = frames(rng, 5)
    picture = stack(lights, method="median", normalised=False)
    np.testing.assert_allclose(
        picture.data, np.median([light.data for light in lights], axis=0), rtol=1e-6
    )


def test_lights_out_of_register_are_left_out(rng):
    lights = frames(rng, 4)
    ways = [Transform.identity(), None, Transform.identity(), None]
    assert stack(lights, ways).n_lights == 2


def test_one_light_is_no_stack(rng):
    lights = frames(rng, 3)
    with pytest.raises(NotEnoughFramesError, match="found 1 light to stack"):
        stack(lights[:1])
    with pytest.raises(NotEnoughFramesError, match="found 0 lights"):
        stack([])
    with pytest.raises(NotEnoughFramesError, match="2 being out of register"):
        stack(lights, [Transform.identity(), None, None])


def test_a_light_of_another_size_is_named(rng):
    odd = Frame(np.zeros((10, 10)), LIGHT, "crop.fits")
    with pytest.raises(FrameMismatchError, match=r"10 x 10 pixels in crop.fits"):
        stack([*frames(rng, 3), odd])


def test_a_transform_too_few_is_refused(rng):
    with pytest.raises(FrameMismatchError, match="2 transforms for 3 lights"):
        stack(frames(rng, 3), [Transform.identity()] * 2)


@pytest.mark.parametrize(
    "wrong", [{"method": "best"}, {"sigma": 0.0}, {"kernel": "nearest"}, {"memory_mb": -1.0}]
)
def test_settings_without_sense_are_refused(rng, wrong):
    with pytest.raises(SettingError):
        stack(frames(rng, 3), **wrong)


def test_the_lights_are_as_they_were(rng):
    lights = [calibrated(light, [(3, 3)]) for light in frames(rng, 3)]
    before = [light.data.copy() for light in lights]
    stack(lights)
    for light, was in zip(lights, before, strict=True):
        np.testing.assert_array_equal(light.data, was)
