"""A night's lights are brought onto the best of them, and what cannot be is listed."""

import numpy as np
import pytest

from solodark.combine import combine
from solodark.errors import RegistrationError, SettingError
from solodark.formats import find_frame_paths, open_frame, read_frame
from solodark.registration import Stars, choose_reference, find_stars, register
from solodark.synthetic import Pointing

NONE = np.zeros(0)
CLOUDS = Stars(y=NONE, x=NONE, flux_adu=NONE, fwhm_px=NONE, error_px=NONE)


@pytest.fixture
def night(expose) -> list[Stars]:
    drifts = (Pointing(dy_px=1.3 * k, dx_px=-0.4 * k) for k in range(3))
    return [find_stars(expose(drift)) for drift in drifts]


def test_every_light_gets_its_transform_and_the_reference_stays(night):
    found = register(night, reference=1)
    assert found.transforms[1].kind == "identity"
    assert found.kept == (0, 1, 2)
    shifts = [transform.apply(NONE + 0, NONE)[0].size for transform in found.transforms]
    assert shifts == [0, 0, 0]
    assert found.transforms[2].matrix[:, 2] == pytest.approx((-1.3, 0.4), abs=0.25)
    assert 0 < found.rms_px < 0.3


def test_a_clouded_light_is_left_out_with_its_reason(night):
    found = register([*night, CLOUDS])
    assert found.transforms[3] is None
    assert found.kept == (0, 1, 2)
    assert found.left_out[0][0] == 3
    assert "clouds" in found.left_out[0][1]


def test_the_reference_is_the_light_with_most_and_sharpest_stars(night):
    hazy = night[0].chosen(np.arange(5))
    assert choose_reference([hazy, CLOUDS, night[1]]) == 2


def test_a_night_of_clouds_is_one_sentence():
    with pytest.raises(RegistrationError, match="none of 2 lights shows 3 stars"):
        register([CLOUDS, CLOUDS])
    with pytest.raises(RegistrationError, match="none of 0 lights"):
        register([])


def test_a_clouded_reference_is_refused(night):
    with pytest.raises(RegistrationError, match="clear sky"):
        register([CLOUDS, *night], reference=0)


def test_a_reference_that_is_not_there_is_refused(night):
    with pytest.raises(SettingError, match="light 7"):
        register(night, reference=7)


@pytest.mark.real_data
def test_sixteen_real_lights_lie_within_0_15_px_of_each_other(real_data):
    folder = real_data / "mit-luxembourg-2018-10-12"
    sources = [open_frame(path) for path in find_frame_paths(folder / "darks")]
    dark = combine(sources, method="median").data
    lights = [read_frame(path).data - dark for path in find_frame_paths(folder / "lights")]
    found = register([find_stars(light) for light in lights])
    assert found.left_out == ()
    others = [one for i, one in enumerate(found.transforms) if i != found.reference]
    assert max(one.rms_px for one in others) < 0.15
    assert min(one.n_stars for one in others) >= 40
