"""The fit of a band of the sensor: all its pixels, and anew those whose frames have been kept.

Of each pixel that may hop its frames are chosen to be kept. What such a pixel's means tell is then
what they told of the frames before; of all others they tell everything.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.band import Band
from solodark.dark_model.fit_rows import FitRows, Library
from solodark.dark_model.full_pixels import stand_full
from solodark.dark_model.kept_codes import encode_residuals
from solodark.dark_model.kept_frames import KeptFrames, most_kept
from solodark.dark_model.kept_means import mean_numbers
from solodark.dark_model.levels import remove_levels, remove_rows
from solodark.dark_model.pixel_numbers import Memory, PixelsFound
from solodark.dark_model.sample_fit import fit_values
from solodark.dark_model.settings import LearnSettings
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.dark_model.telegraph_fit import explain_hops, restless_pixels, restlessness

__all__ = ["BandFit", "BandFound", "Before"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Places = NDArray[np.integer[Any]]
Numbers = NDArray[np.int32]
Frames = Sequence[NDArray[np.uint16] | NDArray[np.float32]]
Chosen = Places | slice
_ALL = slice(None)


class Before(Protocol):
    """What a model that grows knows of the frames that are gone."""

    @property
    def kept(self) -> KeptFrames:
        """The frames of those pixels of which they are not gone."""
        ...

    def recall(self, rows: FitRows, band: slice, place: Chosen) -> tuple[Image, Memory]:
        """Remember some pixels of a band of the sensor.

        Parameters
        ----------
        rows : FitRows
            Whose means.
        band : slice
            Rows of the sensor.
        place : ndarray of int, or slice
            Which of the n pixels there.

        Returns
        -------
        means : ndarray of float32, shape (n_means, n)
            ADU above level and rows, as these were when they were learned.
        memory : Memory
            Of their noise.
        """
        ...

    def find_changed(self, values: Image, band: slice) -> NDArray[np.intp]:
        """Find the pixels that have changed: what is gone tells nothing of what they are now.

        Parameters
        ----------
        values : ndarray of float32, shape (n_new, n)
            What new frames show of a band, ADU above level and rows.
        band : slice
            Rows of the sensor.

        Returns
        -------
        ndarray of int
            Places among the pixels of the band.
        """
        ...


class BandFound(NamedTuple):
    """What was found of a band.

    Attributes
    ----------
    found : PixelsFound
        Of its pixels.
    telegraph : TelegraphPixels
        Those that hop, with places counted within the band.
    kept : KeptFrames
        Those whose frames are kept from now on, with places counted within the band; in `found`
        their residuals are of the means of the frames before.
    """

    found: PixelsFound
    telegraph: TelegraphPixels
    kept: KeptFrames


class _LookedAt(NamedTuple):
    """Pixels that may hop, as two levels explain them."""

    kept: KeptFrames
    restless: Array
    telegraph: TelegraphPixels
    means_alone: Array


class BandFit:
    """Fits bands of a sensor to a library, band after band.

    Parameters
    ----------
    library : Library
        The frames; of those that are gone `before` tells.
    kept_as : ndarray of int, shape (n,)
        Mean in which each frame is kept from now on.
    survey : Survey
        Levels of all frames.
    settings : LearnSettings
        How to learn.
    before : Before, optional
        What is known of the frames that are gone.
    """

    def __init__(
        self,
        library: Library,
        kept_as: NDArray[np.intp],
        survey: Survey,
        settings: LearnSettings,
        before: Before | None,
    ) -> None:
        self._library, self._survey, self._settings = library, survey, settings
        self._before = before
        begins = {library.n_gone, *(before.kept.since.tolist() if before else ())}
        self._rows = {since: library.rows(since, kept_as) for since in begins}
        self._room: PixelsFound | None = None

    def fit(self, rows: slice, frames: Frames) -> BandFound:
        """Fit all pixels of some rows.

        Parameters
        ----------
        rows : slice
            Of the sensor.
        frames : sequence of ndarray, each of shape (n_rows, nx)
            The frames that are not gone, ADU as read.

        Returns
        -------
        BandFound
            What was found; its arrays are used again for the next band of as many rows.
        """
        smooth = self._library.fit.smooth.of_rows(rows)
        kept = self._kept_until_now(rows, frames)
        band = self._whole_band(rows, frames, smooth)
        found = self._room = _fit_as_now(band, self._settings, self._room)
        restless = restlessness(band, found)
        place = np.union1d(restless_pixels(restless, band.rows.starts), band.changed)
        late = self._kept_from_now(np.setdiff1d(place, kept.place), frames)
        looked_at = [_look_at(band, found, self._settings, late, restless[late.place], within=None)]
        for since in np.unique(kept.since):
            own = kept.where(kept.since == since)
            part = self._part_band(rows, smooth, own)
            part_found = _fit_as_now(part, self._settings)
            restless = restlessness(part, part_found)
            looked_at.append(
                _look_at(part, part_found, self._settings, own, restless, within=own.place)
            )
            for all_pixels, some in zip(found, part_found, strict=True):
                all_pixels[own.place] = some
        return _chosen(found, looked_at)

    def encode(self, band: BandFound, codes: NDArray[np.uint8]) -> None:
        """Keep what the maps leave of means in one byte each.

        Parameters
        ----------
        band : BandFound
            What was found.
        codes : ndarray of uint8, shape (m, n)
            Is overwritten.
        """
        found, kept = band.found, band.kept
        numbers = mean_numbers(self._rows[self._library.n_gone].kept)
        encode_residuals(found.residuals, found.maps, found.excess, numbers, codes)
        for since in np.unique(kept.since):
            place = kept.place[kept.since == since]
            alone, which = self._rows[int(since)].kept_alone
            own = np.empty((len(which), place.size), np.uint8)
            left = np.ascontiguousarray(found.residuals[place][:, which])
            encode_residuals(left, found.maps[place], found.excess[place], mean_numbers(alone), own)
            codes[:, place] = 0
            codes[np.ix_(which, place)] = own

    def _kept_until_now(self, rows: slice, frames: Frames) -> KeptFrames:
        """Give all frames of those pixels of a band of which they have been kept."""
        if self._before is None:
            return KeptFrames.none(len(frames))
        nx = frames[0].shape[1]
        own = self._before.kept.between(rows.start * nx, rows.stop * nx)
        return own.followed_by(_as_read(own.place, frames))

    def _kept_from_now(self, place: Places, frames: Frames) -> KeptFrames:
        """Keep the frames of some pixels that are not gone."""
        values, n_gone = _as_read(place, frames), self._library.n_gone
        gone = np.zeros((len(place), n_gone), values.dtype)
        since = np.full(len(place), n_gone, np.int32)
        return KeptFrames(place.astype(np.int32), since, np.hstack([gone, values]))

    def _whole_band(self, rows: slice, frames: Frames, smooth: Image) -> Band:
        """Give all pixels of a band, with means of the frames that are gone."""
        seen, n_gone = self._rows[self._library.n_gone], self._library.n_gone
        n_means, levels, parts = seen.n_means, self._survey.levels[n_gone:], self._survey.parts
        values = np.empty((len(seen.fit.design), frames[0].size), np.float32)
        for f, frame in enumerate(frames):
            image = frame.astype(np.float32, copy=False)
            above = remove_levels(image, levels[f], parts.of_rows(rows.start))
            values[n_means + f] = remove_rows(above, seen.fit.rows[n_means + f, rows]).ravel()
        if self._before is None:
            return Band(seen, values, smooth)
        means, memory = self._before.recall(seen, rows, _ALL)
        beyond = seen.fit.rows[:n_means, rows].astype(np.float32)
        values[:n_means] = means - np.repeat(beyond, frames[0].shape[1], axis=1)
        changed = self._before.find_changed(values[n_means:], rows)
        for told in memory:
            told[changed] = 0.0
        return Band(seen, values, smooth, memory, changed)

    def _part_band(self, rows: slice, smooth: Image, kept: KeptFrames) -> Band:
        """Give pixels whose frames have been kept, all from the same one on."""
        since, (y, x) = int(kept.since[0]), np.divmod(kept.place, self._library.fit.smooth.shape[1])
        seen, y = self._rows[since], y + rows.start
        n_means, part = seen.n_means, self._survey.parts.index(y, x)
        values = np.empty((len(seen.fit.design), y.size), np.float32)
        values[n_means:] = kept.values[:, since:].T
        values[n_means:] -= self._survey.levels[since:, part].astype(np.float32)
        memory = None
        if self._before is not None and n_means:
            values[:n_means], memory = self._before.recall(seen, rows, kept.place)
        values -= seen.fit.rows[:, y].astype(np.float32)
        return Band(seen, values, np.ascontiguousarray(smooth[:, kept.place]), memory)


def _fit_as_now(
    band: Band, settings: LearnSettings, room: PixelsFound | None = None
) -> PixelsFound:
    """Fit pixels, those that have changed without the means of what they were.

    All or nothing: robust weights would side with even a little of a mean that is wrong.
    """
    as_before = band.means[:, band.changed]
    band.means[:, band.changed] = np.nan
    rows = band.rows
    found = fit_values(
        band.fit,
        band.values,
        band.smooth,
        rows.starts,
        settings,
        band.memory,
        kept_as=rows.kept_as,
        room=room,
    )
    stand_full(found, band.values, band.fit, rows.kept.design)
    band.means[:, band.changed] = as_before
    return found


def _as_read(place: Places, frames: Frames) -> NDArray[Any]:
    """Give what frames show in some pixels, (n, n_frames), ADU as read."""
    return np.stack([frame.ravel()[place] for frame in frames], axis=1)


def _look_at(
    band: Band,
    found: PixelsFound,
    settings: LearnSettings,
    kept: KeptFrames,
    restless: Array,
    within: Numbers | None,
) -> _LookedAt:
    """Look for two levels in pixels whose frames may be kept.

    The band is the one that they lie in, or these pixels alone, `within` it.
    """
    place = (kept.place if within is None else np.arange(kept.place.size)).astype(np.intp)
    telegraph = explain_hops(band, found, settings, place)
    alone = _means_alone(band, found.maps, place)
    forgotten = np.setdiff1d(band.changed, telegraph.place[telegraph.settled])
    alone[np.isin(place, forgotten)] = np.nan
    if within is not None:
        telegraph = replace(telegraph, place=within[telegraph.place])
    return _LookedAt(kept, restless, telegraph, alone)


def _means_alone(band: Band, maps: Array, place: Places) -> Array:
    """Give what maps leave of the means of frames that are gone, (n, m), joined as they will be.

    Infinite where a pixel was full in all of them, NaN where nothing is known.
    """
    rows, means = band.rows, band.means[:, place]
    own = np.eye(rows.kept_as.max() + 1)[rows.kept_as[: rows.n_means]].T
    known, full = means <= band.fit.censor_adu, means > band.fit.censor_adu
    left = np.where(known, means - band.fit.design[: rows.n_means] @ maps[place].T, 0.0)
    weight = known * band.fit.weight[: rows.n_means, None]
    total = own @ weight
    told = own @ (weight * left) / np.where(total > 0.0, total, 1.0)
    nothing = np.where(own @ full > 0.0, np.inf, np.nan)
    return np.asarray(np.where(total > 0.0, told, nothing).T)


def _chosen(found: PixelsFound, looked_at: list[_LookedAt]) -> BandFound:
    """Choose the pixels whose frames are kept; what is found of them is of the means before."""
    kept = KeptFrames.joined([part.kept for part in looked_at])
    restless = np.concatenate([part.restless for part in looked_at])
    alone = np.concatenate([part.means_alone for part in looked_at])
    telegraph = TelegraphPixels.joined([part.telegraph for part in looked_at])
    hopping = np.isin(kept.place, telegraph.place)
    chosen = most_kept(hopping, restless, found.excess.size, kept.values.shape[1])
    found.residuals[kept.place[chosen]] = alone[chosen]
    return BandFound(
        found,
        telegraph.where(np.argsort(telegraph.place)),
        kept.where(np.flatnonzero(chosen)[np.argsort(kept.place[chosen])]),
    )
