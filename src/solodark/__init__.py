"""A full-resolution master dark from one new dark."""

__version__ = "0.1.0"
