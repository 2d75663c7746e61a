"""Which dark models show a network its darks: never one that has learned from them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from solodark.dark_model import LearnSettings
from solodark.errors import NotEnoughFramesError
from solodark.formats import write_frame
from solodark.frames import Acquisition, Frame, FrameKind, silent
from solodark.workflows.training_darks import find_training_darks
from solodark.workflows.training_priors import learn_folds, plan_folds

EVENING = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


@pytest.fixture
def shoot(tmp_path):
    """Write a series of frames, and give their files."""

    def series(night, n, *, exposure_s=60.0, kind=FrameKind.DARK, iso=800, hours=0.0):
        paths = []
        for i in range(n):
            acquisition = Acquisition(
                kind=kind,
                exposure_s=exposure_s,
                iso=iso,
                date_obs=EVENING + timedelta(days=night, hours=hours, minutes=5 * i),
            )
            paths.append(tmp_path / f"{kind}_{night}_{hours}_{exposure_s:g}_{iso}_{i}.fits")
            write_frame(paths[-1], Frame(np.full((4, 4), 100.0), acquisition), pixel_type="uint16")
        return paths

    return series


def darks_of(files):
    return find_training_darks(files, None, silent)[0]


def test_every_dark_is_shown_once_and_to_a_model_that_knows_nothing_of_its_night(shoot):
    darks = {night: shoot(night, 3) for night in range(5)}
    biases = {night: shoot(night, 2, exposure_s=0.0, kind=FrameKind.BIAS) for night in range(5)}
    files = [path for night in range(5) for path in (*darks[night], *biases[night])]
    found = darks_of(files)
    folds = plan_folds(files, found, n_folds=2, seed=1)
    assert sorted(i for fold in folds for i in fold.shown) == list(range(15))
    assert sorted(len(fold.shown) for fold in folds) == [6, 9]
    for fold in folds:
        shown = {found.paths[i] for i in fold.shown}
        nights = {night for night in darks if shown & set(darks[night])}
        kept = [p for night in set(darks) - nights for p in (*darks[night], *biases[night])]
        assert set(fold.others) == set(kept)


def test_biases_of_a_single_night_stay_with_every_model(shoot):
    biases = shoot(0, 4, exposure_s=0.0, kind=FrameKind.BIAS)
    files = [*biases, *(path for night in range(3) for path in shoot(night, 3))]
    for fold in plan_folds(files, darks_of(files), n_folds=3, seed=1):
        assert set(biases) < set(fold.others)


def test_in_a_single_night_every_exposure_is_shown_to_a_model_of_the_others(shoot):
    files = [
        path
        for hours, exposure_s in enumerate((30.0, 60.0, 90.0))
        for path in shoot(0, 3, exposure_s=exposure_s, hours=0.5 * hours)
    ]
    found = darks_of(files)
    folds = plan_folds(files, found, n_folds=5, seed=1)
    assert len(folds) == 3
    assert all(len({found.series[i] for i in fold.shown}) == 1 for fold in folds)
    assert all(len(fold.others) == 6 for fold in folds)


def test_a_series_that_runs_past_noon_stays_whole(shoot):
    past_noon = shoot(0, 4, hours=15.9)
    found = darks_of([*past_noon, *shoot(3, 3)])
    assert len({found.sessions[found.paths.index(path)] for path in past_noon}) == 1


def test_darks_of_a_gain_setting_that_no_other_night_has_are_named(shoot):
    files = [path for night in range(3) for path in shoot(night, 3)]
    files += shoot(3, 3, iso=1600)
    with pytest.raises(NotEnoughFramesError, match="ISO 1600 in 2026-03-04 alone"):
        plan_folds(files, darks_of(files), n_folds=4, seed=1)


def test_too_few_other_nights_to_learn_from_are_told(shoot):
    files = [path for night in range(3) for path in shoot(night, 3)]
    folds = [
        replace(fold, others=fold.others[:3])
        for fold in plan_folds(files, darks_of(files), n_folds=3, seed=1)
    ]
    with pytest.raises(NotEnoughFramesError, match=r"without the darks of 2026-03-0\d: .*--prior"):
        next(iter(learn_folds(folds, seed=1, settings=LearnSettings(), progress=silent)))
