"""The model on an uncooled camera that nobody simulated."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn, predict
from solodark.errors import WrongSubError
from solodark.evaluation import evaluate_series
from solodark.formats import read_frame

pytestmark = pytest.mark.real_data

CROP, WHOLE = (slice(320, 640), slice(480, 800)), (slice(None), slice(None))
SETTINGS = LearnSettings(ranks=(1,), n_random=8000, n_hot=4000)


def crops(folder, pattern, *, part=CROP, most=None):
    """Read frames and keep a part at even offsets, so that the colours stay in phase."""
    frames = [read_frame(path) for path in sorted(folder.glob(pattern))[:most]]
    return [replace(frame, data=frame.data[part].copy()) for frame in frames]


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


def test_a_library_of_pairs_knows_how_little_it_knows(real_data):
    """Where noise hides what ordinary pixels have in common, the fit once settled on too little."""
    folder = real_data / "asi178mc"
    pairs = [("darks", "*_10sec_*"), ("darks", "*_50sec_*"), ("darks", "*_100sec_*")]
    library = []
    for kind, pattern in [*pairs, ("biases", "*")]:
        library += crops(folder / kind, pattern, part=WHOLE, most=2)
    model = learn(library, rng=np.random.default_rng(1))
    sub, *others = crops(folder / "darks", "*_70sec_*", part=WHOLE)
    master = generate(model, sub)
    ordinary = master.uncertainty < np.quantile(master.uncertainty, 0.9)
    halves = [np.mean([other.data for other in others[k::2]], axis=0) for k in (0, 1)]
    errors = [(master.data - half)[ordinary] for half in halves]
    one, other = (error - np.median(error) for error in errors)  # the noises are independent
    told2 = np.mean(master.uncertainty[ordinary] ** 2)
    assert np.sqrt(np.mean(one * other) / told2) == pytest.approx(1.0, abs=0.15)
