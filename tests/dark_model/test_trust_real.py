"""Whether real subs are known by the fingerprint of a real sensor."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, generate, learn
from solodark.errors import WrongSubError
from solodark.formats import find_frame_paths, open_frame
from solodark.frames import Frame, FrameKind

pytestmark = pytest.mark.real_data
NIGHT = "sbig-stl1001e/2017_-5C"


def read(*paths):
    """A quarter of each frame: enough to know a sensor by, and quick to learn."""
    frames = []
    for path in paths:
        with open_frame(path) as source:
            data = source.read_rows(0, 512)[:, :512].astype(np.float32)
            frames.append(Frame(data, source.acquisition, source.name))
    return frames


def files(folder, word):
    return [path for path in find_frame_paths([folder]) if word in path.name.lower()]


@pytest.fixture(scope="module")
def sbig(real_data):
    """A model of one unit, from one night, without its darks of 60 s."""
    frames = read(*files(real_data / NIGHT / "darks", "dark"))
    darks = [frame for frame in frames if frame.acquisition.exposure_s != 60.0]
    biases = read(*files(real_data / NIGHT / "biases", "bias"))[:4]
    settings = LearnSettings(ranks=(1,), n_random=8000, n_hot=2000, rounds=2)
    return learn([*darks, *biases], rng=np.random.default_rng(1), settings=settings)


@pytest.fixture(scope="module")
def own_dark(real_data):
    darks = read(*files(real_data / NIGHT / "darks", "dark")[:4])
    return next(dark for dark in darks if dark.acquisition.exposure_s == 60.0)


def test_an_unseen_dark_of_the_unit_is_trusted(sbig, own_dark):
    assert generate(sbig, own_dark).verdict.trusted


@pytest.mark.parametrize("force", [False, True])
def test_a_dark_of_another_unit_of_the_camera_model_is_refused(sbig, real_data, force):
    (stranger,) = read(files(real_data / "mit-luxembourg-2018-10-12" / "darks", "dark")[0])
    with pytest.raises(WrongSubError, match="another unit of the same camera model"):
        generate(sbig, stranger, force=force)


@pytest.mark.parametrize(
    ("turn", "words"), [(np.flipud, "rows flipped"), (np.rot90, "turned by 270 degrees")]
)
def test_a_turned_dark_of_the_unit_is_refused(sbig, own_dark, turn, words):
    turned = replace(own_dark, data=np.ascontiguousarray(turn(own_dark.data)))
    with pytest.raises(WrongSubError, match=words):
        generate(sbig, turned, force=True)


def test_a_flat_that_says_dark_is_refused(sbig, own_dark, real_data):
    others = read(*files(real_data / NIGHT, "flat")[:1])
    assert others, "the night has flats"
    lying = replace(others[0].acquisition, kind=FrameKind.DARK, exposure_s=60.0)
    with pytest.raises(WrongSubError, match="a light or a flat"):
        generate(sbig, replace(others[0], acquisition=lying))
