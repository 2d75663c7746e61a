"""The rivals beside which every figure stands: what a photographer can do today.

One sub, the mean of N subs, the nearest master of the library, and that master scaled by one k as
PixInsight and as Siril find it on the new sub itself, which here plays the light without sky.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from solodark.errors import NotEnoughFramesError, SettingError
from solodark.evaluation.dark_scaling import (
    find_k_least_squares,
    find_k_pixinsight,
    find_k_siril,
)
from solodark.evaluation.estimators import MeanOfSubs, one_sub
from solodark.evaluation.series import AnyEstimator
from solodark.frames import Acquisition, Frame, cfa_planes

__all__ = ["NearestMaster", "OneK", "find_nearest_master", "standard_rivals"]

Method = Literal["PixInsight", "Siril", "best"]


@dataclass(frozen=True, slots=True)
class NearestMaster:
    """A library's master and why it was chosen.

    Attributes
    ----------
    master : Frame
        The master dark, its bias still in it.
    reason : str
        What was wanted and what was nearest, in words.
    """

    master: Frame
    reason: str


def find_nearest_master(masters: Sequence[Frame], wanted: Acquisition) -> NearestMaster:
    """Choose as photographers do: the nearest exposure, and among equals the nearest temperature.

    Exposures are compared by their ratio. A master without a temperature comes after all others.

    Parameters
    ----------
    masters : sequence of Frame
        Master darks with their exposures.
    wanted : Acquisition
        Exposure and temperature of the sub.

    Returns
    -------
    NearestMaster
        The choice.

    Raises
    ------
    NotEnoughFramesError
        There is no master.
    SettingError
        An exposure is unknown or not above zero.

    Examples
    --------
    >>> masters = [Frame(np.zeros((2, 2)), Acquisition(exposure_s=t), f"{t} s") for t in (30, 300)]
    >>> find_nearest_master(masters, Acquisition(exposure_s=60)).reason
    '30 s for 60 s'
    """
    if not masters:
        raise NotEnoughFramesError("the library holds no master dark; expected at least one")
    for label, acquisition in [("the sub", wanted)] + [(m.name, m.acquisition) for m in masters]:
        if not acquisition.exposure_s or acquisition.exposure_s <= 0.0:
            raise SettingError(
                f"{label} has the exposure {acquisition.exposure_s}; expected seconds above zero, "
                "by which the nearest master is chosen"
            )
    master = min(masters, key=lambda m: _distance(m.acquisition, wanted))
    return NearestMaster(master, f"{_label(master.acquisition)} for {_label(wanted)}")


class OneK:
    """A master dark scaled by one number, tuned on the new sub: bias + k (master - bias).

    Parameters
    ----------
    master : Frame
        Master dark with its bias.
    bias : ndarray of float, shape (ny, nx)
        Master bias, ADU; see `bias_for`.
    method : {"PixInsight", "Siril", "best"}
        Whose measure of noise k minimises; "best" is the winsorised least-squares optimum.
    note : str
        Which master and bias these are, for the table.

    Raises
    ------
    SettingError
        The method is not known.
    """

    def __init__(
        self, master: Frame, bias: NDArray[np.floating], method: Method, *, note: str = ""
    ) -> None:
        if method not in ("PixInsight", "Siril", "best"):
            raise SettingError(
                f"the scaling {method!r} is not known; expected PixInsight, Siril or best"
            )
        self._bias = bias.astype(np.float32)
        self._dark = master.data - self._bias
        self._cfa_pattern = master.acquisition.cfa_pattern
        self._method = method
        self._note = note

    @property
    def note(self) -> str:
        """Which master and bias are scaled."""
        return self._note

    def find_k(self, sub: Frame) -> float:
        """Tune k on a sub.

        Parameters
        ----------
        sub : Frame
            The new sub, its bias still in it.

        Returns
        -------
        float
            k.
        """
        if self._method == "PixInsight":
            return find_k_pixinsight(sub.data, self._dark, self._cfa_pattern)
        if self._method == "Siril":
            return find_k_siril(sub.data, self._dark)
        return find_k_least_squares(sub.data - self._bias, self._dark, self._cfa_pattern)

    def __call__(self, sub: Frame) -> NDArray[np.float32]:
        """Scale the master to the sub.

        Parameters
        ----------
        sub : Frame
            The new sub.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            ADU.
        """
        scaled: NDArray[np.float32] = self._bias + np.float32(self.find_k(sub)) * self._dark
        return scaled


def bias_for(
    bias: Frame | None, masters: Sequence[Frame], master: Frame
) -> tuple[NDArray[np.float32], str]:
    """Find what stands for the bias: a real one, else a short dark, else a constant level.

    Parameters
    ----------
    bias : Frame or None
        Master bias, where there is one.
    masters : sequence of Frame
        Master darks of the library.
    master : Frame
        The one that will be scaled.

    Returns
    -------
    pixels : ndarray of float32, shape (ny, nx)
        ADU.
    name : str
        What it is, for the row's note; empty for a real bias.
    """
    if bias is not None:
        return bias.data, ""
    shortest = min(masters, key=lambda m: m.acquisition.exposure_s or np.inf)
    shortest_s, scaled_s = shortest.acquisition.exposure_s, master.acquisition.exposure_s
    if shortest_s and scaled_s and shortest_s <= 0.1 * scaled_s:
        return shortest.data, f"{shortest_s:g} s dark as bias"
    level = np.empty(master.shape, dtype=np.float32)
    for plane in cfa_planes(master.acquisition.cfa_pattern):
        level[plane] = np.median(master.data[plane])
    return level, "constant level as bias"


def standard_rivals(
    masters: Sequence[Frame],
    wanted: Acquisition,
    *,
    n_subs: int,
    bias: Frame | None = None,
) -> dict[str, AnyEstimator]:
    """Name the rivals of every table: one sub, N subs, nearest master, one k three ways.

    Parameters
    ----------
    masters : sequence of Frame
        The library's master darks, none of which holds a held-out sub; may be empty.
    wanted : Acquisition
        Exposure and temperature of the held-out subs.
    n_subs : int
        Held-out subs; means of 2, 4, 8, ... of them are rivals while two remain as truth.
    bias : Frame, optional
        Master bias.

    Returns
    -------
    dict of str to estimator
        For `solodark.evaluation.evaluate_series`, in the order of the table. Names are the same
        for every series, so that rows pool; which master was used stands in `Row.note`.

    Raises
    ------
    SettingError
        An exposure is unknown.
    """
    rivals: dict[str, AnyEstimator] = {"one sub": one_sub}
    counts = [n for n in (2, 3, 4, 5, 8, 10, 16, 20, 50) if n <= n_subs - 2]
    rivals |= {f"mean of {n} subs": MeanOfSubs(n) for n in counts}
    if not masters:
        return rivals
    nearest = find_nearest_master(masters, wanted)
    # a frame's name is its row's note
    rivals["nearest master"] = replace(nearest.master, name=nearest.reason)
    pixels, what = bias_for(bias, masters, nearest.master)
    note = f"{nearest.reason}, {what}" if what else nearest.reason
    for method in ("PixInsight", "Siril", "best"):
        rivals[f"one k ({method})"] = OneK(nearest.master, pixels, method, note=note)
    return rivals


def _distance(found: Acquisition, wanted: Acquisition) -> tuple[float, float]:
    ratio = (found.exposure_s or np.inf) / (wanted.exposure_s or np.inf)
    in_exposure = round(abs(float(np.log(ratio))), 6)
    if found.sensor_temperature_c is None or wanted.sensor_temperature_c is None:
        return in_exposure, np.inf
    return in_exposure, abs(found.sensor_temperature_c - wanted.sensor_temperature_c)


def _label(acquisition: Acquisition) -> str:
    temperature = acquisition.sensor_temperature_c
    at = "" if temperature is None else f" {temperature:.0f} C"
    return f"{acquisition.exposure_s:g} s{at}"
