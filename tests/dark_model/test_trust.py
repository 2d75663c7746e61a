"""Which subs a model can explain, which it doubts, and which it refuses, with the sentence."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import generate
from solodark.errors import WrongSubError
from solodark.frames import FrameKind, PixelFlags
from solodark.synthetic import expose_light, make_camera, make_scene


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
        (lambda d: np.roll(d, 1, axis=1), "shifted by 0 rows and 1 columns"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_the_same_sensor_in_another_orientation_is_refused(
    dark_nights, sub, moved, sentence, force
):
    assert sentence in refusal(
        dark_nights.model, replace(sub, data=moved(sub.data).copy()), force=force
    )


def test_another_camera_is_refused_by_its_serial_number(dark_nights, sub):
    camera = replace(sub.acquisition.camera, serial="SD000000")
    assert "serial number is SD000000" in refusal(
        dark_nights.model, with_header(sub, camera=camera)
    )


def test_another_camera_that_does_not_tell_is_refused_by_its_pixels(dark_nights, sub):
    other = make_camera(np.random.default_rng(9), shape=sub.shape)
    foreign = other.expected_dark_adu(exposure_s=180.0, temperature_c=19.0)
    noise = np.random.default_rng(2).normal(0.0, 6.0, sub.shape)
    assert "another camera" in refusal(dark_nights.model, replace(sub, data=foreign + noise))


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
    assert "has subtracted already" in refusal(dark_nights.model, subtracted)


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
    leaked = replace(sub, data=sub.data + rng.poisson(400.0, sub.shape))
    assert "light has leaked in" in refusal(dark_nights.model, leaked)
    verdict = generate(dark_nights.model, leaked, force=True).verdict
    assert not verdict.trusted
    assert "light has leaked in" in verdict.reasons[0]


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
