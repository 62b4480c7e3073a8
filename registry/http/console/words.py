"""What the register's words are in the console. A word that is not here is shown as it is spelt.

So whatever is added to a vocabulary, or to a schema, has a name at once, and may be given a better one here.
"""

from __future__ import annotations

from collections.abc import Mapping

from registry.domain.vocabulary import DecisionKind, Outcome, Standing, Technique

FIELD_WORDS: Mapping[str, str] = {
    "effective_on": "Takes effect on",
    "through": "Last day",
    "register_class": "Class of the register",
    "excluded_regions": "Parts of the body that are excluded",
    "override_reason": "Why unmet requirements are passed over",
    "private_note": "Private note",
    "status": "Status as the source words it",
    "word": "The word",
    "practice": "Does it permit practice?",
    "leaves": "It leaves the registration or authorization",
    "mode": "Needles are used",
    "withheld": "Do not publish the words",
    "number": "Registration number",
    "full_name": "Name in full",
    "given": "Given names",
    "family": "Family name",
    "previous_becomes": "The published name, if it is replaced, becomes",
    "hours_theory": "Hours of theory",
    "hours_practical": "Hours of practice",
    "hours_in_person": "Hours in person",
    "examination_passed": "Passed a final examination",
    "safety_component": "Had a part on safety",
    "course_id": "Course",
    "approvals": "Approved",
    "first_day": "First day",
    "last_day": "Last day",
    "completed_on": "Completed on",
    "names": "Names",
}
HINTS: Mapping[str, str] = {
    "conditions": "In the body’s own words, one in each. Empty ones are left out.",
    "excluded_regions": "One on each line.",
    "languages": "Tags such as en or pt-BR, one on each line, the preferred one first.",
    "private_note": "Never shown to the public.",
    "reason": "Kept, and shown to staff alone.",
    "register_class": "As the body’s rules spell it.",
    "previous_becomes": "If nothing is chosen, it is ended.",
    "full_name": "As its bearer writes it; made of the parts, if left empty.",
    "effective_on": "The first day on which it holds, in the body’s time zone.",
}
VALUE_WORDS: Mapping[str, str] = {
    "independent": "On their own",
    "supervised": "Under supervision",
    Technique.INTRAMUSCULAR_STIMULATION.value: "Intramuscular stimulation (IMS)",
    Technique.ULTRASOUND_GUIDED_NEEDLING.value: "Needling guided by ultrasound",
    Technique.ELECTRO_DRY_NEEDLING.value: "Dry needling with electric current",
}
VERBS: Mapping[str, str] = {
    DecisionKind.GRANTED.value: "Grant",
    DecisionKind.RENEWED.value: "Renew",
    DecisionKind.SUSPENDED.value: "Suspend",
    DecisionKind.REINSTATED.value: "Lift the suspension",
    DecisionKind.REVOKED.value: "Revoke",
    DecisionKind.SURRENDERED.value: "Surrender",
    DecisionKind.CONDITIONS_SET.value: "Set conditions or scope",
    DecisionKind.STATUS_REPORTED.value: "Report a status",
    DecisionKind.VOIDED.value: "Void",
}
DECIDED: Mapping[str, str] = {
    DecisionKind.REINSTATED.value: "Suspension lifted",
    DecisionKind.CONDITIONS_SET.value: "Conditions or scope set",
    DecisionKind.STATUS_REPORTED.value: "Status reported",
}
OUTCOMES: Mapping[str, str] = {
    Outcome.AUTHORIZED.value: "Authorized",
    Outcome.AUTHORIZED_WITH_CONDITIONS.value: "Authorized, with conditions",
    Outcome.SUPERVISED_ONLY.value: "Only under supervision",
    Outcome.TECHNIQUE_NOT_COVERED.value: "Not covered by an authorization",
    Outcome.UNKNOWN.value: "Cannot be told",
}
TONES: Mapping[str, str] = {
    Standing.IN_FORCE.value: "yes",
    Standing.IN_GRACE.value: "soon",
    Standing.SUSPENDED.value: "no",
    Standing.LAPSED.value: "no",
    Standing.REVOKED.value: "no",
    Standing.SURRENDERED.value: "quiet",
    Standing.NOT_YET.value: "quiet",
    Standing.UNKNOWN.value: "soon",
}
"""Of standings, as the marks of the console know them."""


def as_words(known: Mapping[str, str], word: object) -> str:
    """A word as people read it, with a capital."""
    spelt = str(word)
    said = known.get(spelt) or spelt.replace("_", " ")
    return said[:1].upper() + said[1:]


def techniques_in_words(techniques: frozenset[Technique]) -> str:
    """Techniques, one after the other."""
    return ", ".join(as_words(VALUE_WORDS, technique) for technique in sorted(techniques))
