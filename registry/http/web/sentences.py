"""The answer as sentences: the one place where a verdict becomes words.

Whether and why is read off the verdicts, never decided here. Techniques with the same answer share a
sentence. Of several answers the first is about techniques that an authorization is about, the best before
the others; and each names the techniques that it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from registry.domain.decisions import Condition
from registry.domain.localtime import ONE_DAY, local_date
from registry.domain.timeline import Span
from registry.domain.verdict import Verdict, give_verdict
from registry.domain.vocabulary import Mode, Reason, Standing, SubjectKind, Technique
from registry.services.histories import History
from registry.services.look_up import Verification

from .phrases import (
    AT_ALL,
    EASY,
    EASY_ADVICE,
    EASY_LISTS,
    FIRST_WORDS,
    HOLDS,
    NOT_COVERED,
    REASONS,
    SENTENCES,
    TECHNIQUES,
    TONES,
    UNDATED,
    Tone,
    When,
)
from .speech import Listed, Part, Place, Said, Verbatim, phrase, say

SHOWN_AS_LIMITS = frozenset(
    {Reason.REGISTRATION_CONDITIONS, Reason.AUTHORIZATION_CONDITIONS, Reason.REGIONS_EXCLUDED}
)
"""Reasons that are told by the conditions and regions themselves."""

EXPLAIN_NO_NO = frozenset(
    {
        Reason.REGISTRATION_IN_GRACE,
        Reason.AUTHORIZATION_IN_GRACE,
        Reason.LEARNERS_UNDER_SUPERVISION,
        Reason.AUTHORIZATION_SUPERVISED,
    }
)
"""Reasons that speak for the person: beside a no they would confuse."""

ORDER = tuple(Tone)
HOLDER = phrase("the holder of number %(number)s")
HOLDER_AT_START = phrase("The holder of number %(number)s")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One answer, for the techniques that share it.

    :param valid_through: the last local day on which it holds for all of them.
    :param holds: the same in words; ``None`` for a no without an end.
    """

    tone: Tone
    techniques: tuple[Technique, ...]
    sentence: Said
    easy: Said
    easy_list: Said
    reasons: tuple[Said, ...]
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]
    valid_through: date | None
    holds: Said | None

    @property
    def first_word(self) -> Said:
        """The answer in a word or two."""
        return say(FIRST_WORDS[self.tone])

    @property
    def advice(self) -> Said:
        """What to do about it, in easy words."""
        return say(EASY_ADVICE[self.tone])


@dataclass(frozen=True, slots=True)
class _Question:
    verification: Verification
    history: History
    covered: Mapping[str, tuple[Technique, ...]]

    @property
    def today(self) -> date:
        return local_date(self.verification.at, self.verification.body.zone)

    @property
    def when(self) -> When:
        on = self.verification.on
        return When.TODAY if on == self.today else When.PAST if on < self.today else When.AHEAD

    def who(self, *, at_start: bool = False) -> Part:
        if self.verification.name is not None:
            return Verbatim(self.verification.name)
        number = Verbatim(self.verification.number)
        return say(HOLDER_AT_START if at_start else HOLDER, number=number)


def speak(
    verification: Verification, history: History, covered: Mapping[str, tuple[Technique, ...]]
) -> list[Spoken]:
    """The answers of a verification, in the order in which they are told.

    :param covered: by authorization, the techniques that it covers on the day.
    """
    question = _Question(verification, history, covered)
    groups: dict[object, list[Verdict]] = {}
    for verdict in verification.verdicts:
        groups.setdefault(_shared(verdict), []).append(verdict)
    return [_spoken(question, group) for group in sorted(groups.values(), key=_rank)]


def _rank(verdicts: Sequence[Verdict]) -> tuple[bool, int]:
    """What an authorization is about comes before what none is about; then the best answer first.

    Whoever lost an authorization may still learn another technique: that is not the first to be told.
    """
    return not any(v.authorizations for v in verdicts), ORDER.index(tone_of(verdicts[0]))


def tone_of(verdict: Verdict) -> Tone:
    """What a verdict comes to."""
    return TONES[verdict.outcome]


def _shared(verdict: Verdict) -> object:
    """What verdicts have in common that are told in one sentence."""
    limits = (verdict.conditions, verdict.excluded_regions)
    return tone_of(verdict), limits if tone_of(verdict) is Tone.CONDITIONS else None


def _spoken(question: _Question, verdicts: Sequence[Verdict]) -> Spoken:
    tone = tone_of(verdicts[0])
    last_days = (_last_day_of(question, verdict) for verdict in verdicts)
    through = min((day for day in last_days if day is not None), default=None)
    return Spoken(
        tone,
        tuple(v.question.technique for v in verdicts),
        _sentence(question, tone, verdicts),
        _easy(question, tone),
        say(EASY_LISTS[tone], who=question.who(at_start=tone is not Tone.UNKNOWN)),
        tuple(_reasons(question, verdicts)),
        _merged(v.conditions for v in verdicts),
        _merged(v.excluded_regions for v in verdicts),
        through,
        _holds(question, tone, through),
    )


def _last_day_of(question: _Question, verdict: Verdict) -> date | None:
    """The last local day of an answer. A no may change its reasons and still be a no."""
    last, following = verdict.valid_through, verdict
    while tone_of(verdict) is Tone.NO and last is not None and last < date.max:
        following = give_verdict(replace(verdict.question, on=last + ONE_DAY), question.history.standings)
        if tone_of(following) is not Tone.NO:
            break
        last = following.valid_through
    return last


def _merged(groups: Iterator[tuple[object, ...]]) -> tuple:  # type: ignore[type-arg]  # of whatever they hold
    return tuple(dict.fromkeys(item for group in groups for item in group))


def named(techniques: Sequence[Technique]) -> Listed:
    """Techniques by name, one after another."""
    return Listed([say(TECHNIQUES[technique]) for technique in techniques])


def _sentence(question: _Question, tone: Tone, verdicts: Sequence[Verdict]) -> Said:
    asked = question.verification.verdicts
    parts: dict[str, Part] = {"who": question.who(), "day": question.verification.on}
    if (tone, question.when) in AT_ALL and len(verdicts) == len(asked) == len(Technique):
        return say(AT_ALL[tone, question.when], **parts)
    template = SENTENCES[Tone.YES if tone is Tone.CONDITIONS else tone, question.when]
    return say(template, techniques=named([v.question.technique for v in verdicts]), **parts)


def _easy(question: _Question, tone: Tone) -> Said:
    is_today = question.when is When.TODAY
    return say(EASY[tone, is_today], who=question.who(at_start=is_today), day=question.verification.on)


def _holds(question: _Question, tone: Tone, through: date | None) -> Said | None:
    zone = question.verification.body.zone
    if through is None:
        return None if tone is Tone.NO else say(HOLDS[False])
    return say(HOLDS[True], day=through, place=Place(zone))


def _reasons(question: _Question, verdicts: Sequence[Verdict]) -> Iterator[Said]:
    """Each reason once: of the registration, of authorizations, and last that there is none."""
    told: set[str] = set()
    left_out = SHOWN_AS_LIMITS | (EXPLAIN_NO_NO if tone_of(verdicts[0]) is Tone.NO else frozenset())
    for reason in sorted(Reason, key=lambda each: each is Reason.TECHNIQUE_NOT_COVERED):
        concerned = [v for v in verdicts if reason in v.reasons]
        if not concerned or reason in left_out:
            continue
        if reason is Reason.TECHNIQUE_NOT_COVERED and len(concerned) == len(verdicts):
            yield say(NOT_COVERED, body=Verbatim(question.verification.body.name))
            continue
        for said in _said(question, reason, concerned):
            key = repr(said)
            if key not in told:
                told.add(key)
                yield said


def _said(question: _Question, reason: Reason, verdicts: Sequence[Verdict]) -> Iterator[Said]:
    subject, standing = _standing_of(reason)
    if subject is SubjectKind.AUTHORIZATION:
        for verdict in verdicts:
            for id_, span in verdict.authorizations:
                if standing in span.holds:
                    yield _on_standing(question, reason, id_, span, standing)
    elif reason is Reason.AUTHORIZATION_SUPERVISED:
        for verdict in verdicts:
            for id_, span in verdict.authorizations:
                if span.scope is not None and span.scope.mode is Mode.SUPERVISED:
                    yield say(REASONS[reason][0], techniques=named(question.covered.get(id_, ())))
    elif subject is SubjectKind.REGISTRATION:
        assert verdicts[0].registration is not None
        yield _on_standing(question, reason, None, verdicts[0].registration, standing)
    else:
        yield _on_rules(question, reason, verdicts)


def _standing_of(reason: Reason) -> tuple[SubjectKind | None, Standing]:
    """The subject and the standing that a reason names; no subject where it names none."""
    for subject in SubjectKind:
        for standing in Standing:
            if Reason.of(subject, standing) is reason:
                return subject, standing
    return None, Standing.IN_FORCE


def _on_standing(
    question: _Question, reason: Reason, id_: str | None, span: Span, standing: Standing
) -> Said:
    parts: dict[str, Part] = {"body": Verbatim(question.verification.body.name)}
    if id_ is not None:
        parts["techniques"] = named(question.covered.get(id_, ()))
    day = _DAYS.get(standing, _since)(question, id_, span, standing)
    if day is None and reason in UNDATED:
        return say(UNDATED[reason], **parts)
    return say(REASONS[reason][day is not None and day > question.today], day=day or span.first_day, **parts)


def _since(question: _Question, id_: str | None, _span: Span, standing: Standing) -> date | None:
    return question.history.since(id_, question.verification.on, standing)


def _begins(question: _Question, id_: str | None, _span: Span, _standing: Standing) -> date | None:
    return question.history.begins_on(id_, question.verification.on)


def _ended(question: _Question, id_: str | None, _span: Span, _standing: Standing) -> date | None:
    return question.history.ended_on(id_, question.verification.on)


def _last_day(_question: _Question, _id: str | None, span: Span, _standing: Standing) -> date | None:
    return span.term_through


_DAYS: Mapping[Standing, Callable[[_Question, str | None, Span, Standing], date | None]] = {
    Standing.NOT_YET: _begins,
    Standing.LAPSED: _ended,
    Standing.IN_GRACE: _last_day,
}
"""The day that a sentence about a standing names; for the others, the day since which it holds."""


def _on_rules(question: _Question, reason: Reason, verdicts: Sequence[Verdict]) -> Said:
    registration = verdicts[0].registration
    register_class = (
        "" if registration is None or registration.scope is None else registration.scope.register_class
    )
    return say(
        REASONS[reason][0],
        body=Verbatim(question.verification.body.name),
        number=Verbatim(question.verification.number),
        techniques=named([v.question.technique for v in verdicts]),
        **{"class": Verbatim(register_class or "–")},
    )
