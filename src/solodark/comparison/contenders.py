"""Ways to get the dark of each light of a night."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from solodark.dark_model import DarkModel, generate_each_light
from solodark.evaluation import OneK
from solodark.evaluation.rivals import Method
from solodark.frames import Frame, FrameSource, Master

__all__ = ["Contender", "each_with_its_own", "one_for_all", "scaled_to_each"]

Offsets = Callable[[Sequence[FrameSource]], Iterator[Master]]


@dataclass(frozen=True, eq=False, slots=True)
class Contender:
    """One way to get the dark of each light.

    Attributes
    ----------
    name : str
        "one sub".
    offsets : callable
        Takes the lights as the camera wrote them, gives what is subtracted from each, in their
        order: a master dark, or a master bias where there is no dark.
    """

    name: str
    offsets: Offsets


def one_for_all(name: str, master: Master) -> Contender:
    """Subtract the same master from every light.

    Parameters
    ----------
    name : str
        Of the contender.
    master : Master
        A dark or a bias.

    Returns
    -------
    Contender
        It.
    """
    return Contender(name, lambda lights: iter([master] * len(lights)))


def scaled_to_each(name: str, dark: Master, bias: Master, method: Method) -> Contender:
    """Scale a master dark to every light by one number, as other programs do.

    Parameters
    ----------
    name : str
        Of the contender.
    dark, bias : Master
        Of the library; the dark holds its bias.
    method : {"PixInsight", "Siril", "best"}
        See `solodark.evaluation.OneK`; k is tuned on the light itself.

    Returns
    -------
    Contender
        It.
    """
    one_k = OneK(Frame(dark.data, dark.acquisition), bias.data, method)
    return Contender(name, partial(_scaled, one_k, dark))


def _scaled(one_k: OneK, dark: Master, lights: Sequence[FrameSource]) -> Iterator[Master]:
    for light in lights:
        yield replace(dark, data=one_k(Frame.from_source(light)))


def each_with_its_own(name: str, model: DarkModel) -> Contender:
    """Generate a dark for every light, in the state that its own warm pixels tell.

    Parameters
    ----------
    name : str
        Of the contender.
    model : DarkModel
        The sensor.

    Returns
    -------
    Contender
        It.
    """
    return Contender(name, partial(generate_each_light, model))
