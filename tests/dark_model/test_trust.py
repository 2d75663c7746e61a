"""Which subs a model can explain, which it doubts, and which it refuses, with the sentence."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.dark_model.model import PixelMaps
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.errors import WrongSubError
from solodark.frames import Camera, Frame, FrameKind, PixelFlags
from solodark.synthetic import (
    SeriesPlan,
    expose_flat,
    expose_light,
    make_camera,
    make_scene,
    stream_series,
)


@pytest.fixture(scope="module")
def sub(dark_nights):
    return dark_nights.later()[0].frame


def refusal(model, sub, **options):
    with pytest.raises(WrongSubError) as caught:
        generate(model, sub, **options)
    assert sub.name in str(caught.value)
    return str(caught.value)


def with_header(frame, **changes):
    return replace(frame, acquisition=replace(frame.acquisition, **changes))


def test_a_dark_of_the_same_camera_is_trusted(dark_nights, sub):
    master = generate(dark_nights.model, sub)
    assert master.verdict.trusted
    assert master.verdict.reasons == ()
    assert not np.any(master.flags & PixelFlags.EXTRAPOLATED.value)


@pytest.mark.parametrize(
    ("moved", "sentence"),
    [
        (lambda d: d[::-1], "upside down"),
        (lambda d: d[:, ::-1], "mirrored"),
        (lambda d: d[::-1, ::-1], "turned by 180 degrees"),
        (lambda d: np.roll(d, (2, -4), (0, 1)), "shifted by 2 rows and -4 columns"),
        (lambda d: np.roll(d, (24, 16), (0, 1)), "another crop of the sensor"),
        (lambda d: np.roll(d, 1, axis=1), "phase of its colour filters is no longer RGGB"),
        (lambda d: np.roll(d, 1, axis=0), "shifted by 1 rows and 0 columns"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_the_same_sensor_in_another_orientation_is_refused(
    dark_nights, sub, moved, sentence, force
):
    assert sentence in refusal(
        dark_nights.model, replace(sub, data=moved(sub.data).copy()), force=force
    )


def small_library(dark_nights, rng):
    """One or two frames of each of three or four series, some of them biases."""
    taken = {}
    for frame in dark_nights.library:
        exposure_s = frame.acquisition.exposure_s
        night = frame.acquisition.date_obs.date()
        taken.setdefault((night, exposure_s if exposure_s > 1.0 else 0.0), []).append(frame)
    darks = [frames for (_, exposure_s), frames in taken.items() if exposure_s]
    biases = [frames for (_, exposure_s), frames in taken.items() if not exposure_s]
    chosen = [darks[k] for k in rng.choice(len(darks), 4, replace=False)]
    chosen.append(biases[rng.integers(len(biases))])
    return [frame for frames in chosen for frame in frames[: rng.integers(1, 3)]]


@pytest.mark.parametrize("seed", range(6))
def test_right_subs_are_right_to_a_library_of_few_frames_too(dark_nights, seed):
    frames = small_library(dark_nights, np.random.default_rng(seed))
    settings = LearnSettings(n_random=6000, n_hot=1000, rounds=3)
    model = learn(frames, rng=np.random.default_rng(1), settings=settings)
    for exposure_s, temperature_c in ((60.0, 5.0), (180.0, 12.0), (300.0, 19.0)):
        taken = {"exposure_s": exposure_s, "temperature_c": temperature_c}
        (shot,) = dark_nights.later(**taken)
        reasons = generate(model, shot.frame).verdict.reasons
        assert all("the master is extrapolated" in reason for reason in reasons), reasons


def test_another_camera_is_refused_by_its_serial_number(dark_nights, sub):
    camera = replace(sub.acquisition.camera, serial="SD000000")
    assert "serial number is SD000000" in refusal(
        dark_nights.model, with_header(sub, camera=camera)
    )


def foreign(sub, *, camera):
    """A dark of another unit, with the same header."""
    other = make_camera(np.random.default_rng(9), shape=sub.shape)
    pattern = other.expected_dark_adu(exposure_s=180.0, temperature_c=19.0)
    noise = np.random.default_rng(2).normal(0.0, 6.0, sub.shape)
    taken = replace(sub.acquisition, camera=camera)
    return Frame(pattern + noise, taken, sub.name)


@pytest.mark.parametrize("force", [False, True])
def test_another_unit_of_the_same_camera_model_is_refused_by_its_pixels(dark_nights, sub, force):
    stranger = foreign(sub, camera=Camera(model=sub.acquisition.camera.model))
    assert "another unit of the same camera model" in refusal(
        dark_nights.model, stranger, force=force
    )


def test_another_camera_that_does_not_tell_is_refused_by_its_pixels(dark_nights, sub):
    assert "another camera" in refusal(dark_nights.model, foreign(sub, camera=Camera()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"iso": 400}, "taken at ISO 400"),
        ({"binning": (2, 2)}, "binning is 2x2"),
        ({"cfa_pattern": "BGGR"}, "colour filter pattern is BGGR"),
    ],
)
def test_another_mode_of_the_camera_is_refused(dark_nights, sub, changes, sentence):
    assert sentence in refusal(dark_nights.model, with_header(sub, **changes))


def test_another_size_is_refused(dark_nights, sub):
    assert "192 x 126 pixels" in refusal(dark_nights.model, replace(sub, data=sub.data[:-2]))


def test_a_dark_that_the_camera_has_subtracted_already_is_refused(dark_nights):
    first, second = (shot.frame for shot in dark_nights.later(n=2))
    subtracted = replace(first, data=first.data - second.data + 2048.0)
    assert "has subtracted a dark already" in refusal(dark_nights.model, subtracted)


def test_a_light_is_refused(dark_nights, sub):
    rng = np.random.default_rng(3)
    light = expose_light(
        dark_nights.camera,
        make_scene(rng, shape=sub.shape),
        rng,
        exposure_s=180.0,
        temperature_c=19.0,
        date=sub.acquisition.date_obs,
        iso=800,
    ).frame
    assert "is a light" in refusal(dark_nights.model, light)
    as_dark = with_header(light, kind=FrameKind.DARK)
    assert "light has leaked in" in refusal(dark_nights.model, as_dark)


def test_a_light_leak_is_refused_unless_it_is_forced(dark_nights, sub, rng):
    leaked = replace(sub, data=sub.data + rng.poisson(60.0, sub.shape))
    assert "light has leaked in" in refusal(dark_nights.model, leaked)
    verdict = generate(dark_nights.model, leaked, force=True).verdict
    assert not verdict.trusted
    assert "light has leaked in" in verdict.reasons[0]


def test_a_flat_that_says_dark_is_refused(dark_nights, sub):
    rng = np.random.default_rng(3)
    flat = expose_flat(
        dark_nights.camera, rng, temperature_c=19.0, date=sub.acquisition.date_obs, iso=800
    ).frame
    assert "a flat" in refusal(dark_nights.model, replace(flat, acquisition=sub.acquisition))


@pytest.mark.parametrize(("axis", "side"), [(0, "bottom"), (1, "right")])
def test_light_from_one_side_is_refused_with_the_side_it_came_from(
    dark_nights, sub, rng, axis, side
):
    ramp = np.linspace(0.0, 60.0, sub.shape[axis])
    light = np.broadcast_to(ramp[:, None] if axis == 0 else ramp, sub.shape)
    leaked = replace(sub, data=sub.data + rng.poisson(light))
    assert f"on its {side}" in refusal(dark_nights.model, leaked)


@pytest.mark.parametrize(("factor", "sentence"), [(4.0, "4 times"), (0.25, "1/4 of")])
def test_another_bit_depth_is_refused_unless_it_is_forced(dark_nights, sub, factor, sentence):
    scaled = replace(sub, data=np.rint(sub.data * factor))
    assert sentence in refusal(dark_nights.model, scaled)
    verdict = generate(dark_nights.model, scaled, force=True).verdict
    assert any("another bit depth" in reason for reason in verdict.reasons)


def test_another_iso_behind_a_lying_header_is_refused(dark_nights, sub):
    (shot,) = dark_nights.later(iso=1600)
    assert "another gain or ISO" in refusal(
        dark_nights.model, replace(shot.frame, acquisition=sub.acquisition)
    )


def filled(data):
    """The middle of a frame, the rest noise around its level."""
    noise = np.random.default_rng(4).normal(np.median(data), 4.0, data.shape).astype(np.float32)
    noise[16:-32, 48:-24] = data[16:-32, 48:-24]
    return np.rint(noise)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (filled, "a crop that was filled up"),
        (lambda d: np.where(np.arange(192) < 150, d, 2048.0), "a crop that was filled up"),
        (lambda d: (d + np.roll(d, 1, 0) + np.roll(d, 1, 1)) / 3, "debayered or resampled"),
        (lambda d: np.kron(d[::2, ::2], np.ones((2, 2))), "binned, debayered or resampled"),
        (lambda d: 0.0 * d, "is empty: all its pixels are 0"),
        (lambda d: 0.0 * d + 16_383, "is saturated: all its pixels are 16383"),
        (lambda d: 0.0 * d + np.nan, "hold no finite value"),
        (lambda d: np.minimum(8.0 * d, 16_383), "at 16383, the highest value of all"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_frame_that_is_no_whole_exposure_is_refused(dark_nights, sub, change, sentence, force):
    changed = replace(sub, data=change(sub.data).astype(np.float32))
    assert sentence in refusal(dark_nights.model, changed, force=force)


def test_hot_pixels_that_ran_over_into_their_neighbours_are_refused(dark_nights, sub, rng):
    """Noise of its own hides from neighbours that the signal was averaged."""
    smooth = (sub.data + np.roll(sub.data, 1, 0) + np.roll(sub.data, 1, 1)) / 3
    noisy = replace(sub, data=np.rint(smooth + rng.normal(0.0, 6.0, sub.shape)))
    assert "dark signal in its neighbours" in refusal(dark_nights.model, noisy, force=True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (np.rot90, "turned by 90 or 270 degrees"),
        (lambda d: d.reshape(64, 2, 96, 2).sum(axis=(1, 3)), "binned 2 x 2"),
        (lambda d: np.kron(d, np.ones((2, 2))), "The library is binned 2 x 2"),
        (lambda d: d[8:-8, 4:-4], "a crop of the library's frame"),
    ],
)
def test_a_frame_of_another_size_is_refused_with_what_made_it_so(
    dark_nights, sub, change, sentence
):
    assert sentence in refusal(dark_nights.model, replace(sub, data=change(sub.data)))


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [(-1, "turned by 90 degrees"), (1, "turned by 270 degrees")],
)
def test_a_square_frame_that_was_turned_is_refused(dark_nights, sub, turn, sentence):
    square = cropped(dark_nights.model, 128)
    middle = replace(sub, data=sub.data[:128, :128])
    assert generate(square, middle).verdict.trusted
    turned = replace(middle, data=np.rot90(middle.data, turn).copy())
    assert sentence in refusal(square, turned, force=True)


def cropped(model, size):
    """The model of the sensor's first rows and columns."""
    layers = {
        name: np.ascontiguousarray(getattr(model.pixels, name)[..., :size, :size])
        for name in ("maps", "excess", "information", "component", "scatter")
    }
    inside = (model.sample < size).all(axis=1)
    return replace(
        model,
        pixels=PixelMaps(**layers, telegraph=TelegraphPixels.none()),
        sample=model.sample[inside],
        sample_random=int(np.count_nonzero(inside[: model.sample_random])),
    )


def test_a_frame_without_pattern_leaves_it_open_whose_it_is(dark_nights, sub, rng):
    noise = np.rint(rng.normal(2048.0, 4.3, sub.shape))
    unknown = replace(sub.acquisition, exposure_s=0.0, kind=FrameKind.BIAS)
    verdict = generate(dark_nights.model, Frame(noise, unknown, "noise")).verdict
    assert not verdict.trusted
    assert "too little dark signal to tell" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("exposure_s", "temperature_c"), [(1.0, 15.0), (10.0, 0.0), (30.0, 5.0), (60.0, -8.0)]
)
def test_a_short_or_cold_dark_that_shows_few_hot_pixels_is_no_stranger(
    dark_nights, exposure_s, temperature_c
):
    (shot,) = dark_nights.later(exposure_s=exposure_s, temperature_c=temperature_c)
    assert generate(dark_nights.model, shot.frame).verdict.trusted


def test_a_much_stronger_dark_is_extrapolated_and_says_so(dark_nights):
    (shot,) = dark_nights.later(exposure_s=600.0, temperature_c=28.0)
    master = generate(dark_nights.model, shot.frame)
    assert not master.verdict.trusted
    (reason,) = master.verdict.reasons
    assert "times the strongest of the library (up to 300 s" in reason
    assert np.all(master.flags & PixelFlags.EXTRAPOLATED.value)


def test_an_extrapolated_master_is_less_sure_of_its_hot_pixels(dark_nights, sub):
    (strong,) = dark_nights.later(exposure_s=600.0, temperature_c=28.0)
    usual, stretched = (generate(dark_nights.model, s) for s in (sub, strong.frame))
    hot = (usual.flags & PixelFlags.HOT.value) != 0
    assert np.median(stretched.uncertainty[hot]) > 2.0 * np.median(usual.uncertainty[hot])


def learn_from_few(n_darks):
    """A warm sensor full of hot pixels: its model, the darks behind it, and one more."""
    rng = np.random.default_rng(5)
    camera = make_camera(rng, shape=(128, 192), preset="cooled_ccd")
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=n_darks + 1,
        exposure_s=300.0,
        ambient_temperature_c=20.0,
        iso=None,
        start=datetime(2026, 1, 10, 21, 0, tzinfo=UTC),
    )
    *darks, unseen = (shot.frame for shot in stream_series(camera, rng, plan))
    after = plan.followed_by(FrameKind.BIAS, 3, 0.0)
    biases = [shot.frame for shot in stream_series(camera, rng, after)]
    settings = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=2)
    model = learn([*darks, *biases], rng=np.random.default_rng(1), settings=settings)
    return model, darks, unseen


def test_one_of_two_darks_behind_a_model_is_trusted_though_the_maps_are_drawn_to_it():
    model, darks, unseen = learn_from_few(2)
    assert generate(model, darks[0]).verdict.trusted
    assert generate(model, unseen).verdict.trusted


def test_an_unseen_dark_at_half_the_gain_is_refused_even_by_a_model_of_four_darks():
    model, _, unseen = learn_from_few(4)
    level = np.median(unseen.data)
    halved = replace(unseen, data=np.rint(level + 0.5 * (unseen.data - level)))
    assert "another gain" in refusal(model, halved)
