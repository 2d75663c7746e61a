"""Sentences of physics that the synthetic camera must obey."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from solodark.synthetic import (
    SyntheticCamera,
    SyntheticExposure,
    expose_bias,
    expose_dark,
    expose_flat,
    expose_series,
    make_camera,
)

SHAPE = (96, 128)
JUNE = datetime(2024, 6, 1, 22, 0, tzinfo=UTC)

CALM = {
    "telegraph_read_fraction": 0.0,
    "telegraph_dark_fraction": 0.0,
    "birth_fraction_per_year": 0.0,
    "cosmic_rate_per_cm2_s": 0.0,
    "row_noise_e": 0.0,
    "level_noise_adu": 0.0,
}
"""A camera without anything that hops, strikes or wanders."""


def camera_with(**settings: object) -> SyntheticCamera:
    return make_camera(np.random.default_rng(5), shape=SHAPE, **settings)


def take(
    camera: SyntheticCamera, rng: np.random.Generator, n: int, **circumstances: object
) -> np.ndarray:
    settings = {"exposure_s": 100.0, "temperature_c": 20.0, "iso": 800, "date": JUNE}
    settings |= circumstances
    return np.stack([expose_dark(camera, rng, **settings).frame.data for _ in range(n)])


def test_twice_the_exposure_holds_twice_the_dark_signal(rng: np.random.Generator) -> None:
    camera = camera_with(optical_black_ratio=0.0, glow_e_per_s=0.0, hot_fraction=0.0, **CALM)
    bias = np.mean([take(camera, rng, 16, exposure_s=0.0)])
    one, two = (np.mean(take(camera, rng, 8, exposure_s=t)) - bias for t in (60.0, 120.0))
    assert two / one == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(
    ("energy_ev", "warming_k"), [(0.63, 8.3), (1.12, 4.65)], ids=["depletion", "diffusion"]
)
def test_dark_current_doubles_within_the_step_of_its_energy(
    energy_ev: float, warming_k: float
) -> None:
    other = "diffusion_e_per_s" if energy_ev < 1 else "depletion_e_per_s"
    camera = camera_with(
        depletion_energy_ev=0.63, depletion_energy_spread_ev=0.0, hot_fraction=0.0, **CALM,
        **{other: 0.0},
    )  # fmt: skip
    cold = camera.dark_rate_e_per_s(temperature_c=20.0)
    warm = camera.dark_rate_e_per_s(temperature_c=20.0 + warming_k)
    np.testing.assert_allclose(warm / cold, 2.0, rtol=0.01)


def test_pixels_of_different_mixture_change_their_ratio_with_temperature() -> None:
    camera = camera_with()
    cold = camera.dark_rate_e_per_s(temperature_c=0.0)
    warm = camera.dark_rate_e_per_s(temperature_c=30.0)
    hot = camera.hot_mask
    assert np.median((warm / cold)[hot]) < 0.7 * np.median((warm / cold)[~hot])


def test_the_mean_of_a_clamped_dark_does_not_grow_with_exposure_but_its_variance_does(
    rng: np.random.Generator,
) -> None:
    camera = camera_with()
    short, long = (take(camera, rng, 6, exposure_s=t, temperature_c=25.0) for t in (5.0, 200.0))
    assert np.median(long) < np.median(short) - 5
    assert abs(np.mean(long) - np.mean(short)) < 0.3 * (np.median(short) - np.median(long))
    assert np.median(np.var(long, axis=0)) > 3 * np.median(np.var(short, axis=0))


@pytest.mark.parametrize("iso", [400, 800, 1600])
def test_the_slope_of_photon_transfer_is_the_gain(rng: np.random.Generator, iso: int) -> None:
    camera = camera_with(prnu=0.0, **CALM)
    means, variances = [], []
    for filling in (0.05, 0.2, 0.4, 0.6):
        a, b = (
            expose_flat(
                camera, rng, temperature_c=20.0, date=JUNE, iso=iso, filling=filling
            ).frame.data
            for _ in range(2)
        )
        means.append(np.mean(a + b) / 2)
        variances.append(np.var(a - b, dtype=np.float64) / 2)
    slope_adu_per_e = np.polyfit(means, variances, 1)[0]
    assert 1 / slope_adu_per_e == pytest.approx(camera.settings.mode(iso).gain_e_per_adu, rel=0.03)


def test_the_truth_is_the_mean_of_many_darks(rng: np.random.Generator) -> None:
    """Every pixel, saturated ones and read-type telegraph pixels included."""
    camera = camera_with(
        **CALM | {"telegraph_read_fraction": 0.02, "hot_fraction": 0.05}, hot_spread=2.5
    )
    n = 64
    conditions = {"exposure_s": 120.0, "temperature_c": 28.0, "iso": 400}
    mean = take(camera, rng, n, **conditions).mean(axis=0, dtype=np.float64)
    truth = camera.expected_dark_adu(date=JUNE, **conditions)
    variance = camera.noise_variance_adu(date=JUNE, **conditions)
    level = np.float64(camera.settings.full_well_e / 1.6)
    assert 10 < np.count_nonzero(truth > level) < 500
    z2 = (mean - truth) ** 2 / (variance / n)
    open_pixels = variance > 1
    assert np.mean(z2[open_pixels]) == pytest.approx(1.0, abs=0.06)
    assert np.max(z2[open_pixels]) < 40
    assert np.max(np.abs(mean - truth)[~open_pixels], initial=0.0) < 0.5


def test_the_variance_told_is_the_variance_of_many_darks(rng: np.random.Generator) -> None:
    camera = camera_with()
    n = 64
    conditions = {"exposure_s": 120.0, "temperature_c": 24.0, "iso": 1600}
    told = camera.noise_variance_adu(date=JUNE, **conditions)
    seen = take(camera, rng, n, **conditions).var(axis=0, ddof=1, dtype=np.float64)
    ratio = seen / told
    read, dark = camera.telegraph_read_mask, camera.telegraph_dark_mask
    quiet = ~read & ~dark & (told > 1)
    assert np.median(ratio[quiet]) == pytest.approx(1.0, abs=0.02)
    assert np.mean(ratio[read]) == pytest.approx(1.0, abs=0.12)
    assert np.median(told[read]) > 1.2 * np.median(told[quiet])


def test_all_gain_settings_share_the_electrons() -> None:
    camera = camera_with(optical_black_ratio=0.0)
    electrons = {}
    for mode in camera.settings.modes:
        long, bias = (
            camera.expected_dark_adu(exposure_s=t, temperature_c=22.0, iso=mode.setting)
            for t in (100.0, 0.0)
        )
        electrons[mode.setting] = (long - bias) * mode.gain_e_per_adu
    unsaturated = electrons[800] < 4000
    np.testing.assert_allclose(
        electrons[400][unsaturated], electrons[1600][unsaturated], rtol=2e-3, atol=0.05
    )
    patterns = [camera.bias_adu[iso] - camera.bias_adu[iso].mean() for iso in (400, 1600)]
    assert 0.2 < np.corrcoef(*(p[~camera.offset_hot_mask] for p in patterns))[0, 1] < 0.9


def test_dark_type_telegraph_pixels_dwell_and_read_type_do_not(rng: np.random.Generator) -> None:
    camera = camera_with(telegraph_dark_fraction=0.05, telegraph_read_fraction=0.05)
    series = expose_series(
        camera, rng, n=40, exposure_s=180.0, ambient_temperature_c=20.0, start=JUNE
    )
    high = np.stack([dark.truth.telegraph_state.high for dark in series]).astype(float)
    hops = np.stack([dark.truth.telegraph_read_e for dark in series])
    assert agreement_of_neighbours(high) > 0.6
    assert abs(agreement_of_neighbours(hops)) < 0.05


def agreement_of_neighbours(levels: np.ndarray) -> float:
    """Correlation of each frame's levels with the next frame's, within a pixel's own history."""
    about_mean = levels - levels.mean(axis=0)
    return float(np.sum(about_mean[1:] * about_mean[:-1]) / np.sum(about_mean**2))


def test_levels_of_dark_type_telegraph_pixels_scale_with_exposure(
    rng: np.random.Generator,
) -> None:
    camera = camera_with(telegraph_dark_fraction=0.1, hot_fraction=0.0)
    state = camera.telegraph_dark.start(rng, JUNE)
    where = np.unravel_index(camera.telegraph_dark.index[state.high], SHAPE)
    steps = []
    for exposure_s in (60.0, 120.0):
        conditions = {"exposure_s": exposure_s, "temperature_c": 20.0, "date": JUNE}
        now = camera.expected_dark_e(telegraph_state=state, **conditions)
        steps.append((now - camera.expected_dark_e(**conditions))[where])
    assert np.all(steps[0] >= 0)
    np.testing.assert_allclose(steps[1], 2 * steps[0], rtol=1e-3, atol=1e-4)


def test_hot_pixels_born_in_june_are_absent_in_may(rng: np.random.Generator) -> None:
    camera = camera_with(birth_fraction_per_year=0.05, birth_e_per_s=5.0, birth_spread=0.1)
    born = camera.newborn_mask(JUNE, JUNE + timedelta(days=30))
    assert 20 < born.sum() < 120
    may, july = (
        np.median(take(camera, rng, 8, date=JUNE + timedelta(days=days)), axis=0)
        for days in (-1, 31)
    )
    bright = 0.5 * 5.0 * 100.0 / 0.8
    assert np.mean(july[born] - may[born] > bright) == 1.0
    assert np.mean(july[~born] - may[~born] > bright) < 0.001


def test_hot_pixels_of_the_offset_kind_do_not_scale_with_exposure(
    rng: np.random.Generator,
) -> None:
    camera = camera_with(offset_hot_fraction=0.02, hot_fraction=0.0, glow_e_per_s=0.0)
    for exposure_s in (0.0, 60.0, 240.0):
        mean = take(camera, rng, 8, exposure_s=exposure_s).mean(axis=0)
        excess_adu = np.median(mean[camera.offset_hot_mask]) - np.median(mean)
        assert excess_adu == pytest.approx(40.0 / 0.8, rel=0.15)


def test_glow_saturates_with_exposure() -> None:
    camera = camera_with()
    minute, two, hour = (camera.glow_e(t).max() for t in (60.0, 120.0, 3600.0))
    assert 1.8 < two / minute < 1.95
    assert hour < 12 * minute
    corner, opposite = camera.glow_e_per_s[-1, -1], camera.glow_e_per_s[0, 0]
    assert corner > 20 * opposite


def test_the_header_lies_by_two_degrees_and_is_coarse(rng: np.random.Generator) -> None:
    camera = camera_with()
    told = np.array(
        [
            expose_bias(camera, rng, temperature_c=21.3, date=JUNE)
            .frame.acquisition.sensor_temperature_c
            for _ in range(200)
        ]
    )  # fmt: skip
    assert np.mean(told) - 21.3 == pytest.approx(2.0, abs=0.2)
    np.testing.assert_array_equal(told, np.rint(told))


def test_the_sensor_warms_itself_and_the_first_sub_is_the_coolest(
    rng: np.random.Generator,
) -> None:
    camera = camera_with(**CALM)
    series = expose_series(
        camera, rng, n=12, exposure_s=180.0, ambient_temperature_c=10.0, start=JUNE
    )
    warmth = np.array([dark.truth.temperature_c for dark in series])
    steps = np.diff(warmth)
    assert np.all(steps > 0)
    assert steps[0] > 5 * steps[-1]
    assert warmth[-1] == pytest.approx(14.0, abs=0.2)
    hot = camera.hot_mask
    brightness = [float(np.mean(d.frame.data[hot]) - np.mean(d.frame.data)) for d in series]
    assert brightness[-1] > 1.15 * brightness[0]


def test_a_pixel_saturates_at_its_full_well_and_at_full_scale(rng: np.random.Generator) -> None:
    camera = camera_with(hot_fraction=0.02, hot_e_per_s=5000.0, hot_spread=0.1, **CALM)
    very_hot = camera.depletion_e_per_s > 1000
    well = take(camera, rng, 4, iso=400)[:, very_hot]
    level = np.median(take(camera, rng, 1, iso=400, exposure_s=0.0))
    assert np.median(well) == pytest.approx(level + 20_000 / 1.6, abs=40)
    assert np.all(well < camera.settings.full_scale_adu)
    converter = take(camera, rng, 4, iso=1600)
    assert np.all(converter[:, very_hot] == camera.settings.full_scale_adu)
    assert converter.max() == camera.settings.full_scale_adu


def test_row_noise_is_new_in_each_frame(rng: np.random.Generator) -> None:
    camera = camera_with(row_noise_e=5.0, hot_fraction=0.0)
    shots = [
        expose_dark(camera, rng, exposure_s=1.0, temperature_c=10.0, date=JUNE) for _ in range(2)
    ]
    rows = [np.median(shot.frame.data, axis=1) * 0.8 for shot in shots]
    for seen, shot in zip(rows, shots, strict=True):
        assert np.corrcoef(seen, shot.truth.row_offset_e)[0, 1] > 0.97
    assert abs(np.corrcoef(*rows)[0, 1]) < 0.3


def test_cosmic_rays_strike_single_frames_where_the_truth_says(rng: np.random.Generator) -> None:
    camera = camera_with(
        cosmic_rate_per_cm2_s=50.0, **{k: v for k, v in CALM.items() if "cos" not in k}
    )
    one, other = (
        expose_dark(camera, rng, exposure_s=60.0, temperature_c=5.0, date=JUNE) for _ in range(2)
    )
    struck = one.truth.cosmic_mask & ~other.truth.cosmic_mask
    difference_e = (one.frame.data - other.frame.data) * 0.8
    assert struck.sum() > 20
    assert np.median(difference_e[struck]) > 100
    untouched = ~one.truth.cosmic_mask & ~other.truth.cosmic_mask & ~camera.hot_mask
    assert np.max(np.abs(difference_e[untouched])) < 60


def test_shot_noise_follows_the_hidden_dark_on_both_sides_of_the_gaussian_switch(
    rng: np.random.Generator,
) -> None:
    """Poisson below 50 e-, Gaussian above: mean and variance must not notice."""
    for rate in (0.35, 0.49, 0.51, 0.9):
        camera = camera_with(
            diffusion_e_per_s=rate, diffusion_spread=0.0, depletion_e_per_s=0.0, hot_fraction=0.0,
            glow_e_per_s=0.0, optical_black_ratio=0.0, **CALM,
        )  # fmt: skip
        data = take(camera, rng, 16) * 0.8 - camera.bias_adu[800] * 0.8
        assert np.mean(data) == pytest.approx(100 * rate, abs=0.1)
        added = np.mean((camera.relative_read_noise * 3.2) ** 2) + 0.8**2 / 12
        assert np.var(data) - added == pytest.approx(100 * rate, rel=0.03)


def test_the_same_dice_give_the_same_camera_and_the_same_frame() -> None:
    def run(seed: int) -> SyntheticExposure:
        rng = np.random.default_rng(seed)
        camera = make_camera(rng, shape=SHAPE)
        return expose_dark(camera, rng, exposure_s=60.0, temperature_c=18.0, date=JUNE)

    first, second, third = run(1), run(1), run(2)
    np.testing.assert_array_equal(first.frame.data, second.frame.data)
    assert first.frame.acquisition == second.frame.acquisition
    assert np.mean(first.frame.data != third.frame.data) > 0.5


@pytest.mark.real_data
def test_the_default_camera_looks_like_a_real_uncooled_one(
    rng: np.random.Generator, real_data: Path
) -> None:
    """Beside an ASI178MC at 33 C, both 100 s, in electrons: noise, spread, hot pixels alike."""
    paths = sorted((real_data / "asi178mc" / "darks").glob("*_100sec*"))
    real = np.stack([fits.getdata(path) for path in paths]).astype(np.float32) / 4 * 0.9
    camera = make_camera(np.random.default_rng(5), shape=(256, 384))
    fake = take(camera, rng, 5, temperature_c=20.0, iso=800) * 0.8
    for statistic, factor in ((noise, 1.5), (spread, 2.0), (warm_share, 2.0), (tail, 3.0)):
        assert 1 / factor < statistic(fake) / statistic(real) < factor, statistic.__name__


def noise(darks: np.ndarray) -> float:
    return float(np.sqrt(np.median(darks.var(axis=0, ddof=1))))


def spread(darks: np.ndarray) -> float:
    low, high = np.percentile(darks.mean(axis=0), [16, 84])
    return float(high - low)


def warm_share(darks: np.ndarray) -> float:
    mean = darks.mean(axis=0)
    return float(np.mean(mean - np.median(mean) > 5 * noise(darks)))


def tail(darks: np.ndarray) -> float:
    mean = darks.mean(axis=0)
    return float(np.percentile(mean, 99.9) - np.median(mean))
