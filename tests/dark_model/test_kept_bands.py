"""What is found of a band, put into the planes of the model."""

import numpy as np

from solodark.dark_model.kept_bands import ClassSums, keep_band
from solodark.dark_model.model import PixelMaps, encoded_weight
from solodark.dark_model.pixel_numbers import PixelsFound
from solodark.dark_model.telegraph import TelegraphPixels

SHAPE, D, T, K = (6, 500), 3, 5, 4
FIRST, N = 2 * SHAPE[1], 3 * SHAPE[1]  # rows 2 to 4: more than a block, and no multiple of it


def found_by(rng):
    half = rng.normal(size=(N, D, D))
    return PixelsFound(
        maps=rng.normal(size=(N, D)),
        excess=rng.uniform(0.5, 3.0, N),
        information=half @ half.transpose(0, 2, 1),
        pulls=rng.normal(size=(N, D)),
        scatter=rng.dirichlet(np.ones(T), N),
        odds=rng.dirichlet(np.ones(K), N),
        evidence=rng.normal(size=N),
        residuals=rng.normal(size=(N, 2)),
    )


def empty_planes():
    return PixelMaps(
        np.full((D, *SHAPE), np.nan, np.float32),
        np.full(SHAPE, np.nan, np.float32),
        np.full(SHAPE, np.nan, np.float32),
        np.full(SHAPE, 99, np.uint8),
        np.full((T, *SHAPE), 99, np.uint8),
        TelegraphPixels.none(),
    )


def test_a_band_lands_in_its_own_rows_and_nowhere_else(rng):
    found, pixels = found_by(rng), empty_planes()
    keep_band(found, FIRST, 2, pixels, ClassSums(K, D))
    rows, band = slice(2, 5), (3, SHAPE[1])
    np.testing.assert_array_equal(pixels.maps[:, rows], found.maps.T.reshape(D, *band).astype("f4"))
    np.testing.assert_array_equal(pixels.excess[rows], found.excess.reshape(band).astype("f4"))
    weight = found.information[:, 0, 0] + found.information[:, 1, 1]
    np.testing.assert_allclose(pixels.information[rows], weight.reshape(band), rtol=1e-6)
    np.testing.assert_array_equal(pixels.component[rows], found.odds.argmax(axis=1).reshape(band))
    codes = np.vectorize(encoded_weight)(found.scatter.T).reshape(T, *band)
    np.testing.assert_array_equal(pixels.scatter[:, rows], codes)
    for outside in (slice(0, 2), slice(5, 6)):
        assert np.isnan(pixels.maps[:, outside]).all()
        assert np.isnan(pixels.excess[outside]).all()
        assert (pixels.component[outside] == 99).all()
        assert (pixels.scatter[:, outside] == 99).all()


def test_the_normal_matrices_of_a_class_are_weighed_by_the_odds_of_its_pixels(rng):
    sums = ClassSums(K, D)
    expected, mass = np.zeros((K, D, D)), np.zeros(K)
    for _ in range(2):
        found = found_by(rng)
        keep_band(found, FIRST, 1, empty_planes(), sums)
        scaled = found.information / found.information[:, :1, :1]
        expected += np.einsum("nk,nrq->krq", found.odds, scaled)
        mass += found.odds.sum(axis=0)
    np.testing.assert_allclose(sums.information, expected / mass[:, None, None], rtol=1e-9)
