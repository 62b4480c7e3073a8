"""What a file's columns seem to mean: the layouts of real registers, with invented people in them."""

from __future__ import annotations

import pytest

from registry.domain.vocabulary import Technique
from registry.sheets.guessing import document_of, formats_of, guess, meaning_of
from registry.sheets.profiles import read_profile
from registry.sheets.rows import RowReader

WASHINGTON = """credentialnumber,lastname,firstname,middlename,credentialtype,status,ceduedate,\
firstissuedate,lastissuedate,expirationdate,actiontaken
PT60171312,Ito,Ana,May,Physical Therapist License,EXPIRED,,20141023,20150407,20160430,No
PT60171313,Gunn,Bram,,Physical Therapist License,ACTIVE,20180430,20150427,20150427,20990430,No"""
CONNECTICUT = """credentialid,name,type,businessname,dba,fullcredentialcode,credentialtype,credentialnumber,\
credentialsubcategory,credential,status,statusreason,active,issuedate,effectivedate,expirationdate,city,state
928712,ANA ITO,INDIVIDUAL,,,14.002249,14,2249,,PHYSICAL THERAPIST,INACTIVE,LAPSED,0,2010-05-28T00:00:00,\
2010-05-28T00:00:00,2013-01-31T00:00:00,GROTON,CT
928713,BRAM GUNN,INDIVIDUAL,,,PT.0002250,14,2250,,PHYSICAL THERAPIST,ACTIVE,CURRENT,1,2010-05-28T00:00:00,\
2010-05-28T00:00:00,2099-01-31T00:00:00,HARTFORD,CT
928714,CLINIC,BUSINESS,,,PT.0002251,14,2251,,CLINIC,ACTIVE,CURRENT,1,2010-05-28T00:00:00,\
2010-05-28T00:00:00,2099-01-31T00:00:00,HARTFORD,CT"""
IOWA = """npn,last_name,first_name,first_active_date,expiry_date,ce_compliance
7680652,ITO,ANA,2008-03-11T00:00:00,2017-11-30T00:00:00,Y
3594377,GUNN,BRAM,2013-10-25T00:00:00,2018-01-31T00:00:00,Y"""
NPPES = """NPI,Provider Last Name (Legal Name),Provider First Name,Provider Middle Name,\
Provider Name Prefix Text,Provider Name Suffix Text,Provider Credential Text,Provider Other Last Name,\
Provider Other First Name,Provider Business Practice Location Address City Name,Last Update Date
1932106788,ITO,ANA,D,DR,JR,PT,SMITH,ANA,KAYSVILLE,6/16/2025"""
OURS = """Reg. No;First name;Last name;Town;Class;Registered;Expires;Status;Dry needling
PT-1;Ana;Ito;Ottawa;General;14/06/2020;30/09/2099;Active;Yes
PT-2;Bram;Gunn;Kingston;General;01/02/2021;30/09/2099;Not active;No"""
GERMAN = """Registriernummer;Vorname;Nachname;Ort;Status;gültig bis
A-1;Ana;Ito;Köln;aktiv;30.09.2099"""


def table(text):
    lines = text.split("\n")
    mark = ";" if ";" in lines[0] else ","
    return lines[0].split(mark), [line.split(mark) for line in lines[1:]]


def seen(text):
    return guess(*table(text))


@pytest.mark.parametrize(
    ("text", "columns", "dates"),
    [
        (
            WASHINGTON,
            {
                "number": "credentialnumber",
                "given": "firstname",
                "middle": "middlename",
                "family": "lastname",
                "register_class": "credentialtype",
                "status": "status",
                "first_day": "firstissuedate",
                "renewed_day": "lastissuedate",
                "last_day": "expirationdate",
            },
            "YYYYMMDD",
        ),
        (
            CONNECTICUT,
            {
                "number": "fullcredentialcode",
                "name": "name",
                "city": "city",
                "register_class": "credential",
                "status": "status",
                "status_reason": "statusreason",
                "first_day": "issuedate",
                "renewed_day": "effectivedate",
                "last_day": "expirationdate",
            },
            "YYYY-MM-DDT00:00:00",
        ),
        (
            IOWA,
            {
                "number": "npn",
                "given": "first_name",
                "family": "last_name",
                "first_day": "first_active_date",
                "last_day": "expiry_date",
            },
            "YYYY-MM-DDT00:00:00",
        ),
        (
            NPPES,
            {
                "number": "NPI",
                "given": "Provider First Name",
                "middle": "Provider Middle Name",
                "family": "Provider Last Name (Legal Name)",
                "prefix": "Provider Name Prefix Text",
                "suffix": "Provider Name Suffix Text",
                "city": "Provider Business Practice Location Address City Name",
            },
            "YYYY-MM-DD",
        ),
        (
            OURS,
            {
                "number": "Reg. No",
                "given": "First name",
                "family": "Last name",
                "city": "Town",
                "register_class": "Class",
                "status": "Status",
                "first_day": "Registered",
                "last_day": "Expires",
            },
            "DD/MM/YYYY",
        ),
        (
            GERMAN,
            {
                "number": "Registriernummer",
                "given": "Vorname",
                "family": "Nachname",
                "city": "Ort",
                "status": "Status",
                "last_day": "gültig bis",
            },
            "DD.MM.YYYY",
        ),
    ],
    ids=["washington", "connecticut", "iowa", "nppes", "ours", "german"],
)
def test_the_columns_of_real_registers_are_recognised(text, columns, dates):
    guessed = seen(text)
    assert dict(guessed.columns) == columns
    assert guessed.formats[0] == dates


@pytest.mark.parametrize("text", [WASHINGTON, CONNECTICUT, IOWA, NPPES, OURS, GERMAN])
def test_what_is_guessed_is_a_profile_that_reads_the_file(text):
    header, _ = table(text)
    RowReader(read_profile(document_of(seen(text), header)), header)


def test_rows_of_organisations_are_left_out():
    assert seen(CONNECTICUT).only == {"type": ("INDIVIDUAL",)}


def test_what_is_ticked_is_taken_for_an_authorization_that_nobody_has_vouched_for():
    assert seen(OURS).needling == {Technique.DRY_NEEDLING: ("Dry needling", ("Yes",))}
    (told,) = document_of(seen(OURS), [])["authorizations"]
    assert told["status"]["absent"] == {"practice": "unknown"}


@pytest.mark.parametrize(
    ("word", "practice", "leaves"),
    [
        ("ACTIVE", "yes", None),
        ("Active / Current", "yes", None),
        ("Not active", "no", None),
        ("INACTIVE", "no", None),
        ("Active (conditions)", "with_conditions", None),
        ("ACTIVE ON PROBATION", "with_conditions", None),
        ("Active - suspended", "no", None),
        ("Revoked", "no", "revoked"),
        ("VOLUNTARY SURRENDER", "no", "surrendered"),
        ("Active pending review", "unknown", None),
        ("Radioactive", "unknown", None),
        ("", "unknown", None),
    ],
)
def test_a_word_permits_practice_only_where_it_says_nothing_else(word, practice, leaves):
    meaning = meaning_of(word)
    assert (meaning["practice"], meaning.get("leaves")) == (practice, leaves)


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["01/02/2026", "03/04/2026"], ("DD/MM/YYYY", "MM/DD/YYYY")),
        (["01/02/2026", "13/04/2026"], ("DD/MM/YYYY",)),
        (["01/02/2026", "04/13/2026"], ("MM/DD/YYYY",)),
        (["1/2/2026", "4/13/2026"], ("M/D/YYYY",)),
        (["20260230", "20261301"], ()),
        (["", "n/a"], ()),
        (["PT-1", "PT-2"], ()),
    ],
)
def test_days_and_months_are_told_apart_where_the_values_say(cells, formats):
    assert formats_of(cells) == formats


def test_a_file_of_which_nothing_is_recognised_is_guessed_to_say_nothing():
    assert guess(["a", "", "b"], [["x", "y", "z"]]).columns == {}
    assert guess([], []).columns == {}
    stands_in = document_of(guess(["a", "", "b"], []), ["a", "", "b"])["columns"]
    assert stands_in == {"number": "a", "name": "b"}
