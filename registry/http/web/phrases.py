"""The words for the register's vocabularies, in English; the catalogs have them in the other languages.

Every word of a vocabulary has its phrase here (tests/web/test_phrases.py): one that is added without fails
the tests and never reaches a patient as a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from registry.domain.vocabulary import (
    DecisionKind,
    Mode,
    Outcome,
    Reason,
    Standing,
    SubjectKind,
    Technique,
    Turning,
)

from .speech import phrase


class When(StrEnum):
    """A day, as seen from the body's today."""

    PAST = "past"
    TODAY = "today"
    AHEAD = "ahead"


class Tone(StrEnum):
    """What the answer comes to: its first word, its sign and, only besides, its colour."""

    YES = "yes"
    CONDITIONS = "conditions"
    SUPERVISED = "supervised"
    UNKNOWN = "unknown"
    NO = "no"


TONES: Mapping[Outcome, Tone] = {
    Outcome.AUTHORIZED: Tone.YES,
    Outcome.AUTHORIZED_WITH_CONDITIONS: Tone.CONDITIONS,
    Outcome.SUPERVISED_ONLY: Tone.SUPERVISED,
    Outcome.UNKNOWN: Tone.UNKNOWN,
    Outcome.NOT_FOUND: Tone.NO,
    Outcome.REGISTRATION_NOT_IN_FORCE: Tone.NO,
    Outcome.NEEDLING_NOT_PERMITTED: Tone.NO,
    Outcome.CLASS_NOT_ELIGIBLE: Tone.NO,
    Outcome.TECHNIQUE_NOT_COVERED: Tone.NO,
    Outcome.AUTHORIZATION_NOT_IN_FORCE: Tone.NO,
}

FIRST_WORDS: Mapping[Tone, str] = {
    Tone.YES: phrase("Yes."),
    Tone.CONDITIONS: phrase("Yes, with conditions."),
    Tone.SUPERVISED: phrase("Only under supervision."),
    Tone.UNKNOWN: phrase("We cannot tell."),
    Tone.NO: phrase("No."),
}

SENTENCES: Mapping[tuple[Tone, When], str] = {
    (Tone.YES, When.PAST): phrase(
        "On %(day)s, %(who)s was authorized to use needles on their own for: %(techniques)s."
    ),
    (Tone.YES, When.TODAY): phrase(
        "Today %(who)s is authorized to use needles on their own for: %(techniques)s."
    ),
    (Tone.YES, When.AHEAD): phrase(
        "On %(day)s, as far as is known today, %(who)s will be authorized to use needles on their own for:"
        " %(techniques)s."
    ),
    (Tone.SUPERVISED, When.PAST): phrase(
        "On %(day)s, %(who)s was allowed to use needles only while someone authorized"
        " supervised, for: %(techniques)s."
    ),
    (Tone.SUPERVISED, When.TODAY): phrase(
        "Today %(who)s may use needles only while someone authorized supervises, for: %(techniques)s."
    ),
    (Tone.SUPERVISED, When.AHEAD): phrase(
        "On %(day)s, as far as is known today, %(who)s may use needles only while someone"
        " authorized supervises, for:"
        " %(techniques)s."
    ),
    (Tone.UNKNOWN, When.PAST): phrase(
        "The register does not say whether %(who)s was authorized to use needles on %(day)s"
        " for: %(techniques)s."
    ),
    (Tone.UNKNOWN, When.TODAY): phrase(
        "The register does not say whether %(who)s is authorized to use needles today for: %(techniques)s."
    ),
    (Tone.UNKNOWN, When.AHEAD): phrase(
        "The register does not say whether %(who)s will be authorized to use needles on %(day)s"
        " for: %(techniques)s."
    ),
    (Tone.NO, When.PAST): phrase(
        "On %(day)s, %(who)s was not authorized to use needles for: %(techniques)s."
    ),
    (Tone.NO, When.TODAY): phrase("Today %(who)s is not authorized to use needles for: %(techniques)s."),
    (Tone.NO, When.AHEAD): phrase(
        "On %(day)s, as far as is known today, %(who)s will not be authorized to use needles"
        " for: %(techniques)s."
    ),
}
"""For :attr:`Tone.CONDITIONS`, those of :attr:`Tone.YES`: what it adds is said by the conditions."""

AT_ALL: Mapping[tuple[Tone, When], str] = {
    (Tone.NO, When.PAST): phrase("On %(day)s, %(who)s was not authorized to use needles."),
    (Tone.NO, When.TODAY): phrase("Today %(who)s is not authorized to use needles."),
    (Tone.NO, When.AHEAD): phrase(
        "On %(day)s, as far as is known today, %(who)s will not be authorized to use needles."
    ),
    (Tone.UNKNOWN, When.PAST): phrase(
        "The register does not say whether %(who)s was authorized to use needles on %(day)s."
    ),
    (Tone.UNKNOWN, When.TODAY): phrase(
        "The register does not say whether %(who)s is authorized to use needles today."
    ),
    (Tone.UNKNOWN, When.AHEAD): phrase(
        "The register does not say whether %(who)s will be authorized to use needles on %(day)s."
    ),
}
"""Where the same holds of every technique."""

NOT_COVERED = phrase("%(body)s has given no authorization for this.")
NEVER_REGISTERED = phrase("%(body)s has never registered the number %(number)s.")

HOLDS: Mapping[bool, str] = {
    True: phrase("As far as is known today, this answer holds until the end of %(day)s (%(place)s time)."),
    False: phrase("As far as is known today, this answer has no end date."),
}
"""By whether an end is known."""

EASY: Mapping[tuple[Tone, bool], str] = {
    (Tone.YES, True): phrase("%(who)s is allowed to use needles today."),
    (Tone.CONDITIONS, True): phrase("%(who)s is allowed to use needles today. But there are rules to keep."),
    (Tone.SUPERVISED, True): phrase(
        "%(who)s is not allowed to use needles alone today. Another person must watch and help."
    ),
    (Tone.UNKNOWN, True): phrase("We do not know if %(who)s is allowed to use needles today."),
    (Tone.NO, True): phrase("%(who)s is not allowed to use needles today."),
    (Tone.YES, False): phrase("The answer for %(day)s: %(who)s is allowed to use needles."),
    (Tone.CONDITIONS, False): phrase(
        "The answer for %(day)s: %(who)s is allowed to use needles. But there are rules to keep."
    ),
    (Tone.SUPERVISED, False): phrase(
        "The answer for %(day)s: %(who)s is not allowed to use needles alone. Another person"
        " must watch and help."
    ),
    (Tone.UNKNOWN, False): phrase(
        "The answer for %(day)s: we do not know if %(who)s is allowed to use needles."
    ),
    (Tone.NO, False): phrase("The answer for %(day)s: %(who)s is not allowed to use needles."),
}
"""By tone, and whether the day is today."""

EASY_LISTS: Mapping[Tone, str] = {
    Tone.YES: phrase("%(who)s is allowed to do this:"),
    Tone.CONDITIONS: phrase("%(who)s is allowed to do this, but there are rules to keep:"),
    Tone.SUPERVISED: phrase("%(who)s is allowed to do this only when another person watches and helps:"),
    Tone.UNKNOWN: phrase("We do not know if %(who)s is allowed to do this:"),
    Tone.NO: phrase("%(who)s is not allowed to do this:"),
}
"""Before the techniques that are meant, where the answers differ."""

EASY_ADVICE: Mapping[Tone, str] = {
    Tone.YES: phrase("You decide. You can always say no to needles."),
    Tone.CONDITIONS: phrase("Read the rules on this page. You can always say no to needles."),
    Tone.SUPERVISED: phrase("Ask: who will watch? If nobody watches, say no."),
    Tone.UNKNOWN: phrase("Do not let them use needles. First ask the people who keep this list."),
    Tone.NO: phrase("Do not let them use needles. You can ask for another treatment."),
}

TECHNIQUES: Mapping[Technique, str] = {
    Technique.DRY_NEEDLING: phrase("dry needling"),
    Technique.INTRAMUSCULAR_STIMULATION: phrase("intramuscular stimulation (IMS)"),
    Technique.ACUPUNCTURE: phrase("acupuncture"),
    Technique.ELECTRO_DRY_NEEDLING: phrase("dry needling with electric current"),
    Technique.ULTRASOUND_GUIDED_NEEDLING: phrase("needling guided by ultrasound"),
    Technique.AUTOLOGOUS_BLOOD_INJECTION: phrase("injection of the patient’s own blood"),
}

MODES: Mapping[Mode, str] = {
    Mode.INDEPENDENT: phrase("on their own"),
    Mode.SUPERVISED: phrase("only under supervision"),
}

LISTED: Mapping[Tone, str] = {
    Tone.YES: phrase("May use needles on their own"),
    Tone.CONDITIONS: phrase("May use needles on their own, with conditions"),
    Tone.SUPERVISED: phrase("May use needles only under supervision"),
}
"""Of those who are authorized, in a list."""

STANDINGS: Mapping[Standing, str] = {
    Standing.NOT_YET: phrase("not begun"),
    Standing.IN_FORCE: phrase("in force"),
    Standing.IN_GRACE: phrase("in force, in the days of grace after its last day"),
    Standing.SUSPENDED: phrase("suspended"),
    Standing.LAPSED: phrase("ended and not renewed"),
    Standing.REVOKED: phrase("taken away by the regulatory body"),
    Standing.SURRENDERED: phrase("given up by its holder"),
    Standing.UNKNOWN: phrase("not known"),
}

REASONS: Mapping[Reason, tuple[str, str]] = {
    Reason.NEVER_REGISTERED: (NEVER_REGISTERED, NEVER_REGISTERED),
    Reason.REGISTRATION_NOT_YET: (
        phrase("The registration began only on %(day)s."),
        phrase("The registration begins only on %(day)s."),
    ),
    Reason.REGISTRATION_IN_GRACE: (
        phrase(
            "The last day of the registration was %(day)s. It still holds, in the days of grace after it."
        ),
        phrase("The last day of the registration is %(day)s. It still holds in the days of grace after it."),
    ),
    Reason.REGISTRATION_SUSPENDED: (
        phrase("The registration was suspended on %(day)s."),
        phrase("The registration will be suspended on %(day)s."),
    ),
    Reason.REGISTRATION_LAPSED: (
        phrase("The registration ended on %(day)s."),
        phrase("The registration ends on %(day)s, and no renewal is recorded."),
    ),
    Reason.REGISTRATION_REVOKED: (
        phrase("%(body)s took the registration away on %(day)s."),
        phrase("%(body)s will take the registration away on %(day)s."),
    ),
    Reason.REGISTRATION_SURRENDERED: (
        phrase("The holder gave the registration up on %(day)s."),
        phrase("The holder will give the registration up on %(day)s."),
    ),
    Reason.REGISTRATION_UNKNOWN: (
        phrase("How the registration stands is not known."),
        phrase("How the registration will stand is not known."),
    ),
    Reason.REGISTRATION_CONDITIONS: (
        phrase("There are conditions on the registration."),
        phrase("There are conditions on the registration."),
    ),
    Reason.NEEDLING_NOT_PERMITTED: (
        phrase("Where %(body)s keeps the register, no physiotherapist may use needles."),
        phrase("Where %(body)s keeps the register, no physiotherapist may use needles."),
    ),
    Reason.CLASS_NOT_ELIGIBLE: (
        phrase("The rules of %(body)s do not allow needles in this class of registration: %(class)s."),
        phrase("The rules of %(body)s do not allow needles in this class of registration: %(class)s."),
    ),
    Reason.TECHNIQUE_NOT_COVERED: (
        phrase("%(body)s has given no authorization for: %(techniques)s."),
        phrase("%(body)s has given no authorization for: %(techniques)s."),
    ),
    Reason.LEARNERS_UNDER_SUPERVISION: (
        phrase("The rules of %(body)s let them learn it while someone authorized supervises."),
        phrase("The rules of %(body)s let them learn it while someone authorized supervises."),
    ),
    Reason.AUTHORIZATION_NOT_YET: (
        phrase("The authorization for %(techniques)s began only on %(day)s."),
        phrase("The authorization for %(techniques)s begins only on %(day)s."),
    ),
    Reason.AUTHORIZATION_IN_GRACE: (
        phrase(
            "The last day of the authorization for %(techniques)s was %(day)s. It still holds, in"
            " the days of grace"
            " after it."
        ),
        phrase(
            "The last day of the authorization for %(techniques)s is %(day)s. It still holds in"
            " the days of grace"
            " after it."
        ),
    ),
    Reason.AUTHORIZATION_SUSPENDED: (
        phrase("The authorization for %(techniques)s was suspended on %(day)s."),
        phrase("The authorization for %(techniques)s will be suspended on %(day)s."),
    ),
    Reason.AUTHORIZATION_LAPSED: (
        phrase("The authorization for %(techniques)s ended on %(day)s."),
        phrase("The authorization for %(techniques)s ends on %(day)s, and no renewal is recorded."),
    ),
    Reason.AUTHORIZATION_REVOKED: (
        phrase("%(body)s took the authorization for %(techniques)s away on %(day)s."),
        phrase("%(body)s will take the authorization for %(techniques)s away on %(day)s."),
    ),
    Reason.AUTHORIZATION_SURRENDERED: (
        phrase("The holder gave the authorization for %(techniques)s up on %(day)s."),
        phrase("The holder will give the authorization for %(techniques)s up on %(day)s."),
    ),
    Reason.AUTHORIZATION_UNKNOWN: (
        phrase("How the authorization for %(techniques)s stands is not known."),
        phrase("How the authorization for %(techniques)s will stand is not known."),
    ),
    Reason.AUTHORIZATION_CONDITIONS: (
        phrase("There are conditions on the authorization for %(techniques)s."),
        phrase("There are conditions on the authorization for %(techniques)s."),
    ),
    Reason.AUTHORIZATION_SUPERVISED: (
        phrase(
            "The authorization for %(techniques)s allows needles only while someone authorized supervises."
        ),
        phrase(
            "The authorization for %(techniques)s allows needles only while someone authorized supervises."
        ),
    ),
    Reason.REGIONS_EXCLUDED: (
        phrase("Some parts of the body are excluded."),
        phrase("Some parts of the body are excluded."),
    ),
}
"""Why, by whether what the reason rests on has come by today, or lies ahead."""

UNDATED: Mapping[Reason, str] = {
    Reason.REGISTRATION_NOT_YET: phrase("The registration has not begun."),
    Reason.REGISTRATION_LAPSED: phrase("%(body)s reports that the registration has lapsed."),
    Reason.AUTHORIZATION_NOT_YET: phrase("The authorization for %(techniques)s has not begun."),
    Reason.AUTHORIZATION_LAPSED: phrase(
        "%(body)s reports that the authorization for %(techniques)s has lapsed."
    ),
}
"""Where the register cannot give the day."""

EVENTS: Mapping[DecisionKind | Turning, str] = {
    DecisionKind.GRANTED: phrase("%(subject)s: granted from %(day)s."),
    DecisionKind.RENEWED: phrase("%(subject)s: renewed from %(day)s."),
    DecisionKind.SUSPENDED: phrase("%(subject)s: suspended from %(day)s."),
    DecisionKind.REINSTATED: phrase("%(subject)s: suspension lifted from %(day)s."),
    DecisionKind.REVOKED: phrase("%(subject)s: taken away from %(day)s."),
    DecisionKind.SURRENDERED: phrase("%(subject)s: given up from %(day)s."),
    DecisionKind.CONDITIONS_SET: phrase("%(subject)s: other terms from %(day)s."),
    DecisionKind.STATUS_REPORTED: phrase("%(subject)s: another status reported from %(day)s."),
    DecisionKind.VOIDED: phrase("%(subject)s: a decision with effect from %(day)s was taken back."),
    Turning.EXPIRING: phrase("%(subject)s: it will end soon, and no renewal is recorded (told on %(day)s)."),
    Turning.LAPSED: phrase("%(subject)s: ended and not renewed, from %(day)s."),
    Turning.TERM_ENDED: phrase("%(subject)s: ended from %(day)s."),
    Turning.STANDING_UNKNOWN: phrase("%(subject)s: how it stands is not known from %(day)s."),
    Turning.SUSPENSION_BEGUN: phrase("%(subject)s: suspended from %(day)s."),
    Turning.GRACE_BEGUN: phrase("%(subject)s: its last day is over; days of grace from %(day)s."),
    Turning.TERM_BEGUN: phrase("%(subject)s: in force from %(day)s."),
    Turning.SUSPENSION_OVER: phrase("%(subject)s: the suspension is over from %(day)s."),
    Turning.SCOPE_CHANGED: phrase("%(subject)s: other terms from %(day)s."),
}
SUBJECTS: Mapping[SubjectKind, str] = {
    SubjectKind.REGISTRATION: phrase("Registration"),
    SubjectKind.AUTHORIZATION: phrase("Authorization to use needles"),
}
OTHER_EVENT = phrase("The entry was changed with effect from %(day)s.")

BADGE: Mapping[Tone, str] = {
    Tone.YES: phrase("Yes, authorized today"),
    Tone.CONDITIONS: phrase("Yes, with conditions"),
    Tone.SUPERVISED: phrase("Only under supervision"),
    Tone.UNKNOWN: phrase("Cannot tell: ask"),
    Tone.NO: phrase("Not authorized today"),
}
SIGNS: Mapping[Tone, str] = {
    Tone.YES: "✓",
    Tone.CONDITIONS: "✓",
    Tone.SUPERVISED: "!",
    Tone.UNKNOWN: "?",
    Tone.NO: "✕",
}
