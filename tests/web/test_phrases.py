"""Everything that a patient may read is said in every language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import pytest
from babel.messages.catalog import Catalog

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
from registry.http.web import phrases
from registry.http.web.languages import LANGUAGES, SOURCE, translations_of
from registry.http.web.phrases import Tone, When
from registry.http.web.speech import say, speech
from scripts import translations

OTHERS = [language for language in LANGUAGES.values() if language != SOURCE]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
SAME_IN_FRENCH = {"acupuncture", "Pages", "Technique"}


def test_every_word_of_the_vocabularies_has_its_phrase() -> None:
    assert set(phrases.TONES) == set(Outcome)
    assert set(phrases.TECHNIQUES) == set(Technique)
    assert set(phrases.MODES) == set(Mode)
    assert set(phrases.STANDINGS) == set(Standing)
    assert set(phrases.REASONS) == set(Reason)
    assert set(phrases.EVENTS) == {*DecisionKind, *Turning}
    assert set(phrases.SUBJECTS) == set(SubjectKind)
    for by_tone in (
        phrases.FIRST_WORDS,
        phrases.EASY_LISTS,
        phrases.EASY_ADVICE,
        phrases.BADGE,
        phrases.SIGNS,
    ):
        assert set(by_tone) == set(Tone)
    assert {tone for tone, _ in phrases.EASY} == set(Tone)
    assert set(phrases.SENTENCES) == {
        (tone, when) for tone in Tone for when in When if tone is not Tone.CONDITIONS
    }


def test_every_outcome_that_is_a_yes_reads_as_one_and_no_other_does() -> None:
    yes = {outcome for outcome, tone in phrases.TONES.items() if tone in (Tone.YES, Tone.CONDITIONS)}
    assert yes == {Outcome.AUTHORIZED, Outcome.AUTHORIZED_WITH_CONDITIONS}


@cache
def _catalog(code: str) -> Catalog:
    return translations.updated(translations.CATALOGS / code / "LC_MESSAGES" / "messages.po")


@cache
def _all_phrases() -> list[tuple[str, ...]]:
    ids = (message.id for message in translations.extracted() if message.id)
    return [(id_,) if isinstance(id_, str) else tuple(id_) for id_ in ids]


def _strings(code: str, phrase: tuple[str, ...]) -> list[str]:
    catalog = _catalog(code)
    found = catalog.get(phrase[0])
    assert found is not None
    return translations._strings(found.string)


@pytest.mark.parametrize("code", [language.code for language in OTHERS])
def test_every_phrase_of_code_and_templates_is_translated_with_its_places(code: str) -> None:
    catalog = _catalog(code)
    lacking = []
    for phrase in _all_phrases():
        found = catalog.get(phrase[0])
        strings = [] if found is None else translations._strings(found.string)
        if not strings or not all(strings) or not _same_places(phrase, strings):
            lacking.append(phrase)
    assert lacking == []


def _same_places(phrase: Iterable[str], strings: Iterable[str]) -> bool:
    """Every place is there; a form for one or two may say the number in a word."""
    wanted = {place for form in phrase for place in PLACEHOLDER.findall(form)}
    found = [set(PLACEHOLDER.findall(string)) for string in strings]
    return set.union(*found) == wanted and (len(found) > 1 or found[0] == wanted)


@pytest.mark.parametrize("code", [language.code for language in OTHERS])
def test_plural_phrases_have_every_form_of_the_language(code: str) -> None:
    catalog = _catalog(code)
    for phrase in _all_phrases():
        if len(phrase) > 1:
            assert len(_strings(code, phrase)) == catalog.num_plurals


@pytest.mark.parametrize("code", [language.code for language in OTHERS])
def test_a_translation_is_one(code: str) -> None:
    same = {phrase[0] for phrase in _all_phrases() if _strings(code, phrase)[0] == phrase[0]}
    assert same - SAME_IN_FRENCH == {
        phrase for phrase in same if not re.search("[a-z]{3}", PLACEHOLDER.sub("", phrase))
    }


def test_the_compiled_catalogs_are_those_of_the_phrases() -> None:
    for language in OTHERS:
        path = translations.CATALOGS / language.code / "LC_MESSAGES" / "messages.po"
        catalog = _catalog(language.code)
        assert path.read_bytes() == translations.po_text(catalog), "run python scripts/translations.py"
        assert path.with_suffix(".mo").read_bytes() == translations.mo_bytes(catalog)


@pytest.mark.parametrize("code", [language.code for language in OTHERS])
@pytest.mark.parametrize(
    "vocabulary", [phrases.TECHNIQUES, phrases.MODES, phrases.STANDINGS, phrases.FIRST_WORDS, phrases.BADGE]
)
def test_no_two_words_are_said_alike(code: str, vocabulary: dict[object, str]) -> None:
    said = [speech(LANGUAGES[code]).text(say(phrase)) for phrase in vocabulary.values()]
    assert len(set(said)) == len(said)


def test_the_service_reads_the_compiled_catalogs() -> None:
    assert translations_of(LANGUAGES["fr"]).gettext("Yes.") == "Oui."
    assert translations_of(LANGUAGES["ar"]).gettext("No.") == "لا."
