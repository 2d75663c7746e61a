"""Cameras with known physics, over years and temperatures: sound libraries are left in peace."""

import numpy as np
import pytest
from tests.library.conftest import record

from solodark.library import Severity, find_misfits
from solodark.synthetic import expose_library, make_camera

EXPOSURES_S = (30.0, 120.0, 300.0)


@pytest.mark.parametrize(
    ("preset", "cfa_pattern", "trouble"),
    [
        ("uncooled_cmos", "GBRG", {"header_scatter_c": 2.0, "header_offset_c": 2.0}),
        ("uncooled_cmos", "RGGB", {"self_heating_c": 8.0}),
        ("cooled_ccd", None, {"alternation_c": 1.0}),
    ],
)
def test_two_years_of_sound_darks_raise_no_alarm(preset, cfa_pattern, trouble):
    rng = np.random.default_rng(11)
    camera = make_camera(rng, shape=(200, 280), preset=preset, cfa_pattern=cfa_pattern, **trouble)
    frames = [
        record(one.frame, f"/library/{session.index}/{one.frame.acquisition.kind}_{n}.fit")
        for session in expose_library(
            camera,
            rng,
            n_sessions=7,
            subs_per_session=5,
            biases_per_session=3,
            exposures_s=EXPOSURES_S,
        )
        for n, one in enumerate(session.darks + session.biases)
    ]
    findings = find_misfits(frames)
    assert [f.sentence for f in findings if f.severity is not Severity.NOTE] == []
    assert {finding.code for finding in findings} <= {"first-sub-settling"}
