# ruff: noqa: RUF001 - letters that look like others are what these names are about
"""Who is in the demonstration: a few whose numbers are worth remembering, and a crowd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from registry.domain.vocabulary import NameKind, Outcome
from registry.store.people import NewName

from . import stories
from .bodies import ALBERTA, AUSTRALIA, HOUSES, House
from .names import crowd_names
from .telling import Story


@dataclass(frozen=True, slots=True)
class Part:
    """One registration of a person: with which body, under which number, and what happened to it.

    :param position: makes the story a little different.
    :param trained: hours of the body's course that were really taken, of all; 0 for none at all.
    """

    house: House
    number: str
    city: str | None
    story: Story
    position: int
    trained: float = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A person.

    :param married: the published name taken a year ago, the one before becoming a former name.
    :param duplicate: the spelling under which the last of the registrations was first recorded as
        another person's; the two records were merged.
    """

    names: Sequence[NewName]
    parts: Sequence[Part]
    languages: Sequence[str] = ()
    withheld: bool = False
    married: NewName | None = None
    duplicate: str | None = None


@dataclass(frozen=True, slots=True)
class Showcase:
    """A registration to look at: where, what it shows, and the answer about dry needling today."""

    body: str
    number: str
    shows: str
    outcome: Outcome


S, O = stories, Outcome  # noqa: E741 - the table below is read across
NOT_IN_FORCE = Outcome.REGISTRATION_NOT_IN_FORCE
NEEDLING_NOT_IN_FORCE = Outcome.AUTHORIZATION_NOT_IN_FORCE

IN_ALBERTA: tuple[tuple[str, Story, Outcome], ...] = (
    ("Ingrid Hollowbridge", S.in_force, O.AUTHORIZED),
    ("Mateus Brandão", S.with_condition, O.AUTHORIZED_WITH_CONDITIONS),
    ("Wren Larkspence", S.lapsed_35_days, NOT_IN_FORCE),
    ("Declan O'Shea", S.suspended, NOT_IN_FORCE),
    ("Çağrı Demirışık", S.needling_suspended, NEEDLING_NOT_IN_FORCE),
    ("Percival Thistlemoor", S.revoked, NOT_IN_FORCE),
    ("Oddný Örlygsdóttir", S.surrendered, NOT_IN_FORCE),
    ("Kelechi Ezeanyanwụ", S.without_needling, O.SUPERVISED_ONLY),
    ("Anjali Venkatagiri", S.barred_class, O.CLASS_NOT_ELIGIBLE),
    ("Stanisław Łękawa", S.registered_ahead, NOT_IN_FORCE),
    ("Rosalind Fenwillow", S.needling_ahead, O.SUPERVISED_ONLY),
    ("Yousef al-Qamari", S.reinstated_after_expiry, NOT_IN_FORCE),
    ("Élodie Saint-Onge", S.with_gap, O.AUTHORIZED),
    ("Bjørn Ødemark", S.backdated_suspension, O.AUTHORIZED),
    ("Shirin Kuhestāni", S.suspended_by_mistake, O.AUTHORIZED),
    ("Harriet Quillfeather", S.in_force, O.AUTHORIZED),
    ("Taras Dubrovyi", S.supervised, O.SUPERVISED_ONLY),
    ("Keʻalohi Pūlehunui", S.without_thorax, O.AUTHORIZED_WITH_CONDITIONS),
    ("Olga Anemogiannis", S.ultrasound_only, O.TECHNIQUE_NOT_COVERED),
    ("Nuño Ibáñez Luarca", S.needling_revoked, NEEDLING_NOT_IN_FORCE),
    ("Dörte Großweber", S.needling_surrendered, NEEDLING_NOT_IN_FORCE),
    ("Tavita Seiuli-Vaega", S.expires_in_a_week, O.AUTHORIZED),
    ("Đặnghữu Thảo", S.last_day, O.AUTHORIZED),
    ("Do-yun Seonu", S.lapsed_yesterday, NOT_IN_FORCE),
    ("Ambrose McAllardyce", S.lapsed_under_suspension, NOT_IN_FORCE),
    ("Tsukimori Yūko", S.unread_status, O.UNKNOWN),
    ("Suhartika", S.unread_needling_status, O.UNKNOWN),
    ("Magdaléna Soukenická", S.with_ultrasound, O.AUTHORIZED),
    ("Nadia Sarrāf-Hadi", S.with_withheld_condition, O.AUTHORIZED_WITH_CONDITIONS),
    ("Winifred Mavrolithos", S.suspension_ahead, O.AUTHORIZED),
)
"""Alberta's PT-10001, PT-10002 and so on, in this order."""

FIRST_OF_ALBERTA = 10_001
WITHHELD, DUPLICATE = "Harriet Quillfeather", "Magdaléna Soukenická"
MARRIED = {
    "Rosalind Fenwillow": "Rosalind Thistlemoor",
    "Guðrún Bjarkason": "Guðrún Völudóttir",
    "Grażyna Żurkowicz": "Grażyna Wiśniokowska-Żurkowicz",
}
"""Who took another name a year ago; the first with a body that does not publish former names."""


def showcases() -> Iterator[Showcase]:
    """What there is to look at first."""
    for position, (name, story, outcome) in enumerate(IN_ALBERTA):
        shows = " ".join((story.__doc__ or "").split())
        if name == WITHHELD:
            shows = "The record is withheld for the person's safety: no name, but an answer."
        yield Showcase(ALBERTA.code, ALBERTA.number.format(FIRST_OF_ALBERTA + position), shows, outcome)
    yield Showcase("au", AUSTRALIA.number.format(1), "In the month of grace.", O.AUTHORIZED)
    yield Showcase("us-ca", "CA-PT00001", "Where the act is permitted to nobody.", O.NEEDLING_NOT_PERMITTED)
    for code in ("ca-on", "ca-bc"):
        yield Showcase(code, "10001", "One number, two bodies, two people.", O.AUTHORIZED)


def the_cast() -> list[Member]:
    """Everyone, in an order that never changes."""
    known = [_known(position, name, story) for position, (name, story, _) in enumerate(IN_ALBERTA)]
    named = [*known, *_abroad()]
    taken = {name.full_name for member in named for name in member.names}
    return [*named, *_crowd(called for called in crowd_names() if called[0][0].full_name not in taken)]


def _known(position: int, name: str, story: Story) -> Member:
    city = ALBERTA.cities[position % len(ALBERTA.cities)]
    number = ALBERTA.number.format(FIRST_OF_ALBERTA + position)
    parts = [Part(ALBERTA, number, city, story, position)]
    if name == DUPLICATE:
        parts.append(Part(HOUSES["ca-bc"], "20001", "Victoria", stories.in_force, position))
    return Member(
        [_named(name)],
        parts,
        withheld=name == WITHHELD,
        married=_married(name),
        duplicate="Magdalena Soukenicka" if name == DUPLICATE else None,
    )


def _abroad() -> Iterator[Member]:
    """People with more than one body, people who share a number, and the grace of Australia."""
    grace = Part(AUSTRALIA, AUSTRALIA.number.format(1), "Hobart", stories.in_grace, 3)
    yield Member([_named("Tūī Te Kōwhai")], [grace], ["en", "mi"])
    needling = Part(AUSTRALIA, AUSTRALIA.number.format(2), "Perth", stories.needling_in_grace, 4)
    yield Member([_named("Lupe Matāutia")], [needling], ["en", "sm"])
    nobody = Part(HOUSES["us-ca"], "CA-PT00001", "Fresno", stories.without_needling, 1)
    yield Member([_named("Obinna Okpalaeke")], [nobody])
    for code, name in (("ca-on", "Loïc Bélair"), ("ca-bc", "Chiamaka Nwaọkwu")):
        house = HOUSES[code]
        yield Member([_named(name)], [Part(house, "10001", house.cities[0], stories.in_force, 2)])
    yield from _travellers()


def _travellers() -> Iterator[Member]:
    several: tuple[tuple[str, tuple[tuple[str, str, Story], ...]], ...] = (
        ("Guðrún Bjarkason", (("ca-on", "30001", S.in_force), ("gb", "PH300001", S.suspended))),
        ("Simão Gonçalvinho", (("gb", "PH300002", S.in_force), ("nz", "70-30002", S.revoked))),
        ("Oleksandra Kalynchuk", (("nz", "70-30003", S.lapsed), ("au", "PHY0000030003", S.in_force))),
        (
            "María José Peñalver",
            (
                ("us-az", "AZ-PT30004", S.in_force),
                ("us-co", "CO-PT30004", S.surrendered),
                ("us-ca", "CA-PT30004", S.without_needling),
            ),
        ),
        ("Bahrām Daryābandi", (("us-fl", "FL-PT30005", S.in_force), ("us-ga", "GA-PT30005", S.in_force))),
        ("Grażyna Żurkowicz", (("ca-bc", "30006", S.without_needling), ("ca-on", "30006", S.lapsed))),
    )
    for position, (name, parts) in enumerate(several):
        yield Member(
            [_named(name)],
            [Part(HOUSES[code], number, HOUSES[code].cities[-1], s, position) for code, number, s in parts],
            married=_married(name),
        )


def _married(name: str) -> NewName | None:
    return _named(MARRIED[name]) if name in MARRIED else None


def _named(full_name: str, kind: NameKind = NameKind.PUBLISHED) -> NewName:
    given, _, family = full_name.partition(" ")
    return NewName(kind, full_name, given if family else None, family or given)


CROWD = {
    "ca-ab": 26,
    "ca-on": 50,
    "ca-bc": 34,
    "gb": 52,
    "au": 46,
    "nz": 34,
    **dict.fromkeys(("us-az", "us-co", "us-de", "us-fl", "us-ga", "us-md"), 12),
    "us-ca": 10,
}
"""How many more each body registers."""

COMMON: tuple[Story, ...] = (S.in_force, S.in_force, S.in_force, S.without_needling)
"""What most of them live through; between them comes one of the others in turn."""

OTHERS: tuple[Story, ...] = (
    *(S.lapsed, S.suspended, S.with_condition, S.needling_lapsed, S.expires_soon, S.barred_class),
    *(S.revoked, S.without_thorax, S.both_lapsed, S.needling_suspended, S.supervised, S.surrendered),
    *(S.registered_ahead, S.with_registration_condition, S.unread_status, S.suspension_over),
    *(S.needling_revoked, S.with_gap, S.needling_ahead, S.overridden, S.reinstated, S.lapsed_yesterday),
    *(S.with_withheld_condition, S.needling_surrendered, S.lapsed_under_suspension, S.expires_in_a_week),
    *(S.unread_needling_status, S.granted_again, S.backdated_suspension, S.suspended_by_mistake),
    *(S.reinstated_after_expiry, S.suspended_until_further_notice, S.last_day, S.reported_inactive),
)

OF_A_BODY: dict[str, tuple[Story, ...]] = {
    "au": (S.in_grace, S.needling_in_grace),
    "ca-bc": (S.needling_only_dry,),
    "ca-ab": (S.with_ultrasound,),
}
"""What only some bodies' rules make room for."""

HALF_TRAINED = {"us-ga": (1, 5)}
"""Who (by position) was authorized when the body asked for less training."""


EVERY_THIRD = 3
HALF = 0.6


def _crowd(names: Iterator[tuple[list[NewName], str]]) -> Iterator[Member]:
    others = cycle(OTHERS)
    for code, size in CROWD.items():
        own = iter(OF_A_BODY.get(code, ()))
        for position in range(size):
            story = COMMON[position % len(COMMON)]
            if position % EVERY_THIRD == EVERY_THIRD - 1:
                story = next(own, None) or next(others)
            yield _one(HOUSES[code], position, story, next(names))


def _one(house: House, position: int, story: Story, called: tuple[list[NewName], str]) -> Member:
    names, language = called
    trained = 1.0
    if position in HALF_TRAINED.get(house.code, ()):
        story, trained = stories.in_force, HALF
    if story is stories.overridden:
        trained = 0
    if not house.rules.get("needling_permitted", True):
        story = story if story in (S.registered_ahead, S.barred_class) else stories.without_needling
    city = house.cities[position * 3 % len(house.cities)] if position % 11 else None
    part = Part(house, house.number.format(50_001 + position * 7), city, story, position + 2, trained)
    spoken = [language] if language == "en" else ["en", language]
    return Member(names, [part], spoken, withheld=position % 29 == 28)
