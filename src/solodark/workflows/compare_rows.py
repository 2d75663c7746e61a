"""The rows of a comparison: the kinds of dark, and the figures of each."""

from dataclasses import dataclass

__all__ = [
    "EACH",
    "GENERATED",
    "MEANINGS",
    "NEAREST",
    "NETWORK",
    "NO_DARK",
    "ONE_SUB",
    "PIXINSIGHT",
    "REAL",
    "SIRIL",
    "TRUTH",
    "CompareRow",
]

NO_DARK, ONE_SUB, REAL = "no dark", "one sub", "real master"
NEAREST, PIXINSIGHT, SIRIL = "nearest library master", "one k (PixInsight)", "one k (Siril)"
NETWORK = "network from one sub"
GENERATED, EACH, TRUTH = "generated from one sub", "generated for each light", "true dark"

MEANINGS = {
    NO_DARK: "Only the bias is subtracted.",
    ONE_SUB: "The one new dark as it is: all of its noise goes into every light.",
    REAL: "The classical master of the new darks.",
    NEAREST: "The library's master whose exposure and temperature come closest.",
    PIXINSIGHT: "That master, scaled to each light by one number as PixInsight finds it.",
    SIRIL: "That master, scaled to each light by one number as Siril finds it.",
    NETWORK: "A network's picture of the dark behind the one new dark, as the paper proposes.",
    GENERATED: "The learned camera, brought to the state of the one new dark.",
    EACH: "The learned camera, brought to the state of each light; no new dark at all.",
    TRUTH: "What each light's dark would be without noise; only a simulated camera tells.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRow:
    """The figures of one kind of dark.

    Attributes
    ----------
    name : str
        How the dark was made.
    note : str
        What was used.
    noise_adu, noise_unregistered_adu : float
        Background noise of the registered stack, and of the mean as the sensor saw it.
    trail_mean_sigma, trail_rms_sigma : float
        What hot pixels leave along their paths, in background noise of the best stack.
    trails, holes : float
        Share of hot pixels that leave a visible trail or hole.
    walking_correlation, fixed_correlation : float
        Correlation with the sensor's pattern, registered and not.
    walking_share, fixed_share : float
        Share of the sensor's pattern that is left; negative where too much was subtracted.
    star_bias_mag, star_bias_error_mag, star_scatter_mag : float
        Of injected stars of 5 sigma.
    n_stars : int
        Detected at 5 sigma.
    fwhm_px : float
        Of the bright stars.
    psnr_db : float
        Peak signal to noise ratio against the stack without dark, the paper's figure.
    star_bias_to_truth_mag : float
        Bias against the same stars after the true dark; NaN where that is not known.
    error_adu, similarity : float
        Error and structural similarity against the stack after the true dark.
    """

    name: str
    note: str
    noise_adu: float
    noise_unregistered_adu: float
    trail_mean_sigma: float
    trail_rms_sigma: float
    trails: float
    holes: float
    walking_correlation: float
    fixed_correlation: float
    walking_share: float
    fixed_share: float
    star_bias_mag: float
    star_bias_error_mag: float
    star_scatter_mag: float
    n_stars: int
    fwhm_px: float
    psnr_db: float = float("nan")
    star_bias_to_truth_mag: float = float("nan")
    error_adu: float = float("nan")
    similarity: float = float("nan")
