"""The folder that the documentation's examples run in."""

from pathlib import Path

import numpy as np
import pytest

from solodark.formats import write_frame
from solodark.synthetic import expose_library, make_camera


@pytest.fixture
def photographers_folder(tmp_path, monkeypatch) -> Path:
    """A folder with ``darks/`` and ``tonight/dark_0001.fits``, and the place where code runs."""
    rng = np.random.default_rng(11)
    camera = make_camera(rng, shape=(48, 64))
    library = expose_library(
        camera,
        rng,
        n_sessions=4,
        subs_per_session=4,
        biases_per_session=2,
        isos=[800],
        exposures_s=(60.0, 300.0),
    )
    *nights, tonight = library
    (tmp_path / "darks").mkdir()
    (tmp_path / "tonight").mkdir()
    for number, shot in enumerate(s for night in nights for s in (*night.darks, *night.biases)):
        path = tmp_path / "darks" / f"{shot.frame.acquisition.kind}_{number:04d}.fits"
        write_frame(path, shot.frame, pixel_type="uint16")
    write_frame(tmp_path / "tonight" / "dark_0001.fits", tonight.darks[0].frame)
    monkeypatch.chdir(tmp_path)
    return tmp_path
