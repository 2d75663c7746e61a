"""Master darks without a dark: what lights tell, held against the truth of a synthetic camera."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from solodark.dark_model import (
    generate_each_light,
    generate_for_exposure,
    generate_for_lights,
    predict,
    solve,
)
from solodark.dark_model.from_lights import find_thermometer, solve_light
from solodark.errors import FrameMismatchError, SettingError, WrongSubError
from solodark.frames import FrameKind, PixelFlags
from solodark.synthetic import NightPlan, Scene, expose_light, expose_night, make_scene

SHAPE = (128, 192)


def plain_sky(**changes) -> Scene:
    scene = make_scene(np.random.default_rng(2), shape=SHAPE, nebula_e_per_s=0.0)
    none = np.zeros(0)
    return replace(
        scene,
        star_y=none,
        star_x=none,
        star_e_per_s=none,
        star_colour=np.zeros((0, 4)),
        sky_slope_y=0.0,
        sky_slope_x=0.0,
        **changes,
    )


@pytest.fixture(scope="module")
def take(dark_nights):
    """Take lights half a day after the library's last dark."""
    start = dark_nights.last.frame.acquisition.date_obs + timedelta(hours=12)

    def take_lights(scene, n=1, *, exposure_s=180.0, temperature_c=19.0, seed=11):
        dice = np.random.default_rng(seed)
        return [
            expose_light(
                dark_nights.camera,
                scene,
                dice,
                exposure_s=exposure_s,
                temperature_c=temperature_c,
                date=start + timedelta(seconds=k * (exposure_s + 3.0)),
                iso=800,
            )
            for k in range(n)
        ]

    return take_lights


@pytest.fixture(scope="module")
def thermometer(dark_nights):
    return find_thermometer(dark_nights.model)


def strength(model, state):
    return float(np.sqrt(state @ model.strength @ state))


def strength_of(dark_nights, thermometer, shots):
    states = [solve_light(dark_nights.model, shot.frame, thermometer).state for shot in shots]
    return strength(dark_nights.model, np.mean(states, axis=0))


def growth(dark_nights, master, shot):
    """How strong the hot pixels of a master are, over their truth."""
    truth = dark_nights.camera.expected_for(shot)
    truth, found = truth - np.median(truth), master.data - np.median(master.data)
    hot = (truth > 60.0) & (truth < 4000.0)
    return float(np.median(found[hot] / truth[hot]))


@pytest.fixture(scope="module")
def cooling_night(dark_nights):
    start = dark_nights.last.frame.acquisition.date_obs + timedelta(hours=12)
    plan = NightPlan(
        n_lights=5, n_darks=0, n_flats=0, n_biases=0, iso=800, start=start,
        ambient_temperature_c=20.0, cooling_c=10.0,
    )  # fmt: skip
    scene = make_scene(np.random.default_rng(4), shape=SHAPE)
    return list(expose_night(dark_nights.camera, scene, np.random.default_rng(5), plan))


def test_a_light_shows_the_state_of_a_dark_of_its_temperature(dark_nights, thermometer, take):
    model = dark_nights.model
    lights = take(make_scene(np.random.default_rng(3), shape=SHAPE), 4)
    (dark,) = dark_nights.later(temperature_c=19.0)
    wanted = strength(model, solve(model, dark.frame).state)
    assert strength_of(dark_nights, thermometer, lights) == pytest.approx(wanted, rel=0.03)


def test_stars_nebula_and_a_sloping_sky_do_not_change_the_state(dark_nights, thermometer, take):
    bare = take(plain_sky(), 4)
    rich = make_scene(
        np.random.default_rng(3), shape=SHAPE, stars_per_megapixel=12_000.0, nebula_e_per_s=1.0
    )
    starry = take(replace(rich, sky_slope_x=1.0, sky_slope_y=-0.6), 4)
    assert strength_of(dark_nights, thermometer, starry) == pytest.approx(
        strength_of(dark_nights, thermometer, bare), rel=0.03
    )


def test_a_light_twice_as_long_shows_twice_the_state(dark_nights, thermometer, take):
    scene = make_scene(np.random.default_rng(3), shape=SHAPE)
    once, twice = (
        strength_of(dark_nights, thermometer, take(scene, 3, exposure_s=s)) for s in (90.0, 180.0)
    )
    assert twice / once == pytest.approx(2.0, rel=0.04)


def test_one_dark_per_light_follows_a_cooling_night(dark_nights, cooling_night):
    masters = list(generate_each_light(dark_nights.model, [s.frame for s in cooling_night]))
    found = [growth(dark_nights, m, s) for m, s in zip(masters, cooling_night, strict=True)]
    np.testing.assert_allclose(found, 1.0, atol=0.06)
    assert [m.acquisition.date_obs for m in masters] == [
        s.frame.acquisition.date_obs for s in cooling_night
    ]


def test_one_dark_for_a_cooling_night_is_that_of_its_middle_and_says_so(dark_nights, cooling_night):
    master = generate_for_lights(dark_nights.model, [s.frame for s in cooling_night])
    found = [growth(dark_nights, master, shot) for shot in cooling_night]
    assert found[0] < 0.8
    assert found[-1] > 1.2
    assert found[2] == pytest.approx(1.0, abs=0.1)
    assert not master.verdict.trusted
    assert "--each" in master.verdict.reasons[0]


def test_the_dark_of_a_cooling_night_is_less_certain_than_of_a_steady_one(
    dark_nights, cooling_night, take
):
    scene = make_scene(np.random.default_rng(4), shape=SHAPE)
    steady = generate_for_lights(
        dark_nights.model, [s.frame for s in take(scene, 5, temperature_c=19.0)]
    )
    cooling = generate_for_lights(dark_nights.model, [s.frame for s in cooling_night])
    hot = (steady.flags & PixelFlags.HOT.value) > 0
    assert np.median(cooling.uncertainty[hot] / steady.uncertainty[hot]) > 2.0


def test_the_master_from_lights_is_as_uncertain_as_it_says(dark_nights, take):
    shots = take(make_scene(np.random.default_rng(3), shape=SHAPE), 8)
    master = generate_for_lights(dark_nights.model, [shot.frame for shot in shots])
    error = master.data - dark_nights.camera.expected_for(shots[0])
    z = (error - np.median(error)) / master.uncertainty
    ordinary = (master.flags & PixelFlags.HOT.value) == 0
    assert 0.7 < np.sqrt(np.mean(np.clip(z[ordinary], -6.0, 6.0) ** 2)) < 1.3
    assert np.mean(np.abs(z[~ordinary]) < 3.0) > 0.9


def test_a_hot_pixel_that_hops_tonight_is_followed_and_a_star_is_not(dark_nights, take):
    lights = [shot.frame for shot in take(plain_sky(), 8)]
    model = dark_nights.model
    before = generate_for_lights(model, lights)
    state = np.mean([solve_light(model, light).state for light in lights], axis=0)
    pattern = predict(model, state).pattern
    inner = np.zeros(SHAPE, bool)
    inner[10:-10, 10:-10] = True
    candidates = np.argwhere(inner & (pattern > 150.0) & (pattern < 400.0))
    y, x = candidates[0]
    v, u = np.argwhere(inner & (np.abs(pattern) < 5.0))[5000]
    grid_y, grid_x = np.indices(SHAPE)
    star = 200.0 * np.exp(-((grid_y - v) ** 2 + (grid_x - u) ** 2) / (2 * 1.2**2))
    changed = []
    for light in lights:
        data = light.data + star.astype(np.float32)
        data[y, x] += 200.0
        changed.append(replace(light, data=data))
    after = generate_for_lights(model, changed)
    assert after.data[y, x] - before.data[y, x] > 140.0
    around = after.data[v - 4 : v + 5, u - 4 : u + 5] - before.data[v - 4 : v + 5, u - 4 : u + 5]
    assert np.abs(around).max() < 8.0


def test_the_response_of_pixels_under_a_bright_sky_is_not_taken_for_newborn_pixels(
    dark_nights, take
):
    late = timedelta(days=1000)  # by then many pixels may have turned hot
    sky = 3000.0 * np.random.default_rng(8).normal(1.0, 0.03, SHAPE)
    dice = np.random.default_rng(9)
    bright = [
        replace(
            shot.frame,
            data=shot.frame.data + dice.normal(sky, 60.0).astype(np.float32),
            acquisition=replace(
                shot.frame.acquisition, date_obs=shot.frame.acquisition.date_obs + late
            ),
        )
        for shot in take(plain_sky(), 6)
    ]
    master = generate_for_lights(dark_nights.model, bright)
    assert np.count_nonzero(master.flags & PixelFlags.CHANGED.value) < 0.001 * sky.size


def test_hot_pixels_on_the_edge_that_hop_tonight_are_followed_as_well(dark_nights, take):
    lights = [shot.frame for shot in take(plain_sky(), 8)]
    before = generate_for_lights(dark_nights.model, lights)
    edge = np.ones(SHAPE, bool)
    edge[2:-2, 2:-2] = False
    (*place,) = np.nonzero(edge & (before.data - np.median(before.data) > 100.0))
    assert place[0].size >= 3
    changed = []
    for light in lights:
        data = light.data.copy()
        data[*place] += 300.0
        changed.append(replace(light, data=data))
    after = generate_for_lights(dark_nights.model, changed)
    assert np.median((after.data - before.data)[*place]) == pytest.approx(300.0, abs=60.0)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr])
def test_turned_lights_are_refused(dark_nights, take, turn):
    (shot,) = take(plain_sky())
    turned = replace(shot.frame, data=turn(shot.frame.data).copy())
    with pytest.raises(WrongSubError, match="nothing of this sensor's warm pixels"):
        generate_for_lights(dark_nights.model, [turned])


def test_a_light_whose_dark_is_subtracted_already_is_refused(dark_nights, take):
    (shot,) = take(plain_sky())
    calibrated = replace(
        shot.frame, data=shot.frame.data - dark_nights.camera.expected_for(shot) + 500.0
    )
    with pytest.raises(WrongSubError, match="calibrated already"):
        generate_for_lights(dark_nights.model, [calibrated])


def test_an_overexposed_light_is_refused(dark_nights, take):
    (shot,) = take(plain_sky())
    full_scale = shot.frame.acquisition.saturation_adu
    white = replace(shot.frame, data=np.full(SHAPE, full_scale, np.float32))
    with pytest.raises(WrongSubError, match="overexposed"):
        generate_for_lights(dark_nights.model, [white])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": FrameKind.DARK, "kind_source": "header"}, "is a dark"),
        ({"n_combined": 12}, "is a stack of 12"),
        ({"iso": 100}, "ISO 100"),
        ({"cfa_pattern": "GBRG"}, "does not fit the model"),
    ],
)
def test_what_is_no_single_light_of_the_camera_is_refused(dark_nights, take, change, said):
    (shot,) = take(plain_sky())
    wrong = replace(shot.frame, acquisition=replace(shot.frame.acquisition, **change))
    with pytest.raises(WrongSubError, match=said):
        generate_for_lights(dark_nights.model, [wrong])


def test_no_one_dark_fits_lights_of_two_exposures(dark_nights, take):
    lights = [s.frame for s in (*take(plain_sky()), *take(plain_sky(), exposure_s=60.0))]
    with pytest.raises(FrameMismatchError, match="--each"):
        generate_for_lights(dark_nights.model, lights)
    long, short = generate_each_light(dark_nights.model, lights)
    assert long.acquisition.exposure_s == 180.0
    assert np.percentile(long.data, 99.5) > np.percentile(short.data, 99.5) + 30.0


def test_exposure_and_header_temperature_give_the_hot_pixels_within_the_interval(dark_nights):
    ratios, spans = [], []
    for temperature_c, exposure_s in ((10.0, 180.0), (16.0, 60.0), (21.0, 120.0)):
        (shot,) = dark_nights.later(exposure_s=exposure_s, temperature_c=temperature_c)
        told = shot.frame.acquisition.sensor_temperature_c
        master = generate_for_exposure(dark_nights.model, exposure_s, temperature_c=told)
        ratios.append(growth(dark_nights, master, shot))
        truth = dark_nights.camera.expected_for(shot)
        hot = truth - np.median(truth) > 300.0
        spans.append(np.median(master.uncertainty[hot] / (truth - np.median(truth))[hot]))
    assert np.all(np.abs(np.array(ratios) - 1.0) < 3.0 * np.array(spans))
    assert max(spans) < 0.25


@pytest.mark.parametrize(
    ("exposure_s", "temperature_c", "named"),
    [(1200.0, 15.0, "60 to 300 s"), (180.0, 60.0, " C")],
)
def test_outside_the_library_a_dark_is_flagged_and_less_certain(
    dark_nights, exposure_s, temperature_c, named
):
    inside = generate_for_exposure(dark_nights.model, 180.0, temperature_c=15.0)
    outside = generate_for_exposure(dark_nights.model, exposure_s, temperature_c=temperature_c)
    assert not np.any(inside.flags & PixelFlags.EXTRAPOLATED.value)
    assert np.all(outside.flags & PixelFlags.EXTRAPOLATED.value)
    assert any(named in reason and "extrapolated" in reason for reason in outside.verdict.reasons)
    hot = inside.data - np.median(inside.data) > 100.0
    signal = [master.data[hot] - np.median(master.data) for master in (inside, outside)]
    share = [
        np.median(m.uncertainty[hot] / s) for m, s in zip((inside, outside), signal, strict=True)
    ]
    assert share[1] > 1.1 * share[0]


def test_without_a_temperature_a_dark_is_less_certain_and_says_so(dark_nights):
    told = generate_for_exposure(dark_nights.model, 180.0, temperature_c=12.0)
    untold = generate_for_exposure(dark_nights.model, 180.0)
    hot = told.data - np.median(told.data) > 100.0
    assert np.median(untold.uncertainty[hot] / told.uncertainty[hot]) > 2.0
    assert "no temperature was given" in untold.verdict.reasons[0]


@pytest.mark.parametrize(
    ("exposure_s", "options", "said"),
    [
        (0.0, {}, "more than 0 s"),
        (float("nan"), {}, "more than 0 s"),
        (60.0, {"temperature_c": -300.0}, "-200 to 100 C"),
        (60.0, {"iso": 100}, "the model knows ISO 800"),
    ],
)
def test_what_cannot_be_is_refused(dark_nights, exposure_s, options, said):
    with pytest.raises(SettingError, match=said):
        generate_for_exposure(dark_nights.model, exposure_s, **options)
