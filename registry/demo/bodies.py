"""The bodies of the demonstration: real regulators with their differing rules, as far as they are public.

Sources and their second-hand parts are as the project's notes on the domain have them; where a rule is not
known in hours, the least that says "some" is asked for. Approvals of courses are invented with the courses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from registry.domain.rules import BodyRules, Renewal, TrainingRequirement
from registry.domain.vocabulary import Technique

DRY, ACU = Technique.DRY_NEEDLING, Technique.ACUPUNCTURE
IMS, ULTRASOUND = Technique.INTRAMUSCULAR_STIMULATION, Technique.ULTRASOUND_GUIDED_NEEDLING
SOME = 0.25
"""The least hours that rules can ask for: the body asks for some, without saying how many."""

YEARS_OF_RULES = 8


@dataclass(frozen=True, slots=True)
class Taught:
    """A course that meets the rules of its body. Hours are clock hours.

    :param approved: the years (before the present one) at whose beginning and end the approval begins and
        ends; ``None`` where it goes on.
    """

    title: str
    provider: str
    theory: float
    practical: float
    in_person: float
    sessions: int = 0
    techniques: frozenset[Technique] = frozenset({DRY})
    approved: tuple[tuple[int, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class House:
    """A body as the demonstration keeps it.

    :param number: how its registration numbers are written.
    :param usual: the register class of most; ``barred``: one whose holders may not needle, if any.
    :param named: the techniques that its authorizations name.
    :param rules: what differs from the defaults of :class:`~registry.domain.rules.BodyRules`.
    :param earlier: the same for the rules before the last calendar year, where they were others.
    """

    code: str
    name: str
    jurisdiction: str
    zone: str
    website: str
    number: str
    cities: tuple[str, ...]
    usual: str
    course: Taught
    rules: Mapping[str, Any]
    named: frozenset[Technique] = frozenset({DRY})
    barred: str | None = None
    earlier: Mapping[str, Any] | None = None
    renewal: Renewal = field(default_factory=lambda: Renewal(months=24))
    authorization_renewal: Renewal | None = None
    publishes_training: bool = False
    publishes_former_names: bool = False

    @property
    def needling_renewal(self) -> Renewal:
        """When authorizations end: with registrations, unless said otherwise."""
        return self.renewal if self.authorization_renewal is None else self.authorization_renewal

    @property
    def asks_for_practice(self) -> bool:
        """Whether its rules ask for years of practice before anyone needles."""
        requirements: Mapping[Technique, TrainingRequirement] = self.rules.get("requirements", {})
        return any(requirement.practice_years for requirement in requirements.values())

    def versions(self, today: date, at: datetime) -> Iterator[BodyRules]:
        """Its rules, in the order in which they came to hold."""
        said = (
            [(YEARS_OF_RULES, self.earlier), (1, self.rules)]
            if self.earlier
            else [(YEARS_OF_RULES, self.rules)]
        )
        for years_ago, rules in said:
            yield BodyRules(
                holds_from=date(today.year - years_ago, 1, 1),
                recorded_at=at,
                registration_renewal=self.renewal,
                authorization_renewal=self.needling_renewal,
                **rules,
            )


def asked(**hours: Any) -> TrainingRequirement:
    """What training asks for."""
    return TrainingRequirement(**hours)


CERTIFIED = asked(hours_theory=SOME, hours_practical=SOME, examination=True, safety_component=True)
NOTHING = asked()
END_OF_MARCH = Renewal(month=3, day=31)

ALBERTA = House(
    "ca-ab",
    "College of Physiotherapists of Alberta",
    "CA-AB",
    "America/Edmonton",
    "https://www.cpta.ab.ca",
    "PT-{:05}",
    ("Calgary", "Edmonton", "Lethbridge", "Red Deer", "Medicine Hat", "Grande Prairie", "Canmore"),
    "General",
    Taught("Needles in practice", "Foothills Needling Education", 24, 30, 54),
    {
        "eligible_classes": frozenset({"General", "Courtesy"}),
        "learner_classes": frozenset({"General"}),
        "covers": {DRY: frozenset({IMS, ACU})},
        "requirements": {DRY: CERTIFIED, ULTRASOUND: CERTIFIED},
    },
    barred="Provisional",
    renewal=Renewal(month=9, day=30),
    authorization_renewal=Renewal(),
)
ONTARIO = House(
    "ca-on",
    "College of Physiotherapists of Ontario",
    "CA-ON",
    "America/Toronto",
    "https://www.collegept.org",
    "{:05}",
    ("Toronto", "Ottawa", "Hamilton", "London", "Kingston", "Sudbury", "Thunder Bay"),
    "Independent Practice",
    Taught("Acupuncture for physiotherapists", "Lakeshore Academy", 60, 40, 70, techniques=frozenset({ACU})),
    {
        "learner_classes": frozenset({"Provisional Practice"}),
        "covers": {ACU: frozenset({DRY})},
        "requirements": {ACU: NOTHING, DRY: NOTHING},
    },
    named=frozenset({ACU}),
    renewal=END_OF_MARCH,
    publishes_former_names=True,
)
BRITISH_COLUMBIA = House(
    "ca-bc",
    "College of Health and Care Professionals of British Columbia",
    "CA-BC",
    "America/Vancouver",
    "https://chcpbc.org",
    "{:05}",
    ("Vancouver", "Victoria", "Kelowna", "Prince George", "Nanaimo"),
    "Full",
    Taught("Dry needling and IMS", "Salish Sea Institute", 30, 40, 60, techniques=frozenset({DRY, IMS})),
    {"eligible_classes": frozenset({"Full"}), "requirements": {DRY: CERTIFIED, IMS: CERTIFIED}},
    named=frozenset({DRY, IMS}),
    barred="Provisional",
    renewal=END_OF_MARCH,
    publishes_training=True,
)
UNITED_KINGDOM = House(
    "gb",
    "Health and Care Professions Council",
    "GB",
    "Europe/London",
    "https://www.hcpc-uk.org",
    "PH{:06}",
    ("London", "Leeds", "Bristol", "Cardiff", "Glasgow", "Belfast", "Norwich", "Truro"),
    "Physiotherapist",
    Taught("Acupuncture in physiotherapy", "Albion School", 150, 150, 180, techniques=frozenset({ACU})),
    {
        "covers": {ACU: frozenset({DRY})},
        "requirements": {ACU: asked(hours_total=300, refresher_hours=10, refresher_months=24), DRY: NOTHING},
    },
    named=frozenset({ACU}),
    publishes_former_names=True,
)
AUSTRALIA = House(
    "au",
    "Physiotherapy Board of Australia (AHPRA)",
    "AU",
    "Australia/Sydney",
    "https://www.physiotherapyboard.gov.au",
    "PHY{:010}",
    ("Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide", "Hobart", "Darwin"),
    "General",
    Taught("Dry needling, introductory", "Southern Cross Needling", 8, 16, 24),
    {
        "eligible_classes": frozenset({"General", "Limited"}),
        "requirements": {DRY: NOTHING, ACU: NOTHING},
        "registration_grace_days": 31,
        "authorization_grace_days": 31,
    },
    named=frozenset({DRY}),
    barred="Non-practising",
    renewal=Renewal(month=11, day=30),
    publishes_training=True,
)
NEW_ZEALAND = House(
    "nz",
    "Physiotherapy Board of New Zealand",
    "NZ",
    "Pacific/Auckland",
    "https://www.physioboard.org.nz",
    "70-{:05}",
    ("Auckland", "Wellington", "Christchurch", "Dunedin", "Whangārei", "Tauranga", "Ōamaru"),
    "General scope",
    Taught("Needling for musculoskeletal pain", "Aoraki Manual Therapy", 20, 20, 32),
    {"requirements": {DRY: NOTHING, ACU: NOTHING}},
    named=frozenset({DRY, ACU}),
    renewal=END_OF_MARCH,
)

THERAPIST, ASSISTANT = "Physical Therapist", "Physical Therapist Assistant"


def _state(
    postal: str,
    name: str,
    zone: str,
    cities: tuple[str, ...],
    course: Taught,
    requirement: TrainingRequirement | None,
    **more: Any,
) -> House:
    """A board of one of the United States."""
    rules: dict[str, Any] = {"eligible_classes": frozenset({THERAPIST})}
    rules |= {"needling_permitted": False} if requirement is None else {"requirements": {DRY: requirement}}
    return House(
        f"us-{postal.lower()}",
        name,
        f"US-{postal}",
        zone,
        "https://www.fsbpt.org",
        f"{postal}-PT{{:05}}",
        cities,
        THERAPIST,
        course,
        rules,
        barred=ASSISTANT,
        **more,
    )


def _course(theory: float, practical: float, in_person: float, sessions: int = 0, **more: Any) -> Taught:
    return Taught(
        "Dry needling of trigger points",
        "Continental Seminars",
        theory,
        practical,
        in_person,
        sessions,
        **more,
    )


STATES = (
    _state(
        "AZ",
        "Arizona State Board of Physical Therapy",
        "America/Phoenix",
        ("Phoenix", "Tucson", "Flagstaff"),
        _course(10, 16, 26),
        asked(hours_total=24),
    ),
    _state(
        "CO",
        "Colorado State Physical Therapy Board",
        "America/Denver",
        ("Denver", "Boulder", "Durango"),
        _course(12, 40, 42),
        asked(hours_total=50, hours_in_person=40),
    ),
    _state(
        "DE",
        "Delaware Examining Board of Physical Therapists and Athletic Trainers",
        "America/New_York",
        ("Dover", "Wilmington"),
        _course(14, 40, 54),
        asked(hours_total=54, hours_in_person=54, practice_years=2),
    ),
    _state(
        "FL",
        "Florida Board of Physical Therapy Practice",
        "America/New_York",
        ("Miami", "Tampa", "Tallahassee"),
        _course(14, 40, 54, 25, approved=((YEARS_OF_RULES, None),)),
        asked(hours_in_person=50, supervised_sessions=25, practice_years=2, approved_course=True),
    ),
    _state(
        "GA",
        "Georgia State Board of Physical Therapy",
        "America/New_York",
        ("Atlanta", "Savannah", "Macon"),
        _course(14, 40, 54),
        asked(hours_total=50),
        earlier={
            "eligible_classes": frozenset({THERAPIST}),
            "requirements": {DRY: asked(hours_total=30)},
        },
    ),
    _state(
        "MD",
        "Maryland State Board of Physical Therapy Examiners",
        "America/New_York",
        ("Baltimore", "Annapolis", "Frederick"),
        _course(40, 40, 60, approved=((YEARS_OF_RULES, 3), (2, None))),
        asked(hours_total=80, hours_theory=40, hours_practical=40, approved_course=True),
    ),
    _state(
        "CA",
        "Physical Therapy Board of California",
        "America/Los_Angeles",
        ("Los Angeles", "Fresno", "Sacramento"),
        _course(14, 40, 54),
        None,
    ),
)

HOUSES = {
    house.code: house
    for house in (ALBERTA, ONTARIO, BRITISH_COLUMBIA, UNITED_KINGDOM, AUSTRALIA, NEW_ZEALAND, *STATES)
}
"""By code."""
