"""The version of solodark, in the one place that everything reads it from."""

__all__ = ["__version__"]

__version__ = "0.1.0"
