"""Notices: each threshold once, on its day or the nearest later one; nothing that is not due any more."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from registry.domain.vocabulary import DecisionKind
from registry.services import lapses
from registry.services.contacts import put_contact
from registry.services.decisions import get_record
from registry.services.digests import find_digest
from registry.services.lapses import LapseQuestion
from registry.services.merges import merge_people
from registry.services.people import get_person
from registry.store import contacts
from registry.store.notice_tables import notices
from tests.notices.conftest import LAST, Office, before, email_of, local
from tests.support.factories import (
    AT,
    BY,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    void,
)
from tests.support.postbox import html, plain


def test_each_threshold_is_told_once_in_the_first_minute_of_its_day_and_not_before(office):
    office.register()
    for days in (60, 30, 7, 0):
        office.send(local(before(days + 1), 23, 59, 59))
        sent = len(office.box.taken)
        office.send(local(before(days), 0, 0, 0))
        office.send(local(before(days), 23, 59))
        assert len(office.box.taken) == sent + 1
    assert office.kept() == [(60, "sent"), (30, "sent"), (7, "sent"), (0, "sent")]
    assert len(set(office.box.ids)) == 4
    assert office.send(local(LAST + timedelta(days=1))).sent == 0


@pytest.mark.parametrize("last", [date(2026, 3, 8), date(2026, 11, 1)])
def test_days_are_the_body_s_own_where_clocks_change(small_office, last):
    """On the 8th of March a day has 23 hours, on the 1st of November 25."""
    office = small_office
    office.register(through=last)
    for day in (last - timedelta(days=7), last):
        office.send(local(day - timedelta(days=1), 23, 59, 59))
        sent = len(office.box.taken)
        office.send(local(day, 0, 0, 0))
        assert len(office.box.taken) == sent + 1


def test_after_days_without_a_run_only_what_is_due_now_is_sent_and_the_rest_noted(office):
    office.register()
    office.send(local(before(61)))
    office.send(local(before(29)))
    assert office.kept() == [(60, "passed_over"), (30, "sent")]
    assert len(office.box.taken) == 1
    office.send(local(before(-1)))
    assert office.kept() == [(60, "passed_over"), (30, "sent"), (7, "passed_over"), (0, "passed_over")]
    assert len(office.box.taken) == 1


def test_a_term_of_twenty_days_has_no_thirtieth_day(small_office):
    office = small_office
    with office.engine.begin() as tx:
        record = make_registration(tx, office.body, effective_on=before(20), through=LAST)
        email_of(tx, record, "short@example.net")
    office.send(local(before(20)))
    assert office.kept() == []
    office.send(local(before(7)))
    assert office.kept() == [(7, "sent")]


def test_what_is_recorded_after_the_day_was_planned_is_told_the_same_day(office):
    office.send(local(before(30)))
    office.register()
    office.send(local(before(30), 13))
    assert office.kept() == [(60, "passed_over"), (30, "sent")]


def test_a_renewed_term_cancels_what_is_queued_and_a_voided_renewal_brings_it_back(office):
    record = office.register()
    office.box.at_rcpt = lambda _: "451 4.7.1 later"
    office.send(local(before(30)))
    assert (30, "queued") in office.kept()
    with office.engine.begin() as tx:
        record = decide(
            tx,
            get_record(tx, record.id),
            DecisionKind.RENEWED,
            LAST + timedelta(days=1),
            through=date(2027, 9, 30),
        )
        renewal = record.decisions[-1].decision.id
    office.box.at_rcpt = lambda _: None
    office.send(local(before(29)))
    assert (30, "cancelled") in office.kept()
    assert office.box.taken == []
    with office.engine.begin() as tx:
        void(tx, get_record(tx, record.id), renewal)
    office.send(local(before(28)))
    assert (30, "sent") in office.kept()
    assert len(office.box.taken) == 1


def test_a_renewal_between_two_attempts_of_one_day_is_seen_when_the_letter_is_claimed(small_office):
    """Without another run of planning: what is claimed is looked at once more."""
    office = small_office
    record = office.register()
    office.box.at_rcpt = lambda _: "451 later"
    office.send(local(before(30), 8))
    office.box.at_rcpt = lambda _: None
    with office.engine.begin() as tx:
        decide(
            tx,
            get_record(tx, record.id),
            DecisionKind.RENEWED,
            LAST + timedelta(days=1),
            through=date(2027, 9, 30),
        )
    office.send(local(before(30), 20))
    assert office.box.taken == []


def test_what_cannot_be_taken_now_is_tried_again_until_the_next_threshold(office):
    office.register()
    office.box.at_data = lambda _: "452 4.2.2 mailbox full"
    assert office.send(local(before(7), 8)).postponed == 1
    assert office.send(local(before(7), 8, 0, 30)).postponed == 0
    assert office.send(local(before(7), 8, 2)).postponed == 1
    office.box.at_data = lambda _: None
    assert office.send(local(before(7), 9)).sent == 1
    assert office.kept()[-1] == (7, "sent")


def test_what_could_not_be_sent_until_the_next_threshold_is_passed_over_for_that(office):
    office.register()
    office.box.at_data = lambda _: "452 4.2.2 mailbox full"
    office.send(local(before(30)))
    office.box.at_data = lambda _: None
    office.send(local(before(7)))
    assert office.kept() == [(60, "passed_over"), (30, "passed_over"), (7, "sent")]
    assert len(office.box.taken) == 1


def test_a_refused_address_is_not_tried_again_and_shown_with_the_lapse(office):
    record = office.register(email="gone@example.net")
    office.box.at_rcpt = lambda to: f"550 5.1.1 <{to}> unknown"
    assert office.send(local(before(30))).not_reached == 1
    office.send(local(before(29)))
    with office.engine.begin() as tx:
        item = next(
            item
            for item in lapses.list_lapses(tx, LapseQuestion(), after=None, limit=10, at=local(before(29)))
            if item.lapse.registration_id == record.id
        )
        failure = tx.execute(select(notices.c.failure).where(notices.c.state == "refused")).scalar_one()
        digest = find_digest(tx, office.body, before(29))
    assert item.not_reached
    assert failure == "550 5.1.1"  # never the server's words, which hold the address
    assert [(line.number, line.state) for line in digest.not_reached] == [("PT-00001", "refused")]


def test_who_has_no_address_is_not_reached_until_one_is_known(office):
    record = office.register(email=None)
    assert office.send(local(before(30))).not_reached == 1
    with office.engine.begin() as tx:
        assert find_digest(tx, office.body, before(30)).not_reached[0].state == "no_address"
        email_of(tx, record, "found@example.net")
    assert office.send(local(before(28))).sent == 1
    with office.engine.begin() as tx:
        assert find_digest(tx, office.body, before(28)).not_reached == ()


def test_another_address_gets_what_came_back_from_the_first(small_office):
    office = small_office
    record = office.register(email="old@example.net")
    office.box.at_rcpt = lambda to: "550 5.1.1 no" if to.startswith("old") else None
    office.send(local(before(30)))
    with office.engine.begin() as tx:
        person = get_person(tx, record.person.id)
        put_contact(tx, person, "new@example.net", None, version=1, by=BY, at=AT)
    office.send(local(before(29)))
    assert [to for to, _ in office.box.taken] == ["new@example.net"]


def test_a_suspension_is_told_without_its_reason(office):
    record = office.register(through=None)
    office.send(local(date(2026, 2, 1)))
    with office.engine.begin() as tx:
        decide(
            tx,
            get_record(tx, record.id),
            DecisionKind.SUSPENDED,
            date(2026, 2, 3),
            reason="Assaulted a patient.",
            private_note="File 17.",
        )
    office.send(local(date(2026, 2, 2)))
    assert office.box.taken == []
    for hour in (0, 1, 20):
        office.send(local(date(2026, 2, 3), hour))
    ((_, message),) = office.box.taken
    told = message.as_string() + plain(message) + html(message)
    assert "3 February 2026" in plain(message)
    assert "Assaulted" not in told
    assert "File 17" not in told


def test_an_old_suspension_that_becomes_known_is_history(small_office):
    office = small_office
    record = office.register(through=None)
    with office.engine.begin() as tx:
        decide(tx, get_record(tx, record.id), DecisionKind.SUSPENDED, date(2025, 6, 1))
    office.send(local(date(2026, 2, 3)))
    assert office.kept() == []


def test_a_registration_and_its_authorization_are_told_apart(small_office):
    office = small_office
    with office.engine.begin() as tx:
        record = make_registration(tx, office.body, through=LAST)
        make_authorization(tx, record, through=LAST)
        email_of(tx, record, "both@example.net")
    office.send(local(before(7)))
    subjects = sorted(str(message["Subject"]) for _, message in office.box.taken)
    assert [subject.partition(" PT")[0] for subject in subjects] == [
        "Your authorization to needle",
        "Your registration",
    ]


def test_any_number_of_senders_at_once_send_each_notice_once(office):
    with office.engine.begin() as tx:
        for number in range(12):
            record = make_registration(tx, office.body, through=LAST)
            email_of(tx, record, f"p{number}@example.net")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            other = Office.__new__(Office)
            other.engine, other.box, other.clock, other.body = (
                office.engine,
                office.box,
                type(office.clock)(),
                office.body,
            )
            other.send(local(before(30)))
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(to for to, _ in office.box.taken) == sorted(f"p{n}@example.net" for n in range(12))


def test_what_somebody_left_half_sent_is_sent_with_the_same_identifier_and_not_for_ever(small_office):
    office = small_office
    office.register()
    office.send(local(before(30)))
    for attempt in (1, 2, 3):
        with office.engine.begin() as tx:
            left = {"state": "sending", "lease": "x", "lease_until": AT}
            tx.execute(update(notices).where(notices.c.threshold == 30).values(left))
        office.send(local(before(30), 12 + attempt))
    assert len(office.box.taken) == 3
    assert len(set(office.box.ids)) == 1
    with office.engine.begin() as tx:
        row = tx.execute(select(notices).where(notices.c.threshold == 30)).one()
    assert (row.state, row.failure) == ("refused", "unknown")


def test_nobody_takes_over_what_is_being_sent(small_office):
    office = small_office
    office.register()
    office.send(local(before(30)))
    with office.engine.begin() as tx:
        held = {"state": "sending", "lease": "x", "lease_until": local(before(30), 12, 5)}
        tx.execute(update(notices).where(notices.c.threshold == 30).values(held))
    assert office.send(local(before(30), 12, 4)).sent == 0


def test_while_the_mail_server_is_away_all_is_kept(small_office):
    office = small_office
    for number in range(3):
        office.register(f"Person {number}", f"p{number}@example.net")
    port, office.box.port = office.box.port, 1
    assert office.send(local(before(30), 8)).away
    office.box.port = port
    assert office.send(local(before(30), 9)).sent == 3


def test_each_body_has_its_own_midnight(small_office):
    office = small_office
    with office.engine.begin() as tx:
        other = make_body(tx, "nz-xx", zone="Pacific/Auckland")
        record = make_registration(tx, other, through=LAST)
        email_of(tx, record, "nz@example.net")
    office.register()
    office.send(local(before(8), 8))  # it is the day after in Auckland
    assert [to for to, _ in office.box.taken if to.startswith("nz")] == ["nz@example.net"] * 1
    with office.engine.begin() as tx:
        states = tx.execute(select(notices.c.body_id, notices.c.threshold, notices.c.state)).all()
    assert {(row.body_id == other.id, row.threshold) for row in states if row.state == "sent"} == {
        (True, 7),
        (False, 30),
    }


def test_a_merged_record_s_address_is_used_where_the_kept_one_has_none(small_office):
    office = small_office
    record = office.register(email=None)
    with office.engine.begin() as tx:
        duplicate = make_person(tx, "Ana Ito")
        put_contact(tx, duplicate, "dup@example.net", None, version=0, by=BY, at=AT)
        merge_people(tx, get_person(tx, record.person.id), duplicate.id, reason="the same", by=BY, at=AT)
        found = contacts.contact_of_registration(tx, record.id)
    assert found is not None
    assert found.email == "dup@example.net"
