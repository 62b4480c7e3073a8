"""The closed vocabularies of the register. Values are what the API, the database and exports spell."""

from __future__ import annotations

from enum import StrEnum


class Technique(StrEnum):
    """A needling technique that a body may authorize.

    Dry needling is not acupuncture; whether one authorization covers both is a rule of the body
    (:class:`registry.domain.rules.BodyRules`), never a constant here.
    """

    DRY_NEEDLING = "dry_needling"
    INTRAMUSCULAR_STIMULATION = "intramuscular_stimulation"
    ACUPUNCTURE = "acupuncture"
    ELECTRO_DRY_NEEDLING = "electro_dry_needling"
    ULTRASOUND_GUIDED_NEEDLING = "ultrasound_guided_needling"
    AUTOLOGOUS_BLOOD_INJECTION = "autologous_blood_injection"


class Mode(StrEnum):
    """Whether needles are used on one's own or under another's supervision."""

    INDEPENDENT = "independent"
    SUPERVISED = "supervised"


class SubjectKind(StrEnum):
    """What a decision is about."""

    REGISTRATION = "registration"
    AUTHORIZATION = "authorization"


class DecisionKind(StrEnum):
    """What a regulatory body can decide. See :mod:`registry.domain.timeline` for what each leaves."""

    GRANTED = "granted"
    RENEWED = "renewed"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    CONDITIONS_SET = "conditions_set"
    STATUS_REPORTED = "status_reported"
    VOIDED = "voided"


class PracticePermission(StrEnum):
    """What a source's own status word says of practice. An unmapped word is ``unknown``, never yes or no."""

    YES = "yes"
    WITH_CONDITIONS = "with_conditions"
    NO = "no"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """How a registration or an authorization stands on one day."""

    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    IN_GRACE = "in_grace"
    SUSPENDED = "suspended"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    SURRENDERED = "surrendered"
    UNKNOWN = "unknown"

    @property
    def permits_practice(self) -> bool:
        """Whether the subject is in force on the day. Grace persists the term (e.g. AHPRA, one month)."""
        return self in (Standing.IN_FORCE, Standing.IN_GRACE)


class Outcome(StrEnum):
    """The answer to "may this person needle?", in the order of the ladder, first match wins."""

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


class Reason(StrEnum):
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

    @classmethod
    def of(cls, subject: SubjectKind, standing: Standing) -> Reason | None:
        """The reason that names a standing of a subject; ``None`` for in force, which needs no reason."""
        return None if standing is Standing.IN_FORCE else cls(f"{subject}_{standing}")


class Requirement(StrEnum):
    """What a body's rules may ask before an authorization is granted."""

    REGISTRATION_IN_FORCE = "registration_in_force"
    NEEDLING_PERMITTED = "needling_permitted"
    RULES_KNOWN = "rules_known"
    REGISTER_CLASS = "register_class"
    TECHNIQUE_REGULATED = "technique_regulated"
    HOURS_TOTAL = "hours_total"
    HOURS_THEORY = "hours_theory"
    HOURS_PRACTICAL = "hours_practical"
    HOURS_IN_PERSON = "hours_in_person"
    SUPERVISED_SESSIONS = "supervised_sessions"
    PRACTICE_YEARS = "practice_years"
    EXAMINATION = "examination"
    SAFETY_COMPONENT = "safety_component"
    APPROVED_COURSE = "approved_course"
    REFRESHER_HOURS = "refresher_hours"


class LapseKind(StrEnum):
    """What a registrar must see before anyone is hurt."""

    REGISTRATION_LAPSED = "registration_lapsed"
    AUTHORIZATION_LAPSED = "authorization_lapsed"
    AUTHORIZATION_OUTLASTS_REGISTRATION = "authorization_outlasts_registration"
    REGISTRATION_SUSPENDED = "registration_suspended"
    REFRESHER_DUE = "refresher_due"
    TRAINING_INSUFFICIENT = "training_insufficient"


class LapseState(StrEnum):
    """How far a lapse has come, on a day. See :func:`registry.domain.lapses.state_of`."""

    COMING = "coming"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Turning(StrEnum):
    """What a day brings by time alone. See :mod:`registry.domain.announcements`."""

    EXPIRING = "expiring"
    LAPSED = "lapsed"
    TERM_ENDED = "term_ended"
    STANDING_UNKNOWN = "standing_unknown"
    SUSPENSION_BEGUN = "suspension_begun"
    GRACE_BEGUN = "grace_begun"
    TERM_BEGUN = "term_begun"
    SUSPENSION_OVER = "suspension_over"
    SCOPE_CHANGED = "scope_changed"


class NameKind(StrEnum):
    """What a name is to its bearer. Only the published one is public, unless the body publishes more."""

    PUBLISHED = "published"
    LEGAL = "legal"
    FORMER = "former"


class AmendmentSubject(StrEnum):
    """What a registrar may correct in place, each correction recorded with what was there before."""

    BODY = "body"
    PRACTITIONER = "practitioner"
    REGISTRATION = "registration"
    COURSE = "course"
    TRAINING = "training"
