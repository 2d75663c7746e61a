"""Frames are combined by bands of rows: the bands are bounded, and change nothing."""

import threading

import numpy as np
import pytest

from solodark.combine import combine
from solodark.combine.bands import common_step_adu, rows_per_band
from solodark.errors import FrameFormatError
from solodark.frames import Acquisition


class RecordingSource:
    """A frame that remembers which rows were asked for."""

    def __init__(self, pixels, name="dark"):
        self.pixels = pixels
        self.name = name
        self.acquisition = Acquisition()
        self.shape = pixels.shape
        self.asked = []

    def read_rows(self, start, stop):
        self.asked.append((start, stop))
        return self.pixels[start:stop]


@pytest.fixture
def darks(rng):
    pixels = rng.normal(500.0, 6.0, (9, 50, 16)).round().astype(np.uint16)
    pixels[3, 10:20] += 900
    return pixels


@pytest.mark.parametrize("memory_mb", [1e-9, 0.003, 0.02, 1000.0])
def test_the_size_of_the_bands_does_not_change_the_result(darks, memory_mb):
    whole = combine(darks, method="winsorized")
    banded = combine(darks, method="winsorized", memory_mb=memory_mb)
    for plane in ("data", "uncertainty", "flags", "n_rejected_low", "n_rejected_high", "n_missing"):
        np.testing.assert_array_equal(getattr(banded, plane), getattr(whole, plane))


@pytest.mark.parametrize("n_frames", [1, 10, 100, 1000, 5000])
@pytest.mark.parametrize("n_threads", [1, 2, 16])
def test_memory_does_not_grow_with_the_number_of_frames(n_frames, n_threads):
    rows = rows_per_band(n_frames, (4000, 6000), 2, memory_bytes=2e9, n_threads=n_threads)
    assert rows % 2 == 0
    assert rows == 2 or rows * n_frames * n_threads * 6000 * 2 <= 2e9


def test_two_rows_are_always_read_however_little_memory_there_is():
    assert rows_per_band(100000, (4000, 6000), 4, memory_bytes=1.0, n_threads=2) == 2


def test_a_small_image_keeps_every_thread_busy():
    assert rows_per_band(5, (4000, 6000), 2, memory_bytes=1e12, n_threads=4) <= 4000 / 32


def test_every_row_of_every_frame_is_read_once_and_no_band_is_larger_than_memory_allows(darks):
    sources = [RecordingSource(pixels) for pixels in darks]
    combine(sources, memory_mb=2 * 9 * 6 * 16 * 2 / 1e6)
    for source in sources:
        bands = sorted(source.asked[1:])  # the first two rows were looked at before
        assert [row for start, stop in bands for row in range(start, stop)] == list(range(50))
        assert all(stop - start <= 6 for start, stop in bands)


def test_progress_hears_of_every_band(darks):
    heard = {}

    def progress(items, description, total=None):
        done = 0
        for item in items:
            done += 1
            yield item
        heard[description] = (done, total)

    combine(darks, memory_mb=0.02, progress=progress)
    assert heard["looking at the frames"] == (9, 9)
    done, total = heard["combining"]
    assert done == total >= 5


def test_a_frame_that_cannot_be_read_stops_everything_and_leaves_no_thread(darks):
    class Broken(RecordingSource):
        def read_rows(self, start, stop):
            if start > 0:
                raise FrameFormatError("dark_3.fit: damaged")
            return super().read_rows(start, stop)

    before = threading.active_count()
    sources = [*map(RecordingSource, darks), Broken(darks[0])]
    with pytest.raises(FrameFormatError, match=r"dark_3\.fit"):
        combine(sources, memory_mb=0.01)
    assert threading.active_count() == before


@pytest.mark.parametrize("step", [1, 2, 4, 16, 64])
def test_the_converters_step_is_found_whatever_the_offset(rng, step):
    values = (rng.integers(0, 200, (5, 2, 30)) * step + 7).astype(np.uint16)
    assert common_step_adu(list(values)) == step


def test_floats_and_constants_have_no_step():
    assert common_step_adu([np.zeros((2, 3), np.float32)]) == 0.0
    assert common_step_adu([np.full((2, 3), 9, np.uint16)]) == 0.0
