"""A row of cells as the entry of a snapshot, by a mapping profile; or everything that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from hashlib import blake2b

from registry.domain.snapshot import Entry, Stated

from .authorizations import read_authorizations
from .cells import Columns, Problem, Row, WrongRow, column_of
from .names import NameReader, spaced
from .profiles import Profile, Source, folded
from .reading import Cells
from .terms import YES, AuthorizationReader, TermReader

__all__ = ["Problem", "RowReader", "WrongRow"]


class RowReader:
    """Reads the rows of one file. Columns are looked up once.

    :ivar number: the cell that holds the registration number.
    :ivar unmapped: the status words that the profile does not know, with the rows that use them.
    """

    def __init__(self, profile: Profile, header: Sequence[str]) -> None:
        self.profile = profile
        self.unmapped: Counter[str] = Counter()
        self._columns = Columns(header)
        self._columns.require(profile.columns())
        self.number = self._columns.get(profile.number)
        self._name = NameReader(profile.name, self._columns.get)
        self._former = [NameReader(parts, self._columns.get) for parts in profile.former]
        self._former_list = self._columns.get(profile.former_list)
        self._city = self._columns.get(profile.city)
        self._languages = self._columns.get(profile.languages)
        self._withheld = self._columns.get(profile.withheld)
        self._term = TermReader(profile.registration, self._columns, self.unmapped)
        self._authorizations = [
            AuthorizationReader(a, self._columns, self.unmapped) for a in profile.authorizations
        ]
        self._authorization_list = self._columns.get(_listed(profile))
        self._only = self._columns.filters(profile.only or {})
        self._used = self._columns.used(profile.columns())

    def is_wanted(self, cells: Cells) -> bool:
        """Whether a row is of the kind that the profile reads; others are passed over."""
        return all(folded(cells[index]) in words for index, words in self._only)

    def fingerprint(self, cells: Cells, key: bytes) -> str:
        """Equal for rows that say the same in every column that the profile reads."""
        text = "\x1f".join(self._used(cells))
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12, key=key).hexdigest()

    def read(self, cells: Cells, day: date) -> Entry:
        """The entry that a row states on a local day.

        :raises WrongRow: with all that is wrong in it.
        """
        row = Row(self.profile, cells, day)
        row.check_text(self._used(cells))
        number = row.number(self.number, self.profile.number)
        name = self._name.read(cells)
        named_by = self.profile.name.family or self.profile.name.full
        if name is None:
            row.wrong(column_of(named_by), "", "the row names nobody")
        city = spaced(self._city(cells))
        row.line(self.profile.city, city)
        row.line(named_by, "" if name is None else name.full_name)
        registration = self._term.read(row)
        authorizations = self._read_authorizations(row)
        former = self._read_former(row)
        languages = tuple(row.listed(self.profile.languages, self._languages(cells)))
        if row.problems or name is None:
            raise WrongRow(row.problems)
        return Entry(
            number=number,
            name=name,
            registration=registration,
            former_names=former,
            city=None if self.profile.city is None else city,
            languages=None if self.profile.languages is None else languages,
            authorizations=authorizations,
            withheld=folded(self._withheld(cells)) in YES,
        )

    def _read_former(self, row: Row) -> tuple[str, ...] | None:
        profile = self.profile
        if profile.former_list is not None:
            return tuple(row.listed(profile.former_list, self._former_list(row.cells)))
        if not self._former:
            return None
        found: dict[str, None] = {}
        for parts, reader in zip(profile.former, self._former, strict=True):
            name = reader.read(row.cells)
            if name is not None:
                row.line(parts.family or parts.full, name.full_name)
                found[name.full_name] = None
        return tuple(found)

    def _read_authorizations(self, row: Row) -> tuple[Stated, ...] | None:
        if self.profile.authorization_list is not None:
            try:
                return read_authorizations(self._authorization_list(row.cells), row.day)
            except ValueError as error:
                row.wrong(self.profile.authorization_list, self._authorization_list(row.cells), str(error))
                return None
        if not self._authorizations:
            return None
        found = [reader.read(row) for reader in self._authorizations if reader.is_told(row.cells)]
        if len({stated.scope.techniques for stated in found}) < len(found):
            row.wrong("", "", "it tells of two authorizations for the same techniques")
        return tuple(found)


def _listed(profile: Profile) -> Source | None:
    return None if profile.authorization_list is None else Source((profile.authorization_list,))
