"""Lights are the same dark signal plus photons through the optics."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from solodark.errors import SettingError
from solodark.frames import FrameKind
from solodark.synthetic import (
    NightPlan,
    Pointing,
    Scene,
    expose_flat,
    expose_light,
    expose_night,
    light_electrons,
    make_camera,
    make_scene,
    scene_electrons,
)

SHAPE = (96, 128)
AUGUST = datetime(2024, 8, 10, 22, tzinfo=UTC)


def single_star(scene: Scene, y: float, x: float, e_per_s: float = 100.0) -> Scene:
    """The same sky with one star and nothing else."""
    return replace(
        scene,
        star_y=np.array([y]),
        star_x=np.array([x]),
        star_e_per_s=np.array([e_per_s]),
        star_colour=np.ones((1, 4)),
        cloud_e_per_s=np.zeros_like(scene.cloud_e_per_s),
        sky_e_per_s=0.0,
    )


def centroid(image: np.ndarray) -> tuple[float, float]:
    y, x = np.indices(image.shape)
    return float(np.sum(y * image) / image.sum()), float(np.sum(x * image) / image.sum())


@pytest.mark.parametrize("fwhm_px", [2.0, 2.8, 4.5])
@pytest.mark.parametrize(("y", "x"), [(48.0, 64.0), (48.5, 64.25), (47.13, 63.87)])
def test_all_of_a_star_s_light_arrives_at_its_place(
    rng: np.random.Generator, fwhm_px: float, y: float, x: float
) -> None:
    scene = single_star(make_scene(rng, shape=SHAPE, fwhm_px=fwhm_px), y, x)
    image = scene_electrons(scene, SHAPE, exposure_s=50.0, cfa_pattern="RGGB")
    assert image.sum(dtype=np.float64) == pytest.approx(5000.0, rel=1e-3)
    assert centroid(image) == pytest.approx((y, x), abs=2e-3)


def test_half_of_the_maximum_lies_at_half_of_the_width(rng: np.random.Generator) -> None:
    scene = single_star(make_scene(rng, shape=SHAPE, fwhm_px=8.0), 48.0, 64.0)
    row = scene_electrons(scene, SHAPE, exposure_s=50.0, cfa_pattern=None)[48]
    assert row[68] / row[64] == pytest.approx(0.5, abs=0.02)
    assert row[60] / row[64] == pytest.approx(0.5, abs=0.02)


def test_each_pixel_gets_the_light_that_falls_on_its_area(rng: np.random.Generator) -> None:
    """The brightest pixels of a sharp star, against the mean of 100 x 100 points in each."""
    scene = single_star(make_scene(rng, shape=SHAPE, fwhm_px=2.0), 48.2, 64.4)
    image = scene_electrons(scene, SHAPE, exposure_s=50.0, cfa_pattern=None)[46:51, 62:67]
    points = (np.arange(500) + 0.5) / 100 - 0.5
    core2 = (2.0 / 2) ** 2 / (2 ** (1 / 4) - 1)
    y2, x2 = (46 + points[:, None] - 48.2) ** 2, (62 + points - 64.4) ** 2
    profile = 5000.0 * 3 / (np.pi * core2) * (1 + (y2 + x2) / core2) ** -4
    np.testing.assert_allclose(image, profile.reshape(5, 100, 5, 100).mean(axis=(1, 3)), atol=1.0)


def test_a_quarter_turn_takes_a_star_from_the_right_to_the_bottom() -> None:
    quarter = Pointing(rotation_rad=np.pi / 2)
    y, x = quarter.to_sensor(np.array([10.0]), np.array([16.0]), (21, 21))
    assert (y.item(), x.item()) == pytest.approx((16.0, 10.0))


def test_drift_and_rotation_move_a_star_to_where_the_pointing_says(
    rng: np.random.Generator,
) -> None:
    pointing = Pointing(dy_px=-3.4, dx_px=5.2, rotation_rad=0.2)
    scene = single_star(make_scene(rng, shape=SHAPE), 40.0, 80.0)
    image = scene_electrons(scene, SHAPE, exposure_s=50.0, cfa_pattern=None, pointing=pointing)
    y, x = pointing.to_sensor(scene.star_y, scene.star_x, SHAPE)
    assert centroid(image) == pytest.approx((y.item(), x.item()), abs=2e-3)
    assert np.hypot(y.item() - 40.0, x.item() - 80.0) > 3


def test_magnitudes_follow_a_power_law(rng: np.random.Generator) -> None:
    scene = make_scene(rng, shape=(2000, 2000), stars_per_megapixel=5000.0)
    magnitudes = scene.star_magnitude
    counts = [np.count_nonzero(magnitudes < limit) for limit in (18.5, 19.5, 20.5)]
    slopes = np.diff(np.log10(counts))
    np.testing.assert_allclose(slopes, 0.30, atol=0.05)


def test_bayer_pixels_see_their_own_colours(rng: np.random.Generator) -> None:
    scene = single_star(make_scene(rng, shape=SHAPE), 48.0, 64.0, e_per_s=1e-6)
    scene = replace(scene, sky_e_per_s=1.0)
    image = scene_electrons(scene, SHAPE, exposure_s=10.0, cfa_pattern="GBRG")
    levels = [image[y::2, x::2].mean() for y in (0, 1) for x in (0, 1)]
    assert levels == pytest.approx([10.0, 7.0, 7.0, 10.0], rel=0.03)


def test_clouds_hide_the_stars_and_leave_the_sky(rng: np.random.Generator) -> None:
    scene = make_scene(rng, shape=SHAPE)
    cloudy = Pointing(transparency=0.0, sky_factor=2.0)
    clear, hidden = (
        scene_electrons(scene, SHAPE, exposure_s=60.0, cfa_pattern=None, pointing=pointing)
        for pointing in (Pointing(), cloudy)
    )
    assert hidden.max() < 1.4 * np.median(hidden)
    assert clear.max() > 3 * np.median(clear)
    assert np.median(hidden) > 1.5 * np.percentile(clear, 1)


def test_a_light_less_its_dark_is_the_sky_through_the_optics(rng: np.random.Generator) -> None:
    quiet = {"telegraph_dark_fraction": 0.0, "level_noise_adu": 0.0, "cosmic_rate_per_cm2_s": 0.0}
    camera = make_camera(rng, shape=SHAPE, **quiet)
    scene = make_scene(rng, shape=SHAPE)
    lights = [
        expose_light(camera, scene, rng, exposure_s=180.0, temperature_c=20.0, date=AUGUST)
        for _ in range(24)
    ]
    mean = np.mean([light.frame.data for light in lights], axis=0, dtype=np.float64)
    seen_e = (mean - camera.expected_for(lights[0])) * 0.8
    sky_e = light_electrons(camera, scene, exposure_s=180.0)
    dark_e = camera.expected_dark_e(exposure_s=180.0, temperature_c=20.0, date=AUGUST)
    usable = (sky_e + dark_e < 8000) & ~camera.telegraph_read_mask
    sigma_e = np.sqrt((sky_e + dark_e + 3.5**2) / 24)
    assert np.std(((seen_e - sky_e) / sigma_e)[usable]) == pytest.approx(1.0, abs=0.05)


def test_the_corners_of_a_light_are_as_dim_as_those_of_a_flat(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=SHAPE, cfa_pattern=None, dust_grains=0)
    scene = replace(make_scene(rng, shape=SHAPE, nebula_e_per_s=0.0), sky_slope_y=0, sky_slope_x=0)
    sky_e = light_electrons(camera, scene, exposure_s=180.0, pointing=Pointing(transparency=0))
    assert np.median(sky_e[:6, :6]) / np.median(sky_e[45:51, 61:67]) == pytest.approx(
        0.686, abs=0.015
    )


def test_a_flat_shows_vignetting_and_divides_it_away(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=SHAPE, cfa_pattern=None, dust_grains=3)
    flats = [expose_flat(camera, rng, temperature_c=15.0, date=AUGUST) for _ in range(30)]
    flat = np.mean([shot.frame.data for shot in flats], axis=0) - camera.bias_adu[800]
    ratio = flat / camera.response
    ordinary = ~camera.hot_mask & ~camera.offset_hot_mask
    assert np.std(ratio[ordinary]) / np.mean(ratio) < 0.006
    corner, centre = np.median(flat[:6, :6]), np.median(flat[45:51, 61:67])
    assert corner / centre == pytest.approx(0.65, abs=0.06)


def test_a_flat_fills_its_pixels_as_far_as_asked(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=SHAPE, cfa_pattern=None)
    for iso, holds_adu in ((400, 20_000 / 1.6), (1600, 16383 - 2048)):
        flat = expose_flat(camera, rng, temperature_c=15.0, date=AUGUST, iso=iso, filling=0.5)
        peak = np.percentile(flat.frame.data, 95) - 2048
        assert peak == pytest.approx(0.5 * holds_adu, rel=0.06)
    with pytest.raises(SettingError, match=r"filling of 1\.5"):
        expose_flat(camera, rng, temperature_c=15.0, date=AUGUST, filling=1.5)


def test_a_night_cools_by_eight_degrees_and_ends_with_darks(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(32, 48))
    shots = list(expose_night(camera, make_scene(rng, shape=(32, 48)), rng))
    kinds = [shot.frame.acquisition.kind for shot in shots]
    assert (
        kinds
        == [FrameKind.LIGHT] * 34
        + [FrameKind.DARK] * 20
        + [FrameKind.FLAT] * 20
        + [FrameKind.BIAS] * 20
    )
    lights, darks = shots[:34], shots[34:54]
    warmth = [shot.truth.temperature_c for shot in lights]
    assert warmth[0] - warmth[-1] == pytest.approx(8.0, abs=0.1)
    assert np.all(np.diff(warmth) < 0)
    assert np.ptp([d.truth.temperature_c for d in darks]) < 0.3
    assert darks[0].truth.temperature_c == pytest.approx(warmth[-1], abs=0.3)
    assert {shot.frame.acquisition.exposure_s for shot in lights + darks} == {180.0}
    dates = [shot.frame.acquisition.date_obs for shot in shots]
    assert dates == sorted(dates)


def test_lights_of_a_night_drift_and_turn_and_darks_point_nowhere(
    rng: np.random.Generator,
) -> None:
    camera = make_camera(rng, shape=(32, 48))
    plan = NightPlan(n_lights=12, n_darks=1, n_flats=1, n_biases=1, jitter_px=0.0, dither_px=4.0)
    shots = list(expose_night(camera, make_scene(rng, shape=(32, 48)), rng, plan))
    pointings = [shot.truth.pointing for shot in shots[:12]]
    assert pointings[0].rotation_rad == 0
    assert np.rad2deg(pointings[-1].rotation_rad) == pytest.approx(0.3)
    dither = np.array([p.dx_px - plan.drift_x_px * k for k, p in enumerate(pointings)])
    assert 2.0 < np.ptp(dither) <= 8.0
    assert [shot.truth.pointing for shot in shots[12:]] == [None] * 3


def test_the_same_dice_give_the_same_night() -> None:
    def last_light(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        camera, scene = make_camera(rng, shape=(32, 48)), make_scene(rng, shape=(32, 48))
        plan = NightPlan(n_lights=3, n_darks=0, n_flats=0, n_biases=0)
        return list(expose_night(camera, scene, rng, plan))[-1].frame.data

    np.testing.assert_array_equal(last_light(3), last_light(3))
    assert np.any(last_light(3) != last_light(4))
