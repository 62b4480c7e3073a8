"""One example of each document that is sent, by its schema's name: as the description of the API shows it.

Everyone in them is invented. A test sends each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PERSON = "01890a5d-ac96-774b-bcce-b302099a8057"
DUPLICATE = "01890a5d-b2c4-7f31-9a52-5d0c1e7f8a10"

NEEDLING = ["dry_needling"]
TRAINED: Mapping[str, Any] = {
    "title": "Foundations of dry needling",
    "provider": "Needling Institute",
    "techniques": NEEDLING,
    "completed_on": "2025-06-14",
    "hours_theory": 24,
    "hours_practical": 30.5,
    "hours_in_person": 30.5,
    "supervised_sessions": 25,
    "examination_passed": True,
    "safety_component": True,
}

EXPORTED = """\
number,name,given,family,former_names,city,languages,withheld,register_class,first_day,last_day,status,practice,\
disciplinary,standing,standing_since,conditions,authorizations
PT-10442,Ana Ito,Ana,Ito,,Ottawa,,,general,2026-01-01,2026-09-30,Active,yes,,in_force,,,
"""

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "NewImport": {"body": "ca-on", "profile": "export", "on": "2026-03-01", "file": EXPORTED},
    "NewImportTask": {"do": "apply_import", "version": 2},
    "ProfileDocument": {
        "columns": {"number": "Reg. No", "given": "First name", "family": "Last name", "city": "Town"},
        "registration": {
            "register_class": "Class",
            "first_day": "Registered",
            "last_day": "Expires",
            "status": {
                "column": "Status",
                "words": {
                    "Active": {"practice": "yes"},
                    "Active (conditions)": {"practice": "with_conditions"},
                    "Lapsed": {"practice": "no"},
                    "Suspended": {"practice": "no", "disciplinary": True},
                    "Removed": {"practice": "no", "disciplinary": True, "leaves": "revoked"},
                },
            },
        },
        "authorizations": [
            {
                "techniques": NEEDLING,
                "when": {"Dry needling": ["Yes"]},
                "first_day": "Needling since",
                "no_last_day": "open_ended",
                "status": {"absent": "in_force"},
            }
        ],
        "dates": {"formats": ["DD/MM/YYYY"]},
    },
    "QuestionBatch": {
        "questions": [
            {"body": "ca-on", "number": "PT-10442", "technique": "dry_needling", "on": "2026-03-31"},
            {"body": "ca-on", "number": "PT-10443", "ref": "booking 7"},
        ]
    },
    "RosterMembers": {
        "members": [{"body": "ca-on", "number": "PT-10442"}, {"body": "ca-on", "number": "PT-10443"}]
    },
    "NewWebhook": {
        "url": "https://booking.example.org/hooks/registry",
        "types": ["registration.suspended", "authorization.suspended"],
        "description": "The booking system, production.",
    },
    "WebhookChange": {"url": "https://booking.example.org/hooks/needling", "state": "active"},
    "SecretRotation": {"overlap_hours": 24},
    "Replay": {"event": "01890a5d-ac96-774b-bcce-b302099a8058"},
    "Rewind": {"after": "MS4wLg"},
    "NewKey": {
        "role": "registrar",
        "body": "ca-on",
        "label": "M. Reyes, registration desk",
        "scopes": ["read", "record", "decide"],
    },
    "Rotation": {"overlap_hours": 72},
    "NewBody": {
        "code": "ca-on",
        "name": "College of Physiotherapists of Ontario",
        "jurisdiction": "CA-ON",
        "time_zone": "America/Toronto",
        "website": "https://www.example.org/register",
    },
    "BodyChange": {"website": "https://www.example.org/public-register", "reason": "The site has moved."},
    "NewRules": {
        "holds_from": "2026-01-01",
        "eligible_classes": ["general"],
        "learner_classes": ["general"],
        "covers": [{"technique": "acupuncture", "also_covers": NEEDLING}],
        "requirements": [
            {"technique": "dry_needling", "hours_total": 54, "examination": True, "safety_component": True}
        ],
        "registration_renewal": {"month": 9, "day": 30},
        "reason": "Standard of practice, January 2026.",
    },
    "NewPractitioner": {
        "names": [
            {
                "kind": "published",
                "full_name": "Chlo\u00e9 Fontaine",
                "given": "Chlo\u00e9",
                "family": "Fontaine",
            }
        ],
        "languages": ["fr", "en"],
    },
    "PractitionerChange": {
        "names": [{"kind": "published", "full_name": "Chlo\u00e9 Fontaine-Ito"}],
        "previous_becomes": "former",
        "reason": "Marriage certificate seen.",
    },
    "MergeRequest": {"duplicate": DUPLICATE, "reason": "The same person, entered twice by an import."},
    "NewRegistration": {
        "practitioner": PERSON,
        "number": "PT-10442",
        "city": "Ottawa",
        "register_class": "general",
        "effective_on": "2026-01-01",
        "through": "2026-09-30",
    },
    "Correction": {"city": "Kingston", "reason": "Mistyped."},
    "NewRegistrationDecision": {
        "kind": "suspended",
        "effective_on": "2026-04-01",
        "reason": "Interim order of the panel.",
        "private_note": "File 2026-17.",
    },
    "NewGrant": {"techniques": NEEDLING, "effective_on": "2026-02-01", "through": "2026-09-30"},
    "NewAuthorizationDecision": {
        "kind": "conditions_set",
        "effective_on": "2026-04-01",
        "techniques": NEEDLING,
        "conditions": [{"text": "Not over the thorax."}],
        "excluded_regions": ["thorax"],
        "reason": "Undertaking of 20 March 2026.",
    },
    "Void": {"reason": "Recorded for the wrong person."},
    "NewCourse": {
        "title": "Foundations of dry needling",
        "provider": "Needling Institute",
        "techniques": NEEDLING,
        "approvals": [{"first_day": "2025-01-01", "last_day": "2027-12-31"}],
    },
    "CourseChange": {"provider": "Needling Institute Ltd", "reason": "Renamed."},
    "NewApproval": {"first_day": "2028-01-01", "last_day": None},
    "ApprovalEnd": {"last_day": "2026-06-30", "reason": "The course is taught no more."},
    "NewTraining": {"body": "ca-on", **TRAINED},
    "TrainingChange": {"hours_practical": 32, "reason": "Certificate read again."},
    "Withdrawal": {"reason": "The certificate was withdrawn."},
    "Erasure": {"basis": "court_order"},
    "NewContact": {"email": "chloe@example.org", "language": "fr"},
    "NewWords": {
        "subject": "Your {{what}} ends on {{last_day}}",
        "text": "Dear {{name}},\n\nyour {{what}} {{number}} ends in {{days_left}} days.\n\n{{link}}",
    },
    "NewRecipient": {"email": "desk@example.org", "language": "en"},
    "Acknowledgement": {"note": "Wrote to the registrant on 2 April."},
    "Acknowledgements": {
        "body": "ca-on",
        "lapses": [{"id": "01890a5d-ac96-774b-bcce-b302099a8059", "version": 1}],
        "note": "Wrote to all of them on 2 April.",
    },
    "Assignment": {"to": None},
    "NewNote": {"text": "She answers by Monday."},
}

TERM: Mapping[str, Any] = {
    "standing": "in_force",
    "also": [],
    "since": "2026-01-01",
    "until": "2026-09-30",
    "term_from": "2026-01-01",
    "term_through": "2026-09-30",
    "source_status": None,
}

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "Verification": {
        "body": {
            "code": "ca-on",
            "name": "College of Physiotherapists of Ontario",
            "jurisdiction": "CA-ON",
            "time_zone": "America/Toronto",
            "website": None,
        },
        "number": "PT-10442",
        "practitioner": {"id": PERSON, "name": "Chlo\u00e9 Fontaine", "withheld": False},
        "on": "2026-03-31",
        "mode": "independent",
        "known_at": None,
        "as_of": "2026-03-31T13:30:00Z",
        "authorized": True,
        "registration": {**TERM, "register_class": "general", "conditions": []},
        "verdicts": [
            {
                "technique": "dry_needling",
                "authorized": True,
                "outcome": "authorized",
                "reasons": [],
                "conditions": [],
                "excluded_regions": [],
                "valid_through": "2026-09-30",
                "valid_until": "2026-10-01T04:00:00Z",
                "authorizations": [
                    {
                        "id": "01890a5e-0b1d-7c55-8f0e-5f0f3f1f2a11",
                        **TERM,
                        "mode": "independent",
                        "conditions": [],
                        "excluded_regions": [],
                    }
                ],
            }
        ],
    },
}
