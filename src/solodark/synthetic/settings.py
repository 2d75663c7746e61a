"""What kind of sensor a synthetic camera has: every number with its unit, and two presets."""

from dataclasses import dataclass, fields

from solodark.errors import SettingError

__all__ = ["PRESETS", "GainMode", "SensorSettings", "require_preset"]


@dataclass(frozen=True, slots=True)
class GainMode:
    """One ISO, or one gain number of a driver, and what it does to the signal.

    Attributes
    ----------
    setting : int
        The ISO or the driver's number.
    gain_e_per_adu : float
        Conversion gain.
    read_noise_e : float
        Median read noise, e- rms.
    """

    setting: int
    gain_e_per_adu: float
    read_noise_e: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """The statistics that the maps of a synthetic camera are drawn from.

    Dark-current rates are those at `reference_temperature_c`; "spread" is the standard deviation of
    the natural logarithm of a log-normal distribution; fractions are of all pixels. The defaults of
    the presets are set beside real frames of a ZWO ASI178MC and an SBIG STL-1001E.

    Attributes
    ----------
    model : str
        What the camera calls itself in its headers.
    pixel_size_um : float
        Pitch of a pixel.
    modes : tuple of GainMode
        The gain settings, the default first.
    photographic : bool
        True where the setting is an ISO, False where it is a driver's gain number.
    header_tells_gain : bool
        Whether headers hold the conversion gain.
    bit_depth : int
        Of the converter; full scale is ``2**bit_depth - 1`` ADU.
    full_well_e : float
        Charge at which a pixel saturates.
    black_level_adu : float
        Level of no signal.
    plane_level_spread_adu : float
        Spread (one sigma) of the fixed level differences between CFA planes.
    level_noise_adu : float
        Wander of the level of each CFA plane, new in each frame, ADU rms.
    bias_pixel_e, bias_column_e : float
        Bias pattern ahead of the amplifier, shared by all gain settings: of pixels and of columns.
    bias_pixel_adu, bias_column_adu : float
        Bias pattern behind the amplifier, drawn anew for each gain setting.
    read_noise_spread : float
        Of the read noise from pixel to pixel.
    row_noise_e : float
        Offset of each row, new in each frame, e- rms.
    reference_temperature_c : float
        Temperature that the rates below refer to.
    diffusion_e_per_s, diffusion_spread, diffusion_energy_ev : float
        Dark current that diffuses in from neutral silicon: median, pixel-to-pixel spread, energy.
    depletion_e_per_s, depletion_spread : float
        Dark current generated in the depletion region: median and spread.
    depletion_energy_ev, depletion_energy_spread_ev : float
        Its activation energy: mean and standard deviation over the pixels.
    depletion_energy_range_ev : tuple of float
        No pixel's activation energy lies outside.
    hot_fraction, hot_e_per_s, hot_spread : float
        Pixels with extra depletion current: fraction, median of the extra, spread.
    offset_hot_fraction, offset_hot_e, offset_hot_spread : float
        Pixels with an extra offset that scales with nothing: fraction, median, spread.
    birth_fraction_per_year, birth_e_per_s, birth_spread : float
        Hot pixels born in a year: fraction, median rate, spread.
    telegraph_read_fraction, telegraph_read_e, telegraph_read_spread : float
        Pixels whose amplifier hops: fraction, median size of the hop, spread.
    telegraph_read_probability : float
        Chance that such a pixel hops (up or down) in a frame.
    telegraph_dark_fraction, telegraph_dark_share, telegraph_dark_spread : float
        Pixels whose dark current hops: fraction, median height of the hop over the pixel's lower
        depletion current, spread. They are hot pixels, beyond `hot_fraction`: the same defects do
        both [Chapman 2011].
    telegraph_dwell_s : tuple of float
        Shortest and longest mean dwell time; log-uniform between.
    glow_e_per_s, glow_time_s : float
        Amplifier glow in its brightest corner at the start of an exposure, and the time constant
        of its saturation.
    glow_scale : float
        Its reach, in units of the frame's diagonal.
    glow_spread : float
        Of the glow's amplitude from series to series.
    optical_black_ratio : float
        Dark signal that the camera subtracts, over the mean dark signal of its pixels (the hottest
        held back); 0 where the camera subtracts nothing. Above 1 the level falls with exposure.
    self_heating_c, heating_time_s : float
        Rise of the sensor's temperature in a long series, and its time constant.
    alternation_c : float
        By how much every second exposure of a series is warmer: some cameras do that, and no
        header tells.
    header_offset_c, header_scatter_c, header_step_c : float
        Headers' temperature: constant error, scatter from series to series, rounding.
    shortest_exposure_s : float
        Of a bias.
    cosmic_rate_per_cm2_s : float
        Cosmic rays and other particles.
    prnu : float
        Pixel-to-pixel spread of the response to light.
    vignetting : float
        Light lost in the corners.
    dust_grains : int
        Shadows of dust in the flat.
    """

    model: str
    pixel_size_um: float
    modes: tuple[GainMode, ...]
    photographic: bool
    header_tells_gain: bool
    bit_depth: int
    full_well_e: float
    black_level_adu: float
    plane_level_spread_adu: float
    level_noise_adu: float
    bias_pixel_e: float
    bias_column_e: float
    bias_pixel_adu: float
    bias_column_adu: float
    read_noise_spread: float
    row_noise_e: float
    reference_temperature_c: float
    diffusion_e_per_s: float
    diffusion_spread: float
    depletion_e_per_s: float
    depletion_spread: float
    hot_fraction: float
    hot_e_per_s: float
    hot_spread: float
    offset_hot_fraction: float
    offset_hot_e: float
    birth_fraction_per_year: float
    birth_e_per_s: float
    telegraph_read_fraction: float
    telegraph_read_e: float
    telegraph_dark_fraction: float
    glow_e_per_s: float
    optical_black_ratio: float
    self_heating_c: float
    header_offset_c: float
    header_scatter_c: float
    header_step_c: float
    shortest_exposure_s: float
    diffusion_energy_ev: float = 1.12
    depletion_energy_ev: float = 0.60
    depletion_energy_spread_ev: float = 0.012
    depletion_energy_range_ev: tuple[float, float] = (0.56, 0.63)
    offset_hot_spread: float = 0.7
    birth_spread: float = 0.8
    telegraph_read_spread: float = 0.5
    telegraph_read_probability: float = 0.3
    telegraph_dark_share: float = 0.6
    telegraph_dark_spread: float = 0.5
    telegraph_dwell_s: tuple[float, float] = (180.0, 864_000.0)
    glow_time_s: float = 600.0
    glow_scale: float = 0.22
    glow_spread: float = 0.05
    heating_time_s: float = 600.0
    alternation_c: float = 0.0
    cosmic_rate_per_cm2_s: float = 0.03
    prnu: float = 0.006
    vignetting: float = 0.35
    dust_grains: int = 6

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_fraction") and not 0 <= value <= 1:
                raise SettingError(f"found {field.name} = {value}, expected a share from 0 to 1")

    @property
    def full_scale_adu(self) -> int:
        """Highest number that the converter gives."""
        return int(2**self.bit_depth) - 1

    def mode(self, setting: int | None = None) -> GainMode:
        """Find one of the gain settings.

        Parameters
        ----------
        setting : int, optional
            The ISO or the driver's number; the first mode where it is left out.

        Returns
        -------
        GainMode
            What this setting does.

        Raises
        ------
        SettingError
            The camera has no such setting.

        Examples
        --------
        >>> PRESETS["uncooled_cmos"].mode(1600).gain_e_per_adu
        0.4
        """
        if setting is None:
            return self.modes[0]
        for mode in self.modes:
            if mode.setting == setting:
                return mode
        known = ", ".join(str(mode.setting) for mode in self.modes)
        raise SettingError(
            f"{self.model} has no gain setting or ISO {setting}; choose one of {known}"
        )


UNCOOLED_CMOS = SensorSettings(
    model="Solodark Uncooled CMOS",
    pixel_size_um=4.3,
    modes=(GainMode(800, 0.8, 3.2), GainMode(400, 1.6, 4.2), GainMode(1600, 0.4, 2.6)),
    photographic=True,
    header_tells_gain=False,
    bit_depth=14,
    full_well_e=20_000.0,
    black_level_adu=2048.0,
    plane_level_spread_adu=0.3,
    level_noise_adu=0.15,
    bias_pixel_e=0.5,
    bias_column_e=0.2,
    bias_pixel_adu=0.3,
    bias_column_adu=0.2,
    read_noise_spread=0.1,
    row_noise_e=0.3,
    reference_temperature_c=20.0,
    diffusion_e_per_s=0.03,
    diffusion_spread=0.12,
    depletion_e_per_s=0.05,
    depletion_spread=0.2,
    hot_fraction=0.015,
    hot_e_per_s=0.7,
    hot_spread=1.3,
    offset_hot_fraction=0.001,
    offset_hot_e=40.0,
    birth_fraction_per_year=3e-4,
    birth_e_per_s=1.0,
    telegraph_read_fraction=0.012,
    telegraph_read_e=8.0,
    telegraph_dark_fraction=0.006,
    glow_e_per_s=0.12,
    optical_black_ratio=1.4,
    self_heating_c=4.0,
    header_offset_c=2.0,
    header_scatter_c=0.5,
    header_step_c=1.0,
    shortest_exposure_s=0.00025,
)

COOLED_CCD = SensorSettings(
    model="Solodark Cooled CCD",
    pixel_size_um=24.0,
    modes=(GainMode(0, 2.06, 15.0),),
    photographic=False,
    header_tells_gain=True,
    bit_depth=16,
    full_well_e=125_000.0,
    black_level_adu=991.0,
    plane_level_spread_adu=0.0,
    level_noise_adu=0.7,
    bias_pixel_e=1.0,
    bias_column_e=1.0,
    bias_pixel_adu=0.0,
    bias_column_adu=0.0,
    read_noise_spread=0.02,
    row_noise_e=0.3,
    reference_temperature_c=-5.0,
    diffusion_e_per_s=0.45,
    diffusion_spread=0.08,
    depletion_e_per_s=0.27,
    depletion_spread=0.35,
    hot_fraction=0.022,
    hot_e_per_s=3.2,
    hot_spread=1.45,
    offset_hot_fraction=1e-4,
    offset_hot_e=100.0,
    birth_fraction_per_year=1e-3,
    birth_e_per_s=8.0,
    telegraph_read_fraction=0.0,
    telegraph_read_e=0.0,
    telegraph_dark_fraction=0.004,
    glow_e_per_s=0.3,
    optical_black_ratio=0.0,
    self_heating_c=0.0,
    header_offset_c=0.0,
    header_scatter_c=0.2,
    header_step_c=0.1,
    shortest_exposure_s=0.0,
)

PRESETS = {"uncooled_cmos": UNCOOLED_CMOS, "cooled_ccd": COOLED_CCD}
"""Sensors to start from: a photographic camera without cooling, an observatory's cooled CCD."""


def require_preset(name: str) -> SensorSettings:
    """Give the preset of that name.

    Parameters
    ----------
    name : str
        A key of `PRESETS`.

    Returns
    -------
    SensorSettings
        The preset.

    Raises
    ------
    SettingError
        There is no such preset.

    Examples
    --------
    >>> require_preset("cooled_ccd").bit_depth
    16
    """
    if name not in PRESETS:
        raise SettingError(
            f"there is no synthetic sensor {name!r}; choose one of {', '.join(PRESETS)}"
        )
    return PRESETS[name]
