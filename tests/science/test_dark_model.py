"""What a learned sensor knows, held against the truth of a synthetic camera."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from solodark.dark_model import generate, predict, solve
from solodark.dark_model.level_parts import LevelParts
from solodark.dark_model.levels import part_levels, remove_levels
from solodark.evaluation import evaluate_series
from solodark.frames import PixelFlags

READ_NOISE_ADU = 4.0
"""3.2 e- at 0.8 e-/ADU."""


@pytest.fixture(scope="module")
def tonight(dark_nights):
    """Eight darks of the library's last night, not in the library."""
    return dark_nights.later(n=8)


@pytest.fixture(scope="module")
def masters(dark_nights, tonight):
    return [generate(dark_nights.model, shot.frame) for shot in tonight]


def above_level(image):
    image = np.asarray(image, np.float32)
    return remove_levels(image, part_levels(image, LevelParts("RGGB")), LevelParts("RGGB"))


def error_of(image, camera, shot):
    return above_level(image - camera.expected_for(shot, frozen_telegraph=True))


def ordinary_pixels(camera, shot):
    pattern = above_level(camera.expected_for(shot))
    return pattern < np.quantile(pattern, 0.97)


def mean_square(errors, where):
    """Mean square error, single errors clipped at ten sigma of a sub."""
    return np.mean(np.clip(errors[where], -60.0, 60.0) ** 2, dtype=np.float64)


def test_one_sub_through_the_model_beats_the_mean_of_five_subs(dark_nights, tonight, masters):
    camera = dark_nights.camera
    mean_of_five = np.mean([shot.frame.data for shot in tonight[:5]], axis=0)
    truth = np.mean([camera.expected_for(s, frozen_telegraph=True) for s in tonight[:5]], axis=0)
    everywhere = np.ones(camera.shape, bool)
    for shot, master in zip(tonight, masters, strict=True):
        error = error_of(master.data, camera, shot)
        for where in (ordinary_pixels(camera, shot), everywhere):
            assert mean_square(error, where) < mean_square(above_level(mean_of_five - truth), where)


def test_by_subs_that_it_never_saw_the_master_is_worth_more_than_fifteen(dark_nights, tonight):
    model = dark_nights.model
    level_map = predict(model, np.median(model.library.states, axis=0)).pattern
    table = evaluate_series(
        [shot.frame for shot in tonight],
        {"solodark": lambda sub: generate(model, sub).data},
        level_map=level_map,
        rng=np.random.default_rng(1),
    )
    assert table.cell("solodark", "ordinary").equivalent_subs > 15.0
    assert table.cell("solodark", "winsorised").equivalent_subs > 10.0


def test_its_own_figure_is_what_the_truth_says(dark_nights, tonight, masters):
    camera = dark_nights.camera
    for shot, master in zip(tonight, masters, strict=True):
        where = ordinary_pixels(camera, shot)
        one_sub = mean_square(error_of(shot.frame.data, camera, shot), where)
        worth = one_sub / mean_square(error_of(master.data, camera, shot), where)
        assert 0.5 < master.equivalent_subs / worth < 1.3


def test_the_uncertainty_is_the_rms_error_of_ordinary_pixels_within_a_third(
    dark_nights, tonight, masters
):
    for shot, master in zip(tonight, masters, strict=True):
        where = ordinary_pixels(dark_nights.camera, shot)
        pulls = (error_of(master.data, dark_nights.camera, shot) / master.uncertainty)[where]
        assert 0.7 < np.sqrt(np.mean(pulls**2)) < 1.33


def test_the_uncertainty_of_hot_pixels_covers_their_error_too(dark_nights, tonight, masters):
    for shot, master in zip(tonight, masters, strict=True):
        hot = (master.flags & PixelFlags.HOT.value) != 0
        pulls = np.abs(error_of(master.data, dark_nights.camera, shot) / master.uncertainty)[hot]
        assert np.mean(pulls < 1.0) > 0.5
        assert np.mean(pulls > 5.0) < 0.02


def test_the_state_is_solved_from_the_pixels_though_the_header_lies(dark_nights, tonight):
    frame = tonight[0].frame
    wrong_c = frame.acquisition.sensor_temperature_c + 2.0
    liar = replace(frame, acquisition=replace(frame.acquisition, sensor_temperature_c=wrong_c))
    honest, lied = (generate(dark_nights.model, sub).data for sub in (frame, liar))
    np.testing.assert_array_equal(honest, lied)


def test_a_warmer_sensor_shows_a_stronger_state_whatever_its_header_says(dark_nights):
    model, growth = dark_nights.model, []
    for temperature_c in (10.0, 18.0, 26.0):
        (shot,) = dark_nights.later(temperature_c=temperature_c)
        pattern = predict(model, solve(model, shot.frame).state).pattern
        truth = above_level(dark_nights.camera.expected_for(shot))
        hot = truth > 100.0
        growth.append(np.sum(pattern[hot] * truth[hot]) / np.sum(truth[hot] ** 2))
    np.testing.assert_allclose(growth, 1.0, atol=0.05)


def test_twice_the_exposure_holds_twice_the_learned_pattern(dark_nights):
    model = dark_nights.model
    once, twice = (
        predict(model, solve(model, dark_nights.later(exposure_s=s)[0].frame).state).pattern
        - predict(model, np.zeros(model.rank)).pattern
        for s in (90.0, 180.0)
    )
    hot = (twice > 200.0) & (twice < 4000.0)
    assert np.median(twice[hot] / once[hot]) == pytest.approx(2.0, rel=0.05)


def test_a_drift_of_the_level_does_not_enter_the_master(dark_nights, tonight, masters):
    frame = tonight[0].frame
    drift = np.zeros(frame.shape, np.float32)
    drift[0::2, 0::2], drift[1::2, 1::2] = 37.0, -11.0
    drifted = generate(dark_nights.model, replace(frame, data=frame.data + drift))
    np.testing.assert_allclose(drifted.data, masters[0].data, atol=0.01)


def test_the_level_of_the_master_is_that_of_a_noiseless_dark(dark_nights, tonight, masters):
    for shot, master in zip(tonight, masters, strict=True):
        wanted = part_levels(dark_nights.camera.expected_for(shot), LevelParts("RGGB"))
        np.testing.assert_allclose(part_levels(master.data, LevelParts("RGGB")), wanted, atol=1.0)


def test_row_banding_of_the_sub_does_not_enter_the_master(dark_nights, tonight, masters, rng):
    frame = tonight[0].frame
    banding = rng.normal(0.0, READ_NOISE_ADU, (frame.shape[0], 1)).astype(np.float32)
    banded = generate(dark_nights.model, replace(frame, data=frame.data + banding))
    rows = np.median(banded.data - masters[0].data, axis=1)
    assert np.std(rows) < 0.02 * READ_NOISE_ADU


def test_hot_pixels_born_since_the_library_are_taken_from_the_sub(dark_nights):
    (shot,) = dark_nights.later(days=1500.0)
    frame, camera = shot.frame, dark_nights.camera
    since, until = dark_nights.last.frame.acquisition.date_obs, frame.acquisition.date_obs
    truth = above_level(camera.expected_for(shot, frozen_telegraph=True))
    index = camera.newborn.born_between(since, until).index
    index = index[truth.flat[index] > 80.0]
    assert index.size > 15
    master = generate(dark_nights.model, frame)
    learned = predict(dark_nights.model, solve(dark_nights.model, frame).state).pattern
    error = error_of(master.data, camera, shot).flat[index]
    assert np.median(np.abs(error)) < 0.2 * np.median(truth.flat[index] - learned.flat[index])
    assert np.mean(np.abs(error) < 3.0 * master.uncertainty.flat[index]) > 0.9
    assert np.mean((master.flags.flat[index] & PixelFlags.CHANGED.value) != 0) > 0.9


def planted(frame, pixels, adu, *, days=0.0):
    """Brighten pixels of a frame that was taken so many days later."""
    data = frame.data.copy()
    data[tuple(np.transpose(pixels))] += adu
    date = frame.acquisition.date_obs + timedelta(days=days)
    return replace(frame, data=data, acquisition=replace(frame.acquisition, date_obs=date))


def test_a_cosmic_ray_in_the_sub_does_not_enter_the_master(dark_nights, tonight, masters):
    track = [(60, 100), (61, 100), (61, 101), (62, 102)]
    hit = generate(dark_nights.model, planted(tonight[0].frame, track, 400.0))
    change = (hit.data - masters[0].data)[tuple(np.transpose(track))]
    assert np.abs(change).max() < 0.1 * 400.0
    assert not any(hit.flags[place] & PixelFlags.CHANGED.value for place in track)


def test_a_lone_bright_pixel_is_a_cosmic_ray_tonight_and_a_hot_pixel_after_three_years(
    dark_nights, tonight, masters
):
    def believed(days):
        sub = planted(tonight[0].frame, [(60, 100)], 400.0, days=days)
        return (generate(dark_nights.model, sub).data - masters[0].data)[60, 100] / 400.0

    assert believed(days=0.0) < 0.2
    assert believed(days=1100.0) > 0.8


def test_a_saturated_pixel_is_masked_and_its_neighbours_are_not(dark_nights, tonight):
    full_scale = tonight[0].frame.acquisition.saturation_adu
    sub = planted(tonight[0].frame, [(60, 100)], full_scale)
    sub = replace(sub, data=np.minimum(sub.data, full_scale))
    master = generate(dark_nights.model, sub)
    assert master.mask[60, 100]
    assert not master.mask[59:62, 99:102].ravel()[[0, 1, 2, 3, 5, 6, 7, 8]].any()


def test_a_hole_in_the_sub_is_predicted_and_flagged(dark_nights, tonight, masters):
    data = tonight[0].frame.data.copy()
    data[10, 10], data[20:22] = np.nan, np.inf
    master = generate(dark_nights.model, replace(tonight[0].frame, data=data))
    assert np.isfinite(master.data).all()
    assert np.isfinite(master.uncertainty).all()
    assert np.count_nonzero(master.flags & PixelFlags.DEAD.value) == 1 + 2 * 192
    np.testing.assert_allclose(
        master.data[10, 10], masters[0].data[10, 10], atol=3.0 * master.uncertainty[10, 10]
    )


def test_the_darks_own_noise_tells_gain_and_read_noise(dark_nights):
    mode = dark_nights.camera.settings.mode(800)
    assert dark_nights.model.gain_e_per_adu[0] == pytest.approx(mode.gain_e_per_adu, rel=0.15)
    assert dark_nights.model.read_noise_e[0] == pytest.approx(mode.read_noise_e, rel=0.15)


def test_cosmic_rays_of_the_library_are_counted(dark_nights):
    settings = dark_nights.camera.settings
    pixel_cm2 = (settings.pixel_size_um * 1e-4) ** 2
    tracks_per_s = settings.cosmic_rate_per_cm2_s * pixel_cm2
    assert 0.5 < dark_nights.model.cosmic_share_per_s / tracks_per_s < 8.0


def test_noisy_pixels_of_the_library_carry_more_noise_in_the_model(dark_nights):
    camera, excess = dark_nights.camera, dark_nights.model.pixels.excess
    hops = camera.telegraph_read
    loud = hops.index[hops.hop_e > 8.0]
    assert np.median(excess.flat[loud]) > 2.0
    assert np.median(excess) == pytest.approx(1.0, abs=0.15)
