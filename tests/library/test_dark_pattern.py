"""The pattern of warm pixels: which sensor, and how strongly it shows."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.library.conftest import START, DarkCamera, record, with_header

from solodark.frames import Frame
from solodark.library.dark_group import DarkGroup
from solodark.library.pattern_amplitude import measure_amplitudes
from solodark.library.sensor_units import find_flip, find_units, shows_pattern


def amplitudes(frames):
    found = measure_amplitudes(frames)
    assert found is not None
    assert np.all(found.errors > 0)
    return found.values


def test_twice_the_exposure_shows_twice_the_pattern(camera):
    found = amplitudes([*camera.biases(4), *(camera.dark(f"/{t}", t) for t in (60, 120, 240, 480))])
    assert np.allclose(found[4:] / found[4], (1, 2, 4, 8), rtol=0.08)
    assert np.abs(found[:4]).max() < 5


def test_the_pattern_doubles_where_the_dark_current_does(camera):
    temperatures = (-10.0, -3.5, 3.0)
    frames = [
        *camera.biases(4),
        *(camera.dark(f"/{t}", 120, temperature_c=t) for t in temperatures),
    ]
    found = amplitudes(frames)[4:]
    assert np.allclose(found / found[0], (1, 2, 4), rtol=0.08)


def test_the_header_s_exposure_does_not_move_the_amplitude(camera):
    frames = camera.library()
    lied = [with_header(f, exposure_s=3000.0) if n == 20 else f for n, f in enumerate(frames)]
    assert np.allclose(amplitudes(lied), amplitudes(frames), rtol=0.005, atol=0.01)


def test_the_error_bars_are_about_right(camera):
    darks = camera.series(120.0, 12)
    found = measure_amplitudes([*camera.biases(6), *darks])
    scatter = np.std(found.values[6:], ddof=1)
    assert 0.4 < scatter / np.median(found.errors[6:]) < 2.0


def test_cosmic_rays_and_newborn_hot_pixels_do_not_move_the_amplitude(camera, rng):
    frames = [*camera.biases(4), *camera.series(120.0, 5)]
    pixels = camera.pixels(120.0)
    pixels[rng.random(pixels.shape) < 0.01] += 5000.0
    struck = record(camera.frame(pixels, 120.0), "/struck")
    found = amplitudes([*frames, struck])
    assert found[-1] == pytest.approx(np.median(found[4:-1]), rel=0.05)


def test_a_level_and_a_gradient_do_not_move_the_amplitude(camera):
    frames = [*camera.biases(4), *camera.series(120.0, 5)]
    tilted = camera.pixels(120.0) + np.linspace(100, 200, 300)
    found = amplitudes([*frames, record(camera.frame(tilted, 120.0), "/tilted")])
    assert found[-1] == pytest.approx(np.median(found[4:-1]), rel=0.05)


def test_frames_without_warm_pixels_have_no_amplitude(camera, rng):
    flat = [record(camera.frame(rng.normal(1000, 8, (200, 300)), 60.0), f"/{n}") for n in range(4)]
    assert measure_amplitudes(flat) is None
    assert measure_amplitudes(camera.biases(3)) is None


def test_the_slope_with_temperature_is_found_from_the_darks(camera):
    frames = camera.biases(4) + [
        camera.dark(f"/{t}_{n}", 120, temperature_c=t, at=START + timedelta(days=n))
        for n, t in enumerate((-10.0, 0.0, 10.0))
    ]
    frames = [with_header(frame, setpoint_temperature_c=None) for frame in frames]
    slope, error = DarkGroup.of(frames).slope_per_c
    assert slope == pytest.approx(np.log(2) / 6.5, rel=0.1)
    assert 0 < error < slope


def test_one_temperature_says_nothing_about_the_slope(camera):
    slope, error = DarkGroup.of(camera.library()).slope_per_c
    assert (slope, error) == (pytest.approx(np.log(2) / 6.5), pytest.approx(0.4 * slope))


def test_a_sensor_is_known_by_its_hot_pixels_at_any_exposure_and_temperature(camera):
    frames = [camera.dark(f"/{t}", t) for t in (60, 300)] + [camera.dark("/w", 60, temperature_c=5)]
    assert all(shows_pattern(frame) for frame in frames)
    assert len(find_units(frames)) == 1


def test_two_sensors_of_one_name_are_told_apart(rng):
    first, second = DarkCamera(rng), DarkCamera(rng)
    frames = first.series(300.0, 4) + second.series(300.0, 2, folder="/other")
    units = find_units(frames)
    assert [unit.n_with_pattern for unit in units] == [4, 2]
    assert {frame.path.parent for frame in units[1].frames} == {Path("/other")}


def test_faint_frames_go_with_the_darks_of_their_hour(rng):
    first, second = DarkCamera(rng), DarkCamera(rng)
    later = START + timedelta(days=3)
    biases = [replace(b, path=Path(f"/later/{b.path.name}")) for b in second.biases(2, at=later)]
    darks = first.series(300.0, 4) + second.series(300.0, 2, at=later)
    units = find_units([*darks, *first.biases(2), *biases])
    assert [len(unit.frames) for unit in units] == [6, 4]
    assert {f.path.parent for f in units[1].frames} == {Path("/later"), Path("/darks")}


@pytest.mark.parametrize(
    ("name", "turn"),
    [
        ("upside down", lambda data: data[::-1]),
        ("mirrored", lambda data: data[:, ::-1]),
        ("turned by 180 degrees", lambda data: data[::-1, ::-1]),
    ],
)
def test_a_reflected_frame_is_recognised(camera, name, turn):
    (unit,) = find_units(camera.series(300.0, 3))
    pixels = camera.frame(turn(camera.pixels(300.0)), 300.0)
    assert find_flip(record(pixels, "/turned"), unit) == name


def test_a_frame_of_another_sensor_is_no_reflection(camera, rng):
    (unit,) = find_units(camera.series(300.0, 3))
    assert find_flip(DarkCamera(rng).dark("/other", 300.0), unit) is None


def test_noise_shows_no_pattern(rng):
    noise = Frame(rng.normal(1000, 8, (200, 300)))
    assert not shows_pattern(record(noise, "/noise"))
