"""The lights that go into a stack."""

from collections.abc import Sequence

from solodark.errors import FrameMismatchError, NotEnoughFramesError
from solodark.frames import FrameSource, require_matching
from solodark.registration import Transform

__all__ = ["in_register"]

_MATCHING = ("shape", "binning", "cfa_pattern")


def in_register(
    lights: Sequence[FrameSource], transforms: Sequence[Transform | None] | None
) -> tuple[list[FrameSource], list[Transform]]:
    """Give the lights that have a transform, and their transforms.

    Parameters
    ----------
    lights : sequence of FrameSource
        Lights.
    transforms : sequence of Transform or None, or None
        Of each light; None for a light out of register, or for all as they lie on the sensor.

    Returns
    -------
    lights : list of FrameSource
        Two or more.
    transforms : list of Transform
        Theirs.

    Raises
    ------
    NotEnoughFramesError
        Fewer than two lights are in register.
    FrameMismatchError
        Lights differ in size, binning or colour filters, or a transform is missing or left over.
    """
    if transforms is None:
        transforms = [Transform.identity()] * len(lights)
    if len(transforms) != len(lights):
        raise FrameMismatchError(
            f"found {len(transforms)} transforms for {len(lights)} lights, expected one for each"
        )
    pairs = [(one, way) for one, way in zip(lights, transforms, strict=True) if way is not None]
    if len(pairs) < 2:
        missing = len(lights) - len(pairs)
        raise NotEnoughFramesError(
            f"found {len(pairs)} light{'s'[: len(pairs) != 1]} to stack"
            f"{f', {missing} being out of register' if missing else ''}; expected two or more"
        )
    kept, ways = [one for one, _ in pairs], [way for _, way in pairs]
    require_matching(kept, _MATCHING)
    return kept, ways
