"""The dark model: what is known of one sensor at one gain setting."""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.compiled import njit
from solodark.dark_model.drift import NO_DRIFT, Drift
from solodark.dark_model.gain_settings import GainSetting
from solodark.dark_model.kept_frames import KeptFrames
from solodark.dark_model.level_parts import NO_SEAMS, LevelParts, Seams
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.strips import log_of
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.frames import Acquisition, FrameSource, MasterDark

__all__ = [
    "SAME_SENSOR",
    "UNKNOWN_SHARE",
    "DarkModel",
    "LibraryFrames",
    "PixelMaps",
    "decoded_weights",
    "encoded_weight",
]

Array = NDArray[np.float64]

SAME_SENSOR = (
    "shape",
    "camera",
    "binning",
    "cfa_pattern",
)
"""What all darks of a library, and every new sub, must have in common."""


UNKNOWN_SHARE = 1e-4
"""Of what a library tells of a pixel as a rule: below, it knows nothing of it."""

_STEPS_PER_OCTAVE = 12.0  # so that one byte reaches down to 4e-7, where tails are decided
_OCTAVES = 1.0 / log(2.0)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def encoded_weight(weight: float) -> Any:  # numpydoc ignore=PR01
    """Keep a weight between 0 and 1 in one byte, as its logarithm; inside compiled loops.

    255 stands for one, and 12 less for each halving.
    """
    octaves = log_of(max(weight, 1e-12)) * _OCTAVES
    return np.uint8(np.rint(max(255.0 + _STEPS_PER_OCTAVE * octaves, 0.0)))


def decoded_weights() -> Array:
    """Weights that the codes 0 to 255 stand for; 0 stands for none.

    Returns
    -------
    ndarray, shape (256,)
        Between 0 and 1.
    """
    table: Array = np.exp2((np.arange(256) - 255.0) / _STEPS_PER_OCTAVE)
    table[0] = 0.0
    return table


@dataclass(frozen=True, eq=False, slots=True)
class PixelMaps:
    """What is known of every pixel.

    Attributes
    ----------
    maps : ndarray of float32, shape (d, ny, nx)
        The bias map of each gain setting, ADU, then the dark maps, ADU per unit of state.
    excess : ndarray of float32, shape (ny, nx)
        Temporal noise over that of an ordinary pixel with the same signal, a variance ratio.
    information : ndarray of float32, shape (ny, nx)
        Total weight of the library there, 1/ADU^2.
    component : ndarray of uint8, shape (ny, nx)
        Most likely component of the prior.
    scatter : ndarray of uint8, shape (t, ny, nx)
        Weight of each variance on the scatter grid, as `encoded_weight` gives it.
    telegraph : TelegraphPixels
        Pixels that hop; what the others say of them holds for their mean in the long run.
    residuals : ndarray of uint8, shape (m, ny, nx), optional
        What the maps leave of the means of its frames, as `encode_residuals` gives it: by them it
        can grow; read where it shall.
    kept : KeptFrames, optional
        The frames of pixels that may hop, for the same end; these hold no means of them.
    """

    maps: NDArray[np.float32]
    excess: NDArray[np.float32]
    information: NDArray[np.float32]
    component: NDArray[np.uint8]
    scatter: NDArray[np.uint8]
    telegraph: TelegraphPixels
    residuals: NDArray[np.uint8] | None = None
    kept: KeptFrames | None = None


@dataclass(frozen=True, eq=False, slots=True)
class LibraryFrames:
    """The frames that were learned from; NaN where a header was silent.

    Attributes
    ----------
    names : tuple of str
        Their names.
    hashes : tuple of str
        SHA-256 of each file, or "".
    exposure_s, sensor_temperature_c : ndarray, shape (n,)
        As in the headers.
    series : ndarray of int, shape (n,)
        Series each belongs to.
    setting : ndarray of int, shape (n,)
        Gain setting of each, an index into the model's `settings`.
    states : ndarray, shape (n, rank)
        State of each frame, solved from its pixels.
    taken_s : ndarray, shape (n,)
        When each was taken, seconds since 1970 UTC; NaN where a header was silent.
    kept_as : ndarray of int, shape (n,)
        Mean of frames in which each is kept, for the model to grow by.
    """

    names: tuple[str, ...]
    hashes: tuple[str, ...]
    exposure_s: Array
    sensor_temperature_c: Array
    series: NDArray[np.intp]
    setting: NDArray[np.intp]
    states: Array
    taken_s: Array
    kept_as: NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class DarkModel:
    """A sensor's dark signal, at all gain settings of its library.

    Attributes
    ----------
    acquisition : Acquisition
        What all frames of the library share: camera, binning, colour filters.
    settings : tuple of GainSetting
        The gain settings it was learned at; each has a bias map of its own.
    pixels : PixelMaps
        What is known of every pixel.
    prior : MixturePrior
        What the pixels have in common.
    class_information : ndarray, shape (k, d, d)
        Normal matrix of the library for a pixel of each component, scaled to an information of 1.
    law : NoiseLaw
        Temporal noise.
    scatter_grid : ndarray, shape (t,)
        Variances of what the model cannot explain in a series at full strength, ADU^2.
    level_maps : ndarray, shape (n_parts, d)
        Level of each of its `level_parts` as a function of the state, ADU.
    strength : ndarray, shape (rank, rank)
        ``state @ strength @ state`` is the squared strength of the dark signal, 1 at its strongest.
    sample : ndarray of int, shape (n, 2)
        (y, x) of the pixels that states are solved from.
    sample_random : int
        The first so many of the sample are a random part of the sensor.
    library : LibraryFrames
        The frames it was learned from.
    cosmic_share_per_s : float
        Share of the pixels that cosmic rays hit in one second.
    births_per_year : float
        Share of the pixels that turn hot for good in a year.
    censor_adu : float
        Above this a pixel is no longer linear, ADU above the level.
    evidence : dict of int to float
        Logarithm by which each rank that was tried foretells a series, the mean of most pixels.
    model_id : str
        Hash of the maps, the identity of the model.
    seams : Seams
        Seams between amplifiers whose levels drift apart.
    drift : Drift
        How much of the smooth part of a dark is of its night, and of that frame alone.
    survey : Survey, optional
        The sampled pixels of all its frames, by which it can grow; read where it shall.
    """

    acquisition: Acquisition
    settings: tuple[GainSetting, ...]
    pixels: PixelMaps
    prior: MixturePrior
    class_information: Array
    law: NoiseLaw
    scatter_grid: Array
    level_maps: Array
    strength: Array
    sample: NDArray[np.intp]
    sample_random: int
    library: LibraryFrames
    cosmic_share_per_s: float
    births_per_year: float
    censor_adu: float
    evidence: dict[int, float]
    model_id: str = ""
    seams: Seams = NO_SEAMS
    drift: Drift = NO_DRIFT
    survey: Survey | None = None

    @property
    def name(self) -> str:
        """What messages call it where it is compared with a frame."""
        return "the model"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.pixels.maps.shape[1], self.pixels.maps.shape[2]

    @property
    def level_parts(self) -> LevelParts:
        """Parts of the sensor that have a level of their own."""
        return LevelParts(self.acquisition.cfa_pattern, self.seams)

    @property
    def rank(self) -> int:
        """Number of dark maps."""
        return int(self.pixels.maps.shape[0]) - len(self.settings)

    @property
    def gain_e_per_adu(self) -> Array:
        """Conversion gain of each setting, e-/ADU, shape (n_settings,); NaN where unknown."""
        return self.law.gain_e_per_adu

    @property
    def read_noise_e(self) -> Array:
        """Noise of each setting's quietest frames, e- rms, shape (n_settings,)."""
        quietest = [
            self.law.frame_variance[self.library.setting == setting].min()
            for setting in range(len(self.settings))
        ]
        return np.sqrt(quietest) * self.gain_e_per_adu

    def design(self, state: Array, setting: int = 0) -> Array:
        """Weights of all maps in an exposure.

        Parameters
        ----------
        state : ndarray, shape (rank,)
            Strength of each dark map.
        setting : int
            Gain setting.

        Returns
        -------
        ndarray, shape (d,)
            1 for the setting's own bias map and 0 for the others', then the state.
        """
        own = np.zeros(len(self.settings))
        own[setting] = 1.0
        return np.concatenate([own, state])

    def generate(self, sub: FrameSource, *, force: bool = False) -> MasterDark:
        """Make a master dark from one new sub; see `solodark.dark_model.generate`.

        Parameters
        ----------
        sub : FrameSource
            One new dark of the same camera and gain.
        force : bool
            Give a master even where the sub deserves doubt.

        Returns
        -------
        MasterDark
            With `.data`, `.uncertainty`, `.flags`, `.verdict` and `.equivalent_subs`.

        Raises
        ------
        WrongSubError
            The model cannot explain the sub; says why.
        """
        from solodark.dark_model.generate import generate

        return generate(self, sub, force=force)
