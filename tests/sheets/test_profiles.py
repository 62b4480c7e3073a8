"""Profiles say what a body's own columns, dates and words mean; what they do not say is never guessed."""

from __future__ import annotations

import io
import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from registry.domain.decisions import Condition
from registry.domain.vocabulary import PracticePermission, Standing, Technique
from registry.errors import Invalid
from registry.services.import_profiles import built_in, built_in_names
from registry.sheets.dates import DatePattern
from registry.sheets.profiles import read_profile
from registry.sheets.reading import Layout, open_sheet
from registry.sheets.rows import RowReader, WrongRow
from tests.support.sheets import HEADER, PROFILE, person

DAY = date(2026, 6, 1)


def reader(document=PROFILE, header=HEADER) -> RowReader:
    return RowReader(read_profile(document), header)


def entry(document=PROFILE, **changed):
    row = person("PT-1", **changed)
    return reader(document, tuple(row)).read(list(row.values()), DAY)


def problems(document=PROFILE, **changed) -> list[tuple[str, str]]:
    with pytest.raises(WrongRow) as caught:
        entry(document, **changed)
    return [(problem.column, problem.detail) for problem in caught.value.problems]


def profile(**changed):
    """The profile with the registration's or another part changed."""
    document = deepcopy(PROFILE)
    for part, values in changed.items():
        document[part] = {**document.get(part, {}), **values}
    return document


def test_a_row_is_read_as_mapped() -> None:
    found = entry(Given="  Ana  Maria ", Conditions="Chaperone")
    assert (found.number, found.name.full_name, found.city) == ("PT-1", "Ana Maria Abara", "Calgary")
    registration = found.registration
    assert (registration.first_day, registration.last_day) == (date(2025, 1, 1), date(2026, 12, 31))
    assert registration.scope.register_class == "general"
    assert registration.scope.conditions == (Condition("Chaperone"),)
    assert [a.scope.techniques for a in found.authorizations] == [{Technique.DRY_NEEDLING}]


@pytest.mark.parametrize(
    ("word", "practice", "leaves"),
    [
        ("Active", PracticePermission.YES, Standing.IN_FORCE),
        ("  aCTIVE ", PracticePermission.YES, Standing.IN_FORCE),
        ("Expired", PracticePermission.NO, Standing.LAPSED),
        ("Suspended", PracticePermission.NO, Standing.SUSPENDED),
        ("Revoked", PracticePermission.NO, Standing.REVOKED),
        ("Restricted", PracticePermission.WITH_CONDITIONS, Standing.IN_FORCE),
        ("Activ", PracticePermission.UNKNOWN, Standing.UNKNOWN),
        ("Active - pending discipline", PracticePermission.UNKNOWN, Standing.UNKNOWN),
        ("", PracticePermission.UNKNOWN, Standing.UNKNOWN),
    ],
)
def test_a_status_word_means_what_the_profile_says_or_is_unknown(word, practice, leaves) -> None:
    report = entry(Status=word).registration.report
    assert (report.practice, report.leaves) == (practice, leaves)


def test_unmapped_words_are_counted() -> None:
    reading = reader()
    for word in ("Odd", "Odd", "Active", "Stranger"):
        reading.read(list(person("PT-1", Status=word).values()), DAY)
    assert reading.unmapped == {"Odd": 2, "Stranger": 1}


def test_a_word_with_conditions_is_a_condition_where_no_text_is_given() -> None:
    assert entry(Status="Restricted").registration.scope.conditions == (Condition("Restricted"),)
    assert entry(Status="Active").registration.scope.conditions == ()


def test_a_missing_last_day_is_no_yes_unless_the_profile_says_open_ended() -> None:
    assert entry(Until="").registration.leaves is Standing.UNKNOWN
    open_ended = profile(registration={"no_last_day": "open_ended"})
    assert entry(open_ended, Until="").registration.leaves is Standing.IN_FORCE
    never = profile(registration={"never": ["9999-12-31"]})
    found = entry(never, Until="9999-12-31").registration
    assert (found.last_day, found.open_ended) == (None, True)


def test_a_register_without_status_is_unknown_unless_the_profile_says_otherwise() -> None:
    document = deepcopy(PROFILE)
    del document["registration"]["status"]
    assert entry(document).registration.leaves is Standing.UNKNOWN
    document["registration"]["status"] = {"absent": "in_force"}
    assert entry(document).registration.report is None
    assert entry(document).registration.leaves is Standing.IN_FORCE


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"No": " "}, "No"),
        ({"No": "1" * 65}, "No"),
        ({"From": "2025-02-29"}, "From"),
        ({"From": "01/02/2025"}, "From"),
        ({"Until": "2024-12-31"}, "Until"),
        ({"Until": "soon"}, "Until"),
        ({"City": "x" * 2001}, "City"),
        ({"City": "Cal\x00gary"}, "City"),
        ({"Given": "", "Family": ""}, "Family"),
    ],
)
def test_a_value_that_cannot_be_right_is_named_with_its_column(changed, column) -> None:
    assert column in [found for found, _ in problems(**changed)]


def test_every_wrong_value_of_a_row_is_told_at_once() -> None:
    assert [column for column, _ in problems(From="x", Until="y")][:2] == ["From", "Until"]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("YYYY-MM-DD", "2025-03-01", ["2025-3-1", "20250301", "2025-13-01", "2025-03-01T00:00:00"]),
        ("YYYYMMDD", "20250301", ["2025-03-01", "2025031", "202503011"]),
        ("M/D/YYYY", "3/1/2025", ["2025-03-01", "31/1/2025", "3/1/25"]),
        ("DD.MM.YYYY", "01.03.2025", ["1.3.2025", "01-03-2025"]),
        ("D MMM YYYY", "1 Mar 2025", ["1 Mrz 2025", "1 March 2025"]),
        ("YYYY-MM-DDT00:00:00", "2025-03-01T00:00:00", ["2025-03-01", "2025-03-01T00:00:01"]),
        (
            "YYYY-MM-DDT00:00:00",
            "2025-03-01T00:00:00.000",
            ["2025-03-01T12:00:00.000", "2025-03-01T00:00:00Z"],
        ),
    ],
)
def test_dates_fit_their_format_whole_or_not_at_all(pattern, good, bad) -> None:
    reading = DatePattern.of(pattern)
    assert reading.read(good) == date(2025, 3, 1)
    other_digits = ("2025\uff0d03\uff0d01", "\u0662\u0660\u0662\u0665-\u0660\u0663-\u0660\u0661")
    assert [text for text in (*bad, *other_digits, "") if reading.read(text)] == []


@pytest.mark.parametrize("pattern", ["YYYY", "YYYY-MM", "YYYY-MM-DD-DD", "MM/DD/YY", ""])
def test_a_format_names_each_part_once(pattern) -> None:
    with pytest.raises(ValueError, match="once each"):
        DatePattern.of(pattern)


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ({"name": "N"}, {"N": "Ana  M  Abara"}, ("Ana M Abara", None, None)),
        (
            {"name": "N", "name_order": "family_first"},
            {"N": "ABARA, ANA M"},
            ("ANA M ABARA", "ANA M", "ABARA"),
        ),
        (
            {"name": "N", "name_order": "family_first"},
            {"N": "Abara, Ana, Jr, PT"},
            ("Ana Abara Jr, PT", "Ana", "Abara"),
        ),
        ({"name": "N", "name_order": "family_first"}, {"N": "山田 太郎"}, ("山田 太郎", None, None)),
        ({"given": "G", "family": "F"}, {"G": "Ana", "F": ""}, ("Ana", "Ana", None)),
        (
            {"given": "G", "middle": "M", "family": "F", "suffix": "S"},
            {"G": "Ana", "M": "B", "F": "Abara", "S": "III"},
            ("Ana B Abara III", "Ana B", "Abara"),
        ),
        (
            {"given": "G", "family": "F", "name_order": "family_first"},
            {"G": "Eszter", "F": "Kovács"},
            ("Kovács Eszter", "Eszter", "Kovács"),
        ),
        (
            {"prefix": "P", "family": "F", "credentials": "C"},
            {"P": "Dr", "F": "Abara", "C": "PT"},
            ("Dr Abara, PT", None, "Abara"),
        ),
    ],
)
def test_names_come_together_from_their_parts(columns, row, expected) -> None:
    row = {"No": "1", **row}
    name = reader({"columns": {"number": "No", **columns}}, tuple(row)).read(list(row.values()), DAY).name
    assert (name.full_name, name.given, name.family) == expected


def test_former_names_come_from_columns_or_a_list() -> None:
    columns = {"number": "No", "family": "F", "former": [{"family": "Old"}]}
    row = {"No": "1", "F": "Abara", "Old": "Brontë"}
    assert reader({"columns": columns}, tuple(row)).read(list(row.values()), DAY).former_names == ("Brontë",)
    columns["former"] = "Old"
    row["Old"] = "Brontë; Castillo"
    found = reader({"columns": columns}, tuple(row)).read(list(row.values()), DAY)
    assert found.former_names == ("Brontë", "Castillo")


def test_the_first_filled_of_several_columns_counts() -> None:
    document = profile(registration={"first_day": ["From", "Needles"]})
    assert entry(document, From="", Needles="2025-05-01").registration.first_day == date(2025, 5, 1)


def test_a_status_may_stand_in_two_columns() -> None:
    document = deepcopy(PROFILE)
    document["registration"]["status"] = {
        "column": ["Status", "City"],
        "words": {"Active / Current": {"practice": "yes"}, "Active": {"practice": "no"}},
    }
    assert entry(document, City="Current").registration.leaves is Standing.IN_FORCE
    assert entry(document, City="").registration.leaves is Standing.LAPSED
    assert entry(document, City="Pending").registration.leaves is Standing.UNKNOWN


def test_missing_and_doubled_columns_refuse_the_file() -> None:
    with pytest.raises(Invalid, match="Until"):
        reader(header=[name for name in HEADER if name != "Until"])
    with pytest.raises(Invalid, match="twice"):
        reader(header=[*HEADER, "until"])


def test_columns_are_found_whatever_their_case_and_spacing() -> None:
    read = reader(header=[f" {name.upper()} " for name in HEADER])
    assert read.number(list(person("PT-1").values())) == "PT-1"


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/columns"),
        ({"columns": {"number": "N"}}, "/columns/name"),
        ({"columns": {"number": "N", "name": "X", "nmae": "Y"}}, "/columns/nmae"),
        ({"columns": {"number": {"constant": 1}, "name": "X"}}, "/columns/number"),
        (profile(dates={"formats": ["YY"]}), "/dates/formats"),
        (profile(file={"encoding": "ebcdic"}), "/file/encoding"),
        (profile(file={"delimiter": "ab"}), "/file/delimiter"),
        (profile(registration={"no_last_day": "perhaps"}), "/registration/no_last_day"),
        (profile(registration={"status": {"words": {"A": {}}}}), "/registration/status/words/A/practice"),
        (
            profile(registration={"status": {"words": {"A": {"practice": "no", "leaves": "in_force"}}}}),
            "/registration/status/words/A/leaves",
        ),
        ({**PROFILE, "authorizations": [{"techniques": ["cupping"]}]}, "/authorizations/0/techniques/0"),
        ({**PROFILE, "body": {"code": "X"}}, "/body/code"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_at_each_place(document, pointer) -> None:
    with pytest.raises(Invalid) as caught:
        read_profile(document)
    assert pointer in [problem["pointer"] for problem in caught.value.problems]


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_a_profile_is_an_object(document) -> None:
    with pytest.raises(Invalid):
        read_profile(document)


@pytest.mark.parametrize("name", built_in_names())
def test_the_profiles_that_come_with_the_registry_can_be_used(name: str) -> None:
    document = built_in(name)
    assert document is not None
    assert read_profile(document).title


# Rows in the layouts of the registers that the profiles are for. The people are invented.
LAYOUTS = {
    "washington_health": (
        (
            "credentialnumber,lastname,firstname,middlename,credentialtype,status,ceduedate,firstissuedate,"
            "lastissuedate,expirationdate,actiontaken\n"
            "PT00000001,Abara,Ana,Maria,Physical Therapist License,ACTIVE,,20141023,20250407,20270430,No\n"
        ),
        ("PT00000001", "Ana Maria Abara", date(2014, 10, 23), date(2027, 4, 30), Standing.IN_FORCE),
    ),
    "connecticut": (
        (
            "credentialid,name,type,fullcredentialcode,credential,status,statusreason,issuedate,effectivedate,"
            "expirationdate,city\n"
            "1,ANA M ABARA,INDIVIDUAL,14.000001,Physical Therapist,INACTIVE,LAPSED,,2010-05-28T00:00:00,"
            "2013-01-31T00:00:00,GROTON\n"
        ),
        ("14.000001", "ANA M ABARA", date(2010, 5, 28), date(2013, 1, 31), Standing.LAPSED),
    ),
    "iowa_public_adjusters": (
        (
            "npn,last_name,first_name,first_active_date,expiry_date,ce_compliance\n"
            "1000001,D ABARA,ANA,2008-03-11T00:00:00,2027-11-30T00:00:00,Y\n"
        ),
        ("1000001", "ANA D ABARA", date(2008, 3, 11), date(2027, 11, 30), Standing.IN_FORCE),
    ),
    "us_nppes": (
        (
            "NPI,Provider Last Name (Legal Name),Provider First Name,Provider Middle Name,"
            "Provider Name Suffix Text,Provider Other Last Name,Provider Other First Name,"
            "Provider Other Middle Name,Provider Other Name Suffix Text,"
            "Provider Business Practice Location Address City Name,Healthcare Provider Taxonomy Code_1\n"
            "1000000001,ABARA,ANA,M,JR,BRONTE,ANA,,,TAMPA,PHYSICAL THERAPIST\n"
        ),
        ("1000000001", "ANA M ABARA JR", None, None, Standing.UNKNOWN),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_register_is_read_by_its_profile(name: str) -> None:
    content, expected = LAYOUTS[name]
    read = read_profile(built_in(name) or {})
    sheet = open_sheet(io.BytesIO(content.encode()), Layout(columns=read.columns()))
    (row,) = sheet.rows
    assert isinstance(row, tuple)
    found = RowReader(read, sheet.header).read(row[1], DAY)
    term = found.registration
    assert (found.number, found.name.full_name, term.first_day, term.last_day, term.leaves) == expected


def test_organisations_among_people_are_passed_over() -> None:
    read = RowReader(read_profile({**PROFILE, "only": {"Class": ["General"]}}), HEADER)
    assert read.is_wanted(list(person("1", Class=" general").values()))
    assert not read.is_wanted(list(person("1", Class="business").values()))


def test_the_profile_in_the_documentation_can_be_used() -> None:
    text = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
    lines = text.partition("## A mapping profile")[2].splitlines()
    document = tomllib.loads("\n".join(line[4:] for line in lines if line.startswith("    ")))
    assert read_profile(document).authorizations[0].techniques == {Technique.DRY_NEEDLING}
