"""Where a light looks, and through what air."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pointing"]


@dataclass(frozen=True, slots=True)
class Pointing:
    """Place of the sky on the sensor, and the air before it.

    Attributes
    ----------
    dy_px, dx_px : float
        Shift of the sky's centre on the sensor.
    rotation_rad : float
        Turn of the sky about that centre, from +x towards +y.
    transparency : float
        Share of the light of stars and nebula that gets through; 0 under clouds.
    sky_factor : float
        Brightness of the sky over the scene's.
    """

    dy_px: float = 0.0
    dx_px: float = 0.0
    rotation_rad: float = 0.0
    transparency: float = 1.0
    sky_factor: float = 1.0

    def to_sensor(
        self, y: NDArray[np.float64], x: NDArray[np.float64], shape: tuple[int, int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find where places of the scene fall on the sensor.

        Parameters
        ----------
        y, x : ndarray of float64, shape (n,)
            Places where `Pointing()` would show them, px; whole numbers are pixel centres.
        shape : tuple of int
            (ny, nx) of the sensor; the turn is about its centre.

        Returns
        -------
        y, x : ndarray of float64, shape (n,)
            Pixel coordinates, perhaps outside the sensor.

        Examples
        --------
        >>> y, x = Pointing(dy_px=1.5).to_sensor(np.array([4.0]), np.array([7.0]), (10, 20))
        >>> y.item(), x.item()
        (5.5, 7.0)
        """
        centre_y, centre_x = 0.5 * (shape[0] - 1), 0.5 * (shape[1] - 1)
        cosine, sine = np.cos(self.rotation_rad), np.sin(self.rotation_rad)
        from_y, from_x = y - centre_y, x - centre_x
        turned_y = cosine * from_y + sine * from_x
        turned_x = cosine * from_x - sine * from_y
        return turned_y + centre_y + self.dy_px, turned_x + centre_x + self.dx_px
