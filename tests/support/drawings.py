"""Pictures that the register drew, read back."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring


def read_svg(drawn: str) -> Element:
    """The picture; refused where it is not well-formed."""
    return fromstring(drawn)  # noqa: S314 - the register's own drawing


def names_of_attributes(svg: Element) -> set[str]:
    """Every attribute that some element of it has."""
    return {name for each in svg.iter() for name in each.attrib}
