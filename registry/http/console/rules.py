"""A body's rules: the versions, another as a form, and what it would change before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.rules import BodyRules, Renewal, TrainingRequirement
from registry.domain.vocabulary import LapseKind, Outcome, Requirement, Technique
from registry.errors import Invalid, Stale
from registry.http.access import current_principal, may_use, require_body
from registry.http.admin.rules_schemas import NewRulesSchema
from registry.http.auditing import sees_withheld
from registry.http.fields import Id, QuerySchema, Text
from registry.http.requests import load
from registry.services import rules_drafts
from registry.services.colleagues import labels_of
from registry.services.rules_drafts import PERMITTED
from registry.services.tasks import ask_about_rules
from registry.store import affected
from registry.store import rules_drafts as store
from registry.store.bodies import RulesVersion, list_rules
from registry.store.records import Body, find_body
from registry.store.rules_drafts import Concerned, RulesDraft
from registry.store.task_tables import TaskKind
from registry.store.tasks import latest_tasks

from .bodies import working_body
from .forms import FormSchema, Version, current_form
from .lapses import KIND_WORDS
from .pages import Done, Shown, action, done, page, show
from .rendering import link

A_PAGE = 50
DRAFTS = 5
DONE_AT_ONCE = 400
"""Registrations that are looked at while the sender of a form waits."""

ASKED = (
    ("hours_total", "Hours in all"),
    ("hours_theory", "Hours of theory"),
    ("hours_practical", "Hours of practice"),
    ("hours_in_person", "Hours in person"),
    ("supervised_sessions", "Supervised sessions"),
    ("practice_years", "Years registered"),
    ("refresher_hours", "Refresher hours"),
    ("refresher_months", "… within months"),
)
TICKED = (
    ("examination", "An examination"),
    ("safety_component", "A part on safety"),
    ("approved_course", "Only approved courses count"),
)
RENEWALS = (("never", "have no end by rule"), ("yearly", "on a day of each year"), ("months", "after months"))
REQUIREMENT_WORDS = {
    Requirement.REGISTRATION_IN_FORCE: "registration in force",
    Requirement.NEEDLING_PERMITTED: "needling permitted at all",
    Requirement.REGISTER_CLASS: "class of the register",
    Requirement.TECHNIQUE_REGULATED: "technique authorized by the body",
}
OUTCOME_WORDS = {
    Outcome.AUTHORIZED: "authorized",
    Outcome.AUTHORIZED_WITH_CONDITIONS: "authorized, with conditions",
    Outcome.SUPERVISED_ONLY: "only under supervision",
}


@page("/rules")
def console_rules(tx: Connection) -> Shown:
    """The versions of a body's rules, the one that holds today marked."""
    body = working_body(tx)
    today = local_date(clock.now(), body.zone)
    versions = list_rules(tx, body.id)
    now = body.rules.on(today)
    drafts = store.latest_drafts(tx, body.id, body.version, DRAFTS)
    holding = next((v for v in reversed(versions) if v.rules == now), None)
    return show(
        "rules.html",
        body=body,
        today=today,
        versions=sorted(versions, key=lambda v: (v.rules.holds_from, v.rules.recorded_at), reverse=True),
        holding=None if holding is None else holding.id,
        superseded=_superseded(versions),
        lines_of=told_rules,
        drafts=drafts,
        called=labels_of(tx, (*(v.recorded_by for v in versions), *(draft.made_by for draft in drafts))),
        may_add=may_use("console_draft_rules", current_principal()),
    )


def _superseded(versions: Sequence[RulesVersion]) -> set[str]:
    """The versions in whose place another of the same day was recorded later."""
    latest = {v.rules.holds_from: v.id for v in sorted(versions, key=lambda v: v.rules.recorded_at)}
    return {v.id for v in versions} - set(latest.values())


def told_rules(rules: BodyRules) -> list[tuple[str, str]]:
    """A version in words: what it says, line by line."""
    return list(_told(rules))


def _told(rules: BodyRules) -> Iterator[tuple[str, str]]:
    if not rules.needling_permitted:
        yield "Needling", "permitted to nobody"
    classes = rules.eligible_classes
    yield (
        "Classes that may needle",
        "every class" if classes is None else ", ".join(sorted(classes)) or "none",
    )
    if rules.learner_classes:
        yield "Classes that may learn under supervision", ", ".join(sorted(rules.learner_classes))
    for technique, asked in sorted(rules.requirements.items()):
        yield technique.replace("_", " ").capitalize(), _asked(asked)
    for technique, also in sorted(rules.covers.items()):
        named = ", ".join(each.replace("_", " ") for each in sorted(also))
        yield f"{technique.replace('_', ' ').capitalize()} covers besides", named
    yield "Registrations end", _renewal(rules.registration_renewal, rules.registration_grace_days)
    yield "Authorizations end", _renewal(rules.authorization_renewal, rules.authorization_grace_days)


def _asked(asked: TrainingRequirement) -> str:
    parts = [f"{getattr(asked, name):g} {label.lower()}" for name, label in ASKED[:6] if getattr(asked, name)]
    parts += [label.lower() for name, label in TICKED if getattr(asked, name)]
    if asked.refresher_hours:
        parts.append(f"{asked.refresher_hours:g} refresher hours within {asked.refresher_months} months")
    return ", ".join(parts) or "asks for nothing"


def _renewal(renewal: Renewal, grace: int) -> str:
    if renewal.month is not None and renewal.day is not None:
        when = f"on {renewal.day} {datetime(2000, renewal.month, 1):%B} of each year"  # noqa: DTZ001 - a month's name
    elif renewal.months is not None:
        when = f"{renewal.months} months after they began"
    else:
        when = "on no day by rule"
    return f"{when}, {grace} days of grace" if grace else when


class NewRulesQuery(QuerySchema):
    """From which draft the form is filled in."""

    draft = Id(load_default=None)


@page("/rules/new", query=NewRulesQuery)
def console_new_rules(tx: Connection, query: dict[str, Any]) -> Shown:
    """Another version as a form, begun with what holds today."""
    body = working_body(tx)
    today = local_date(clock.now(), body.zone)
    rules = body.rules.on(today)
    reason = None
    if query["draft"] is not None:
        draft = _own(tx, query["draft"])
        rules, reason = draft.rules, draft.reason
    is_anew = query["draft"] is None
    typed = request.form if current_form().has_failed else None
    return show(
        "rules_form.html",
        body=body,
        today=today,
        values=dict(_typed(typed))
        if typed is not None
        else form_values(rules, is_anew=is_anew, reason=reason),
        techniques=[(t.value, t.value.replace("_", " ").capitalize()) for t in Technique],
        asked=ASKED,
        ticked=TICKED,
        renewals=RENEWALS,
        months=[(n, f"{datetime(2000, n, 1):%B}") for n in range(1, 13)],  # noqa: DTZ001 - a month's name
    )


def _typed(form: MultiDict[str, str]) -> Iterator[tuple[str, Any]]:
    for name, values in form.lists():
        yield name, values if name.endswith("-covers") else values[-1]


def form_values(rules: BodyRules, *, is_anew: bool, reason: str | None = None) -> dict[str, Any]:
    """What the form holds for a version of rules."""
    values: dict[str, Any] = {
        "holds_from": "" if is_anew else rules.holds_from.isoformat(),
        "needling_permitted": "yes" if rules.needling_permitted else "",
        "classes": "every" if rules.eligible_classes is None else "these",
        "eligible_classes": "\n".join(sorted(rules.eligible_classes or ())),
        "learner_classes": "\n".join(sorted(rules.learner_classes)),
        "registration_grace_days": rules.registration_grace_days,
        "authorization_grace_days": rules.authorization_grace_days,
        "reason": reason or "",
    }
    for subject in ("registration", "authorization"):
        renewal: Renewal = getattr(rules, f"{subject}_renewal")
        way = "yearly" if renewal.month else "months" if renewal.months else "never"
        values |= {f"{subject}-ends": way}
        values |= {f"{subject}-{name}": value or "" for name, value in asdict(renewal).items()}
    for technique, asked in rules.requirements.items():
        values[f"{technique}-authorized"] = "yes"
        for field in fields(asked):
            told = getattr(asked, field.name)
            values[f"{technique}-{field.name}"] = (
                ("yes" if told else "") if isinstance(told, bool) else f"{told or '':}"
            )
    for technique, also in rules.covers.items():
        values[f"{technique}-covers"] = sorted(also)
    return values


def document_of(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form says, as the API would be sent it."""
    made: dict[str, Any] = {
        "holds_from": form.get("holds_from", ""),
        "needling_permitted": bool(form.get("needling_permitted")),
        "eligible_classes": _lines(form, "eligible_classes") if form.get("classes") == "these" else None,
        "learner_classes": _lines(form, "learner_classes"),
        "covers": [
            {"technique": technique, "also_covers": also}
            for technique in Technique
            if (also := [t for t in form.getlist(f"{technique}-covers") if t != technique])
        ],
        "requirements": [
            {"technique": technique, **dict(_requirement(form, technique))}
            for technique in Technique
            if form.get(f"{technique}-authorized")
        ],
        "registration_grace_days": _number(form.get("registration_grace_days", "")),
        "authorization_grace_days": _number(form.get("authorization_grace_days", "")),
        "registration_renewal": _renewal_document(form, "registration"),
        "authorization_renewal": _renewal_document(form, "authorization"),
    }
    reason = form.get("reason", "").replace("\r\n", "\n").strip()
    return {**made, "reason": reason} if reason else made


def _lines(form: MultiDict[str, str], name: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in form.get(name, "").splitlines() if line.strip()))


def _number(text: str) -> Any:
    """A number as JSON would have it; what is none is left for the schema to refuse."""
    text = text.strip()
    if not text:
        return 0
    try:
        found = float(text)
    except ValueError:
        return text
    return int(found) if found.is_integer() else found


def _requirement(form: MultiDict[str, str], technique: str) -> Iterator[tuple[str, Any]]:
    for name, _ in ASKED:
        yield name, _number(form.get(f"{technique}-{name}", ""))
    for name, _ in TICKED:
        yield name, bool(form.get(f"{technique}-{name}"))


def _renewal_document(form: MultiDict[str, str], subject: str) -> dict[str, Any]:
    way = form.get(f"{subject}-ends", "never")
    names = {"yearly": ("month", "day"), "months": ("months",)}.get(way, ())
    return {name: _number(form.get(f"{subject}-{name}", "")) for name in names}


def _loaded(form: MultiDict[str, str]) -> dict[str, Any]:
    """The rules that a form says, checked as the API checks them.

    :raises registry.errors.Invalid: by the names of the form's fields.
    """
    document = document_of(form)
    try:
        loaded: dict[str, Any] = load(NewRulesSchema(), document, "json")
    except Invalid as error:
        problems = [
            {**each, "pointer": _field(document, str(each.get("pointer", "")))} for each in error.problems
        ]
        raise Invalid(error.detail, problems) from error
    return loaded


def _field(document: Mapping[str, Any], pointer: str) -> str:
    """The field of the form that a place in the document comes from."""
    parts = pointer.strip("/").split("/")
    if parts[0] in ("requirements", "covers") and len(parts) > 1 and parts[1].isdigit():
        technique = document[parts[0]][int(parts[1])]["technique"]
        name = "covers" if parts[0] == "covers" else parts[2] if len(parts) > 2 else "authorized"
        return f"/{technique}-{name}"
    if parts[0].endswith("_renewal"):
        return f"/{parts[0].removesuffix('_renewal')}-{parts[1] if len(parts) > 1 else 'ends'}"
    return f"/{parts[0]}"


def _own(tx: Connection, draft_id: str) -> RulesDraft:
    draft = rules_drafts.get_draft(tx, draft_id)
    require_body(draft.body_id)
    return draft


@action("/rules/new", again=console_new_rules)
def console_draft_rules(tx: Connection) -> Done:
    """Keep what was typed as a draft, and find out what it would change. The rules stay as they are."""
    body, at, by = working_body(tx), clock.now(), current_principal().name
    given = _loaded(request.form)
    draft = rules_drafts.make_draft(tx, body, given["rules"], given["reason"], by=by, at=at)
    if _is_small(tx, body):
        rules_drafts.weigh_draft(lambda: nullcontext(tx), draft.id, at=at, progress=_nobody)
    else:
        ask_about_rules(tx, TaskKind.WEIGH_RULES, draft, by=by, at=at)
    return done("Nothing is saved yet: see what would change.", "console_rules_draft", draft_id=draft.id)


def _is_small(tx: Connection, body: Body) -> bool:
    return len(affected.registrations_after(tx, body.id, "", DONE_AT_ONCE + 1)) <= DONE_AT_ONCE


def _nobody(_doing: str, _rows: int) -> None:
    """Progress that nobody waits for."""


class DraftQuery(QuerySchema):
    """Where the list of those whom a draft would concern goes on: the name and the registration."""

    after = Text(300, load_default=None)
    after_id = Id(load_default=None)


@page("/rules/drafts/<id:draft_id>", query=DraftQuery)
def console_rules_draft(tx: Connection, draft_id: str, query: dict[str, Any]) -> Shown:
    """What rules would change before they are saved: whom, by name, and how many."""
    draft = _own(tx, draft_id)
    body = find_body(tx, draft.body_id)
    assert body is not None
    task = latest_tasks(tx, [draft_id]).get(draft_id)
    after = None if query["after_id"] is None else (query["after"] or "", query["after_id"])
    found = store.list_concerned(tx, draft_id, after=after, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    for one in shown:
        sees_withheld(one.practitioner_id, withheld=one.withheld)
    following = None
    if len(found) > A_PAGE:
        last = shown[-1]
        following = link(
            "console_rules_draft", draft_id=draft_id, after=last.sorted_by, after_id=last.registration_id
        )
    return show(
        "rules_draft.html",
        body=body,
        draft=draft,
        report=draft.report,
        counted_at=None if draft.report is None else datetime.fromisoformat(draft.report["at"]),
        day=None if draft.report is None else _day(draft.report["day"]),
        task=task,
        is_stale=draft.saved_at is None and body.version != draft.body_version,
        told_lines=told_rules(draft.rules),
        rows=[(one, _effects(one)) for one in shown],
        following=following,
        is_first=after is None,
        unmet=_counted((draft.report or {}).get("unmet", {}), _requirement_word),
        lapses=_counted((draft.report or {}).get("lapses", {}), lambda kind: KIND_WORDS[LapseKind(kind)]),
        may_save=may_use("console_save_rules", current_principal()),
    )


def _day(text: str) -> Any:
    return datetime.fromisoformat(text).date()


def _counted(counts: Mapping[str, int], word: Any) -> list[tuple[str, int]]:
    return [(word(key), count) for key, count in sorted(counts.items(), key=lambda each: -each[1])]


def _requirement_word(requirement: str) -> str:
    return REQUIREMENT_WORDS.get(Requirement(requirement), requirement.replace("_", " "))


def _effects(one: Concerned) -> dict[str, Any]:
    """What a draft would mean to somebody, in words."""
    told = one.told
    answers = [
        {
            "technique": each["technique"].replace("_", " "),
            "before": _outcome(each["before"]),
            "after": _outcome(each["after"]),
            "tone": _tone(Outcome(each["before"]), Outcome(each["after"])),
        }
        for each in told["answers"]
    ]
    unmet = [
        {
            "what": _requirement_word(each["requirement"]),
            "technique": (each["technique"] or "").replace("_", " "),
            "amount": _amount(each["required"], each["found"]),
        }
        for each in told["unmet"]
    ]
    lapses = [
        {"what": KIND_WORDS[LapseKind(each["kind"])], "since": _day(each["since"])} for each in told["lapses"]
    ]
    return {"answers": answers, "unmet": unmet, "lapses": lapses}


def _amount(required: object, found: object) -> str:
    """How much is asked and found, where it is an amount."""
    if isinstance(required, bool) or not isinstance(required, int | float):
        return ""
    return f"{found if isinstance(found, int | float) else 0:g} of {required:g}"


def _outcome(outcome: str) -> str:
    return OUTCOME_WORDS.get(Outcome(outcome), outcome.replace("_", " "))


def _tone(before: Outcome, after: Outcome) -> str:
    if before in PERMITTED and after not in PERMITTED:
        return "no"
    return "yes" if after in PERMITTED and before not in PERMITTED else "quiet"


class SaveSchema(FormSchema):
    """The draft as it was seen."""

    version = Version()


@action("/rules/drafts/<id:draft_id>/save", form=SaveSchema, again=console_rules_draft)
def console_save_rules(tx: Connection, draft_id: str, given: dict[str, Any]) -> Done:
    """Make a draft, whose consequences were seen, the body's rules."""
    draft, at, by = _own(tx, draft_id), clock.now(), current_principal().name
    if draft.version != given["version"]:
        raise Stale(store.CHANGED)
    body = find_body(tx, draft.body_id)
    assert body is not None
    if _is_small(tx, body):
        rules_drafts.save_draft(tx, draft_id, by=by, at=at)
        return done("The rules are saved, and everybody's standing is derived by them.", "console_rules")
    rules_drafts.require_savable(tx, draft)
    ask_about_rules(tx, TaskKind.ADD_RULES, draft, by=by, at=at)
    return done(
        "It takes a while; this page shows when it is done.", "console_rules_draft", draft_id=draft_id
    )
