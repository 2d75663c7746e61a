"""Series and libraries: what comes when, and in what state."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from solodark.errors import SettingError
from solodark.frames import FrameKind
from solodark.synthetic import (
    SeriesPlan,
    SyntheticCamera,
    expose_library,
    expose_series,
    make_camera,
    stream_series,
)

START = datetime(2024, 6, 1, 22, tzinfo=UTC)


@pytest.fixture
def camera(rng: np.random.Generator) -> SyntheticCamera:
    return make_camera(rng, shape=(16, 24), telegraph_dark_fraction=0.3)


def test_a_library_is_sixty_nights_over_two_years_with_every_iso_alike(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    sessions = list(expose_library(camera, rng))
    assert len(sessions) == 60
    assert {len(session.darks) for session in sessions} == {18}
    isos = [session.plan.iso for session in sessions]
    assert {iso: isos.count(iso) for iso in set(isos)} == {400: 20, 800: 20, 1600: 20}
    exposures = [session.plan.exposure_s for session in sessions]
    assert {exposures.count(exposure) for exposure in set(exposures)} == {12}
    span = sessions[-1].plan.start - sessions[0].plan.start
    assert span == timedelta(days=730) or span == timedelta(days=731)


def test_summer_nights_are_warmer_than_winter_nights(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    warmth: dict[int, list[float]] = {}
    for session in expose_library(camera, rng, subs_per_session=1, biases_per_session=0):
        warmth.setdefault(session.plan.start.month, []).append(session.plan.ambient_temperature_c)
    assert np.mean(warmth[7]) > np.mean(warmth[1]) + 10


def test_a_library_says_what_its_frames_are(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    session = next(expose_library(camera, rng, n_sessions=3, isos=(1600,), exposures_s=(45.0,)))
    for kind, shots in ((FrameKind.DARK, session.darks), (FrameKind.BIAS, session.biases)):
        told = [shot.frame.acquisition for shot in shots]
        assert {a.kind for a in told} == {kind}
        assert {a.iso for a in told} == {1600}
    assert {shot.frame.acquisition.exposure_s for shot in session.darks} == {45.0}
    assert len({shot.frame.name for shot in (*session.darks, *session.biases)}) == 28
    assert session.biases[0].truth.temperature_c > session.darks[0].truth.temperature_c


def test_the_same_dice_give_the_same_library(camera: SyntheticCamera) -> None:
    first, second = (
        [
            s.darks[1].frame.data
            for s in expose_library(camera, np.random.default_rng(4), n_sessions=3)
        ]
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_library_comes_one_session_at_a_time_and_tells_of_its_progress(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    told: list[tuple[str, int | None]] = []

    def listener(items: Iterable[int], description: str, total: int | None = None) -> Iterable[int]:
        for item in items:
            told.append((description, total))
            yield item

    sessions = expose_library(camera, rng, n_sessions=4, progress=listener)
    next(sessions)
    next(sessions)
    assert told == [("taking synthetic darks", 4)] * 2


def test_telegraph_pixels_go_on_from_the_last_session(rng: np.random.Generator) -> None:
    dwell_s = (10 * 86400.0, 20 * 86400.0)
    camera = make_camera(
        rng, shape=(32, 32), telegraph_dark_fraction=0.3, telegraph_dwell_s=dwell_s
    )
    sessions = list(expose_library(camera, rng, n_sessions=2, years=1 / 365.25))
    last, first = sessions[0].darks[-1].truth, sessions[1].darks[0].truth
    agree = last.telegraph_state.high == first.telegraph_state.high
    assert 0.85 < np.mean(agree) < 1.0


def test_a_series_keeps_its_glow_and_its_header_s_error(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    shots = expose_series(
        camera, rng, n=5, exposure_s=60.0, ambient_temperature_c=12.0, start=START
    )
    assert len({shot.truth.glow_amplitude for shot in shots}) == 1
    dates = [shot.frame.acquisition.date_obs for shot in shots]
    assert dates[0] == START
    steps = {later - earlier for earlier, later in pairwise(dates)}
    assert steps == {timedelta(seconds=63)}


def test_some_cameras_alternate_between_two_states(rng: np.random.Generator) -> None:
    camera = make_camera(rng, shape=(16, 16), alternation_c=1.5, self_heating_c=0.0)
    shots = expose_series(
        camera, rng, n=4, exposure_s=60.0, ambient_temperature_c=12.0, start=START
    )
    assert [shot.truth.temperature_c for shot in shots] == [12.0, 13.5, 12.0, 13.5]
    assert len({shot.frame.acquisition.sensor_temperature_c for shot in shots}) == 1


def test_series_are_streamed_without_keeping_frames(
    camera: SyntheticCamera, rng: np.random.Generator
) -> None:
    plan = SeriesPlan(
        kind=FrameKind.DARK,
        n=10**9,
        exposure_s=1.0,
        ambient_temperature_c=5.0,
        iso=None,
        start=START,
    )
    assert next(stream_series(camera, rng, plan)).frame.name == "dark_20240601_0001"


@pytest.mark.parametrize("name", ["n_sessions", "subs_per_session"])
def test_an_empty_library_is_refused(
    camera: SyntheticCamera, rng: np.random.Generator, name: str
) -> None:
    with pytest.raises(SettingError, match=f"{name}=0"):
        next(expose_library(camera, rng, **{name: 0}))
