"""The application: its database, its routes, who may use them, and what every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from registry.log import configure_log
from registry.settings import Settings, read_settings
from registry.store.database import connect_to_database

from . import digests, discovery, health
from .access import control_access
from .admin.audit import blueprint as audit
from .admin.authorizations import blueprint as authorizations
from .admin.bodies import blueprint as body_records
from .admin.courses import blueprint as courses
from .admin.decisions import blueprint as decisions
from .admin.exports import blueprint as exports
from .admin.gaps import blueprint as gaps
from .admin.imports import blueprint as imports
from .admin.keys import blueprint as keys
from .admin.lapses import blueprint as lapses
from .admin.merges import blueprint as merges
from .admin.notices import blueprint as notices
from .admin.practitioners import blueprint as practitioner_records
from .admin.privacy import blueprint as privacy
from .admin.registrations import blueprint as registration_records
from .admin.token_holders import blueprint as token_holders
from .admin.trainings import blueprint as trainings
from .authentication import take_tokens
from .clinic.batches import blueprint as verifications
from .clinic.changes import blueprint as changes
from .clinic.rosters import blueprint as rosters
from .clinic.standing import blueprint as standing
from .clinic.webhook_messages import describe_messages
from .clinic.webhooks import blueprint as webhooks
from .console import register_console
from .headers import Envelope
from .limits import set_limits
from .monitoring import Monitored
from .observing import Observed
from .openapi import Api, make_api
from .paths import register_converters
from .problems import handle_errors
from .public.bodies import blueprint as bodies
from .public.practitioners import blueprint as practitioners
from .public.registrations import blueprint as registrations
from .requests import OwnRequest
from .rereading import read_from_replicas
from .web.blueprint import register_pages

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BLUEPRINTS = (
    bodies,
    registrations,
    practitioners,
    verifications,
    rosters,
    standing,
    changes,
    webhooks,
    body_records,
    practitioner_records,
    registration_records,
    authorizations,
    decisions,
    courses,
    trainings,
    merges,
    keys,
    token_holders,
    lapses,
    gaps,
    notices,
    privacy,
    imports,
    exports,
    audit,
)
"""Of the API, in the order of its document."""

SETTINGS = "registry.settings"


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application.

    :param settings: those of the environment where it is ``None``.
    """
    settings = settings or read_settings()
    configure_log()
    app = Flask("registry.http", static_folder=None, template_folder=None)
    app.request_class = OwnRequest
    app.extensions[SETTINGS] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_IMPORT_BYTES"] = settings.max_import_bytes
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    connect_to_database(app, settings)
    set_limits(app, settings)
    take_tokens(app, settings)
    handle_errors(app)
    register_converters(app)
    register_routes(app, make_api(app))
    control_access(app)
    health.remember_findings(app)
    if settings.replica_urls:
        read_from_replicas(app)
    wrap(app, settings)
    return app


def wrap(app: Flask, settings: Settings) -> None:
    """Put around the application what every request passes; the outermost last."""
    https = settings.public_url.startswith("https://")
    envelope = Envelope(app.wsgi_app, https=https, trusted_hops=settings.trusted_hops)
    wrapped: WSGIApplication = Observed(envelope, settings.access_log)
    if settings.metrics_port is not None:
        wrapped = Monitored(app, wrapped, settings.metrics_port, settings.metrics_folder)
    app.wsgi_app = wrapped  # type: ignore[method-assign, assignment]  # Flask's way to wrap an application


def register_routes(app: Flask, api: Api) -> None:
    """Register the routes of every room; those of the API are described in its document."""
    app.register_blueprint(health.blueprint)
    app.register_blueprint(discovery.blueprint)
    app.register_blueprint(digests.blueprint)
    register_pages(app)
    register_console(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    describe_messages(api)
