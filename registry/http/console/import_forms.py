"""The form in which a file's columns are told: made from a mapping profile, and made into one.

What a profile says beyond what the form asks stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from registry.domain.vocabulary import Technique
from registry.errors import Invalid
from registry.sheets.guessing import FORMATS, meaning_of

Document = dict[str, Any]
Typed = MultiDict[str, str]

AS_IT_IS = "="
"""Of a choice: what the profile says and the form cannot: several columns, or always the same."""
MOST_WORDS = 250
AUTHORIZATIONS = 3

NAMES = (
    ("number", "Registration number"),
    ("name", "Whole name in one column"),
    ("given", "Given name"),
    ("middle", "Middle name"),
    ("family", "Family name"),
    ("suffix", "Suffix"),
    ("city", "Town"),
    ("languages", "Languages"),
)
TERM = (
    ("register_class", "Class of the register"),
    ("first_day", "Registered since"),
    ("renewed_day", "Last renewed"),
    ("last_day", "Registered through"),
    ("conditions", "Conditions"),
)
MEANINGS: Sequence[tuple[str, str, Document]] = (
    ("yes", "may practise", {"practice": "yes"}),
    ("conditions", "may practise, with conditions", {"practice": "with_conditions"}),
    ("no", "may not: lapsed", {"practice": "no"}),
    ("suspended", "may not: suspended", {"practice": "no", "disciplinary": True}),
    ("revoked", "may not: revoked", {"practice": "no", "disciplinary": True, "leaves": "revoked"}),
    ("surrendered", "may not: given up", {"practice": "no", "leaves": "surrendered"}),
    ("unknown", "not known", {"practice": "unknown"}),
)
BY_KEY = {key: meaning for key, _, meaning in MEANINGS}


@dataclass(frozen=True, slots=True)
class Choice:
    """A column to be chosen. ``said``: what the profile says where no one column says it."""

    name: str
    label: str
    chosen: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A status word, what it is taken to mean, and how many rows have it."""

    index: int
    word: str
    meaning: str
    rows: int


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization that rows may tell of."""

    index: int
    technique: str
    column: str
    words: str
    first_day: str
    last_day: str
    is_vouched: bool


@dataclass(frozen=True, slots=True)
class ShownMapping:
    """A profile as the form shows it."""

    names: tuple[Choice, ...]
    term: tuple[Choice, ...]
    status: Choice
    listed: str
    words: tuple[Word, ...]
    format: str
    formats: tuple[str, ...]
    only_column: str
    only_words: str
    authorizations: tuple[Authorization, ...]
    open_ended: bool
    family_first: bool


def shown(document: Document, words: Mapping[str, int]) -> ShownMapping:
    """A profile as a form.

    :param words: the status words found in the file, with the rows that have them.
    """
    columns, term = document["columns"], document.get("registration") or {}
    status = term.get("status") or {}
    known = status.get("words") or {}
    every = dict.fromkeys((*words, *known))
    only = document.get("only") or {}
    formats = (document.get("dates") or {}).get("formats") or ["YYYY-MM-DD"]
    told = document.get("authorizations") or []
    return ShownMapping(
        names=tuple(_choice(name, label, columns.get(name)) for name, label in NAMES),
        term=tuple(_choice(name, label, term.get(name)) for name, label in TERM),
        status=_choice("status", "Status", status.get("column")),
        listed="in_force" if status.get("absent") == "in_force" else "unknown",
        words=tuple(
            Word(index, word, key_of(known.get(word) or meaning_of(word)), words.get(word, 0))
            for index, word in enumerate(list(every)[:MOST_WORDS])
        ),
        format=" or ".join(formats),
        formats=tuple(dict.fromkeys((*formats, *FORMATS))),
        only_column=next(iter(only), ""),
        only_words="; ".join(next(iter(only.values()), [])),
        authorizations=tuple(_authorization(told, index) for index in range(AUTHORIZATIONS)),
        open_ended=term.get("no_last_day") == "open_ended",
        family_first=columns.get("name_order") == "family_first",
    )


def _choice(name: str, label: str, said: Any) -> Choice:
    if said is None or isinstance(said, str):
        return Choice(name, label, said or "")
    told = said.get("constant", "") if isinstance(said, dict) else ", then ".join(said)
    return Choice(name, label, AS_IT_IS, f"always “{told}”" if isinstance(said, dict) else told)


def key_of(meaning: Mapping[str, Any]) -> str:
    """Which of :data:`MEANINGS` a word has."""
    practice, leaves = meaning.get("practice"), meaning.get("leaves")
    if practice == "no" and leaves in ("revoked", "surrendered"):
        return str(leaves)
    if practice == "no":
        return "suspended" if meaning.get("disciplinary") or leaves == "suspended" else "no"
    return {"yes": "yes", "with_conditions": "conditions"}.get(str(practice), "unknown")


def _authorization(told: Sequence[Document], index: int) -> Authorization:
    one = told[index] if index < len(told) else {}
    when = one.get("when") or {}
    absent = (one.get("status") or {}).get("absent")
    days = [one.get(name) if isinstance(one.get(name), str) else "" for name in ("first_day", "last_day")]
    return Authorization(
        index,
        next(iter(one.get("techniques") or []), ""),
        next(iter(when), ""),
        "; ".join(next(iter(when.values()), [])),
        str(days[0] or ""),
        str(days[1] or ""),
        absent == "in_force",
    )


def document_of(base: Document, typed: Typed) -> Document:
    """The profile that a form says, over what it was made from.

    :raises registry.errors.Invalid: something is missing.
    """
    made = deepcopy(base)
    _put(made["columns"], NAMES, typed)
    if typed.get("family_first"):
        made["columns"]["name_order"] = "family_first"
    else:
        made["columns"].pop("name_order", None)
    if not made["columns"].get("number"):
        raise Invalid.at("/number", "Say which column holds the registration number.")
    if not any(made["columns"].get(name) for name in ("name", "given", "family")):
        raise Invalid.at("/family", "Say which columns hold the name.")
    term = made["registration"] = dict(made.get("registration") or {})
    _put(term, TERM, typed)
    term["no_last_day"] = "open_ended" if typed.get("open_ended") else "unknown"
    term["status"] = _status(term.get("status") or {}, typed)
    made["dates"] = {
        "formats": [text for text in typed.get("format", "").split(" or ") if text] or ["YYYY-MM-DD"]
    }
    column, words = typed.get("only_column", ""), _split(typed.get("only_words", ""))
    made.pop("only", None)
    if column and words:
        made["only"] = {column: words}
    made["authorizations"] = list(_authorizations(base.get("authorizations") or [], typed))
    return made


def _put(into: Document, fields: Sequence[tuple[str, str]], typed: Typed) -> None:
    for name, _ in fields:
        given = typed.get(name, "")
        if given == AS_IT_IS:
            continue
        if given:
            into[name] = given
        else:
            into.pop(name, None)


def _status(status: Document, typed: Typed) -> Document:
    made = dict(status)
    given = typed.get("status", "")
    if not given:
        for name in ("column", "words"):
            made.pop(name, None)
        made["absent"] = "in_force" if typed.get("listed") == "in_force" else {"practice": "unknown"}
        return made
    if given != AS_IT_IS:
        made["column"] = given
    made["words"] = dict(_words(typed, status.get("words") or {}))
    return made


def _words(typed: Typed, before: Mapping[str, Document]) -> Iterator[tuple[str, Document]]:
    for index in range(MOST_WORDS):
        word, key = typed.get(f"word-{index}"), typed.get(f"means-{index}", "")
        if word and key in BY_KEY:
            said = before.get(word)
            kept = said if said is not None and key_of(said) == key else BY_KEY[key]
            yield word, dict(kept)


def _split(text: str) -> list[str]:
    return [word for part in text.split(";") if (word := part.strip())]


def _authorizations(base: Sequence[Document], typed: Typed) -> Iterator[Document]:
    techniques = {technique.value for technique in Technique}
    for index in range(max(AUTHORIZATIONS, len(base))):
        before = base[index] if index < len(base) else {}
        if index >= AUTHORIZATIONS:
            yield before
            continue
        technique = typed.get(f"technique-{index}", "")
        if technique not in techniques:
            continue
        made: Document = dict(before)
        if technique not in (before.get("techniques") or []):
            made["techniques"] = [technique]
        column, words = typed.get(f"when-{index}", ""), _split(typed.get(f"when-words-{index}", ""))
        if column and not words:
            raise Invalid.at(f"/when-words-{index}", "Say which words in that column tell of it.")
        made["when"] = {column: words} if column else {}
        _put(made, [("first_day", ""), ("last_day", "")], _of_days(typed, index))
        if not isinstance(made.get("last_day"), (str, list)):
            made["no_last_day"] = "open_ended"
        vouched = typed.get(f"vouched-{index}")
        status = dict(made.get("status") or {})
        if "column" not in status:
            status["absent"] = "in_force" if vouched else {"practice": "unknown"}
        made["status"] = status
        yield made


def _of_days(typed: Typed, index: int) -> Typed:
    return MultiDict({name: typed.get(f"{name}-{index}", "") for name in ("first_day", "last_day")})
