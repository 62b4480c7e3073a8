"""The table of who may do what, as documentation: :data:`registry.http.access.ACCESS` by the routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from flask import Flask
from werkzeug.routing import Rule as Route

from registry.services.principals import OF_A_BODY, SCOPES_OF, AccessScope, Role

from .access import ACCESS, Rule
from .limits import Budget

NOT_TOLD = frozenset({"HEAD", "OPTIONS"})

INTRODUCTION = """\
# Who may do what

Made from the code by `registry access --write`; not to be edited. How keys, tokens and limits work is told in
[authentication.md](authentication.md) and [limits.md](limits.md).

Every route of the service stands below; it does not start with one that has no rule. A test asks each of
them as each principal, of the own body and of another. Rosters and webhooks are seen and changed by their
owner alone: to everyone else, operators included, there are none.
"""
ROLES: Mapping[Role, str] = {
    Role.PUBLIC: "anyone, without a key",
    Role.CLINIC: "a clinic or an employer: reads what is public, follows its own staff",
    Role.AUDITOR: "reads all that one body keeps",
    Role.REGISTRAR: "reads and records for one body",
    Role.OPERATOR: "runs the service: keeps bodies and keys, may act for any body",
}
SCOPES: Mapping[AccessScope, str] = {
    AccessScope.FOLLOW: "rosters, their standing, the feed of changes, webhooks",
    AccessScope.READ: "look at what is kept, preview decisions",
    AccessScope.RECORD: "people, courses, trainings, corrections, notes on lapses",
    AccessScope.DECIDE: "registrations, authorizations, and every decision about them",
    AccessScope.IMPORT: "bring in a body's file, apply it, reverse it; its mapping profiles",
    AccessScope.EXPORT: "take out a body's register, or its audit, as a whole",
    AccessScope.ADMINISTER: "bodies, their rules, keys, and who comes with tokens",
}
BUDGETS: Mapping[Budget, str] = {
    Budget.FREE: "nothing: it shows nobody",
    Budget.LOOK_UP: "one unit",
    Budget.QUESTIONS: "without a key a unit for each question, with one a unit for the request",
    Budget.SEARCH: "one unit, and one for each person that is shown",
}
GROUPS = (
    ("/console", "The console: by a session that somebody signed in to, and by no key or token"),
    ("/v1/admin/", "Registrars, auditors and operators"),
    ("/v1/", "Public look-up, and clinics"),
    ("", "The service itself"),
)
PAGES = "Pages for patients, in any language"


def document(app: Flask, pages: frozenset[str]) -> str:
    """The table of an application, as Markdown.

    :param pages: the names of the blueprints that are pages.
    """
    groups: dict[str, list[Route]] = defaultdict(list)
    for route in app.url_map.iter_rules():
        group = _group(route, pages)
        if group is not None:
            groups[group].append(route)
    parts = [INTRODUCTION, *_meanings()]
    for title in (PAGES, *(title for _, title in reversed(GROUPS))):
        parts.append(f"## {title}\n")
        parts.append("\n".join(_table(groups[title])) + "\n")
    return "\n".join(parts)


def _group(route: Route, pages: frozenset[str]) -> str | None:
    """Where a route is told of; ``None`` for a page's address with the language in front."""
    blueprint = route.endpoint.rpartition(".")[0]
    if blueprint in pages:
        return None if "<any" in route.rule or "language>" in route.rule else PAGES
    return next(title for start, title in GROUPS if route.rule.startswith(start))


def _meanings() -> Iterator[str]:
    yield "## Roles\n"
    rows = [
        f"| `{role}` | {meaning} | {', '.join(f'`{scope}`' for scope in sorted(SCOPES_OF[role])) or 'none'} |"
        for role, meaning in ROLES.items()
    ]
    yield "\n".join(["| role | | scopes that it has a use for |", "| --- | --- | --- |", *rows]) + "\n"
    yield "## Scopes\n"
    yield "A key or a token may be narrowed to some of its role's. What the public may do needs none.\n"
    rows = [f"| `{scope}` | {meaning} |" for scope, meaning in SCOPES.items()]
    yield "\n".join(["| scope | |", "| --- | --- |", *rows]) + "\n"
    yield "## What a request is charged to\n"
    rows = [f"| `{budget}` | {meaning} |" for budget, meaning in BUDGETS.items()]
    yield "\n".join(["| | |", "| --- | --- |", *rows]) + "\n"


def _table(routes: list[Route]) -> Iterator[str]:
    roles = tuple(Role)
    yield f"| | operation | {' | '.join(roles)} | scope | charged to |"
    yield f"| --- | --- | {' | '.join('---' for _ in roles)} | --- | --- |"
    told = sorted(
        (route.rule, method, route.endpoint.rpartition(".")[2])
        for route in routes
        for method in (route.methods or set()) - NOT_TOLD
    )
    for path, method, operation in told:
        rule = ACCESS[operation]
        cells = [f"`{method} {path.replace('|', chr(92) + '|')}`", f"`{operation}`"]
        cells += [_cell(rule, role) for role in roles]
        cells += [f"`{rule.scope}`" if rule.scope else "", f"`{rule.budget}`"]
        yield f"| {' | '.join(cells)} |"


def _cell(rule: Rule, role: Role) -> str:
    if role not in rule.roles:
        return "no"
    return "own body" if rule.own_body and role in OF_A_BODY else "yes"
