"""Two lights of one field are brought onto each other, however the camera was held."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import ndimage

from solodark.errors import RegistrationError, SettingError
from solodark.registration import Stars, Transform, find_stars, find_transform
from solodark.synthetic import Pointing

from .conftest import SHAPE


def truth_rms(transform: Transform, pointing: Pointing, reference: Pointing) -> float:
    """How far the transform takes places of the sky from where they are, rms over the frame."""
    sky_y, sky_x = (
        grid.ravel().astype(float) for grid in np.mgrid[20 : SHAPE[0] : 40, 20 : SHAPE[1] : 40]
    )
    y, x = transform.apply(*pointing.to_sensor(sky_y, sky_x, SHAPE))
    true_y, true_x = reference.to_sensor(sky_y, sky_x, SHAPE)
    return float(np.sqrt(np.mean((y - true_y) ** 2 + (x - true_x) ** 2)))


POINTINGS = {
    "drift": Pointing(dy_px=3.37, dx_px=-7.81),
    "turn": Pointing(dy_px=1.2, dx_px=4.6, rotation_rad=np.deg2rad(2.5)),
    "meridian flip": Pointing(dy_px=-5.3, dx_px=2.2, rotation_rad=np.pi),
    "quarter turn": Pointing(dy_px=2.7, dx_px=0.4, rotation_rad=np.pi / 2),
    "haze": Pointing(dy_px=0.5, dx_px=0.5, transparency=0.4, sky_factor=2.0),
}


@pytest.mark.parametrize("kind", ["similarity", "affine"])
@pytest.mark.parametrize("cfa_pattern", [None, "RGGB"])
@pytest.mark.parametrize("name", POINTINGS)
def test_drift_and_rotation_are_found_to_a_twentieth_of_a_pixel(expose, name, cfa_pattern, kind):
    pointing = POINTINGS[name]
    light, reference = (
        find_stars(expose(p, cfa_pattern=cfa_pattern), cfa_pattern=cfa_pattern)
        for p in (pointing, Pointing())
    )
    found = find_transform(light, reference, kind=kind)
    assert truth_rms(found, pointing, Pointing()) < 0.05
    assert not found.mirrored


def test_a_mirrored_light_is_matched(expose):
    reference = find_stars(expose(Pointing()))
    mirrored = find_stars(expose(Pointing(dy_px=2.0))[:, ::-1])
    found = find_transform(mirrored, reference)
    assert found.mirrored
    y, x = found.apply(np.array([100.0]), np.array([30.0]))
    assert (y.item(), x.item()) == pytest.approx((98.0, SHAPE[1] - 1 - 30.0), abs=0.05)


def test_a_light_at_another_scale_is_matched(expose):
    light = expose(Pointing())
    smaller = ndimage.zoom(light, 0.8, order=3)
    found = find_transform(find_stars(smaller), find_stars(light), kind="similarity")
    assert np.sqrt(np.linalg.det(found.matrix[:, :2])) == pytest.approx(1 / 0.8, rel=0.01)


@pytest.mark.parametrize("fwhm_px", [1.6, 5.5])
def test_undersampled_and_blurred_stars_are_matched(scene, expose, fwhm_px):
    sky, pointing = replace(scene, fwhm_px=fwhm_px), Pointing(dy_px=2.4, dx_px=-1.7)
    light, reference = (find_stars(expose(p, of=sky)) for p in (pointing, Pointing()))
    assert truth_rms(find_transform(light, reference), pointing, Pointing()) < 0.05


def test_trailed_stars_are_matched(expose):
    trail = np.zeros((9, 9))
    trail[4, :] = 1 / 9
    light, reference = (
        find_stars(ndimage.convolve(expose(p), trail))
        for p in (Pointing(dy_px=2.4, dx_px=-1.7), Pointing())
    )
    found = find_transform(light, reference)
    assert truth_rms(found, Pointing(dy_px=2.4, dx_px=-1.7), Pointing()) < 0.15


@pytest.mark.parametrize("n", [5, 8, 15])
def test_few_stars_are_enough(rng, n):
    y, x, flux = rng.uniform(20, 300, n), rng.uniform(20, 380, n), 10.0 ** rng.uniform(3, 5, n)
    order = np.argsort(-flux)
    sky = {"flux_adu": flux[order], "fwhm_px": np.full(n, 3.0), "error_px": np.full(n, 0.05)}
    reference = Stars(y=y[order], x=x[order], **sky)
    pointing = Pointing(dy_px=14.0, dx_px=-6.0, rotation_rad=0.02)
    moved_y, moved_x = pointing.to_sensor(reference.y, reference.x, SHAPE)
    light = Stars(
        y=moved_y + rng.normal(0, 0.03, n), x=moved_x + rng.normal(0, 0.03, n), **sky
    ).chosen(np.arange(n - 1))
    found = find_transform(light, reference)
    assert truth_rms(found, pointing, Pointing()) < 0.15
    assert (found.kind, found.n_stars >= min(n - 1, 4)) == ("similarity", True)


def test_thinner_air_shows_in_the_stars_light(expose):
    light, reference = (find_stars(expose(Pointing(transparency=share))) for share in (0.6, 1.0))
    assert find_transform(light, reference).transparency == pytest.approx(0.6, rel=0.03)


@pytest.mark.parametrize("n", [4, 6, 10, 20, 60])
def test_another_field_is_refused_though_some_stars_fall_together_by_chance(rng, n):
    for _ in range(3):
        two_fields = []
        for _ in range(2):
            y, x = rng.uniform(0, 400, (2, n))
            even = {"flux_adu": 1e4, "fwhm_px": 3.0, "error_px": 0.05}
            rest = {name: np.full(n, value) for name, value in even.items()}
            two_fields.append(Stars(y=y, x=x, **rest))
        with pytest.raises(RegistrationError, match="another field"):
            find_transform(*two_fields)


def test_two_stars_are_too_few(expose):
    stars = find_stars(expose(Pointing()))
    with pytest.raises(RegistrationError, match="the light shows 2 stars"):
        find_transform(stars.chosen(np.arange(2)), stars)
    with pytest.raises(RegistrationError, match="the reference shows 0 stars"):
        find_transform(stars, stars.chosen(np.arange(0)))


def test_the_same_lights_give_the_same_transform_every_time(expose):
    light, reference = (find_stars(expose(p)) for p in (Pointing(dx_px=3.3), Pointing()))
    first, second = (find_transform(light, reference) for _ in range(2))
    np.testing.assert_array_equal(first.matrix, second.matrix)


def test_an_unknown_kind_is_refused(expose):
    stars = find_stars(expose(Pointing()))
    with pytest.raises(SettingError, match="homography"):
        find_transform(stars, stars, kind="homography")


def test_back_and_forth_leads_home(rng):
    there = Transform(matrix=rng.normal(size=(2, 3)), transparency=0.5, rms_px=0.1)
    y, x = rng.normal(size=(2, 9))
    np.testing.assert_allclose(there.inverse().apply(*there.apply(y, x)), (y, x), atol=1e-9)
    assert there.inverse().transparency == 2.0


def test_chosen_stars_keep_all_that_is_known_of_them(expose):
    stars = find_stars(expose(Pointing()))
    one = stars.chosen(np.array([3]))
    for field in fields(Stars):
        assert getattr(one, field.name).tolist() == [getattr(stars, field.name)[3]]
