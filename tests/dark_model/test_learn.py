"""Learning from frames in memory: what is asked of them, and what does not matter."""

from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings, learn
from solodark.errors import FrameFormatError, FrameMismatchError, NotEnoughFramesError
from solodark.frames import Frame

QUICK = LearnSettings(ranks=(1,), n_random=2000, n_hot=300, rounds=2, iterations=2)


def learned(frames, settings=QUICK, seed=1, **options):
    return learn(frames, rng=np.random.default_rng(seed), settings=settings, **options)


@pytest.fixture(scope="module")
def few(dark_nights):
    """Every second frame of the library, the upper half of each: quick to learn from."""
    return [replace(frame, data=frame.data[:64]) for frame in dark_nights.library[::2]]


def with_header(frame, name, **changes):
    return replace(frame, name=name, acquisition=replace(frame.acquisition, **changes))


def test_neither_the_order_of_the_frames_nor_the_height_of_the_bands_changes_the_model(few):
    shuffled = [few[i] for i in np.random.default_rng(3).permutation(len(few))]
    one, other = learned(few), learned(shuffled, replace(QUICK, memory_mib=0))
    assert one.model_id == other.model_id
    for name in ("maps", "excess", "information", "component", "scatter"):
        np.testing.assert_array_equal(getattr(one.pixels, name), getattr(other.pixels, name))
    np.testing.assert_array_equal(one.library.states, other.library.states)
    np.testing.assert_allclose(one.class_information, other.class_information, rtol=1e-9)


def test_each_hash_stays_with_its_frame(few):
    hashes = {frame.name: f"hash of {frame.name}" for frame in few}
    model = learned(few[::-1], hashes=[hashes[frame.name] for frame in few[::-1]])
    assert dict(zip(model.library.names, model.library.hashes, strict=True)) == hashes


def test_biases_have_no_dark_signal_and_darks_more_with_exposure_and_heat(dark_nights):
    model = dark_nights.model
    strength = np.sqrt(
        np.einsum("fr,rq,fq->f", model.library.states, model.strength, model.library.states)
    )
    bias = model.library.exposure_s < 0.01
    assert strength[bias].max() < 0.02
    assert strength[~bias].min() > 0.01
    assert strength.max() == pytest.approx(1.0, abs=0.1)


def strengths(model, names):
    """How strong the dark signal of some frames is, the strongest of them at one."""
    states = model.library.states
    found = np.sqrt(np.einsum("fr,rq,fq->f", states, model.strength, states))
    told = dict(zip(model.library.names, found, strict=True))
    return np.array([told[name] for name in names]) / max(told[name] for name in names)


def test_without_biases_darks_still_know_where_their_signal_is_zero(dark_nights):
    names = dark_nights.model.library.names
    strong = strengths(dark_nights.model, names) > 0.2
    strong_names = [name for name, is_strong in zip(names, strong, strict=True) if is_strong]
    darks = [frame for frame in dark_nights.library if frame.name in strong_names]
    settings = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=3)
    truth = strengths(dark_nights.model, strong_names)
    np.testing.assert_allclose(strengths(learned(darks, settings), strong_names), truth, atol=0.04)


def test_the_nights_warmth_tells_the_bias_from_darks_of_one_exposure(dark_nights):
    darks = [frame for frame in dark_nights.library if frame.acquisition.exposure_s > 1.0]
    longest_s = max(frame.acquisition.exposure_s for frame in darks)
    alike = [frame for frame in darks if frame.acquisition.exposure_s == longest_s]
    temperature_c = [frame.acquisition.sensor_temperature_c for frame in alike]
    assert max(temperature_c) - min(temperature_c) > 3.0
    names = [frame.name for frame in alike]
    settings = LearnSettings(ranks=(1,), n_random=6000, n_hot=1000, rounds=3)
    truth = strengths(dark_nights.model, names)
    np.testing.assert_allclose(strengths(learned(alike, settings), names), truth, atol=0.08)


def test_the_evidence_of_all_ranks_tried_is_kept(dark_nights):
    evidence = dark_nights.model.evidence
    assert set(evidence) == {1, 2}
    assert dark_nights.model.rank == max(evidence, key=evidence.get)


def test_a_library_of_darks_alone_will_do(few):
    darks = [frame for frame in few if frame.acquisition.exposure_s > 1.0]
    assert learned(darks).rank == 1


def test_a_mono_sensor_has_one_level(few):
    mono = [with_header(frame, frame.name, cfa_pattern=None) for frame in few]
    assert learned(mono).level_maps.shape == (1, 2)


def test_three_frames_are_not_enough(few):
    with pytest.raises(NotEnoughFramesError, match=r"^found 3 darks, expected at least 4"):
        learned(few[:3])


def test_biases_and_a_single_dark_cannot_tell_hot_pixels_from_cosmic_rays(few):
    biases = [frame for frame in few if frame.acquisition.exposure_s < 1.0]
    one = next(frame for frame in few if frame.acquisition.exposure_s > 1.0)
    with pytest.raises(NotEnoughFramesError, match=f"{len(biases)} biases and no dark"):
        learned(biases)
    with pytest.raises(NotEnoughFramesError, match=f"{len(biases)} biases and 1 dark, expected"):
        learned([*biases, one])


def test_darks_alike_in_exposure_and_temperature_cannot_tell_the_bias_from_the_dark_signal(few):
    alike = [
        with_header(frame, frame.name, sensor_temperature_c=18.0 + 0.5 * i)
        for i, frame in enumerate(f for f in few if f.acquisition.exposure_s == 180.0)
    ]
    with pytest.raises(NotEnoughFramesError, match="darks of 180 s, expected at least two expos"):
        learned(alike[:5])


def test_darks_that_do_not_tell_their_exposure_need_biases_beside_them(few):
    silent = {"exposure_s": None, "sensor_temperature_c": None}
    darks = [with_header(f, f.name, **silent) for f in few if f.acquisition.exposure_s > 1.0]
    with pytest.raises(NotEnoughFramesError, match="are of an unknown exposure"):
        learned(darks)
    biases = [frame for frame in few if frame.acquisition.exposure_s < 1.0]
    assert learned([*darks, *biases]).rank == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"iso": 1600}, "ISO is 1600 in odd.fits"), ({"binning": (2, 2)}, "binning is 2x2 in odd")],
)
def test_a_stray_frame_of_another_mode_is_named(few, changes, sentence):
    with pytest.raises(FrameMismatchError, match=sentence):
        learned([*few, with_header(few[0], "odd.fits", **changes)])


def test_frames_of_another_size_are_named(few):
    cropped = Frame(few[0].data[:32], few[0].acquisition, "cropped.fits")
    with pytest.raises(FrameMismatchError, match=r"192 x 32 pixels in cropped.fits"):
        learned([cropped, *few])


def test_a_frame_with_holes_is_named(few):
    data = few[1].data.copy()
    data[3, 3:5] = np.nan
    with pytest.raises(FrameFormatError, match=r"^holed.fits holds 2 pixels without a finite"):
        learned([few[0], *few[2:], replace(few[1], data=data, name="holed.fits")])
