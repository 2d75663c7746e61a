"""Pictures of pixels: nothing interpolated, nothing shifted."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from solodark.frames import CFA_PATTERNS
from solodark.report.figures import block_mean, colour, detail_crop, png_bytes, png_data_uri


@pytest.mark.parametrize("pattern", CFA_PATTERNS)
def test_a_hot_pixel_shows_in_the_colour_of_its_filter(pattern):
    mosaic = np.zeros((4, 6), np.float32)
    place = pattern.index("B")
    mosaic[2 + place // 2, 4 + place % 2] = 1.0
    superpixels = colour(mosaic, pattern)
    assert superpixels[1, 2].tolist() == [0.0, 0.0, 1.0]
    assert superpixels.sum() == 1.0


def test_both_greens_share_one_channel():
    mosaic = np.array([[0, 1], [0.5, 0]], np.float32)
    assert colour(mosaic, "RGGB")[0, 0].tolist() == [0.0, 0.75, 0.0]


def test_a_mono_image_stays_as_it_is():
    image = np.eye(3, dtype=np.float32)
    assert colour(image, None) is image


def test_an_odd_last_row_and_column_make_no_superpixel():
    assert colour(np.zeros((5, 7), np.float32), "GBRG").shape == (2, 3, 3)


def test_the_detail_keeps_the_cfa_phase_and_lies_inside(rng):
    image = rng.normal(0, 1, (101, 203))
    crop = detail_crop(image, height=31, width=45)
    assert (crop.top % 2, crop.left % 2, crop.height, crop.width) == (0, 0, 30, 44)
    assert crop.cut(image).shape == (30, 44)


def test_the_detail_of_a_small_image_is_all_of_it():
    crop = detail_crop(np.zeros((10, 12)), height=300, width=400)
    assert (crop.top, crop.left, crop.height, crop.width) == (0, 0, 10, 12)


def test_the_detail_shows_hot_pixels_where_there_are_some(rng):
    image = rng.normal(0, 1, (100, 100))
    image[55:95:3, 55:95:3] = 500.0
    image[5:45:9, 55:95:9] = 500.0
    crop = detail_crop(image, height=50, width=50)
    assert 0 < (crop.cut(image) > 100).sum() < (image > 100).sum()


def test_shrinking_keeps_the_mean_and_drops_what_fills_no_block():
    image = np.arange(70, dtype=np.float32).reshape(7, 10)
    small = block_mean(image, 3)
    assert small.shape == (2, 3)
    assert small.mean() == pytest.approx(image[:6, :9].mean())


def test_a_picture_survives_its_encoding():
    brightness = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6)
    decoded = np.asarray(Image.open(BytesIO(png_bytes(brightness))))
    assert decoded == pytest.approx(brightness * 255, abs=0.5)


def test_what_is_not_finite_or_out_of_range_is_drawn_all_the_same():
    decoded = np.asarray(Image.open(BytesIO(png_bytes(np.array([[np.nan, -3, 7]], np.float32)))))
    assert decoded.tolist() == [[0, 0, 255]]


def test_an_address_holds_the_same_bytes():
    picture = np.zeros((2, 2, 3), np.float32)
    head, _, payload = png_data_uri(picture).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(payload) == png_bytes(picture)
