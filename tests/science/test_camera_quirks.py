"""What real cameras do beside the textbook: the model of such a camera is worth as much."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.levels import part_levels, remove_levels
from solodark.dark_model.series import series_index
from solodark.errors import WrongSubError
from solodark.synthetic import expose_dark, make_camera

QUICK = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=3)
COARSE_ADU = 14.0
"""Three times the noise of a bias."""


def changed(frames, change):
    return [replace(frame, data=change(frame.data)) for frame in frames]


def above_level(image):
    image = np.asarray(image, np.float32)
    return remove_levels(image, part_levels(image, LevelParts("RGGB")), LevelParts("RGGB"))


def worth(model, subs, *, where=...):
    """Equivalent subs of masters on ordinary pixels: product of the errors against two means."""
    one, other = (np.mean([sub.data for sub in half], axis=0) for half in (subs[2::2], subs[3::2]))
    noise = above_level(subs[0].data - subs[1].data)[where]
    ordinary = above_level((one + other) / 2)[where] < np.quantile(above_level(one)[where], 0.97)
    master = generate(model, subs[0])
    errors = (above_level(master.data - half)[where][ordinary] for half in (one, other))
    return np.mean(noise[ordinary] ** 2) / 2 / np.mean(np.prod(list(errors), axis=0))


@pytest.fixture(scope="module")
def tonight(dark_nights):
    """Many darks of one night that the library does not hold."""
    return [shot.frame for shot in dark_nights.later(n=26)]


def test_numbers_in_steps_of_three_times_the_noise_still_tell_each_pixels_dark(
    dark_nights, tonight
):
    def coarse(data):
        return COARSE_ADU * np.rint(data / COARSE_ADU)

    model = learn(
        changed(dark_nights.library, coarse), rng=np.random.default_rng(1), settings=QUICK
    )
    subs = changed(tonight, coarse)
    assert all(generate(model, sub).verdict.trusted for sub in subs[:4])
    assert worth(model, subs) > 10.0


def test_a_masked_border_that_is_empty_in_every_frame_is_no_filled_crop(dark_nights, tonight):
    def masked(data):
        return np.where(np.arange(data.shape[1]) < 40, 0.0, data)

    model = learn(
        changed(dark_nights.library, masked), rng=np.random.default_rng(1), settings=QUICK
    )
    subs = changed(tonight, masked)
    assert all(generate(model, sub).verdict.trusted for sub in subs[:4])
    assert worth(model, subs, where=np.s_[:, 40:]) > 10.0
    with pytest.raises(WrongSubError, match="a crop that was filled up"):
        generate(dark_nights.model, subs[0])


def test_a_row_that_is_stuck_at_full_scale_tells_nothing_of_noise_and_states(dark_nights, tonight):
    def stuck(data):
        return np.where(np.arange(len(data))[:, None] == 40, 16_383.0, data)

    settings = replace(QUICK, ranks=(1, 2))
    library = changed(dark_nights.library, stuck)
    model = learn(library, rng=np.random.default_rng(1), settings=settings)
    subs = changed(tonight, stuck)
    expected = dark_nights.model.law.gain_e_per_adu
    np.testing.assert_allclose(model.law.gain_e_per_adu, expected, rtol=0.15)
    assert all(generate(model, sub).verdict.trusted for sub in subs[:4])
    assert worth(model, subs, where=np.s_[41:]) > 10.0


def with_halo(data, y, x):
    """A frame with the cloud of electrons that one cosmic ray leaves in thick silicon."""
    data = data.copy()
    dy, dx = np.mgrid[-8:9, -8:9]
    data[y - 8 : y + 9, x - 8 : x + 9] += np.rint(3_000.0 * np.exp(-(dy**2 + dx**2) / 12.5))
    return data


def test_a_halo_of_a_cosmic_ray_enters_no_master_although_the_darks_come_in_pairs(
    dark_nights, tonight
):
    dice = np.random.default_rng(8)
    ny, nx = tonight[0].shape
    series = series_index(dark_nights.library)
    firsts = [np.flatnonzero(series == number)[:2] for number in np.unique(series)]
    pairs = [dark_nights.library[i] for i in np.concatenate(firsts)]
    library = changed(  # where none of these was, no pixel has shown yet what it can do
        pairs, lambda data: with_halo(data, dice.integers(8, ny - 8), dice.integers(8, nx // 2))
    )
    model = learn(library, rng=np.random.default_rng(1), settings=QUICK)
    without, hit = (
        generate(model, replace(tonight[0], data=data)).data
        for data in (tonight[0].data, with_halo(tonight[0].data, 60, 150))
    )
    assert np.abs(hit - without)[50:70, 140:160].max() < 60.0  # of 3000


def glowing(frames, camera):
    """Frames of a camera whose amplifier glows from one side, far above the dark signal."""
    dice = np.random.default_rng(5)
    ny, nx = frames[0].shape
    y, x = np.mgrid[:ny, :nx]
    glow_e_per_s = 30.0 * np.exp(-np.hypot(y - 0.3 * ny, nx - x) / 25.0)
    gain_e_per_adu = camera.settings.mode(800).gain_e_per_adu
    return [
        replace(
            frame,
            data=frame.data
            + np.rint(dice.poisson(glow_e_per_s * frame.acquisition.exposure_s) / gain_e_per_adu),
        )
        for frame in frames
    ]


@pytest.fixture(scope="module")
def glow_model(dark_nights):
    library = glowing(dark_nights.library, dark_nights.camera)
    return learn(library, rng=np.random.default_rng(1), settings=QUICK)


def test_steep_glow_of_thousands_of_adu_hides_no_sensors_pattern(dark_nights, tonight, glow_model):
    subs = glowing(tonight, dark_nights.camera)
    assert np.ptp(subs[0].data[40]) > 3000.0
    assert all(generate(glow_model, sub).verdict.trusted for sub in subs[:4])
    assert worth(glow_model, subs) > 5.0


def test_another_unit_does_not_pass_because_its_glow_has_the_same_shape(dark_nights, glow_model):
    dice = np.random.default_rng(8)
    other = make_camera(dice, shape=dark_nights.camera.shape)
    date = dark_nights.last.frame.acquisition.date_obs
    dark = expose_dark(other, dice, exposure_s=180.0, temperature_c=19.0, date=date, iso=800).frame
    acquisition = dark_nights.last.frame.acquisition
    dark = replace(dark, acquisition=replace(acquisition, exposure_s=180.0))
    (sub,) = glowing([dark], dark_nights.camera)
    assert not generate(glow_model, sub, force=True).verdict.trusted


def test_the_next_crop_does_not_pass_because_glow_fits_itself_there(
    dark_nights, tonight, glow_model
):
    (sub,) = glowing(tonight[:1], dark_nights.camera)
    moved = replace(sub, data=np.roll(sub.data, (2, 2), (0, 1)))
    with pytest.raises(WrongSubError, match="shifted by 2 rows and 2 columns"):
        generate(glow_model, moved)


def test_a_bias_that_is_cut_off_at_zero_is_named_and_no_star_is_seen_in_it(dark_nights, tonight):
    def cut_off(data):
        return np.maximum(data - dark_nights.camera.settings.black_level_adu, 0.0)

    library = changed(dark_nights.library, cut_off)
    model = learn(library, rng=np.random.default_rng(1), settings=QUICK)
    for sub in changed(tonight[:3], cut_off):
        (reason,) = generate(model, sub).verdict.reasons
        assert "raise the camera's offset" in reason
