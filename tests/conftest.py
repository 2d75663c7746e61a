"""Fixtures that every room's tests share."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from solodark.dark_model import DarkModel, LearnSettings, learn
from solodark.frames import Frame, FrameKind
from solodark.synthetic import (
    SeriesPlan,
    SyntheticCamera,
    SyntheticExposure,
    expose_library,
    make_camera,
    stream_series,
)

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if REAL_DATA.is_dir():
        return
    absent = pytest.mark.skip(reason=f"the real frames are not here: {REAL_DATA} is absent")
    for item in items:
        if "real_data" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real frames; tests that ask for it carry the marker real_data."""
    return REAL_DATA


@pytest.fixture
def rng() -> np.random.Generator:
    """Dice that fall the same way in every run."""
    return np.random.default_rng(20181012)


@dataclass(frozen=True, eq=False)
class DarkNights:
    """A small synthetic camera, a year of its darks and biases, and the model learned from them."""

    camera: SyntheticCamera
    library: tuple[Frame, ...]
    last: SyntheticExposure
    model: DarkModel

    def later(
        self,
        days: float = 0.2,
        *,
        n: int = 1,
        exposure_s: float = 180.0,
        temperature_c: float = 19.0,
        iso: int = 800,
    ) -> list[SyntheticExposure]:
        """Take darks some time after the library's last one, the camera warmed up."""
        last = self.last.frame.acquisition.date_obs
        plan = SeriesPlan(
            kind=FrameKind.DARK,
            n=n,
            exposure_s=exposure_s,
            ambient_temperature_c=temperature_c - self.camera.settings.self_heating_c,
            iso=iso,
            start=last + timedelta(days=days),
            warm_s=6000.0,
        )
        dice = np.random.default_rng(7)
        state = self.last.truth.telegraph_state
        return list(stream_series(self.camera, dice, plan, telegraph_state=state))


@pytest.fixture(scope="session")
def dark_nights() -> DarkNights:
    rng = np.random.default_rng(1)
    camera = make_camera(rng, shape=(128, 192), cosmic_rate_per_cm2_s=0.3)
    sessions = list(
        expose_library(
            camera,
            rng,
            n_sessions=8,
            subs_per_session=5,
            biases_per_session=3,
            isos=[800],
            exposures_s=(60.0, 120.0, 180.0, 300.0),
            years=1.0,
        )
    )
    library = tuple(shot.frame for s in sessions for shot in (*s.darks, *s.biases))
    settings = LearnSettings(ranks=(1, 2), n_random=6000, n_hot=1000, rounds=3)
    model = learn(library, rng=np.random.default_rng(1), settings=settings)
    return DarkNights(camera, library, sessions[-1].darks[-1], model)


@pytest.fixture
def browse(tmp_path) -> Callable[[str], str]:
    """Open a page in a browser; gives it as the browser leaves it, scripts run."""
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")

    def open_page(html: str) -> str:
        page = tmp_path / "report.html"
        page.write_text(html, encoding="utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = ["chromium", *flags, *quiet, profile, page.as_uri()]
        return subprocess.run(  # noqa: S603 - our own page in a browser
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    return open_page


PROBE = """
<script>
const complaints = [];
window.onerror = (message) => { complaints.push(String(message)); };
console.error = (...said) => { complaints.push(said.join(" ")); };
addEventListener("load", () => {
  const press = (code, key) => document.body.dispatchEvent(
    new KeyboardEvent("keydown", { code, key, bubbles: true }));
  const shown = () => document.getElementById("image-left").alt;
  const broken = [...document.images].filter((i) => !i.complete || i.naturalWidth === 0);
  const seen = { broken: broken.length, images: document.images.length, what: [shown()] };
  seen.beside = document.getElementById("tag-right").textContent;
  for (let i = 0; i < 3; i++) { press("KeyR", "r"); seen.what.push(shown()); }
  document.getElementById("blink").click();
  seen.blinking = document.getElementById("stage").classList.contains("blinking");
  document.getElementById("blink").click();
  const colours = () => getComputedStyle(document.body).backgroundColor;
  const before = colours();
  document.getElementById("theme").click();
  seen.theme = before !== colours();
  seen.narrow = document.documentElement.scrollWidth <= innerWidth;
  seen.complaints = complaints;
  document.body.dataset.seen = JSON.stringify(seen);
});
</script></head>"""


@pytest.fixture
def visit(browse) -> Callable[[str], dict]:
    """Open a page with a viewer, use its keys, blink and theme; gives what was seen meanwhile."""

    def look(html: str) -> dict:
        drawn = browse(html.replace("</head>", PROBE, 1))
        return json.loads(unescape(re.search(r'data-seen="([^"]*)"', drawn).group(1)))

    return look
