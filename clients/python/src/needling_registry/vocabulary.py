"""The register's words. A word that this version does not know yet is kept as it came, and is never a yes."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word of the register's. It compares equal to its text: ``Technique.ACUPUNCTURE == "acupuncture"``.

    Vocabularies may grow. A word from a newer register becomes a member of its kind for which
    :attr:`is_known` is false; it compares equal to its text like every other.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = "NOT_KNOWN"
        word._value_ = value
        return word

    @property
    def is_known(self) -> bool:
        """Whether this version of the client knows the word."""
        return self.name in type(self).__members__


class Technique(Word):
    """A needling technique that a body may authorize. Dry needling is not acupuncture."""

    DRY_NEEDLING = "dry_needling"
    INTRAMUSCULAR_STIMULATION = "intramuscular_stimulation"
    ACUPUNCTURE = "acupuncture"
    ELECTRO_DRY_NEEDLING = "electro_dry_needling"
    ULTRASOUND_GUIDED_NEEDLING = "ultrasound_guided_needling"
    AUTOLOGOUS_BLOOD_INJECTION = "autologous_blood_injection"


class Mode(Word):
    """Whether needles are used on one's own or under another's supervision."""

    INDEPENDENT = "independent"
    SUPERVISED = "supervised"


class Outcome(Word):
    """The answer in one word. Which of them are a yes: :func:`is_yes`."""

    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"
    REGISTRATION_NOT_IN_FORCE = "registration_not_in_force"
    NEEDLING_NOT_PERMITTED = "needling_not_permitted"
    CLASS_NOT_ELIGIBLE = "class_not_eligible"
    TECHNIQUE_NOT_COVERED = "technique_not_covered"
    AUTHORIZATION_NOT_IN_FORCE = "authorization_not_in_force"
    SUPERVISED_ONLY = "supervised_only"
    AUTHORIZED_WITH_CONDITIONS = "authorized_with_conditions"
    AUTHORIZED = "authorized"


def is_yes(outcome: Outcome, mode: Mode) -> bool:
    """Whether an outcome is a yes to a question that was asked for a mode; what is not known here is none."""
    if outcome == Outcome.SUPERVISED_ONLY:
        return mode == Mode.SUPERVISED
    return outcome in (Outcome.AUTHORIZED, Outcome.AUTHORIZED_WITH_CONDITIONS)


class Reason(Word):
    """Why the answer is what it is. An answer lists every reason that applies."""

    NEVER_REGISTERED = "never_registered"
    REGISTRATION_NOT_YET = "registration_not_yet"
    REGISTRATION_IN_GRACE = "registration_in_grace"
    REGISTRATION_SUSPENDED = "registration_suspended"
    REGISTRATION_LAPSED = "registration_lapsed"
    REGISTRATION_REVOKED = "registration_revoked"
    REGISTRATION_SURRENDERED = "registration_surrendered"
    REGISTRATION_UNKNOWN = "registration_unknown"
    REGISTRATION_CONDITIONS = "registration_conditions"
    NEEDLING_NOT_PERMITTED = "needling_not_permitted"
    CLASS_NOT_ELIGIBLE = "class_not_eligible"
    TECHNIQUE_NOT_COVERED = "technique_not_covered"
    LEARNERS_UNDER_SUPERVISION = "learners_under_supervision"
    AUTHORIZATION_NOT_YET = "authorization_not_yet"
    AUTHORIZATION_IN_GRACE = "authorization_in_grace"
    AUTHORIZATION_SUSPENDED = "authorization_suspended"
    AUTHORIZATION_LAPSED = "authorization_lapsed"
    AUTHORIZATION_REVOKED = "authorization_revoked"
    AUTHORIZATION_SURRENDERED = "authorization_surrendered"
    AUTHORIZATION_UNKNOWN = "authorization_unknown"
    AUTHORIZATION_CONDITIONS = "authorization_conditions"
    AUTHORIZATION_SUPERVISED = "authorization_supervised"
    REGIONS_EXCLUDED = "regions_excluded"


class Standing(Word):
    """How a registration or an authorization stands on a day."""

    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    IN_GRACE = "in_grace"
    SUSPENDED = "suspended"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    UNKNOWN = "unknown"


class PracticePermission(Word):
    """What a body's own status word was taken to say of practice."""

    YES = "yes"
    WITH_CONDITIONS = "with_conditions"
    NO = "no"
    UNKNOWN = "unknown"


class DisabledBecause(Word):
    """Why nothing is delivered to a webhook any more."""

    BY_OWNER = "by_owner"
    GONE = "gone"
    EXHAUSTED = "exhausted"
    KEY_NOT_IN_FORCE = "key_not_in_force"


class EventType(Word):
    """What an event of the feed may tell of, and a webhook may be narrowed to. There may be more one day."""

    REGISTRATION_GRANTED = "registration.granted"
    REGISTRATION_RENEWED = "registration.renewed"
    REGISTRATION_SUSPENDED = "registration.suspended"
    REGISTRATION_REINSTATED = "registration.reinstated"
    REGISTRATION_REVOKED = "registration.revoked"
    REGISTRATION_SURRENDERED = "registration.surrendered"
    REGISTRATION_CONDITIONS_SET = "registration.conditions_set"
    REGISTRATION_STATUS_REPORTED = "registration.status_reported"
    REGISTRATION_VOIDED = "registration.voided"
    REGISTRATION_EXPIRING = "registration.expiring"
    REGISTRATION_LAPSED = "registration.lapsed"
    REGISTRATION_TERM_ENDED = "registration.term_ended"
    REGISTRATION_STANDING_UNKNOWN = "registration.standing_unknown"
    REGISTRATION_SUSPENSION_BEGUN = "registration.suspension_begun"
    REGISTRATION_GRACE_BEGUN = "registration.grace_begun"
    REGISTRATION_TERM_BEGUN = "registration.term_begun"
    REGISTRATION_SUSPENSION_OVER = "registration.suspension_over"
    REGISTRATION_SCOPE_CHANGED = "registration.scope_changed"
    AUTHORIZATION_GRANTED = "authorization.granted"
    AUTHORIZATION_RENEWED = "authorization.renewed"
    AUTHORIZATION_SUSPENDED = "authorization.suspended"
    AUTHORIZATION_REINSTATED = "authorization.reinstated"
    AUTHORIZATION_REVOKED = "authorization.revoked"
    AUTHORIZATION_SURRENDERED = "authorization.surrendered"
    AUTHORIZATION_CONDITIONS_SET = "authorization.conditions_set"
    AUTHORIZATION_STATUS_REPORTED = "authorization.status_reported"
    AUTHORIZATION_VOIDED = "authorization.voided"
    AUTHORIZATION_EXPIRING = "authorization.expiring"
    AUTHORIZATION_LAPSED = "authorization.lapsed"
    AUTHORIZATION_TERM_ENDED = "authorization.term_ended"
    AUTHORIZATION_STANDING_UNKNOWN = "authorization.standing_unknown"
    AUTHORIZATION_SUSPENSION_BEGUN = "authorization.suspension_begun"
    AUTHORIZATION_GRACE_BEGUN = "authorization.grace_begun"
    AUTHORIZATION_TERM_BEGUN = "authorization.term_begun"
    AUTHORIZATION_SUSPENSION_OVER = "authorization.suspension_over"
    AUTHORIZATION_SCOPE_CHANGED = "authorization.scope_changed"
    REGISTRATION_RENUMBERED = "registration.renumbered"
    PRACTITIONER_MERGED = "practitioner.merged"
    PRACTITIONER_PARTED = "practitioner.parted"
    BODY_RULES_ADDED = "body.rules_added"
    WEBHOOK_DISABLED = "webhook.disabled"


class WebhookState(Word):
    """Whether events are delivered to a webhook."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryCause(Word):
    """Why a message is sent."""

    EVENT = "event"
    REPLAY = "replay"
    PING = "ping"


class DeliveryOutcome(Word):
    """What came of one attempt: a ``retried`` one failed, and another follows."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    GIVEN_UP = "given_up"
