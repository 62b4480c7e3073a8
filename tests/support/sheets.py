"""Files and profiles for tests of imports. Every person in them is invented."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PROFILE: dict[str, Any] = {
    "columns": {
        "number": "No",
        "given": "Given",
        "family": "Family",
        "city": "City",
    },
    "registration": {
        "register_class": "Class",
        "first_day": "From",
        "last_day": "Until",
        "conditions": "Conditions",
        "status": {
            "column": "Status",
            "words": {
                "Active": {"practice": "yes"},
                "Restricted": {"practice": "with_conditions"},
                "Expired": {"practice": "no"},
                "Suspended": {"practice": "no", "disciplinary": True},
                "Revoked": {"practice": "no", "disciplinary": True, "leaves": "revoked"},
            },
        },
    },
    "authorizations": [
        {
            "techniques": ["dry_needling"],
            "when": {"Needles": ["Y"]},
            "first_day": "From",
            "last_day": "Until",
            "status": {"absent": "in_force"},
        }
    ],
}
HEADER = ("No", "Given", "Family", "City", "Class", "Status", "From", "Until", "Conditions", "Needles")


def person(number: str, family: str = "Abara", **changed: str) -> dict[str, str]:
    """A row of the layout that :data:`PROFILE` reads: active, and allowed to needle."""
    row = {
        "No": number,
        "Given": "Ana",
        "Family": family,
        "City": "Calgary",
        "Class": "general",
        "Status": "Active",
        "From": "2025-01-01",
        "Until": "2026-12-31",
        "Conditions": "",
        "Needles": "Y",
    }
    return row | changed


def people(count: int, **changed: str) -> list[dict[str, str]]:
    """So many of them, with different numbers and names."""
    return [person(f"PT-{n:05}", f"Abara{chr(97 + n % 26)}{n // 26}", **changed) for n in range(count)]


def csv_file(rows: Iterable[Mapping[str, str]], header: Sequence[str] = HEADER) -> io.BytesIO:
    """Rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header)
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def ndjson_file(rows: Iterable[Mapping[str, Any]]) -> io.BytesIO:
    """Rows as lines of JSON."""
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


def xlsx_file(
    rows: Iterable[Mapping[str, Any]], header: Sequence[str] = HEADER, title: str = "Sheet"
) -> io.BytesIO:
    """Rows as a workbook."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    sheet.append(list(header))
    for row in rows:
        sheet.append([row.get(name) for name in header])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file
