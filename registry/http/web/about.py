"""What a patient should know of needling, and what to ask."""

from __future__ import annotations

from datetime import date

from flask import Response

from .rendering import FOR_AN_HOUR, page

REVIEWED_ON = date(2026, 11, 20)
"""When the text was last compared with its sources."""

SOURCES = (
    (
        "American Physical Therapy Association: Description of dry needling in clinical practice: an"
        " educational resource paper. 2013."
    ),
    (
        "Brady S, McEvoy J, Dommerholt J, Doody C: Adverse events following trigger point dry needling: a"
        " prospective survey of chartered physiotherapists. Journal of Manual & Manipulative Therapy 22(3),"
        " 2014."
    ),
    (
        "Boyce D et al.: Adverse events associated with therapeutic dry needling. International Journal of"
        " Sports Physical Therapy 15(1), 2020."
    ),
    "Health Quality Council of Alberta: The safe practice of dry needling in Alberta. 2014.",
    "College of Physiotherapists of Alberta: Understanding dry needling risks and consent.",
)


def about_page() -> Response:
    """What needling is, what may happen, what to ask."""
    return page("about.html", cache_control=FOR_AN_HOUR, sources=SOURCES, reviewed_on=REVIEWED_ON)


def easy_about_page() -> Response:
    """The same in few and short words."""
    return page("about_easy.html", cache_control=FOR_AN_HOUR, reviewed_on=REVIEWED_ON)
