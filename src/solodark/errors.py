"""What can go wrong, on one page.

Every error that solodark raises on purpose descends from `SolodarkError`; each is also the builtin
that a caller would expect, so ``except ValueError`` keeps working. An error's text is one sentence:
what was found, what was expected, what helps. Errors about a file name the file.
"""

__all__ = [
    "FrameFormatError",
    "FrameMismatchError",
    "FrameNotFoundError",
    "LibraryError",
    "ModelFileError",
    "NotAMosaicError",
    "NotEnoughFramesError",
    "OutputError",
    "RegistrationError",
    "SettingError",
    "SolodarkError",
    "SolodarkWarning",
    "TruncatedFileError",
    "UnknownFormatError",
    "WrongSubError",
]


class SolodarkError(Exception):
    """The parent of every error that solodark raises on purpose."""


class FrameFormatError(SolodarkError, ValueError):
    """A file is not a frame that can be read: damaged, empty or of an odd layout."""


class UnknownFormatError(FrameFormatError):
    """No reader or writer exists for this kind of file."""


class TruncatedFileError(FrameFormatError):
    """A file ends before its pixels do."""


class NotAMosaicError(FrameFormatError):
    """A file holds colours already mixed or scaled, where the sensor's own mosaic is needed."""


class FrameNotFoundError(SolodarkError, FileNotFoundError):
    """A path names no file, or a folder holds no frame."""


class FrameMismatchError(SolodarkError, ValueError):
    """Frames that must share camera, size, gain or binning do not; every culprit is named."""


class NotEnoughFramesError(SolodarkError, ValueError):
    """Too few frames for what was asked."""


class ModelFileError(SolodarkError, ValueError):
    """A ``.solodark`` file is damaged, foreign or of an unknown version."""


class WrongSubError(SolodarkError, ValueError):
    """A sub cannot be explained by the model it was given to."""


class LibraryError(SolodarkError, RuntimeError):
    """The catalogue of frames cannot be opened or used."""


class OutputError(SolodarkError, OSError):
    """A result cannot be written; nothing half-written is left behind."""


class RegistrationError(SolodarkError, ValueError):
    """A light's stars cannot be matched with those of the reference."""


class SettingError(SolodarkError, ValueError):
    """An option or argument has a value outside what it can be."""


class SolodarkWarning(UserWarning):
    """A result stands but deserves doubt."""
