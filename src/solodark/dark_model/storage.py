"""A dark model as named arrays and plain values, and back."""

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solodark.dark_model.drift import Drift
from solodark.dark_model.gain_settings import GainSetting
from solodark.dark_model.kept_codes import STEPS_PER_SIGMA
from solodark.dark_model.kept_frames import KeptFrames
from solodark.dark_model.level_parts import LevelParts, Seams
from solodark.dark_model.model import DarkModel, LibraryFrames, PixelMaps
from solodark.dark_model.noise import NoiseLaw
from solodark.dark_model.prior import MixturePrior
from solodark.dark_model.survey import Survey
from solodark.dark_model.telegraph import TelegraphPixels
from solodark.errors import ModelFileError
from solodark.frames import Acquisition, Camera

__all__ = ["from_arrays", "to_arrays"]

Arrays = dict[str, NDArray[Any]]

_SHARED_FIELDS = (
    "gain_e_per_adu",
    "cfa_pattern",
    "row_order",
    "black_level_adu",
    "saturation_adu",
    "program",
)


_TELEGRAPH = tuple(field.name for field in fields(TelegraphPixels))
_KEPT = tuple(field.name for field in fields(KeptFrames))
_SURVEY = ("levels", "profiles", "values", "blocks")


def to_arrays(model: DarkModel) -> tuple[Arrays, dict[str, Any]]:
    """Take a model apart.

    Parameters
    ----------
    model : DarkModel
        The model.

    Returns
    -------
    arrays : dict of str to ndarray
        Everything with a shape.
    description : dict
        Everything else, ready for JSON.
    """
    arrays: Arrays = {
        "maps": model.pixels.maps,
        "excess": model.pixels.excess,
        "information": model.pixels.information,
        "component": model.pixels.component,
        "scatter_weights": model.pixels.scatter,
        "prior_weights": model.prior.weights,
        "prior_means": model.prior.means,
        "prior_precisions": model.prior.precisions,
        "class_information": model.class_information,
        "frame_variance": model.law.frame_variance,
        "scatter_grid": model.scatter_grid,
        "level_maps": model.level_maps,
        "strength": model.strength,
        "sample": model.sample.astype(np.int32),
        "exposure_s": model.library.exposure_s,
        "sensor_temperature_c": model.library.sensor_temperature_c,
        "series": model.library.series.astype(np.int32),
        "setting": model.library.setting.astype(np.int32),
        "slopes": model.law.slope,
        "states": model.library.states,
        "taken_s": model.library.taken_s,
        "kept_as": model.library.kept_as.astype(np.int32),
        **{f"telegraph_{name}": getattr(model.pixels.telegraph, name) for name in _TELEGRAPH},
    }
    if model.pixels.residuals is not None:
        arrays["residuals"] = model.pixels.residuals
    if model.pixels.kept is not None:
        arrays |= {f"kept_{name}": getattr(model.pixels.kept, name) for name in _KEPT}
    if model.survey is not None:
        arrays |= {f"survey_{name}": getattr(model.survey, name) for name in _SURVEY}
    description = {
        "model_id": model.model_id,
        "curvature": model.law.curvature,
        "sample_random": model.sample_random,
        "cosmic_share_per_s": model.cosmic_share_per_s,
        "births_per_year": model.births_per_year,
        "censor_adu": model.censor_adu,
        "steps_per_sigma": STEPS_PER_SIGMA,
        "names": list(model.library.names),
        "hashes": list(model.library.hashes),
        "seams": list(model.seams),
        "drift": list(model.drift),
        "evidence": {str(rank): value for rank, value in model.evidence.items()},
        "camera": asdict(model.acquisition.camera),
        "settings": [asdict(setting) for setting in model.settings],
        "binning": list(model.acquisition.binning),
        "acquisition": {name: getattr(model.acquisition, name) for name in _SHARED_FIELDS},
    }
    return arrays, description


def from_arrays(arrays: Arrays, description: dict[str, Any], *, name: str) -> DarkModel:
    """Put a model together.

    Parameters
    ----------
    arrays, description : dict
        As `to_arrays` gave them.
    name : str
        What messages call the file.

    Returns
    -------
    DarkModel
        The model.

    Raises
    ------
    ModelFileError
        Something is missing or does not fit together.
    """
    try:
        model = _assemble(arrays, description)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{name} lacks part of a dark model ({error}); learn it anew with `solodark learn`"
        ) from error
    pixels = model.pixels
    planes = [pixels.excess, pixels.information, pixels.component, pixels.scatter[0]]
    if pixels.residuals is not None:
        planes.append(pixels.residuals[0])
    if any(plane.shape != model.shape for plane in planes):
        raise ModelFileError(
            f"{name} holds maps of different sizes; learn it anew with `solodark learn`"
        )
    return model


def _telegraph(arrays: Arrays) -> TelegraphPixels:
    """Look up the telegraph pixels; models of the first days knew none."""
    if "telegraph_place" not in arrays:
        return TelegraphPixels.none()
    return TelegraphPixels(*(arrays[f"telegraph_{name}"] for name in _TELEGRAPH))


def _kept(arrays: Arrays) -> KeptFrames | None:
    """Look up the frames of pixels that may hop, where they were kept and read."""
    if not all(f"kept_{name}" in arrays for name in _KEPT):
        return None
    return KeptFrames(**{name: arrays[f"kept_{name}"] for name in _KEPT})


def _survey(arrays: Arrays, parts: LevelParts) -> Survey | None:
    """Look up the sample of the frames, where it was read."""
    if not all(f"survey_{name}" in arrays for name in _SURVEY):
        return None
    return Survey(**{name: arrays[f"survey_{name}"] for name in _SURVEY}, parts=parts)


def _kept_as(arrays: Arrays) -> NDArray[np.intp]:
    """Look up in which mean each frame is kept; models of the first days kept none."""
    return arrays.get("kept_as", np.zeros_like(arrays["series"])).astype(np.intp)


def _residuals(arrays: Arrays, description: dict[str, Any]) -> NDArray[np.uint8] | None:
    """Look up what the maps leave of the means; None if kept in steps of another size, or not."""
    readable = description.get("steps_per_sigma") == STEPS_PER_SIGMA
    return arrays.get("residuals") if readable else None


def _assemble(arrays: Arrays, description: dict[str, Any]) -> DarkModel:
    acquisition = Acquisition(
        camera=Camera(**description["camera"]),
        binning=(int(description["binning"][0]), int(description["binning"][1])),
        **description["acquisition"],
    )
    seams = Seams(*description.get("seams", ()))
    return DarkModel(
        acquisition=acquisition,
        settings=tuple(GainSetting(**setting) for setting in description["settings"]),
        pixels=PixelMaps(
            arrays["maps"],
            arrays["excess"].astype(np.float32, copy=False),
            arrays["information"],
            arrays["component"],
            arrays["scatter_weights"],
            _telegraph(arrays),
            _residuals(arrays, description),
            _kept(arrays),
        ),
        prior=MixturePrior(
            arrays["prior_weights"], arrays["prior_means"], arrays["prior_precisions"]
        ),
        class_information=arrays["class_information"],
        law=NoiseLaw(arrays["frame_variance"], arrays["slopes"], description["curvature"]),
        scatter_grid=arrays["scatter_grid"],
        level_maps=arrays["level_maps"],
        strength=arrays["strength"],
        sample=arrays["sample"].astype(np.intp),
        sample_random=int(description["sample_random"]),
        library=LibraryFrames(
            tuple(description["names"]),
            tuple(description["hashes"]),
            arrays["exposure_s"],
            arrays["sensor_temperature_c"],
            arrays["series"].astype(np.intp),
            arrays["setting"].astype(np.intp),
            arrays["states"],
            arrays["taken_s"],
            _kept_as(arrays),
        ),
        cosmic_share_per_s=float(description["cosmic_share_per_s"]),
        births_per_year=float(description["births_per_year"]),
        censor_adu=float(description["censor_adu"]),
        evidence={int(rank): float(value) for rank, value in description["evidence"].items()},
        model_id=str(description["model_id"]),
        seams=seams,
        drift=Drift(*description.get("drift", ())),
        survey=_survey(arrays, LevelParts(acquisition.cfa_pattern, seams)),
    )
