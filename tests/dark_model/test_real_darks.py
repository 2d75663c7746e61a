"""The model on an uncooled camera that nobody simulated."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn, predict
from solodark.errors import WrongSubError
from solodark.evaluation import evaluate_series
from solodark.formats import read_frame

pytestmark = pytest.mark.real_data

CROP = (slice(320, 640), slice(480, 800))
SETTINGS = LearnSettings(ranks=(1,), n_random=8000, n_hot=4000)


def crops(folder, pattern):
    """Read frames and keep a part at even offsets, so that the colours stay in phase."""
    frames = [read_frame(path) for path in sorted(folder.glob(pattern))]
    return [replace(frame, data=frame.data[CROP].copy()) for frame in frames]


@pytest.fixture(scope="module")
def held_out(real_data):
    return crops(real_data / "asi178mc" / "darks", "*_70sec_*")


@pytest.fixture(scope="module")
def model(real_data):
    """Learned from 0.1 s to 100 s, without 70 s."""
    darks = crops(real_data / "asi178mc" / "darks", "*_[!7]*sec_*")
    darks = [dark for dark in darks if dark.acquisition.exposure_s != 70.0]
    return learn(darks, rng=np.random.default_rng(1), settings=SETTINGS)


def test_one_held_out_sub_is_worth_more_than_ten(model, held_out):
    assert 70.0 not in model.library.exposure_s
    assert len(held_out) == 5
    typical = np.median(model.library.states, axis=0)
    table = evaluate_series(
        held_out,
        {"solodark": lambda sub: generate(model, sub).data, "one sub": lambda sub: sub.data},
        level_map=predict(model, typical).pattern,
        rng=np.random.default_rng(1),
    )
    worth = {s: table.cell("solodark", s).equivalent_subs for s in ("winsorised", "ordinary")}
    assert table.cell("one sub", "winsorised").equivalent_subs == pytest.approx(1.0, abs=0.1)
    assert worth["winsorised"] > 10.0
    assert worth["ordinary"] > 15.0


def test_a_real_sub_is_trusted_and_its_mirror_image_is_not(model, held_out):
    for sub in held_out:
        assert generate(model, sub).verdict.trusted
    mirrored = replace(held_out[0], data=held_out[0].data[:, ::-1].copy())
    with pytest.raises(WrongSubError, match="mirrored"):
        generate(model, mirrored)


def test_a_sub_between_two_exposures_is_trusted_by_a_library_without_biases(real_data, held_out):
    folder = real_data / "asi178mc" / "darks"
    darks = [*crops(folder, "*_30sec_*"), *crops(folder, "*_100sec_*")]
    assert {dark.acquisition.exposure_s for dark in darks} == {30.0, 100.0}
    model = learn(darks, rng=np.random.default_rng(1), settings=SETTINGS)
    assert generate(model, held_out[0]).verdict.trusted
