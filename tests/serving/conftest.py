"""What the servers under test keep: one body, one registration, keys."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from registry.services.principals import Role
from tests.support.factories import database, make_authorization, make_body, make_key, make_registration

VERIFICATION = "/v1/bodies/ca-ab/registrations/PT-1/verification?technique=dry_needling"


@dataclass(frozen=True)
class Register:
    """A register that a server may be started on."""

    url: str
    operator: str
    clinic: str

    @property
    def as_operator(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.operator}", "Content-Type": "application/json"}

    @property
    def as_clinic(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.clinic}"}


def fill(url: str) -> Register:
    with database(url) as engine, engine.begin() as tx:
        record = make_registration(tx, make_body(tx, "ca-ab"), number="PT-1", through=None)
        make_authorization(tx, record, through=None)
        return Register(url, make_key(tx), make_key(tx, Role.CLINIC))


@pytest.fixture
def register(database_url: str) -> Register:
    return fill(database_url)
