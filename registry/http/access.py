"""Who may do what, and what it is charged to: one table.

Every route stands in :data:`ACCESS`; the application does not start with one that does not. A rule with
``own_body`` binds registrars and auditors to their body, and a view under such a rule must ask
(:func:`require_body` or :func:`own_body`): one that forgot answers 500 and changes nothing. The table is made
into documentation by ``registry access``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Flask, g, request

from registry.errors import Forbidden
from registry.services.principals import ANYONE, OF_A_BODY, AccessScope, Principal, Role
from registry.store.database import read_from_primary

from .authentication import authenticate
from .headers import IS_PUBLIC, ROUTED_TO
from .limits import Budget, charge, current_limits
from .problems import Unauthenticated
from .sessions import SignedOut, find_session, is_of_console


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles may use a route.

    :param own_body: registrars and auditors only where the resource belongs to their own body.
    :param scope: that the key or the token needs besides; ``None`` for none.
    :param budget: what a request is charged to.
    """

    roles: frozenset[Role]
    own_body: bool = False
    scope: AccessScope | None = None
    budget: Budget = Budget.LOOK_UP

    @property
    def public(self) -> bool:
        """Whether no key is needed."""
        return Role.PUBLIC in self.roles

    def needing(self, scope: AccessScope) -> Rule:
        """The same for those who have a scope."""
        return replace(self, scope=scope)

    def charged_to(self, budget: Budget) -> Rule:
        """The same, charged to something else."""
        return replace(self, budget=budget)


STAFF_ROLES = frozenset({Role.REGISTRAR, Role.AUDITOR, Role.OPERATOR})
RECORDING_ROLES = frozenset({Role.REGISTRAR, Role.OPERATOR})

EVERYONE = Rule(frozenset(Role))
FREE_FOR_EVERYONE = EVERYONE.charged_to(Budget.FREE)
"""What shows nobody: it is charged to nothing."""
SEARCHES = EVERYONE.charged_to(Budget.SEARCH)
REGISTRARS = Rule(RECORDING_ROLES, scope=AccessScope.RECORD)
READERS_OF_BODY = Rule(STAFF_ROLES, own_body=True, scope=AccessScope.READ)
REGISTRARS_OF_BODY = Rule(RECORDING_ROLES, own_body=True, scope=AccessScope.RECORD)
DECIDERS_OF_BODY = REGISTRARS_OF_BODY.needing(AccessScope.DECIDE)
IMPORTERS_OF_BODY = REGISTRARS_OF_BODY.needing(AccessScope.IMPORT)
EXPORTERS_OF_BODY = READERS_OF_BODY.needing(AccessScope.EXPORT)
ADMINISTRATORS_OF_BODY = REGISTRARS_OF_BODY.needing(AccessScope.ADMINISTER)
AUDITORS_OF_BODY = Rule(frozenset({Role.AUDITOR, Role.OPERATOR}), own_body=True, scope=AccessScope.READ)
OPERATORS = Rule(frozenset({Role.OPERATOR}), scope=AccessScope.ADMINISTER)
STAFF = Rule(STAFF_ROLES)
OPERATORS_AT_WORK = Rule(frozenset({Role.OPERATOR}), scope=AccessScope.READ)
CLINICS = Rule(frozenset({Role.CLINIC, Role.OPERATOR}), scope=AccessScope.FOLLOW)
ALL_WITH_KEYS = Rule(frozenset(Role) - {Role.PUBLIC})
KEY_HOLDERS = ALL_WITH_KEYS.needing(AccessScope.FOLLOW)
NOBODY_ASKED = FREE_FOR_EVERYONE
"""Of an address where there is nothing."""

ACCESS: Mapping[str, Rule] = {
    # Pages for patients
    "search_page": SEARCHES,
    "find_page": SEARCHES,
    "check_page": EVERYONE,
    "easy_check_page": EVERYONE,
    "card_page": EVERYONE,
    "about_page": FREE_FOR_EVERYONE,
    "easy_about_page": FREE_FOR_EVERYONE,
    "choose_page_language": FREE_FOR_EVERYONE,
    "page_asset": FREE_FOR_EVERYONE,
    "qr_svg": EVERYONE,
    "qr_png": EVERYONE,
    "badge_svg": EVERYONE,
    "changes_feed": EVERYONE,
    # The console: by session alone. Who is not signed in is let in to sign in.
    "console_asset": FREE_FOR_EVERYONE,
    "console_sign_in": FREE_FOR_EVERYONE,
    "console_link": EVERYONE,
    "console_use_link": EVERYONE,
    "console_go_to_provider": EVERYONE,
    "console_come_from_provider": EVERYONE,
    "console_leave_provider": FREE_FOR_EVERYONE,
    "console_sign_out": STAFF,
    "console_sessions_page": STAFF,
    "console_end_session": STAFF,
    "console_end_all_sessions": STAFF,
    "console_choose_body": OPERATORS_AT_WORK,
    "console_audit": AUDITORS_OF_BODY,
    "console_verify_audit": AUDITORS_OF_BODY,
    "console_export_audit": AUDITORS_OF_BODY.needing(AccessScope.EXPORT),
    # ... its rules
    "console_rules": READERS_OF_BODY,
    "console_new_rules": ADMINISTRATORS_OF_BODY,
    "console_draft_rules": ADMINISTRATORS_OF_BODY,
    "console_rules_draft": READERS_OF_BODY,
    "console_save_rules": ADMINISTRATORS_OF_BODY,
    # ... its imports
    "console_imports": READERS_OF_BODY,
    "console_send_import": IMPORTERS_OF_BODY,
    "console_import": READERS_OF_BODY,
    "console_check_import": IMPORTERS_OF_BODY,
    "console_apply_import": IMPORTERS_OF_BODY,
    "console_reverse_import": IMPORTERS_OF_BODY,
    "console_import_mapping": READERS_OF_BODY,
    "console_preview_mapping": IMPORTERS_OF_BODY,
    "console_map_import": IMPORTERS_OF_BODY,
    "console_import_row": READERS_OF_BODY,
    "console_correct_row": IMPORTERS_OF_BODY,
    "console_download_rejected": READERS_OF_BODY,
    "console_take_in_corrected": IMPORTERS_OF_BODY,
    # ... its lapse queue
    "console_lapses": READERS_OF_BODY,
    "console_lapse": READERS_OF_BODY,
    "console_acknowledge_lapses": REGISTRARS_OF_BODY,
    "console_acknowledge_lapse": REGISTRARS_OF_BODY,
    "console_reopen_lapse": REGISTRARS_OF_BODY,
    "console_assign_lapse": REGISTRARS_OF_BODY,
    "console_note_on_lapse": REGISTRARS_OF_BODY,
    "console_export_lapses": EXPORTERS_OF_BODY,
    "console_nowhere": STAFF,
    "console_notices": READERS_OF_BODY,
    "console_notice_words": READERS_OF_BODY,
    "console_preview_words": READERS_OF_BODY,
    "console_word_in_language": READERS_OF_BODY,
    "console_save_words": ADMINISTRATORS_OF_BODY,
    "console_drop_words": ADMINISTRATORS_OF_BODY,
    "console_add_recipient": ADMINISTRATORS_OF_BODY,
    "console_remove_recipient": ADMINISTRATORS_OF_BODY,
    "console_privacy": READERS_OF_BODY,
    "console_privacy_of": READERS_OF_BODY,
    "console_withhold": REGISTRARS_OF_BODY,
    "console_former_names": REGISTRARS_OF_BODY,
    "console_contact": REGISTRARS_OF_BODY,
    "console_export_subject": EXPORTERS_OF_BODY,
    "console_erase": ADMINISTRATORS_OF_BODY,
    # ... people and decisions: as the operations of the API that do the same
    "console_home": READERS_OF_BODY,
    "console_search": READERS_OF_BODY,
    "console_person": READERS_OF_BODY,
    "console_new_person": REGISTRARS_OF_BODY,
    "console_add_person": REGISTRARS,
    "console_edit_person": REGISTRARS_OF_BODY,
    "console_change_person": REGISTRARS_OF_BODY,
    "console_new_registration": DECIDERS_OF_BODY,
    "console_add_registration": DECIDERS_OF_BODY,
    "console_edit_registration": REGISTRARS_OF_BODY,
    "console_correct_registration": REGISTRARS_OF_BODY,
    "console_decide": DECIDERS_OF_BODY,
    "console_preview_decision": DECIDERS_OF_BODY,
    "console_reword_decision": DECIDERS_OF_BODY,
    "console_record_decision": DECIDERS_OF_BODY,
    "console_void": DECIDERS_OF_BODY,
    "console_preview_void": DECIDERS_OF_BODY,
    "console_reword_void": DECIDERS_OF_BODY,
    "console_void_decision": DECIDERS_OF_BODY,
    "console_new_training": REGISTRARS_OF_BODY,
    "console_add_training": REGISTRARS_OF_BODY,
    "console_edit_training": REGISTRARS_OF_BODY,
    "console_change_training": REGISTRARS_OF_BODY,
    "console_withdraw_training": REGISTRARS_OF_BODY,
    "console_courses": READERS_OF_BODY,
    "console_new_course": REGISTRARS_OF_BODY,
    "console_add_course": REGISTRARS_OF_BODY,
    "console_edit_course": REGISTRARS_OF_BODY,
    "console_change_course": REGISTRARS_OF_BODY,
    "console_approve_course": REGISTRARS_OF_BODY,
    "console_choose_duplicate": REGISTRARS_OF_BODY,
    "console_merge": REGISTRARS_OF_BODY,
    "console_merge_page": READERS_OF_BODY,
    "console_part": REGISTRARS_OF_BODY,
    # The service itself
    "healthz": FREE_FOR_EVERYONE,
    "readyz": FREE_FOR_EVERYONE,
    "problem_type": FREE_FOR_EVERYONE,
    "openapi_json": FREE_FOR_EVERYONE,
    "openapi_yaml": FREE_FOR_EVERYONE,
    "docs": FREE_FOR_EVERYONE,
    "docs_asset": FREE_FOR_EVERYONE,
    "api_catalog": FREE_FOR_EVERYONE,
    "security_txt": FREE_FOR_EVERYONE,
    # Public look-up
    "list_bodies": FREE_FOR_EVERYONE,
    "get_body": FREE_FOR_EVERYONE,
    "show_registration": EVERYONE,
    "verify_registration": EVERYONE,
    "show_practitioner": EVERYONE,
    "search_practitioners": SEARCHES,
    # Clinics: anyone may ask by the thousand; a roster is seen by its clinic alone.
    "verify_batch": EVERYONE.charged_to(Budget.QUESTIONS),
    "list_rosters": CLINICS,
    "put_roster": CLINICS,
    "get_roster": CLINICS,
    "delete_roster": CLINICS,
    "show_standing": CLINICS,
    "list_changes": KEY_HOLDERS,
    "stream_changes": KEY_HOLDERS,
    # Webhooks: of the key that made them alone; to others, operators too, they are not there.
    "create_webhook": KEY_HOLDERS,
    "list_webhooks": KEY_HOLDERS,
    "get_webhook": KEY_HOLDERS,
    "change_webhook": KEY_HOLDERS,
    "delete_webhook": KEY_HOLDERS,
    "rotate_webhook_secret": KEY_HOLDERS,
    "ping_webhook": KEY_HOLDERS,
    "list_webhook_deliveries": KEY_HOLDERS,
    "replay_webhook_event": KEY_HOLDERS,
    "rewind_webhook": KEY_HOLDERS,
    # Keys: a registrar sees who else holds keys of the body; all else about them is the operator's.
    "create_key": OPERATORS,
    "list_keys": REGISTRARS_OF_BODY.needing(AccessScope.READ),
    "get_key": REGISTRARS_OF_BODY.needing(AccessScope.READ),
    "rotate_key": OPERATORS,
    "revoke_key": OPERATORS,
    "list_token_holders": OPERATORS,
    "get_token_holder": OPERATORS,
    "block_token_holder": OPERATORS,
    "unblock_token_holder": OPERATORS,
    # Bodies: kept by operators; a registrar makes the rules of the own body.
    "create_body": OPERATORS,
    "get_body_record": READERS_OF_BODY,
    "change_body": OPERATORS,
    "add_rules": ADMINISTRATORS_OF_BODY,
    "list_rules_of_body": READERS_OF_BODY,
    # Practitioners: a person belongs to no body; a registrar has a say in whom the own body registered, and
    # in whom they took in themselves and nobody registered yet (registry.services.people.refuse_foreign).
    "create_practitioner": REGISTRARS,
    "list_practitioner_records": READERS_OF_BODY,
    "get_practitioner_record": READERS_OF_BODY,
    "change_practitioner": REGISTRARS_OF_BODY,
    "merge_practitioners": REGISTRARS_OF_BODY,
    "get_merge": READERS_OF_BODY,
    "reverse_merge": REGISTRARS_OF_BODY,
    # Registrations, authorizations, decisions
    "create_registration": DECIDERS_OF_BODY,
    "list_registration_records": READERS_OF_BODY,
    "get_registration_record": READERS_OF_BODY,
    "correct_registration": REGISTRARS_OF_BODY,
    "list_decisions": READERS_OF_BODY,
    "decide_on_registration": DECIDERS_OF_BODY,
    "preview_registration_decision": READERS_OF_BODY,
    "grant_needling_authorization": DECIDERS_OF_BODY,
    "preview_grant": READERS_OF_BODY,
    "check_eligibility": READERS_OF_BODY,
    "get_authorization": READERS_OF_BODY,
    "decide_on_authorization": DECIDERS_OF_BODY,
    "preview_authorization_decision": READERS_OF_BODY,
    "get_decision": READERS_OF_BODY,
    "void_decision": DECIDERS_OF_BODY,
    "preview_voiding": READERS_OF_BODY,
    # Courses and trainings
    "create_course": REGISTRARS_OF_BODY,
    "list_courses_of_body": READERS_OF_BODY,
    "get_course": READERS_OF_BODY,
    "change_course": REGISTRARS_OF_BODY,
    "approve_course": REGISTRARS_OF_BODY,
    "end_approval": REGISTRARS_OF_BODY,
    "create_training": REGISTRARS_OF_BODY,
    "list_trainings_of_practitioner": READERS_OF_BODY,
    "get_training": READERS_OF_BODY,
    "change_training": REGISTRARS_OF_BODY,
    "withdraw_training": REGISTRARS_OF_BODY,
    # Lapses and gaps: read by all of the body's staff, worked on by its registrars.
    "list_lapses": READERS_OF_BODY,
    "get_lapse": READERS_OF_BODY,
    "acknowledge_lapse": REGISTRARS_OF_BODY,
    "acknowledge_lapses": REGISTRARS_OF_BODY,
    "assign_lapse": REGISTRARS_OF_BODY,
    "note_on_lapse": REGISTRARS_OF_BODY,
    "list_lapse_notes": READERS_OF_BODY,
    "reopen_lapse": REGISTRARS_OF_BODY,
    "report_gaps": READERS_OF_BODY,
    # Notices: addresses of people are for staff; who gets a digest ends it with the address that is in it.
    "get_contact": READERS_OF_BODY,
    "put_contact": REGISTRARS_OF_BODY,
    "delete_contact": REGISTRARS_OF_BODY,
    "list_notices": READERS_OF_BODY,
    "list_notice_words": READERS_OF_BODY,
    "get_notice_words": READERS_OF_BODY,
    "put_notice_words": ADMINISTRATORS_OF_BODY,
    "delete_notice_words": ADMINISTRATORS_OF_BODY,
    "preview_notice_words": READERS_OF_BODY,
    "list_digest_recipients": READERS_OF_BODY,
    "add_digest_recipient": ADMINISTRATORS_OF_BODY,
    "remove_digest_recipient": ADMINISTRATORS_OF_BODY,
    "erase_practitioner": ADMINISTRATORS_OF_BODY,
    "export_for_subject": EXPORTERS_OF_BODY,
    "digest_page": EVERYONE,
    "end_digest": EVERYONE,
    # Imports and exports: a body's register belongs to the body; its auditors see what came of an import.
    "create_import": IMPORTERS_OF_BODY,
    "list_imports": READERS_OF_BODY,
    "get_import": READERS_OF_BODY,
    "preview_import": IMPORTERS_OF_BODY,
    "ask_about_import": IMPORTERS_OF_BODY,
    "apply_import": IMPORTERS_OF_BODY,
    "reverse_import": IMPORTERS_OF_BODY,
    "list_rejected_rows": READERS_OF_BODY,
    "download_rejected_rows": READERS_OF_BODY,
    "list_vanished_registrations": READERS_OF_BODY,
    "list_import_profiles": READERS_OF_BODY,
    "get_import_profile": READERS_OF_BODY,
    "put_import_profile": IMPORTERS_OF_BODY,
    "export_as_csv": EXPORTERS_OF_BODY,
    "export_as_ndjson": EXPORTERS_OF_BODY,
    # The audit: who watches a body's registrars is not one of them.
    "list_audit_entries": AUDITORS_OF_BODY,
    "export_audit": AUDITORS_OF_BODY.needing(AccessScope.EXPORT),
    "get_audit_checkpoint": ALL_WITH_KEYS,
}
"""By operation: the name of the view function, which is also its ``operationId``."""


class UndeclaredRouteError(Exception):
    """A route of which nobody said who may use it."""


def rule_of(operation: str) -> Rule:
    """Who may use an operation.

    :raises UndeclaredRouteError: it stands nowhere in :data:`ACCESS`.
    """
    try:
        return ACCESS[operation]
    except KeyError:
        raise UndeclaredRouteError(f"{operation} has no rule in registry.http.access.ACCESS") from None


def control_access(app: Flask) -> None:
    """Let each request through to its view, or refuse it; to be called when all routes are registered.

    :raises UndeclaredRouteError: a route has no rule, or two views have the same name.
    """
    rules = _rules_by_endpoint(app)
    with app.app_context():
        limits = current_limits()

    @app.before_request
    def admit() -> None:
        environ, endpoint = request.environ, request.endpoint
        environ[ROUTED_TO] = endpoint
        rule = NOBODY_ASKED if endpoint is None else rules[endpoint]
        of_console = is_of_console(endpoint)
        if rule.public and endpoint is not None and not of_console:
            environ[IS_PUBLIC] = True
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return
        budget, principal = rule.budget, None
        if of_console:
            principal = None if rule.public else _signed_in()
        elif "HTTP_AUTHORIZATION" in environ:
            read_from_primary()
            g.principal = principal = authenticate(environ)
        elif not rule.public:
            raise Unauthenticated("This address needs a key or a token: send Authorization: Bearer <key>.")
        if principal is not None:
            cells = limits.of_principal(principal, budget)
        else:
            cells = limits.of_public(environ.get("REMOTE_ADDR", ""), budget)
        if cells and (budget is not Budget.SEARCH or environ.get("QUERY_STRING")):
            charge(limits, environ, cells, 1)
        if principal is not None:
            _refuse_others(rule, principal)
        elif not rule.public:
            raise SignedOut("Sign in first.")


def _signed_in() -> Principal | None:
    """Whom the console's cookie stands for: at its pages alone, where no key or token is looked at."""
    read_from_primary()
    session = find_session()
    if session is None:
        return None
    g.principal = session.principal
    return session.principal


def may_use(operation: str, principal: Principal) -> bool:
    """Whether a principal is let through to an operation, of its own body where that matters."""
    rule = rule_of(operation)
    return principal.role in rule.roles and (rule.scope is None or rule.scope in principal.scopes)


def _refuse_others(rule: Rule, principal: Principal) -> None:
    if principal.role not in rule.roles:
        raise Forbidden(f"The role {principal.role} does not allow this.")
    if rule.scope is not None and rule.scope not in principal.scopes:
        raise Forbidden(f"This needs the scope {rule.scope}, which you do not have.")


def _rules_by_endpoint(app: Flask) -> dict[str, Rule]:
    views: dict[str, object] = {}
    rules = {}
    for endpoint, view in app.view_functions.items():
        operation = endpoint.rpartition(".")[2]
        if views.setdefault(operation, view) is not view:
            raise UndeclaredRouteError(f"two views are named {operation}: each needs a rule of its own")
        rules[endpoint] = rule_of(operation)
    return rules


def current_principal() -> Principal:
    """Who the request comes from."""
    principal: Principal = g.get("principal", ANYONE)
    return principal


def require_body(body_id: str) -> None:
    """The resource at hand belongs to this body: refuse the registrars and auditors of others.

    :raises registry.errors.Forbidden: the principal is of another body.
    """
    principal = current_principal()
    g.body_asked = True
    g.asked_body = body_id or None
    if principal.role in OF_A_BODY and principal.body_id != body_id:
        raise Forbidden("This belongs to another body than yours.")


def own_body(wanted: str | None) -> str | None:
    """The body that a list is narrowed to: the wanted one, or the principal's own; ``None`` for all.

    :param wanted: an identifier of a body, or ``None`` where the request names none.
    :raises registry.errors.Forbidden: the principal is of another body than the wanted one.
    """
    principal = current_principal()
    if wanted is not None:
        require_body(wanted)
    g.body_asked = True
    return wanted or (principal.body_id if principal.role in OF_A_BODY else None)


def asked_body() -> str | None:
    """The body whose affair this request is, as far as its view has said."""
    body_id: str | None = g.get("asked_body")
    return body_id


def body_was_asked() -> bool:
    """Whether this request's view compared the body of its resource with the principal's."""
    return "body_asked" in g
