"""The page of a comparison: one file, every stack at one stretch, readable by anybody."""

import dataclasses
import re

import numpy as np
import pytest

from solodark.errors import SettingError
from solodark.report import comparison_html
from solodark.report.stack_pictures import draw_stacks

WHAT = ("picture", "residual", "dark")


def test_every_tag_closes_and_nothing_is_fetched(comparison, parse):
    html = comparison_html(comparison)
    page = parse(html)
    assert page.open == []
    assert "http" not in html
    sources = [a["src"] for _, a in page.tags if a.get("src")]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"\$[a-z_]+", re.sub(r"`[^`]*`", "", html))


def test_the_viewer_finds_every_picture_of_every_dark(comparison, parse):
    page = parse(comparison_html(comparison))
    shown = [a for a in page.all("img") if a.get("src")]
    kept = {(a["data-panel"], a["data-what"], a["data-where"]) for a in shown}
    assert kept == {(n, w, p) for n in "012" for w in WHAT for p in ("detail", "whole")}
    assert len({a["alt"] for a in shown}) == len(shown) == len(kept)
    assert {a["value"] for a in page.all("option")} == set("012")
    assert {a["value"] for a in page.all("input") if a.get("name") == "what"} == set(WHAT)


def test_names_with_signs_of_html_are_shown_not_obeyed(comparison):
    html = comparison_html(comparison)
    assert "average of &lt;20&gt; darks" in html
    assert "<20>" not in html


def test_the_figures_stand_as_they_were_given(comparison, parse):
    text = " ".join(parse(comparison_html(comparison)).text)
    assert re.search(r"no dark\s+Only the bias is subtracted\.\s+2\.10\s+\+8\.1", text)
    assert "positive for trails" in text.lower()


def test_what_follows_a_figure_stands_below_it(comparison):
    rows = [dataclasses.replace(row, figures=("2.1\n<3 rms>", "–")) for row in comparison.rows]
    html = comparison_html(dataclasses.replace(comparison, rows=tuple(rows)))
    assert '<td class="figure">2.1<span>&lt;3 rms&gt;</span></td>' in html


def test_a_level_does_not_make_a_stack_brighter(comparison):
    first, *_, last = draw_stacks(comparison).panels
    raised, plain = first.detail["picture"], last.detail["picture"]
    assert np.nanmax(np.abs(raised - plain)) < 1e-4


def test_the_background_is_shown_at_a_quarter_of_full_brightness(comparison):
    shown = draw_stacks(comparison).panels[2].detail["picture"]
    assert np.nanmedian(shown) == pytest.approx(0.25, abs=0.02)


def test_a_sky_about_zero_is_shown_with_its_noise(comparison):
    dim = [dataclasses.replace(p, stack=p.stack - np.float32(100)) for p in comparison.panels]
    shown = draw_stacks(dataclasses.replace(comparison, panels=tuple(dim))).panels[2]
    assert np.mean(shown.detail["picture"] <= 0.0) < 0.02


def test_what_a_good_dark_leaves_is_greyer_than_what_a_bad_one_does(comparison):
    spread = [float(np.std(panel.detail["residual"])) for panel in draw_stacks(comparison).panels]
    assert spread[0] > spread[1] > spread[2]


def test_close_ups_of_sensor_and_stack_show_the_same_place(comparison):
    panel = comparison.panels[2]
    marked = panel.fixed.copy()
    pictures = draw_stacks(comparison)
    crop = pictures.crop
    marked[crop.top : crop.top + 2, crop.left : crop.left + 2] = 1e6
    changed = (*comparison.panels[:2], dataclasses.replace(panel, fixed=marked))
    shown = draw_stacks(dataclasses.replace(comparison, panels=changed)).panels[2]
    assert shown.detail["residual"][0, 0].tolist() == [1.0, 1.0, 1.0]
    assert shown.detail["residual"].shape[0] * 2 == shown.detail["picture"].shape[0]


def test_a_mono_sensor_is_shown_without_colour(comparison):
    mono = [dataclasses.replace(p, stack=p.stack[0]) for p in comparison.panels]
    story = dataclasses.replace(comparison, panels=tuple(mono), cfa_pattern=None)
    assert all(image.ndim == 2 for image in draw_stacks(story).panels[0].detail.values())
    assert "close-up" in comparison_html(story)


def test_stacks_of_another_size_are_refused_by_name(comparison):
    small = dataclasses.replace(comparison.panels[1], stack=comparison.panels[1].stack[:, :50])
    changed = dataclasses.replace(comparison, panels=(comparison.panels[0], small))
    with pytest.raises(SettingError, match="average of <20> darks"):
        comparison_html(changed)


def test_in_a_browser_pictures_load_and_blink_and_theme_work(comparison, visit):
    seen = visit(comparison_html(comparison))
    assert seen["complaints"] == []
    assert (seen["broken"], seen["images"]) == (0, 3 * 6 + 2)
    assert seen["what"] == [
        f"no dark: {what}, a close-up"
        for what in (
            "the stack", "what stays fixed to the sensor", "the dark, amplified", "the stack",
        )
    ]  # fmt: skip
    assert seen["beside"] == comparison.panels[comparison.stretched_by].title
    assert seen["blinking"]
    assert seen["theme"]
    assert seen["narrow"]
