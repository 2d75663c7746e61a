"""Fixtures that every room's tests share."""

from pathlib import Path

import numpy as np
import pytest

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
