"""A master with a name, so that messages can say which of them does not belong."""

from dataclasses import dataclass

from solodark.frames import Acquisition, Master

__all__ = ["Part"]


@dataclass(frozen=True, slots=True)
class Part:
    """A master under the name that messages call it; can be compared with frames.

    Attributes
    ----------
    name : str
        "the dark".
    master : Master
        What it is.
    """

    name: str
    master: Master

    @property
    def acquisition(self) -> Acquisition:
        """How it was taken."""
        return self.master.acquisition

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        return self.master.data.shape[0], self.master.data.shape[1]
