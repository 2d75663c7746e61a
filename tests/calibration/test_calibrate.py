"""A calibrated light is what the sky sent, and says how well it knows it."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty, VarianceUncertainty

from solodark.calibration import CalibratedLight, calibrate_light, normalised_flat
from solodark.errors import FrameFormatError, FrameMismatchError, SettingError
from solodark.frames import (
    Acquisition,
    Camera,
    Frame,
    FrameKind,
    MasterDark,
    PixelFlags,
    Verdict,
)
from solodark.synthetic import NightPlan, expose_night, make_camera, make_scene

from .conftest import SHAPE, TAKEN, master


def flat_of(response, **acquisition):
    return normalised_flat(master(10_000.0 * np.asarray(response), kind=FrameKind.FLAT))


def test_a_dark_holds_its_bias_so_no_bias_is_subtracted_beside_it(light):
    dark, bias = master(500.0), master(300.0, kind=FrameKind.BIAS, exposure_s=0.0)
    np.testing.assert_array_equal(
        calibrate_light(light, dark=dark, bias=bias).data, calibrate_light(light, dark=dark).data
    )
    assert calibrate_light(light, dark=dark).data.mean() == pytest.approx(900.0, abs=3)


def test_without_a_dark_the_bias_is_subtracted(light):
    bias = master(300.0, kind=FrameKind.BIAS, exposure_s=0.0)
    calibrated = calibrate_light(light, bias=bias)
    assert calibrated.data.mean() == pytest.approx(1100.0, abs=3)
    assert "no dark; bias" in calibrated.notes[0]


def test_without_anything_the_light_stays_and_a_note_says_so(light):
    calibrated = calibrate_light(light)
    np.testing.assert_array_equal(calibrated.data, light.data)
    assert "still in the light" in calibrated.notes[0]


def test_values_below_zero_are_kept(light):
    calibrated = calibrate_light(light, dark=master(1400.0))
    assert 0.4 < np.mean(calibrated.data < 0) < 0.6
    assert abs(calibrated.data.mean()) < 3


def test_the_flat_restores_what_vignetting_took(rng):
    response = np.linspace(0.6, 1.4, SHAPE[1])
    light = Frame(500.0 + 900.0 * response + rng.normal(0, 1, SHAPE), TAKEN)
    calibrated = calibrate_light(light, dark=master(500.0), flat=flat_of(response))
    np.testing.assert_allclose(calibrated.data, 900.0, atol=10)


@pytest.mark.parametrize("sigma_adu", [5.0, 40.0])
def test_the_uncertainty_is_the_noise_that_is_there(rng, sigma_adu):
    light = Frame(rng.normal(1400.0, sigma_adu, (256, 256)), replace(TAKEN, gain_e_per_adu=None))
    calibrated = calibrate_light(light)
    assert np.ptp(calibrated.uncertainty) == 0
    assert calibrated.uncertainty.mean() == pytest.approx(sigma_adu, rel=0.03)
    assert any("gain is not known" in note for note in calibrated.notes)


def test_a_star_has_the_photon_noise_of_its_own_electrons(rng):
    sky_e, star_e, gain = 400.0, 20_000.0, 0.5
    electrons = np.full((128, 128), sky_e)
    electrons[40:44, 40:44] += star_e
    light = Frame(rng.poisson(electrons) / gain, replace(TAKEN, gain_e_per_adu=gain))
    uncertainty = calibrate_light(light).uncertainty
    assert np.median(uncertainty) == pytest.approx(np.sqrt(sky_e) / gain, rel=0.05)
    star = uncertainty[40:44, 40:44].mean()
    assert star == pytest.approx(np.sqrt(sky_e + star_e) / gain, rel=0.02)


def test_noise_of_dark_and_flat_is_carried_along(light):
    plain = calibrate_light(light).uncertainty.mean()
    noisy = calibrate_light(light, dark=master(500.0, uncertainty=0.0)).uncertainty.mean()
    assert noisy == pytest.approx(plain, rel=1e-3)
    flat = replace(flat_of(np.ones(SHAPE)), uncertainty=np.full(SHAPE, 0.1, np.float32))
    both = calibrate_light(light, dark=master(500.0), flat=flat).uncertainty.mean()
    assert both == pytest.approx(np.hypot(plain, 900.0 * 0.1), rel=0.01)


def test_what_the_dark_s_noise_added_to_the_background_is_not_counted_twice(rng):
    pattern = rng.normal(0.0, 20.0, (256, 256)).astype(np.float32)
    light = Frame(1400.0 + rng.normal(0.0, 30.0, (256, 256)), replace(TAKEN, gain_e_per_adu=None))
    one_sub = replace(
        master(500.0),
        data=500.0 + pattern,
        uncertainty=np.full((256, 256), 20.0, np.float32),
        flags=np.zeros((256, 256), np.uint8),
    )
    uncertainty = calibrate_light(light, dark=one_sub).uncertainty.mean()
    assert uncertainty == pytest.approx(np.hypot(30.0, 20.0), rel=0.03)


def test_pixels_that_dark_or_flat_cannot_correct_are_flagged_and_repaired(light):
    dark = master(500.0)
    dark.flags[3, 4] = PixelFlags.SATURATED | PixelFlags.HOT
    dark.flags[5, 6] = PixelFlags.TELEGRAPH
    response = np.ones(SHAPE)
    response[7, 8] = 0.0
    calibrated = calibrate_light(light, dark=dark, flat=flat_of(response))
    dead = calibrated.flags & int(PixelFlags.DEAD) != 0
    assert sorted(zip(*np.nonzero(dead), strict=True)) == [(3, 4), (7, 8)]
    assert calibrated.flags[3, 4] == PixelFlags.DEAD | PixelFlags.HOT
    assert calibrated.flags[5, 6] == PixelFlags.TELEGRAPH
    assert calibrated.data[dead] == pytest.approx([900, 900], abs=60)
    assert np.isnan(calibrated.uncertainty[dead]).all()
    raw = calibrate_light(light, dark=dark, flat=flat_of(response), repaired=False)
    assert np.isnan(raw.data[dead]).all()


def test_a_saturated_star_is_flagged_and_not_repaired(light):
    pixels = light.data.copy()
    pixels[10, 10] = 60_000.0
    bright = Frame(pixels, replace(TAKEN, saturation_adu=60_000.0))
    calibrated = calibrate_light(bright, dark=master(500.0))
    assert calibrated.flags[10, 10] == PixelFlags.SATURATED
    assert calibrated.data[10, 10] == 59_500.0


@pytest.mark.parametrize(
    ("acquisition", "words"),
    [
        ({"camera": Camera("Cam B")}, "camera"),
        ({"gain_setting": 200.0}, "gain setting"),
        ({"binning": (2, 2)}, "binning"),
        ({"cfa_pattern": "RGGB"}, None),
    ],
)
def test_a_dark_of_another_camera_or_setting_is_refused(light, acquisition, words):
    dark = master(500.0, **acquisition)
    if words is None:  # the light does not tell of filters, and what is not told agrees with all
        assert calibrate_light(light, dark=dark).data.mean() == pytest.approx(900, abs=3)
        return
    with pytest.raises(FrameMismatchError, match=f"{words}.*its dark"):
        calibrate_light(light, dark=dark)


def test_a_dark_of_another_size_is_refused(light):
    with pytest.raises(FrameMismatchError, match=r"8 x 8 pixels in its dark, but 60 x 40"):
        calibrate_light(light, dark=replace(master(500.0), data=np.zeros((8, 8), np.float32)))


def test_a_dark_of_another_exposure_is_refused_unless_it_is_wanted(light):
    dark = master(500.0, exposure_s=60.0)
    with pytest.raises(FrameMismatchError, match=r"exposed 120 s and its dark 60 s"):
        calibrate_light(light, dark=dark)
    calibrated = calibrate_light(light, dark=dark, exposure_tolerance=np.inf)
    assert calibrated.doubts == ("the light was exposed 120 s and its dark 60 s",)


def test_a_warmer_dark_and_a_doubtful_one_leave_a_doubt(light):
    dark = master(500.0, sensor_temperature_c=14.0)
    assert "14 C for its dark" in calibrate_light(light, dark=dark).doubts[0]
    generated = MasterDark(
        **{name: getattr(dark, name) for name in ("data", "uncertainty", "flags")},
        acquisition=TAKEN,
        origin="generated",
        equivalent_subs=40.0,
        verdict=Verdict(trusted=False, reasons=("the sub leaks light",)),
    )
    calibrated = calibrate_light(light, dark=generated)
    assert calibrated.doubts == ("the sub leaks light",)
    assert calibrated.notes[0] == "dark: generated, worth 40 subs, 120 s, 10 C"


@pytest.mark.parametrize("wrong", [{"gain_e_per_adu": 0.0}, {"exposure_tolerance": -1.0}])
def test_settings_without_sense_are_refused(light, wrong):
    with pytest.raises(SettingError):
        calibrate_light(light, **wrong)


def test_the_light_and_its_masters_are_as_they_were(light):
    dark, before = master(500.0, uncertainty=2.0), light.data.copy()
    kept = dark.data.copy(), dark.uncertainty.copy(), dark.flags.copy()
    calibrate_light(light, dark=dark)
    np.testing.assert_array_equal(light.data, before)
    for plane, was in zip((dark.data, dark.uncertainty, dark.flags), kept, strict=True):
        np.testing.assert_array_equal(plane, was)


@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
def test_the_pulls_of_a_synthetic_night_are_those_of_a_normal_distribution(rng, cfa_pattern):
    """Light minus truth over the uncertainty has a spread of one: nothing is forgotten."""
    from solodark.synthetic import light_electrons

    shape = (160, 240)
    camera = make_camera(rng, shape=shape, cfa_pattern=cfa_pattern, telegraph_dark_fraction=0.0)
    scene = make_scene(rng, shape=shape)
    plan = NightPlan(n_lights=1, n_darks=12, n_flats=0, n_biases=0, cooling_c=0.0)
    shots = list(expose_night(camera, scene, rng, plan))
    darks = np.array([shot.frame.data for shot in shots[1:]], np.float64)
    dark = replace(
        master(0.0),
        data=darks.mean(axis=0).astype(np.float32),
        uncertainty=(darks.std(axis=0, ddof=1) / np.sqrt(12)).astype(np.float32),
        flags=np.zeros(shape, np.uint8),
        acquisition=replace(shots[1].frame.acquisition, n_combined=12),
    )
    shot, gain = shots[0], camera.settings.mode(None).gain_e_per_adu
    calibrated = calibrate_light(shot.frame, dark=dark, gain_e_per_adu=gain)
    pointing = shot.truth.pointing
    truth = light_electrons(camera, scene, exposure_s=180.0, pointing=pointing) / gain
    pull = ((calibrated.data - truth) / calibrated.uncertainty).ravel()
    pull -= np.median(pull)
    spread = 1.4826 * np.median(np.abs(pull))
    assert spread == pytest.approx(1.0, abs=0.1)


def test_a_light_goes_to_ccdproc_and_comes_back(light):
    dark = master(500.0)
    dark.flags[3, 4] = PixelFlags.DEAD
    calibrated = calibrate_light(light, dark=dark)
    ccd = calibrated.to_ccddata()
    assert isinstance(ccd, CCDData)
    assert ccd.mask.sum() == 1
    assert ccd.meta["exptime"] == 120.0
    back = CalibratedLight.from_ccddata(ccd, name="again")
    np.testing.assert_array_equal(back.data, calibrated.data)
    np.testing.assert_array_equal(back.uncertainty, calibrated.uncertainty)
    assert back.flags[3, 4] == PixelFlags.DEAD
    assert back.acquisition.exposure_s == 120.0
    assert back.acquisition.gain_e_per_adu == 0.5


def test_a_variance_of_ccdproc_becomes_a_deviation():
    ccd = CCDData(
        np.ones((4, 6)), unit="adu", uncertainty=VarianceUncertainty(np.full((4, 6), 9.0))
    )
    taken = Acquisition(exposure_s=3.0)
    light = CalibratedLight.from_ccddata(ccd, acquisition=taken)
    assert light.uncertainty[0, 0] == 3.0
    assert light.acquisition is taken
    assert np.isnan(
        CalibratedLight.from_ccddata(CCDData(np.ones((4, 6)), unit="adu")).uncertainty
    ).all()


def test_electrons_and_cubes_are_refused():
    with pytest.raises(FrameFormatError, match="electron"):
        CalibratedLight.from_ccddata(CCDData(np.ones((4, 6)), unit="electron"))
    with pytest.raises(FrameFormatError, match=r"\(3, 4, 6\)"):
        CalibratedLight.from_ccddata(CCDData(np.ones((3, 4, 6)), unit="adu"))


def test_a_light_of_ours_is_a_ccddata_of_ccdproc(light):
    ccd = calibrate_light(light).to_ccddata()
    assert isinstance(ccd.uncertainty, StdDevUncertainty)
    assert str(ccd.unit) == "adu"
