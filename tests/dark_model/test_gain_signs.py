"""Shot noise as a sign of another gain, and what chance makes of it."""

from types import SimpleNamespace
from typing import cast

import numpy as np

from solodark.dark_model.examination import Examination
from solodark.dark_model.gain_signs import find_shot_noise


def hot_pixels(rng, n, *, noise_share):
    """Hot pixels whose signal brings half as much again as all other noise, or a share of it."""
    signal = np.full((1, n), 150.0, np.float32)
    variance = 16.0 + noise_share * 0.16 * signal
    exam = SimpleNamespace(
        noise=SimpleNamespace(slope_adu=0.16),
        pattern=signal,
        map_variance=np.zeros_like(signal),
        variance=16.0,
        residual=(rng.normal(size=signal.shape) * np.sqrt(variance)).astype(np.float32),
        rows=np.arange(1),
        step_adu=0.0,
        model=SimpleNamespace(censor_adu=1e4, pixels=SimpleNamespace(excess=np.ones_like(signal))),
    )
    return cast("Examination", exam)


def test_few_hot_pixels_of_a_right_dark_may_be_quiet_by_chance(rng):
    exams = [hot_pixels(rng, 520, noise_share=1.0) for _ in range(300)]
    assert sum(find_shot_noise(exam) is not None for exam in exams) <= 2


def test_many_hot_pixels_at_half_the_gain_are_told_from_chance(rng):
    exams = [hot_pixels(rng, 6000, noise_share=0.4) for _ in range(50)]
    assert all(find_shot_noise(exam) is not None for exam in exams)
