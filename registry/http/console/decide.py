"""Decisions by hand, in two steps: what is wished, what it would do, and only then recorded.

Which kinds there are, and what each asks for, is read off the schemas of the API. What is shown before a
decision is recorded is made by the very services that record it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import request
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.timeline import Span
from registry.domain.verdict import Verdict, is_yes
from registry.domain.vocabulary import DecisionKind, Mode
from registry.errors import Invalid, NotFound
from registry.http.access import current_principal
from registry.http.admin.decision_schemas import (
    RECORDED_KINDS,
    SCOPE,
    NewAuthorizationDecisionSchema,
    NewGrantSchema,
    NewRegistrationDecisionSchema,
    VoidSchema,
)
from registry.http.admin.registrations import held_record
from registry.http.auditing import sees_withheld
from registry.http.fields import Instant, QuerySchema, RequestSchema, Text, Word, instant_text
from registry.http.requests import load
from registry.services.booked_checks import ClinicTouched, clinics_touched
from registry.services.decisions import NEW, Draft, record_decisions
from registry.services.wishes import (
    Consequence,
    Preview,
    Wish,
    drafts_of,
    preview,
    registration_with_decision,
    void_draft,
)
from registry.store.amendments import Amendment, list_amendments
from registry.store.records import RecordedDecision, RegistrationRecord

from .asking import Form, document_of, form_of, loaded, merged, typed_pairs, without_rules
from .drawing import authorization_name, decided, scope_words
from .forms import current_form
from .pages import Done, Shown, action, done, page, show
from .person import name_of
from .rendering import link
from .words import OUTCOMES, TONES, VALUE_WORDS, VERBS, as_words

SAID_OF_ALL = ("reason", "private_note")
ENDS_BY_RULES = frozenset({DecisionKind.GRANTED, DecisionKind.RENEWED})
MOST_TOLD = 5


class AboutQuery(QuerySchema):
    """What is to be decided about, and how."""

    kind = Word(DecisionKind, RECORDED_KINDS, load_default=None)
    authorization = Text(36, load_default=None)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision is to be about. ``authorization_id``: ``None`` for the registration, or ``NEW``."""

    record: RegistrationRecord
    authorization_id: str | None
    name: str

    @property
    def span(self) -> Span | None:
        """How it stands today; ``None`` where it is yet to be opened."""
        if self.authorization_id == NEW:
            return None
        today = local_date(clock.now(), self.record.body.zone)
        return self.record.timeline(self.authorization_id).on(today)

    @property
    def schema(self) -> RequestSchema:
        """What can be decided about it."""
        if self.authorization_id is None:
            return NewRegistrationDecisionSchema()
        return NewGrantSchema() if self.authorization_id == NEW else NewAuthorizationDecisionSchema()

    @property
    def kinds(self) -> Sequence[DecisionKind]:
        """The kinds that can be decided about it."""
        return [DecisionKind.GRANTED] if self.authorization_id == NEW else list(self._members)

    @property
    def _members(self) -> Mapping[DecisionKind, frozenset[str]]:
        members: Mapping[DecisionKind, frozenset[str]] = self.schema.members  # type: ignore[attr-defined]  # of every schema of decisions
        return members

    def asked_for(self, kind: DecisionKind) -> list[str]:
        """What a decision of a kind says, in the order of the schema."""
        fields = self.schema.fields
        first = ["effective_on", "through"]
        own = self._members[kind]
        inner = [name for name in fields if name in own and name not in (*first, "override_reason")]
        return [*(n for n in first if n == "effective_on" or n in own), *inner, *SAID_OF_ALL]


def _subject(record: RegistrationRecord, authorization: str | None) -> Subject:
    if authorization is None:
        return Subject(record, None, "the registration")
    if authorization == NEW:
        return Subject(record, NEW, "a new authorization")
    if authorization not in record.authorization_ids:
        raise NotFound(f"This registration has no authorization {authorization}.")
    name = authorization_name(record.timeline(authorization))
    return Subject(record, authorization, f"the authorization for {name.lower()}")


def _begun_with(subject: Subject, kind: DecisionKind) -> dict[str, Any]:
    """What the form holds at first: today, and what stands of what is to be set anew."""
    record = subject.record
    at_first: dict[str, Any] = {"effective_on": local_date(clock.now(), record.body.zone)}
    if kind is DecisionKind.CONDITIONS_SET and (span := subject.span) is not None and span.scope is not None:
        conditions = [{"text": c.text, "withheld": c.withheld} for c in span.scope.conditions]
        at_first |= {name: getattr(span.scope, name) for name in SCOPE} | {"conditions": conditions}
    return at_first


@page("/registrations/<id:registration_id>/decide", query=AboutQuery)
def console_decide(tx: Connection, registration_id: str, query: dict[str, Any]) -> Shown:
    """Choose what to decide, or say it."""
    record = _held(tx, registration_id)
    subject = _subject(record, query["authorization"])
    return _asking(tx, subject, query["kind"], again=current_form().has_failed)


def _asking(tx: Connection, subject: Subject, kind: DecisionKind | None, *, again: bool) -> Shown:
    """The form; ``again``: with what was typed into it before."""
    record, refused = subject.record, current_form()
    authorization = subject.authorization_id
    shown: dict[str, Any] = {
        "subject": subject,
        "record": record,
        "name": name_of(record.person),
        "tones": TONES,
    }
    if kind is None or kind not in subject.kinds:
        kinds = [(each.value, as_words(VERBS, each), ABOUT.get(each, "")) for each in subject.kinds]
        return show("decide_choose.html", **shown, kinds=kinds, authorization=authorization)
    typed = request.form if again else None
    form = _form(subject, kind, typed)
    if refused.has_failed:
        form = _judged_again(form, subject, kind, refused.errors)
    return show(
        "decide.html",
        **shown,
        kind=kind.value,
        verb=as_words(VERBS, kind),
        asked=form,
        authorization=authorization,
        others=_others(tx, record) if refused.is_stale else None,
        senseless=_senseless(record, refused.particulars),
        void_also=request.form.getlist("void_also"),
        override_reason=request.form.get("override_reason", ""),
        decided=decided,
        seen=instant_text(clock.now()),
    )


def _form(subject: Subject, kind: DecisionKind, typed: MultiDict[str, str] | None) -> Form:
    form = form_of(subject.schema, subject.asked_for(kind), typed, _begun_with(subject, kind))
    return form if kind in ENDS_BY_RULES else without_rules(form)


ABOUT: Mapping[DecisionKind, str] = {
    DecisionKind.GRANTED: "A new term, with nothing ended and nothing suspended.",
    DecisionKind.RENEWED: "The term goes on to a later last day.",
    DecisionKind.SUSPENDED: "Nothing is permitted meanwhile; the term runs on beneath it.",
    DecisionKind.REINSTATED: "The suspension is over; the term is not extended.",
    DecisionKind.REVOKED: "The body ends the term; only a new grant opens another.",
    DecisionKind.SURRENDERED: "The holder gives it up.",
    DecisionKind.CONDITIONS_SET: "Another scope from a day on; the term is untouched.",
    DecisionKind.STATUS_REPORTED: "A source’s status word that no other decision explains.",
}


def _held(tx: Connection, registration_id: str, version: int | None = None) -> RegistrationRecord:
    record = held_record(tx, registration_id, version)
    sees_withheld(record.person.id, withheld=record.person.withheld)
    return record


def _judged_again(form: Form, subject: Subject, kind: DecisionKind, errors: Mapping[str, str]) -> Form:
    """What was typed, with what is wrong in its place, and what only the service could tell."""
    judged, _ = loaded(form, subject.schema, _more(subject, kind))
    return merged(judged, errors)


def _more(subject: Subject, kind: DecisionKind) -> dict[str, Any]:
    """What the form does not ask for, of the document that is judged."""
    more: dict[str, Any] = {} if subject.authorization_id == NEW else {"kind": kind.value}
    void_also = request.form.getlist("void_also")
    override = request.form.get("override_reason", "")
    if void_also:
        more["void_also"] = void_also
    if override.strip():
        more["override_reason"] = override
    return more


def _wished(subject: Subject, kind: DecisionKind) -> Wish:
    """What was typed, as the API would understand it.

    :raises registry.errors.Invalid: it cannot be right.
    """
    document = document_of(_form(subject, kind, request.form), subject.schema)
    if kind is DecisionKind.CONDITIONS_SET:
        # What was left as it stood is left as it stands on the day of the effect, too.
        at_first = document_of(_form(subject, kind, None), subject.schema)
        document = {
            n: v for n, v in document.items() if n not in SCOPE or _in_order(v) != _in_order(at_first.get(n))
        }
    wish: Wish = load_wish(subject.schema, {**document, **_more(subject, kind)})
    return wish


def _in_order(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


@action("/registrations/<id:registration_id>/decide/preview", again=console_decide, reads_only=True)
def console_preview_decision(tx: Connection, registration_id: str) -> Shown:
    """Show what a decision would do."""
    subject, kind = _about(_held_as_seen(tx, registration_id))
    record, authorization = subject.record, subject.authorization_id
    drafts = drafts_of(record, authorization, _wished(subject, kind))
    about = {"registration_id": record.id, "kind": kind.value, "authorization": authorization}
    ways = (link("console_record_decision", **about), link("console_reword_decision", **about))
    return _consequences(tx, record, drafts, _heading(subject, kind), ways)


@action("/registrations/<id:registration_id>/decide/change", again=console_decide, reads_only=True)
def console_reword_decision(tx: Connection, registration_id: str) -> Shown:
    """Back to the form, with what was typed."""
    subject, kind = _about(_held_as_seen(tx, registration_id))
    return _asking(tx, subject, kind, again=True)


@action("/registrations/<id:registration_id>/decide/record", again=console_decide)
def console_record_decision(tx: Connection, registration_id: str) -> Done:
    """Record a decision whose consequences were seen."""
    subject, kind = _about(_held_as_seen(tx, registration_id))
    record, authorization = subject.record, subject.authorization_id
    drafts = drafts_of(record, authorization, _wished(subject, kind))
    record_decisions(tx, record, drafts, by=current_principal().name, at=clock.now())
    told = f"Recorded: {_heading(subject, kind).lower()}, {record.number}."
    return done(told, "console_person", practitioner_id=record.person.id)


def _about(record: RegistrationRecord) -> tuple[Subject, DecisionKind]:
    """What the address says is to be decided, and how.

    :raises registry.errors.NotFound: there is no such authorization, or no such kind of decision about it.
    """
    subject = _subject(record, request.args.get("authorization") or None)
    kinds = {kind.value: kind for kind in subject.kinds}
    kind = kinds.get(request.args.get("kind", ""))
    if kind is None:
        raise NotFound("There is no such kind of decision about it.")
    return subject, kind


def _held_as_seen(tx: Connection, registration_id: str) -> RegistrationRecord:
    """The record, if it is still as the form was made from it.

    :raises registry.errors.Stale: somebody changed it.
    """
    given = request.form.get("version", "")
    if not given.isdecimal() or len(given) > 9:
        raise Invalid("The form does not say from which version of the record it was made.")
    return _held(tx, registration_id, int(given))


def _heading(subject: Subject, kind: DecisionKind) -> str:
    return f"{as_words(VERBS, kind)}: {subject.name}"


@dataclass(frozen=True, slots=True)
class Turned:
    """A public answer before and after, with what differs."""

    technique: str
    on: Any
    before: Any
    after: Any
    changes: bool
    loses: bool


def _consequences(
    tx: Connection, record: RegistrationRecord, drafts: Sequence[Draft], heading: str, ways: tuple[str, str]
) -> Shown:
    """What drafts would do. ``ways``: where it is sent to be recorded, and to be changed."""
    at = clock.now()
    told = preview(record, drafts, by=current_principal().name, at=at)
    turned = [_turned(one) for one in told.consequences]
    clinics = clinics_touched(tx, told.change, at=at)
    return show(
        "decide_preview.html",
        record=record,
        name=name_of(record.person),
        heading=heading,
        to_record=ways[0],
        to_change=ways[1],
        decisions=list(_drafted(told, record)),
        changed=[one for one in turned if one.changes],
        unchanged=[one for one in turned if not one.changes],
        unmet=[_unmet_words(one) for one in told.unmet],
        overrides=any(draft.override_reason for draft in drafts),
        clinics=clinics,
        **_checks(clinics),
        typed=typed_pairs(request.form, ("csrf", "override_reason")),
        override_reason=request.form.get("override_reason", ""),
    )


def _checks(clinics: Sequence[ClinicTouched]) -> dict[str, int]:
    return {
        "checks": sum(one.checks for one in clinics),
        "checks_changed": sum(one.changed for one in clinics),
        "checks_lost": sum(one.no_longer for one in clinics),
    }


def _drafted(told: Preview, record: RegistrationRecord) -> Iterator[dict[str, Any]]:
    """What would be recorded, decision by decision."""
    after = told.change.after
    for one in told.change.recorded:
        name = "Registration"
        if one.authorization_id is not None:
            name = authorization_name(after.timeline(one.authorization_id))
        voids = next((d for d in record.decisions if d.decision.id == one.decision.voids), None)
        yield {
            "what": decided(one),
            "about": name,
            "voids": None if voids is None else decided(voids),
            "decision": one.decision,
            "scope": scope_words(one.decision.scope),
        }


def _turned(one: Consequence) -> Turned:
    before, after = one.before, one.after
    changes = not after.says_the_same_as(before) or after.valid_through != before.valid_through
    return Turned(
        as_words(VALUE_WORDS, after.question.technique),
        after.question.on,
        _verdict(before),
        _verdict(after),
        changes,
        before.authorized and not after.authorized,
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": as_words(OUTCOMES, verdict.outcome),
        "alone": is_yes(verdict.outcome, Mode.INDEPENDENT),
        "supervised": is_yes(verdict.outcome, Mode.SUPERVISED),
        "reasons": [as_words({}, reason).lower() for reason in verdict.reasons],
        "through": verdict.valid_through,
    }


def _unmet_words(unmet: Any) -> dict[str, str]:
    technique = "" if unmet.technique is None else as_words(VALUE_WORDS, unmet.technique)
    return {
        "requirement": as_words({}, unmet.requirement),
        "technique": technique,
        "required": _plain(unmet.required),
        "found": _plain(unmet.found),
    }


def _plain(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Others:
    """What somebody else did to a record since a form was made from it."""

    decisions: Sequence[RecordedDecision]
    amendments: Sequence[Amendment]
    certain: bool


def _others(tx: Connection, record: RegistrationRecord) -> Others:
    """What was recorded since the form was shown; where no such is found, what was recorded last."""
    seen = _seen()
    decisions = sorted(record.decisions, key=lambda one: one.decision.recorded_at, reverse=True)
    amendments = sorted(list_amendments(tx, record.id), key=lambda one: one.recorded_at, reverse=True)
    if seen is not None:
        newer = [one for one in decisions if one.decision.recorded_at >= seen]
        amended = [one for one in amendments if one.recorded_at >= seen]
        if newer or amended:
            return Others(newer, amended, certain=True)
    return Others(decisions[:MOST_TOLD], amendments[:MOST_TOLD], certain=False)


def _seen() -> datetime | None:
    try:
        return Instant().read(request.form.get("seen", ""))
    except ma.ValidationError:
        return None


def _senseless(
    record: RegistrationRecord, particulars: Sequence[Mapping[str, Any]]
) -> list[tuple[RecordedDecision, str]]:
    """Decisions on record that a decision would make senseless, and why: they can be voided with it."""
    kept = {one.decision.id: one for one in record.decisions}
    return [
        (kept[each["decision"]], str(each.get("detail", "")))
        for each in particulars
        if each.get("recorded") and each.get("decision") in kept
    ]


def load_wish(schema: RequestSchema, document: Mapping[str, Any]) -> Wish:
    """What a document asks for, by the schema of the API."""
    wish: Wish = load(schema, dict(document), "json")
    return wish


# ---- taking back ----


def _voided(tx: Connection, decision_id: str) -> tuple[RegistrationRecord, RecordedDecision]:
    record = _held(tx, registration_with_decision(tx, decision_id))
    return record, next(one for one in record.decisions if one.decision.id == decision_id)


@page("/decisions/<id:decision_id>/void")
def console_void(tx: Connection, decision_id: str) -> Shown:
    """Say why a decision is taken back."""
    return _asking_why(tx, decision_id, again=current_form().has_failed)


def _asking_why(tx: Connection, decision_id: str, *, again: bool) -> Shown:
    record, voided = _voided(tx, decision_id)
    refused = current_form()
    form = form_of(VoidSchema(), SAID_OF_ALL, request.form if again else None)
    form = merged(form, refused.errors) if refused.has_failed else form
    return show(
        "void.html",
        record=record,
        voided=voided,
        what=decided(voided),
        name=name_of(record.person),
        asked=form,
        others=_others(tx, record) if refused.is_stale else None,
        senseless=_senseless(record, refused.particulars),
        void_also=request.form.getlist("void_also"),
        decided=decided,
        seen=instant_text(clock.now()),
    )


def _voidings(record: RegistrationRecord, decision_id: str) -> list[Draft]:
    form = form_of(VoidSchema(), SAID_OF_ALL, request.form)
    document = {**document_of(form, VoidSchema()), "void_also": request.form.getlist("void_also")}
    given: dict[str, Any] = load_wish(VoidSchema(), document)  # type: ignore[assignment]  # the schema of voidings makes a mapping
    told = {"reason": given["reason"], "private_note": given.get("private_note")}
    others = sorted(given["void_also"] - {decision_id})
    return [void_draft(record, id_, **told) for id_ in (*others, decision_id)]


@action("/decisions/<id:decision_id>/void/preview", again=console_void, reads_only=True)
def console_preview_void(tx: Connection, decision_id: str) -> Shown:
    """Show what taking a decision back would do."""
    record = _held_as_seen(tx, registration_with_decision(tx, decision_id))
    voided = next(one for one in record.decisions if one.decision.id == decision_id)
    heading = f"Take back: {decided(voided).lower()} from {voided.decision.effective_on.isoformat()}"
    ways = tuple(
        link(view, decision_id=decision_id) for view in ("console_void_decision", "console_reword_void")
    )
    return _consequences(tx, record, _voidings(record, decision_id), heading, (ways[0], ways[1]))


@action("/decisions/<id:decision_id>/void/change", again=console_void, reads_only=True)
def console_reword_void(tx: Connection, decision_id: str) -> Shown:
    """Back to the form, with what was typed."""
    _held_as_seen(tx, registration_with_decision(tx, decision_id))
    return _asking_why(tx, decision_id, again=True)


@action("/decisions/<id:decision_id>/void/record", again=console_void)
def console_void_decision(tx: Connection, decision_id: str) -> Done:
    """Take a decision back, as was seen."""
    record = _held_as_seen(tx, registration_with_decision(tx, decision_id))
    record_decisions(tx, record, _voidings(record, decision_id), by=current_principal().name, at=clock.now())
    return done("The decision is taken back.", "console_person", practitioner_id=record.person.id)
