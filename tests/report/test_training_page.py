"""A training's page holds its pictures and nothing from elsewhere."""

from io import BytesIO

import numpy as np
from PIL import Image

from solodark.report.training_page import curves_png, samples_png, training_html


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("L"), np.float32)


def test_every_curve_has_a_place_of_its_own():
    one, three = (
        pixels(curves_png({f"loss {i}": [3.0, 2.0, 1.0] for i in range(n)})) for n in (1, 3)
    )
    assert three.shape[0] == 3 * one.shape[0]
    assert three.shape[1] == one.shape[1]


def test_a_loss_of_one_epoch_is_seen():
    empty = pixels(curves_png({"loss": [float("nan")]}))
    dot = pixels(curves_png({"loss": [1.0]}))
    assert np.abs(dot - empty).sum() > 100.0


def test_samples_share_the_stretch_of_the_first(rng):
    sub = rng.normal(1000.0, 10.0, (32, 48)).astype(np.float32)
    same, brighter = (pixels(samples_png({"sub": sub, "made": sub + add})) for add in (0, 200))
    half = same.shape[1] // 2
    assert np.abs(same[:, :half] - brighter[:, :half]).mean() < 1.0
    assert brighter[:, half:].mean() > same[:, half:].mean() + 10.0


def test_a_pattern_above_its_level_looks_like_the_frame_it_is_in(rng):
    sub = rng.normal(1000.0, 10.0, (64, 48)).astype(np.float32)
    whole, above = (pixels(samples_png({"sub": sub - level})) for level in (0.0, 1000.0))
    assert np.abs(whole - above).max() <= 1.0


def test_the_page_holds_its_pictures_and_escapes_what_it_is_told():
    page = training_html("A <network>", "Worth 2 & more", {"curves": b"png"})
    assert 'src="data:image/png;base64,cG5n"' in page
    assert "A &lt;network&gt;" in page
    assert "2 &amp; more" in page
    assert "http" not in page
