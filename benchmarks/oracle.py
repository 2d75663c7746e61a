"""An estimator that is told what no one can know, to say how much of the possible is reached.

It knows the true state of every exposure, the true noise of every pixel, and of every telegraph
pixel its levels, its dwell times and where it stood in the sub. What it does not know, and has to
learn from the same library, are the values of the pixels: it fits every pixel the linear model with
the true states by generalised least squares, under the true spread of the values within each class
of pixels, and updates it by the sub with Bayes' rule.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from solodark.frames import cfa_planes
from solodark.synthetic import SyntheticCamera, SyntheticExposure, SyntheticSession
from solodark.synthetic.telegraph import TelegraphState

_FULL = 0.98
_UNKNOWN_ADU2 = 1e9
_SHARE_LEFT = 1e-7  # of the true patterns' variance, left out by the rank that is enough


def circumstances(shot: SyntheticExposure) -> dict[str, Any]:
    """Tell how a shot was really taken."""
    acquisition = shot.frame.acquisition
    return {
        "exposure_s": acquisition.exposure_s,
        "temperature_c": shot.truth.temperature_c,
        "iso": acquisition.iso,
        "date": acquisition.date_obs,
        "glow_amplitude": shot.truth.glow_amplitude,
    }


class Oracle:
    """The best linear estimate from a library whose circumstances are all known.

    Parameters
    ----------
    camera : SyntheticCamera
        With all its secrets.
    library : sequence of SyntheticSession
        The darks and biases it may learn from.
    classes : dict of str to ndarray of bool, shape (ny, nx)
        True classes; must hold "ordinary", "hot" and "newborn".
    """

    def __init__(
        self,
        camera: SyntheticCamera,
        library: Sequence[SyntheticSession],
        classes: dict[str, np.ndarray],
    ) -> None:
        self._camera = camera
        self._isos = sorted({session.plan.iso for session in library})
        series = [part for s in library for part in (s.darks, s.biases)]
        self._basis = self._principal_maps([shots[0] for shots in series])
        self._true = self._true_maps()
        self._newborn = classes["newborn"].reshape(-1)
        shots = [shot for part in series for shot in part]
        self._maps, self._covariance = self._fit(shots, classes["ordinary"].reshape(-1))

    def estimate(self, shot: SyntheticExposure, night: Sequence[SyntheticExposure]) -> np.ndarray:
        """Estimate the dark of a shot; its telegraph pixels as they are on average that night.

        Pixels that were born after the library are known to be so, and taken from the shot alone.
        """
        predicted, variance = self._predict(shot)
        noise = self._noise(shot)
        estimate = predicted + variance / (variance + noise) * (self._steady(shot) - predicted)
        estimate += self._expected_hops(shot, night)
        estimate = np.minimum(estimate, self._camera.settings.full_scale_adu)
        return estimate.reshape(self._camera.shape).astype(np.float32)

    def estimate_from_lights(
        self,
        lights: Sequence[SyntheticExposure],
        photons_e: Sequence[np.ndarray],
        night: Sequence[SyntheticExposure],
    ) -> np.ndarray:
        """Estimate the darks of a night from its lights, the light in each of them known.

        Pixels that were born after the library are known to be so, and taken from the lights alone.
        """
        predicted, variance = self._predict(night[0])
        weights, pulls = np.zeros_like(predicted), np.zeros_like(predicted)
        for shot, light_e in zip(lights, photons_e, strict=True):
            light = light_e.reshape(-1).astype(np.float64) / self._gain(shot)
            noise = self._noise(shot) + light / self._gain(shot)
            weight = self._usable(shot) / noise
            weights += weight
            known = np.einsum("d,dp->p", self._design(shot), self._maps)
            pulls += weight * (self._steady(shot, light) - known)
        estimate = predicted + pulls / (1.0 / np.maximum(variance, 1e-12) + weights)
        hops = self._expected_hops(lights[-1], night)
        estimate = np.minimum(estimate + hops, self._camera.settings.full_scale_adu)
        return estimate.reshape(self._camera.shape).astype(np.float32)

    def _predict(self, shot: SyntheticExposure) -> tuple[np.ndarray, np.ndarray]:
        """Foretell the steady pixels of a shot, and their variance; of newborn ones nothing."""
        x = self._design(shot)
        variance = np.einsum("d,dqp,q->p", x, self._covariance, x)
        variance[self._newborn] = _UNKNOWN_ADU2
        return np.einsum("d,dp->p", x, self._maps), variance

    def _principal_maps(self, shots: Sequence[SyntheticExposure]) -> np.ndarray:
        """Find orthonormal maps that hold all true patterns, electrons, (rank, n_pixels)."""
        truths = np.array([self._signal_e(shot) for shot in shots])
        _, lengths, maps = np.linalg.svd(truths, full_matrices=False)
        left = 1.0 - np.cumsum(lengths**2) / np.sum(lengths**2)
        return maps[: int(np.argmax(left < _SHARE_LEFT)) + 1]

    def _signal_e(self, shot: SyntheticExposure) -> np.ndarray:
        """Give the electrons of the steady dark signal, as if nothing were born or full."""
        return (
            self._camera.expected_dark_e(
                exposure_s=shot.frame.acquisition.exposure_s,
                temperature_c=shot.truth.temperature_c,
                glow_amplitude=shot.truth.glow_amplitude,
            )
            .reshape(-1)
            .astype(np.float64)
        )

    def _design(self, shot: SyntheticExposure) -> np.ndarray:
        """Give 1 at the shot's ISO, then its true states in ADU."""
        own = np.array([iso == shot.frame.acquisition.iso for iso in self._isos], np.float64)
        return np.concatenate([own, self._basis @ self._signal_e(shot) / self._gain(shot)])

    def _fit(
        self, shots: Sequence[SyntheticExposure], ordinary: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give posterior mean (d, n_pixels) and covariance (d, d, n_pixels) of every pixel."""
        d, n = self._true.shape
        normal, right = np.zeros((d, d, n)), np.zeros((d, n))
        for shot in shots:
            x, weight = self._design(shot), self._weight(shot)
            values = weight * self._steady(shot)
            for i in np.flatnonzero(x):
                right[i] += x[i] * values
                for j in np.flatnonzero(x):
                    normal[i, j] += x[i] * x[j] * weight
        for members in (ordinary, ~ordinary):
            precision = np.linalg.inv(_covariance(self._true[:, members]))
            normal[:, :, members] += precision[:, :, None]
            right[:, members] += (precision @ self._true[:, members].mean(axis=1))[:, None]
        covariance = np.moveaxis(np.linalg.inv(np.moveaxis(normal, -1, 0)), 0, -1)
        return np.einsum("dqp,qp->dp", covariance, right), covariance

    def _weight(self, shot: SyntheticExposure) -> np.ndarray:
        """Give one over the noise; none for pixels that a cosmic ray hit or that are full."""
        return self._usable(shot) / self._noise(shot)

    def _usable(self, shot: SyntheticExposure) -> np.ndarray:
        """Tell which pixels a ray has not hit, and are full neither now nor at their mean level."""
        fullest = np.maximum(shot.frame.data, self._camera.expected_for(shot))
        fullest = np.maximum(fullest, self._camera.expected_for(shot, frozen_telegraph=True))
        usable = fullest < _FULL * self._camera.settings.full_scale_adu
        return (usable & ~shot.truth.cosmic_mask).reshape(-1)

    def _steady(self, shot: SyntheticExposure, light: np.ndarray | float = 0.0) -> np.ndarray:
        """Give a shot without light, rows, level and what its telegraph pixels do now, ADU."""
        expected = self._camera.expected_for(shot)
        beyond = expected - (self._design(shot) @ self._true).reshape(expected.shape)
        values = shot.frame.data.astype(np.float64) - shot.truth.row_offset_e[:, None] / self._gain(
            shot
        )
        planes = cfa_planes(self._camera.cfa_pattern)
        for plane, wander in zip(planes, shot.truth.plane_offset_adu, strict=True):
            values[plane] -= np.median(beyond[plane]) + wander
        hops = self._camera.expected_for(shot, frozen_telegraph=True) - expected
        return (values - hops).reshape(-1) - light

    def _gain(self, shot: SyntheticExposure) -> float:
        return self._camera.settings.mode(shot.frame.acquisition.iso).gain_e_per_adu

    def _true_maps(self) -> np.ndarray:
        """Give the true values of all pixels in the oracle's own terms, shape (d, n_pixels)."""
        levels = [
            self._camera.expected_dark_adu(exposure_s=0.0, temperature_c=20.0, iso=iso).reshape(-1)
            for iso in self._isos
        ]
        return np.concatenate([np.array(levels, np.float64), self._basis])

    def _noise(self, shot: SyntheticExposure) -> np.ndarray:
        """Give the variance of every pixel; that of the converter where it is full."""
        variance = self._camera.noise_variance_adu(**circumstances(shot))
        return np.maximum(variance.reshape(-1).astype(np.float64), 1.0 / 12.0)

    def _expected_hops(
        self, shot: SyntheticExposure, night: Sequence[SyntheticExposure]
    ) -> np.ndarray:
        """Give what they show beyond it that night, given where they stood in the shot."""
        telegraph, state = self._camera.telegraph_dark, shot.truth.telegraph_state
        high = np.mean(
            [telegraph.probability_high(state, s.frame.acquisition.date_obs) for s in night],
            axis=0,
        )
        up, down = (self._at_level(shot, level) for level in (True, False))
        hops = np.zeros(self._maps.shape[1])
        rise = (up - down)[telegraph.index]
        hops[telegraph.index] = (high - telegraph.duty) * rise
        return hops

    def _at_level(self, shot: SyntheticExposure, high: bool) -> np.ndarray:
        telegraph, how = self._camera.telegraph_dark, circumstances(shot)
        state = TelegraphState(np.full(telegraph.index.size, high), how["date"])
        level = self._camera.expected_dark_adu(**how, telegraph_state=state)
        return level.reshape(-1).astype(np.float64)


def _covariance(values: np.ndarray) -> np.ndarray:
    """Give the spread of true values, with a floor that keeps it invertible."""
    spread = np.cov(values)
    return spread + 1e-9 * np.diag(np.diag(spread))
