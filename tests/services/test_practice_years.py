"""Years of practice are counted from the person's first registration with any body that is kept here."""

from __future__ import annotations

from datetime import date

import pytest

from registry.domain.decisions import Scope
from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import Requirement, Technique
from registry.services import decisions
from tests.support import factories as made

RULES = made.make_rules(requirements={Technique.DRY_NEEDLING: TrainingRequirement(practice_years=2)})
SCOPE = Scope(techniques=made.DRY_NEEDLING)


@pytest.mark.parametrize(
    ("elsewhere", "met"), [(date(2024, 1, 1), True), (date(2024, 1, 2), False), (None, False)]
)
def test_practice_with_another_body_counts(database_url, elsewhere, met):
    with made.database(database_url) as engine, engine.begin() as tx:
        asking, other = made.make_body(tx, "asking", rules=RULES), made.make_body(tx, "other")
        person = made.make_person(tx)
        if elsewhere is not None:
            made.make_registration(tx, other, person, effective_on=elsewhere)
        id_ = made.make_registration(tx, asking, person, effective_on=date(2025, 6, 1)).id
        record = decisions.get_record(tx, id_)
        unmet = decisions.unmet_for_grant(record, SCOPE, date(2026, 1, 1))
        assert (Requirement.PRACTICE_YEARS not in {one.requirement for one in unmet}) is met


def test_a_registration_that_was_voided_counts_no_practice(database_url):
    with made.database(database_url) as engine, engine.begin() as tx:
        asking, other = made.make_body(tx, "asking", rules=RULES), made.make_body(tx, "other")
        person = made.make_person(tx)
        first = made.make_registration(tx, other, person, effective_on=date(2020, 1, 1))
        made.void(tx, first, first.decisions[0].decision.id)
        id_ = made.make_registration(tx, asking, person, effective_on=date(2025, 6, 1)).id
        [unmet] = decisions.unmet_for_grant(decisions.get_record(tx, id_), SCOPE, date(2026, 1, 1))
        assert (unmet.requirement, unmet.found) == (Requirement.PRACTICE_YEARS, 0)
