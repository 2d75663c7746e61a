"""Figures and the HTML page: what a result looks like."""

from solodark.report.comparison_page import comparison_html
from solodark.report.comparison_story import ComparisonRow, ComparisonStory, StackPanel
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
    "ComparisonRow",
    "ComparisonStory",
    "Estimate",
    "Panel",
    "Rival",
    "StackPanel",
    "Story",
    "comparison_html",
    "page_html",
    "show_digits",
    "show_estimate",
    "summary_png",
]
