"""Figures and the HTML page: what a result looks like."""

from solodark.report.page import page_html
from solodark.report.story import (
    Column,
    Estimate,
    Panel,
    Rival,
    Story,
    show_digits,
    show_estimate,
)
from solodark.report.summary_picture import summary_png

__all__ = [
    "Column",
    "Estimate",
    "Panel",
    "Rival",
    "Story",
    "page_html",
    "show_digits",
    "show_estimate",
    "summary_png",
]
