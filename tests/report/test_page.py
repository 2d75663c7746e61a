"""The page: one file, no network, readable by eye, by keyboard and by screen reader."""

import base64
import dataclasses
import json
import math
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from solodark.errors import SettingError
from solodark.report import Estimate, page_html, show_estimate, summary_png
from solodark.report.pictures import draw_pictures

VOID = {"meta", "img", "input", "br", "link", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page, and whether its tags close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_every_tag_closes_and_every_id_is_unique(story):
    page = Page(page_html(story))
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched_from_anywhere(story):
    html = page_html(story)
    page = Page(html)
    assert "http" not in html
    assert "@import" not in html
    assert "url(" not in html
    assert not page.all("link")
    sources = [a["src"] for _, a in page.tags if a.get("src")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all(a["href"].startswith("#") for a in page.all("a"))


def test_every_picture_says_what_it_shows(story):
    pictures = [a for a in Page(page_html(story)).all("img") if a.get("src")]
    assert len(pictures) == 3 * 4
    assert all(a["alt"] for a in pictures)
    assert len({a["alt"] for a in pictures}) == len(pictures)


def test_every_control_has_a_name(story):
    html = page_html(story)
    for control in re.findall(r"<(?:select|input)\b[^>]*>", html):
        inside_label = re.search(r"<label>[^<]*" + re.escape(control), html)
        assert inside_label or "aria-label=" in control


def test_headings_do_not_skip_a_level(story):
    levels = [int(tag[1]) for tag, _ in Page(page_html(story)).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_names_with_signs_of_html_are_shown_not_obeyed(story):
    html = page_html(story)
    assert "nearest &lt;master&gt;" in html
    assert "One dark &amp; a library" in html


def test_no_placeholder_is_left(story):
    assert not re.search(r"\$[a-z_]+", re.sub(r"`[^`]*`", "", page_html(story)))


def test_figures_carry_their_interval_and_a_missing_one_is_a_dash(story):
    text = " ".join(Page(page_html(story)).text)
    assert re.search(r"36\s+30 – 42", text)
    assert "0.21" in text
    assert "–" in text
    assert "nan" not in text


def test_the_settings_of_the_stretch_are_told(story):
    text = " ".join(Page(page_html(story)).text)
    drawn = draw_pictures(story)
    assert f"white at {drawn.stretch.white_adu:.0f} ADU" in text
    assert f"+{drawn.residual_stretch.half_range_adu:.1f} ADU" in text


def test_the_viewer_offers_every_dark_and_finds_its_pictures(story):
    page = Page(page_html(story))
    offered = {a["value"] for a in page.all("option")}
    kept = {
        (a["data-panel"], a["data-what"], a["data-where"]) for a in page.all("img") if "src" in a
    }
    assert offered == {"0", "1", "2"}
    assert kept == {
        (n, what, where)
        for n in offered
        for what in ("picture", "residual")
        for where in ("detail", "whole")
    }


def test_both_themes_define_the_same_colours(story):
    css = re.search("<style>(.*?)</style>", page_html(story), re.DOTALL).group(1)
    themes = re.findall(r":root[^{]*\{([^}]*)\}", css)
    names = [set(re.findall(r"(--[a-z-]+):", theme)) for theme in themes]
    assert len(names) == 3
    assert names[0] == names[1] == names[2]
    assert set(re.findall(r"var\((--[a-z-]+)", css)) - names[0] == {"--split"}


def test_a_perfect_dark_leaves_even_grey(story):
    truth = draw_pictures(story).panels[-1]
    assert np.unique(truth.detail_residual).tolist() == [0.5]


def test_a_missed_hot_pixel_stays_bright_in_the_light(story):
    missed = story.panels[1].data.copy()
    missed[30, 42] -= 400
    panel = dataclasses.replace(story.panels[1], data=missed)
    changed = dataclasses.replace(story, panels=(story.panels[0], panel))
    residual = draw_pictures(changed).panels[1].detail_residual
    assert residual[15, 21].tolist()[0] == 1.0


def test_a_level_is_no_pattern(story):
    raised = dataclasses.replace(story.truth, data=story.truth.data + np.float32(50))
    changed = dataclasses.replace(story, panels=(*story.panels, raised))
    assert np.abs(draw_pictures(changed).panels[2].detail_residual - 0.5).max() < 1e-4


def test_a_mono_sensor_is_shown_without_colour(story):
    mono = draw_pictures(dataclasses.replace(story, cfa_pattern=None))
    assert mono.panels[0].detail.ndim == 2
    assert summary_png(dataclasses.replace(story, cfa_pattern=None))


def test_darks_of_another_size_are_refused_by_name(story):
    small = dataclasses.replace(story.panels[1], data=story.panels[1].data[:10])
    with pytest.raises(SettingError, match="generated by solodark"):
        page_html(dataclasses.replace(story, panels=(story.panels[0], small)))


def test_the_summary_holds_the_pixels_of_the_page_enlarged_by_a_whole_factor(story):
    picture = np.asarray(Image.open(BytesIO(summary_png(story, count=3))).convert("RGB"))
    detail = np.rint(draw_pictures(story).panels[1].detail * 255).astype(np.uint8)
    enlarged = detail.repeat(3, axis=0).repeat(3, axis=1)
    height, width = enlarged.shape[:2]
    left = 24 + (width + 24)
    assert np.array_equal(picture[136 : 136 + height, left : left + width], enlarged)


def test_a_figure_has_as_many_digits_as_it_deserves():
    assert show_estimate(Estimate(123.4, 99.6, 150.1)) == "123 (100 – 150)"
    assert show_estimate(Estimate(0.042)) == "0.04"
    assert show_estimate(Estimate(0.0003)) == "< 0.01"
    assert show_estimate(Estimate(math.inf, 50.0, math.inf)) == "more than 50"
    assert show_estimate(Estimate(float("nan"))) == "–"


def test_an_error_that_cannot_be_told_from_zero_is_shown_by_its_lower_end(story):
    endless = dataclasses.replace(
        story.rivals[0], estimates=(Estimate(math.inf, 50.0, math.inf), Estimate(1.0))
    )
    html = page_html(dataclasses.replace(story, rivals=(*story.rivals, endless)))
    assert "&gt; 50" in html
    assert "50 – ∞" in html


PRESS_KEYS = """
<script>
addEventListener("load", () => {
  const press = (code, key, shiftKey = false) => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { code, key, shiftKey, bubbles: true }));
  const shown = () => ["left", "right"].map((s) => document.getElementById("image-" + s).alt);
  const seen = {};
  press("Digit3", "3"); seen.three = shown();
  press("Digit2", "2", true); seen.shift_two = shown();
  press("KeyR", "r"); seen.r = shown();
  press("KeyW", "w"); seen.w = shown();
  press("ArrowRight", "ArrowRight");
  seen.right = document.getElementById("stage").style.getPropertyValue("--split");
  press("KeyB", "b"); seen.b = document.getElementById("blink").getAttribute("aria-pressed");
  press("KeyB", "b"); seen.bb = document.getElementById("blink").getAttribute("aria-pressed");
  document.getElementById("theme").click(); seen.theme = document.documentElement.dataset.theme;
  document.body.dataset.seen = JSON.stringify(seen);
});
</script></body>"""


def browse(html: str, folder: Path) -> str:
    """The page as a browser leaves it, scripts run."""
    page = folder / "report.html"
    page.write_text(html, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = ["chromium", *flags, *quiet, f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    return subprocess.run(  # noqa: S603 - our own page in a browser
        command, capture_output=True, text=True, check=True, timeout=60
    ).stdout


needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed"
)


@needs_chromium
def test_the_keyboard_alone_is_enough(story, tmp_path):
    drawn = browse(page_html(story).replace("</body>", PRESS_KEYS), tmp_path)
    seen = json.loads(unescape(re.search(r'data-seen="([^"]*)"', drawn).group(1)))
    assert seen["three"] == ["your one dark, a detail", "the truth, a detail"]
    assert seen["shift_two"] == ["generated by solodark, a detail", "the truth, a detail"]
    assert seen["r"][0] == "what is left by: generated by solodark, a detail"
    assert seen["w"][0] == "what is left by: generated by solodark, the whole sensor"
    assert seen["right"] == "52%"
    assert (seen["b"], seen["bb"]) == ("true", "false")
    assert seen["theme"] in ("light", "dark")


@needs_chromium
def test_a_browser_draws_the_viewer_without_a_complaint(story, tmp_path):
    probe = "<script>window.onerror = (m) => { document.title = 'ERROR ' + m; };</script></head>"
    drawn = browse(page_html(story).replace("</head>", probe), tmp_path)
    assert "<title>ERROR" not in drawn
    left = re.search(r'<img id="image-left"[^>]*alt="([^"]*)"', drawn).group(1)
    right = re.search(r'<img id="image-right"[^>]*alt="([^"]*)"', drawn).group(1)
    assert (left, right) == (
        "your one dark, a detail",
        "generated by solodark, a detail",
    )


def test_the_pictures_decode_to_their_size(story):
    for picture in Page(page_html(story)).all("img"):
        if picture.get("src"):
            encoded = base64.b64decode(picture["src"].partition(",")[2])
            width, height = Image.open(BytesIO(encoded)).size
            assert (2 * width, 2 * height) == (int(picture["width"]), int(picture["height"]))
