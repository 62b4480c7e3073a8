"""Domain objects as JSON text, and back: how scopes, reports, rules and timelines are kept.

The keys are the database's own; what the public sees is named in :mod:`registry.http`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from registry.domain.decisions import Condition, Scope, StatusReport
from registry.domain.localtime import ONE_DAY
from registry.domain.rules import BodyRules, Renewal, RulesHistory, TrainingRequirement
from registry.domain.timeline import BEFORE_ANY_TERM, Span, Timeline
from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique

Document = dict[str, Any]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def dump(value: Any) -> str:
    """Compact JSON; the same value gives the same text."""
    return _encode(value)


def dump_techniques(techniques: Iterable[Technique]) -> str:
    """A set of techniques, sorted."""
    return dump(sorted(techniques))


def load_techniques(text: str) -> frozenset[Technique]:
    """The inverse of :func:`dump_techniques`."""
    return frozenset(map(Technique, json.loads(text)))


def scope_document(scope: Scope) -> Document:
    """A scope without what it leaves at its default."""
    document: Document = {}
    if scope.register_class is not None:
        document["class"] = scope.register_class
    if scope.techniques:
        document["techniques"] = sorted(scope.techniques)
    if scope.mode is not Mode.INDEPENDENT:
        document["mode"] = scope.mode
    if scope.conditions:
        document["conditions"] = [[c.text, c.withheld] for c in scope.conditions]
    if scope.excluded_regions:
        document["regions"] = scope.excluded_regions
    return document


def scope_of(document: Mapping[str, Any]) -> Scope:
    """The inverse of :func:`scope_document`."""
    return Scope(
        register_class=document.get("class"),
        techniques=frozenset(map(Technique, document.get("techniques", ()))),
        mode=Mode(document.get("mode", Mode.INDEPENDENT)),
        conditions=tuple(Condition(text, withheld) for text, withheld in document.get("conditions", ())),
        excluded_regions=tuple(document.get("regions", ())),
    )


def report_document(report: StatusReport) -> Document:
    """A source's status word and what it was taken to mean."""
    return {
        "word": report.word,
        "practice": report.practice,
        "disciplinary": report.disciplinary,
        "leaves": report.leaves,
    }


def report_of(document: Mapping[str, Any]) -> StatusReport:
    """The inverse of :func:`report_document`."""
    return StatusReport(
        word=document["word"],
        practice=PracticePermission(document["practice"]),
        disciplinary=document["disciplinary"],
        leaves=Standing(document["leaves"]),
    )


def timeline_document(timeline: Timeline) -> list[Document]:
    """The spans from the first term on, for public answers.

    The days before it, and last days, follow from their neighbours. Words that are withheld are not in it.
    """
    return [_span_document(span) for span in timeline.spans if span.term_from is not None]


def _span_document(span: Span) -> Document:
    document: Document = {
        "first": span.first_day.isoformat(),
        "holds": " ".join(span.holds),
        "from": None if span.term_from is None else span.term_from.isoformat(),
    }
    if span.term_through is not None:
        document["through"] = span.term_through.isoformat()
    if span.scope is not None:
        document["scope"] = _published_text(span.scope)
    if span.report is not None:
        document["report"] = report_text(span.report)
    return document


@lru_cache(maxsize=4096)
def scope_text(scope: Scope) -> str:
    """A scope as it is kept with a decision."""
    return dump(scope_document(scope))


@lru_cache(maxsize=4096)
def report_text(report: StatusReport) -> str:
    """A status word as it is kept."""
    return dump(report_document(report))


@lru_cache(maxsize=4096)
def _published_text(scope: Scope) -> str:
    return dump(scope_document(_published(scope)))


def _published(scope: Scope) -> Scope:
    shown = (Condition("", withheld=True) if c.withheld else c for c in scope.conditions)
    return replace(scope, conditions=tuple(shown)) if scope.conditions else scope


def published_timeline(timeline: Timeline) -> Timeline:
    """A timeline as a :func:`timeline_document` gives it back: without the words that are withheld."""
    withheld = (c.withheld for s in timeline.spans if s.scope is not None for c in s.scope.conditions)
    return timeline_of(timeline_document(timeline)) if any(withheld) else timeline


def span_on(document: list[Document], day: date) -> Span:
    """The one span of a :func:`timeline_document` that covers a local day."""
    on = day.isoformat()
    following: date | None = None
    for part in reversed(document):
        first = date.fromisoformat(part["first"])
        if part["first"] <= on:
            return _span_of(part, first, None if following is None else following - ONE_DAY)
        following = first
    return Timeline().on(day) if following is None else _before(following)


def _before(first_day: date) -> Span:
    return Span(date.min, first_day - ONE_DAY, Standing.NOT_YET, BEFORE_ANY_TERM.holds)


def timeline_of(document: list[Document]) -> Timeline:
    """The timeline of a :func:`timeline_document`."""
    if not document:
        return Timeline()
    firsts = [date.fromisoformat(d["first"]) for d in document]
    lasts = [first - ONE_DAY for first in firsts[1:]]
    spans = [
        _span_of(d, first, last) for d, first, last in zip(document, firsts, [*lasts, None], strict=True)
    ]
    if firsts[0] == date.min:
        return Timeline(tuple(spans))
    return Timeline((_before(firsts[0]), *spans))


def _span_of(document: Document, first: date, last: date | None) -> Span:
    holds = _load_holds(document["holds"])
    scope, report, through = document.get("scope"), document.get("report"), document.get("through")
    return Span(
        first,
        last,
        holds[0],
        holds,
        None if scope is None else _load_scope(scope),
        date.fromisoformat(document["from"]),
        None if through is None else date.fromisoformat(through),
        None if report is None else _load_report(report),
    )


# Thousands of registrations share a few of these texts, so that reading each once is most of the work saved.
@lru_cache(maxsize=64)
def _load_holds(text: str) -> tuple[Standing, ...]:
    return tuple(map(Standing, text.split()))


@lru_cache(maxsize=4096)
def _load_scope(text: str) -> Scope:
    return scope_of(json.loads(text))


@lru_cache(maxsize=4096)
def _load_report(text: str) -> StatusReport:
    return report_of(json.loads(text))


def rules_document(rules: BodyRules) -> Document:
    """One version of a body's rules."""
    return {
        "holds_from": rules.holds_from.isoformat(),
        "recorded_at": rules.recorded_at.isoformat(),
        "needling_permitted": rules.needling_permitted,
        "eligible_classes": None if rules.eligible_classes is None else sorted(rules.eligible_classes),
        "learner_classes": sorted(rules.learner_classes),
        "covers": {named: sorted(covered) for named, covered in sorted(rules.covers.items())},
        "requirements": {t: asdict(asked) for t, asked in sorted(rules.requirements.items())},
        "registration_grace_days": rules.registration_grace_days,
        "authorization_grace_days": rules.authorization_grace_days,
        "registration_renewal": asdict(rules.registration_renewal),
        "authorization_renewal": asdict(rules.authorization_renewal),
    }


def rules_of(document: Mapping[str, Any]) -> BodyRules:
    """The inverse of :func:`rules_document`."""
    classes = document["eligible_classes"]
    return BodyRules(
        holds_from=date.fromisoformat(document["holds_from"]),
        recorded_at=datetime.fromisoformat(document["recorded_at"]),
        needling_permitted=document["needling_permitted"],
        eligible_classes=None if classes is None else frozenset(classes),
        learner_classes=frozenset(document["learner_classes"]),
        covers={Technique(t): frozenset(map(Technique, also)) for t, also in document["covers"].items()},
        requirements={
            Technique(t): TrainingRequirement(**asked) for t, asked in document["requirements"].items()
        },
        registration_grace_days=document["registration_grace_days"],
        authorization_grace_days=document["authorization_grace_days"],
        registration_renewal=Renewal(**document["registration_renewal"]),
        authorization_renewal=Renewal(**document["authorization_renewal"]),
    )


REQUIREMENT_FIELDS = tuple(field.name for field in fields(TrainingRequirement))


@lru_cache(maxsize=1024)
def load_body(text: str) -> Document:
    """A body's document, read once for each text that it ever had; callers do not change it."""
    document: Document = json.loads(text)
    document["versions"] = tuple(rules_of(version) for version in document["rules"])
    document["history"] = RulesHistory.of(document["versions"])
    return document
