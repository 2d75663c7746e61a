import numpy as np
import pytest

from solodark.errors import FrameMismatchError, SettingError
from solodark.evaluation import STRATA, classify_pixels
from solodark.evaluation.strata import BITS, stratum_members


def pixels_in(name: str, classes: np.ndarray) -> np.ndarray:
    stratum = next(one for one in STRATA if one.name == name)
    return stratum_members(stratum)[classes]


def test_ordinary_is_the_lower_97_percent_of_each_colour_plane(rng):
    level = rng.gamma(2.0, 10.0, (200, 200))
    level[0::2, 0::2] += 1000.0
    classes = classify_pixels(level.shape, cfa_pattern="RGGB", level_map=level)
    ordinary, hot = pixels_in("ordinary", classes), pixels_in("hot", classes)
    for plane in np.ndindex(2, 2):
        assert ordinary[plane[0] :: 2, plane[1] :: 2].mean() == pytest.approx(0.97, abs=1e-3)
    assert np.array_equal(hot, ~ordinary)
    hottest = pixels_in("hottest", classes)
    assert hottest.sum() == 40
    assert not np.any(hottest & ~hot)


def test_every_pixel_counts_under_all_unless_it_is_excluded(rng):
    level = rng.normal(size=(50, 60))
    dead = rng.random(level.shape) < 0.1
    classes = classify_pixels(
        level.shape, cfa_pattern=None, level_map=level, masks={"excluded": dead}
    )
    for name in ("all", "winsorised"):
        assert np.array_equal(pixels_in(name, classes), ~dead)
    assert not np.any(pixels_in("ordinary", classes) & dead)


def test_a_mask_of_hot_pixels_takes_the_place_of_the_level_maps(rng):
    level = rng.normal(size=(50, 60))
    hot = rng.random(level.shape) < 0.2
    classes = classify_pixels(level.shape, cfa_pattern=None, level_map=level, masks={"hot": hot})
    assert np.array_equal(pixels_in("hot", classes), hot)


def test_without_a_level_map_no_pixel_is_ordinary_or_hot():
    classes = classify_pixels((6, 6), cfa_pattern=None)
    assert not pixels_in("ordinary", classes).any()
    assert not pixels_in("hot", classes).any()
    assert pixels_in("all", classes).all()


def test_a_pixel_can_belong_to_several_strata():
    mask = np.ones((4, 4), dtype=bool)
    classes = classify_pixels((4, 4), cfa_pattern=None, masks={"newborn": mask, "telegraph": mask})
    assert np.all(classes == BITS["newborn"] | BITS["telegraph"])


@pytest.mark.parametrize(
    ("maps", "error", "words"),
    [
        ({"masks": {"warm": np.ones((4, 4), bool)}}, SettingError, "'warm' is no stratum"),
        ({"masks": {"hot": np.ones((4, 5), bool)}}, FrameMismatchError, "the mask 'hot' has shape"),
        ({"level_map": np.ones((5, 4))}, FrameMismatchError, "the level map has shape"),
        ({"level_map": np.full((4, 4), np.nan)}, SettingError, "not finite"),
    ],
)
def test_maps_that_do_not_fit_are_refused(maps, error, words):
    with pytest.raises(error, match=words):
        classify_pixels((4, 4), cfa_pattern=None, **maps)
