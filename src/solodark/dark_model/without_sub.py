"""Master darks without any dark of tonight: from the lights, or from exposure and temperature."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.dark_signal import mean_scatter, strength2_of
from solodark.dark_model.from_lights import find_thermometer, learned_maps, solve_light
from solodark.dark_model.gain_settings import GainSetting, require_setting
from solodark.dark_model.learn_law import learn_law
from solodark.dark_model.light_evidence import LightEvidence, PixelDeviations
from solodark.dark_model.master import (
    Estimate,
    describe,
    finish_master,
    full_scale_adu,
    too_strong,
)
from solodark.dark_model.model import DarkModel
from solodark.dark_model.predict import level_image, predict
from solodark.dark_model.right_lights import require_lights
from solodark.dark_model.solve import Solved, refined
from solodark.dark_model.strength import FLOOR_AMPLITUDE2, squared_strength
from solodark.dark_model.survey import read_image
from solodark.errors import FrameMismatchError, NotEnoughFramesError, SettingError
from solodark.frames import (
    FrameSource,
    InputRecord,
    MasterDark,
    Progress,
    Provenance,
    Verdict,
    series_acquisition,
    silent,
)
from solodark.frames.matching import require_matching

__all__ = ["generate_each_light", "generate_for_exposure", "generate_for_lights"]

Array = NDArray[np.float64]
Image = NDArray[np.float32]

_NEAREST_FRAMES = 5
_CHANGES = 0.1  # share by which one dark for all lights may be wrong before that is said


def generate_for_lights(
    model: DarkModel,
    lights: Sequence[FrameSource],
    *,
    hashes: Sequence[str] = (),
    progress: Progress = silent,
) -> MasterDark:
    """Make one master dark for all lights of a night, in their mean state.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    lights : sequence of FrameSource
        Lights of one exposure as the camera wrote them; ten or more also tell where hot pixels hop.
    hashes : sequence of str
        SHA-256 of each light's file, kept with the master.
    progress : Progress
        Who is told.

    Returns
    -------
    MasterDark
        Its uncertainty holds how far the lights' states differ.

    Raises
    ------
    WrongSubError
        A light is not of this sensor, or no light.
    FrameMismatchError
        The lights are of several exposures: no one dark fits them.
    NotEnoughFramesError
        No lights were given.
    """
    require_lights(model, lights)
    _require_one_dark(lights)
    night = _read_night(model, lights, progress)
    state, covariance, changes = _mean_state(model, night.solved)
    acquisition = describe(series_acquisition(lights))
    provenance = _provenance("mean of the lights' own warm pixels", lights, hashes)
    setting = night.solved[0].setting
    estimate = _estimate(model, state, covariance, setting, night.deviations)
    reasons = (_changing(changes), too_strong(model, state))
    return finish_master(
        model,
        estimate,
        acquisition=acquisition,
        provenance=provenance,
        verdict=_verdict(*reasons),
    )


def generate_each_light(
    model: DarkModel,
    lights: Sequence[FrameSource],
    *,
    hashes: Sequence[str] = (),
    progress: Progress = silent,
) -> Iterator[MasterDark]:
    """Make a master dark for every light, in its own state.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    lights : sequence of FrameSource
        Lights of one night as the camera wrote them, of any exposure.
    hashes : sequence of str
        SHA-256 of each light's file, kept with the master.
    progress : Progress
        Who is told.

    Yields
    ------
    MasterDark
        In the order of the lights.

    Raises
    ------
    WrongSubError
        A light is not of this sensor, or no light.
    NotEnoughFramesError
        No lights were given.
    """
    require_lights(model, lights)
    night = _read_night(model, lights, progress)
    hashes = hashes or [""] * len(lights)
    for light, solved, sha256 in zip(lights, night.solved, hashes, strict=True):
        yield finish_master(
            model,
            _estimate(model, solved.state, solved.covariance, solved.setting, night.deviations),
            acquisition=describe(light.acquisition),
            provenance=_provenance("the light's own warm pixels", [light], [sha256]),
            verdict=_verdict(too_strong(model, solved.state)),
        )


def generate_for_exposure(
    model: DarkModel,
    exposure_s: float,
    *,
    temperature_c: float | None = None,
    iso: int | None = None,
    gain_setting: float | None = None,
) -> MasterDark:
    """Make a master dark without any frame, from the law of the library's states.

    Parameters
    ----------
    model : DarkModel
        The sensor.
    exposure_s : float
        Exposure time.
    temperature_c : float, optional
        Temperature as this camera's headers tell it. Left out, it may be any that the library knew.
    iso : int, optional
        ISO, where the model knows several.
    gain_setting : float, optional
        The driver's gain number, where the model knows several.

    Returns
    -------
    MasterDark
        Its uncertainty holds how far such a dark can be foretold: headers err by a degree or two,
        and a camera warms itself.

    Raises
    ------
    SettingError
        The exposure is not a positive number, the temperature no sensor's, or the model does not
        know that gain setting.
    """
    _require_physical(exposure_s, temperature_c)
    setting = _asked_setting(model, GainSetting(gain_setting=gain_setting, iso=iso))
    known = model.settings[setting]
    wanted = replace(
        model.acquisition,
        exposure_s=exposure_s,
        sensor_temperature_c=temperature_c,
        iso=known.iso,
        gain_setting=known.gain_setting,
        offset_setting=known.offset_setting,
    )
    law = learn_law(model)
    state, covariance = law.state(exposure_s, temperature_c, setting=setting)
    reasons = [*law.doubts(exposure_s, temperature_c)]
    if not any("extrapolated" in reason for reason in reasons):
        reasons.append(too_strong(model, state))
    return finish_master(
        model,
        _estimate(model, state, covariance, setting, None),
        acquisition=describe(wanted),
        provenance=Provenance(
            "generate", settings={"state from": _asked(exposure_s, temperature_c)}
        ),
        verdict=_verdict(*reasons),
    )


def _require_one_dark(lights: Sequence[FrameSource]) -> None:
    try:
        require_matching(lights, ["exposure_s", "iso", "gain_setting"])
    except FrameMismatchError as error:
        raise FrameMismatchError(f"no one dark fits these lights: {error}; give --each") from error


@dataclass(frozen=True, eq=False, slots=True)
class _Night:
    """What the lights of a night told."""

    solved: list[Solved]
    deviations: PixelDeviations


def _read_night(model: DarkModel, lights: Sequence[FrameSource], progress: Progress) -> _Night:
    """Read every light once: its state, and what all of them tell of single pixels."""
    if not lights:
        raise NotEnoughFramesError("no lights were given; expected at least one")
    law, evidence = learn_law(model), LightEvidence(model)
    thermometer = cache(partial(find_thermometer, model))
    solved = []
    for light in progress(lights, "Reading lights", len(lights)):
        setting = require_setting(model.settings, light)
        found = refined(law, solve_light(model, light, thermometer(setting)), light.acquisition)
        pattern = predict(model, found.state, setting=setting).pattern
        evidence.add(read_image(light), found, pattern, light.acquisition.date_obs)
        solved.append(found)
    strongest = max(solved, key=lambda one: strength2_of(model, one.state))
    prediction = predict(model, strongest.state, setting=strongest.setting)
    return _Night(solved, evidence.deviations(prediction, strength2_of(model, strongest.state)))


def _mean_state(model: DarkModel, solved: Sequence[Solved]) -> tuple[Array, Array, float]:
    """Mean of the states, its covariance as that of any of them, and by what share they differ."""
    states = np.array([one.state for one in solved])
    noise = np.mean([one.covariance for one in solved], axis=0)
    mean, n = states.mean(axis=0), len(states)
    spread = np.zeros_like(noise)
    if n > 1:
        lengths, axes = np.linalg.eigh(np.cov(states, rowvar=False).reshape(noise.shape) - noise)
        spread = (axes * np.maximum(lengths, 0.0)) @ axes.T
    strengths = np.sqrt([strength2_of(model, state) for state in states])
    changes = float(np.ptp(strengths) / max(strengths.mean(), 1e-9))
    return mean, noise / n + spread, changes


def _changing(changes: float) -> str:
    if changes <= _CHANGES:
        return ""
    return (
        f"the dark signal of the lights differs by {changes:.0%} among them, and one dark serves "
        "them all; --each gives every light its own"
    )


def _estimate(
    model: DarkModel,
    state: Array,
    covariance: Array,
    setting: int,
    deviations: PixelDeviations | None,
) -> Estimate:
    """Pattern of a state, its variance from maps, state and what the maps cannot explain."""
    prediction = predict(model, state, covariance, setting=setting)
    spread2 = float(np.sum(covariance * model.strength))
    amplitude2 = strength2_of(model, state) + spread2 + FLOOR_AMPLITUDE2
    variance = prediction.variance + np.float32(amplitude2) * mean_scatter(model)
    pattern, changed = prediction.pattern.copy(), np.zeros(model.shape, np.bool_)
    if deviations is not None:
        amplitude = np.float32(np.sqrt(strength2_of(model, state) + FLOOR_AMPLITUDE2))
        place = deviations.place
        pattern.flat[place] += amplitude * deviations.mean
        known = _of_state(model, covariance, place)
        variance.flat[place] = amplitude**2 * deviations.variance + known
        changed.flat[place] = deviations.changed > 0.5
    highest = np.float32(full_scale_adu(model)) - level_image(model, state, setting=setting)
    saturated = pattern >= highest
    return Estimate(
        state=state,
        setting=setting,
        pattern=np.minimum(pattern, highest),
        variance=variance,
        frame_variance=_sub_variance(model, state, setting),
        saturated=saturated,
        dead=np.zeros(model.shape, np.bool_),
        changed=changed,
    )


def _of_state(model: DarkModel, covariance: Array, place: NDArray[np.intp]) -> Image:
    """Variance that the state's own uncertainty gives single pixels."""
    dark = np.stack([one.ravel()[place] for one in learned_maps(model)[1:]])
    return np.asarray(np.einsum("rp,rq,qp->p", dark, covariance.astype(np.float32), dark))


def _sub_variance(model: DarkModel, state: Array, setting: int) -> float:
    """Noise of an ordinary pixel of one sub in a state: that of the library's nearest darks."""
    own = model.library.setting == setting
    away = model.library.states[own] - state
    distance2 = squared_strength(away, model.strength)
    nearest = np.argsort(distance2)[:_NEAREST_FRAMES]
    return float(np.median(model.law.frame_variance[own][nearest]))


def _verdict(*reasons: str) -> Verdict:
    told = tuple(reason for reason in reasons if reason)
    return Verdict(trusted=not told, reasons=told)


def _provenance(
    state_from: str, lights: Sequence[FrameSource], hashes: Sequence[str]
) -> Provenance:
    hashes = hashes or [""] * len(lights)
    inputs = tuple(
        InputRecord(light.name, sha256) for light, sha256 in zip(lights, hashes, strict=True)
    )
    return Provenance("generate", inputs, settings={"state from": state_from})


def _asked(exposure_s: float, temperature_c: float | None) -> str:
    at = "" if temperature_c is None else f" at {temperature_c:g} C by the header"
    return f"the law of the library's states, for {exposure_s:g} s{at}"


def _asked_setting(model: DarkModel, asked: GainSetting) -> int:
    """Find the gain setting that is asked for; where nothing is said there must be only one."""
    fitting = [number for number, known in enumerate(model.settings) if known.fits(asked)]
    if len(fitting) == 1:
        return fitting[0]
    knows = " and ".join(str(known) for known in model.settings)
    raise SettingError(
        f"found {asked} asked for, and the model knows {knows}; expected one of these, by "
        "--iso or --gain-setting"
    )


def _require_physical(exposure_s: float, temperature_c: float | None) -> None:
    if not (np.isfinite(exposure_s) and exposure_s > 0):
        raise SettingError(f"found an exposure of {exposure_s:g} s, expected more than 0 s")
    if temperature_c is not None and not -200.0 <= temperature_c <= 100.0:
        raise SettingError(
            f"found a sensor temperature of {temperature_c:g} C, expected -200 to 100 C"
        )
