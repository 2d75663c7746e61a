"""What a synthetic camera is made of, and what it refuses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from solodark.errors import SettingError
from solodark.synthetic import PRESETS, expose_bias, expose_dark, make_camera

JUNE = datetime(2024, 6, 1, tzinfo=UTC)


def test_fractions_of_odd_pixels_are_those_asked_for(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(256, 256))
    settings = camera.settings
    assert camera.telegraph_read_mask.mean() == pytest.approx(
        settings.telegraph_read_fraction, rel=0.01
    )
    assert camera.telegraph_dark_mask.mean() == pytest.approx(
        settings.telegraph_dark_fraction, rel=0.01
    )
    assert camera.offset_hot_mask.mean() == pytest.approx(settings.offset_hot_fraction, rel=0.3)
    hot = settings.hot_fraction + settings.telegraph_dark_fraction
    assert camera.hot_mask.mean() == pytest.approx(hot, rel=0.15)
    assert camera.hot_mask[camera.telegraph_dark_mask].mean() > 0.8
    assert not np.any(camera.telegraph_read_mask & camera.telegraph_dark_mask)


def test_births_are_even_over_the_years(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(256, 256), birth_fraction_per_year=0.01)
    spans = [(JUNE + timedelta(days=365 * k), JUNE + timedelta(days=365 * (k + 1))) for k in (0, 3)]
    first, fourth = (camera.newborn_mask(*span) for span in spans)
    assert first.mean() == pytest.approx(0.01, rel=0.15)
    assert fourth.mean() == pytest.approx(0.01, rel=0.15)
    assert not np.any(first & fourth)


def test_a_mono_camera_has_one_level_and_a_colour_camera_four(rng: np.random.Generator) -> None:
    quiet = {"bias_pixel_e": 0.0, "bias_column_e": 0.0, "bias_pixel_adu": 0.0}
    quiet |= {"bias_column_adu": 0.0, "offset_hot_fraction": 0.0}
    mono = make_camera(rng, shape=(32, 33), cfa_pattern=None, **quiet)
    colour = make_camera(rng, shape=(32, 33), **quiet)
    assert np.unique(mono.bias_adu[800]).size == 1
    assert np.unique(colour.bias_adu[800]).size == 4
    assert (
        expose_bias(mono, rng, temperature_c=5.0, date=JUNE).frame.acquisition.cfa_pattern is None
    )


def test_frames_hold_whole_adu_and_are_read_only(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(32, 48))
    data = expose_dark(camera, rng, exposure_s=30.0, temperature_c=20.0, date=JUNE).frame.data
    np.testing.assert_array_equal(data, np.rint(data))
    assert data.dtype == np.float32
    assert not data.flags.writeable


def test_a_photographic_camera_tells_its_iso_and_an_observatory_s_its_gain(
    rng: np.random.Generator,
) -> None:
    photo = make_camera(rng, shape=(16, 16))
    told = expose_dark(
        photo, rng, exposure_s=30.0, temperature_c=20.0, iso=1600, date=JUNE
    ).frame.acquisition
    assert (told.iso, told.gain_setting, told.gain_e_per_adu) == (1600, None, None)
    ccd = make_camera(rng, shape=(16, 16), cfa_pattern=None, preset="cooled_ccd")
    told = expose_dark(ccd, rng, exposure_s=30.0, temperature_c=-5.0, date=JUNE).frame.acquisition
    assert (told.iso, told.gain_setting, told.gain_e_per_adu) == (None, 0.0, 2.06)
    assert told.camera.serial != photo.serial


def test_a_dark_can_be_asked_for_its_own_truth(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(64, 64), telegraph_dark_fraction=0.1)
    dark = expose_dark(
        camera, rng, exposure_s=120.0, temperature_c=27.0, iso=1600, date=JUNE, glow_amplitude=3.0
    )
    truth = camera.expected_for(dark, frozen_telegraph=True)
    variance = camera.noise_variance_adu(
        exposure_s=120.0, temperature_c=27.0, iso=1600, date=JUNE, glow_amplitude=3.0
    )
    hopping = camera.telegraph_dark_mask & (variance > 1)
    sigma = np.sqrt(variance[hopping])
    z = (dark.frame.data - truth)[hopping] / sigma
    assert np.std(z) < 1.3
    of_long_run = (dark.frame.data - camera.expected_for(dark))[hopping] / sigma
    assert np.std(of_long_run) > 2 * np.std(z)


def test_other_dice_make_another_unit_of_the_same_model() -> None:
    one, other = (make_camera(np.random.default_rng(seed), shape=(64, 64)) for seed in (1, 2))
    assert one.settings == other.settings
    assert one.serial != other.serial
    correlation = np.corrcoef(one.depletion_e_per_s.flat, other.depletion_e_per_s.flat)[0, 1]
    assert abs(correlation) < 0.06


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "toaster"}, "no synthetic sensor 'toaster'; choose one of uncooled_cmos"),
        ({"cfa_pattern": "RGBG"}, "'RGBG' is not known"),
        ({"shape": (4, 100)}, "too small; use at least 8 x 8"),
        ({"coolness": 3.0}, "no such setting.*coolness"),
        ({"telegraph_read_fraction": 0.6, "telegraph_dark_fraction": 0.5}, "take 1.10 of all"),
        ({"hot_fraction": 1.5}, "hot_fraction = 1.5, expected a share from 0 to 1"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_in_one_sentence(
    rng: np.random.Generator, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence):
        make_camera(rng, **{"shape": (16, 16)} | arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"iso": 3200}, "no gain setting or ISO 3200; choose one of 800, 400, 1600"),
        ({"exposure_s": -1.0}, "exposure of -1.0 s, expected 0 s or more"),
        ({"exposure_s": float("nan")}, "exposure of nan s"),
        ({"date": datetime(2024, 6, 1)}, "no time zone"),  # noqa: DTZ001 - that is the mistake
    ],
)
def test_an_exposure_that_cannot_be_is_refused_in_one_sentence(
    rng: np.random.Generator, arguments: dict[str, object], sentence: str
) -> None:
    camera = make_camera(rng, shape=(16, 16))
    usual = {"exposure_s": 10.0, "temperature_c": 20.0, "date": JUNE}
    with pytest.raises(SettingError, match=sentence):
        expose_dark(camera, rng, **usual | arguments)


def test_presets_are_whole() -> None:
    for settings in PRESETS.values():
        assert settings.full_scale_adu > settings.black_level_adu
        assert settings.mode() == settings.modes[0]


@pytest.mark.real_data
def test_the_cooled_ccd_looks_like_a_real_one(rng: np.random.Generator, real_data: Path) -> None:
    """Beside an SBIG STL-1001E at -5 C and 60 s, in ADU."""
    paths = sorted((real_data / "sbig-stl1001e" / "2017_-5C" / "darks").glob("*expos1-*"))[:5]
    real = np.stack([fits.getdata(path) for path in paths]).astype(np.float32)
    camera = make_camera(rng, shape=(256, 256), cfa_pattern=None, preset="cooled_ccd")
    fake = np.stack(
        [
            expose_dark(camera, rng, exposure_s=60.0, temperature_c=-5.0, date=JUNE).frame.data
            for _ in range(5)
        ]
    )
    assert abs(np.median(fake) - np.median(real)) < 8
    for quantile, factor in ((99, 2.0), (99.9, 2.5)):
        tails = [np.percentile(np.median(d, 0), quantile) - np.median(d) for d in (fake, real)]
        assert 1 / factor < tails[0] / tails[1] < factor
    noises = [np.sqrt(np.median(np.var(d, axis=0, ddof=1))) for d in (fake, real)]
    assert noises[0] == pytest.approx(noises[1], rel=0.25)
