"""The zero of the states: what the biases of a gain setting show.

States of a setting may all move by as much as its bias map takes over from the dark maps, and no
frame is foretold otherwise. But how strong a dark signal is, and with it how far hops and scatter
reach, is measured from zero. The rounds of a fit creep away from it by the errors of the bias maps.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.sample_numbers import SampleFit

__all__ = ["at_zero"]

Array = NDArray[np.float64]


def at_zero(fit: SampleFit, zero: NDArray[np.bool_]) -> SampleFit:
    """Call the mean state of the biases of each gain setting zero.

    Parameters
    ----------
    fit : SampleFit
        In whatever states.
    zero : ndarray of bool, shape (n_frames,)
        The biases; settings without one stay as they are.

    Returns
    -------
    SampleFit
        The same, but for where states are measured from: ``x' = x - x_0``, and the bias map of the
        setting is ``b' = b + x_0 . maps``, in the prior and in what is smooth.
    """
    n = fit.n_settings
    points = np.zeros((n, len(fit.strength)))
    for setting in np.unique(fit.setting[zero]):
        points[setting] = fit.states[zero & (fit.setting == setting)].mean(axis=0)
    turn = np.eye(fit.design.shape[1])
    turn[:n, n:] = points
    back = 2.0 * np.eye(len(turn)) - turn
    prior = MixturePrior(
        fit.prior.weights, fit.prior.means @ turn.T, back.T @ fit.prior.precisions @ back
    )
    smooth = replace(fit.smooth, blocks=np.tensordot(turn, fit.smooth.blocks, 1))
    return replace(fit, design=fit.design @ back, prior=prior, smooth=smooth)
