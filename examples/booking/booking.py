"""A booking system that books needling only on days with authorization, and hears when one loses it."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import date

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from standardwebhooks import Webhook, WebhookVerificationError

from ledger import Booking, Ledger, one_at_a_time
from needling_registry import Question, Registry, RegistryError


def create_app(registry: Registry, secret: str, staff: Collection[tuple[str, str]], file: str) -> Flask:
    """The application.

    :param secret: of the webhook that delivers what concerns ``staff``: bodies' codes, and numbers.
    :param file: where bookings are kept.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 100_000  # bytes; deliveries have fewer than 20,000

    @app.post("/bookings")
    def book() -> ResponseReturnValue:
        day = request.form.get("day", type=date.fromisoformat) or abort(400, "Give the day as YYYY-MM-DD.")
        with one_at_a_time(file) as ledger:
            answer = registry.verify(request.form["body"], request.form["number"], "dry_needling", on=day)
            if not answer.authorized:
                return {"refused": answer.verdicts[0].reasons}, 409
            if (answer.body.code, answer.number) not in staff:
                return {"refused": ["not on our staff, so that no change would be heard of"]}, 409
            ledger.add(request.form["patient"], answer.body.code, answer.number, day.isoformat())
        return {"booked": day.isoformat()}, 201

    @app.get("/bookings")
    def bookings() -> ResponseReturnValue:
        with one_at_a_time(file) as ledger:
            return [asdict(booking) for booking in ledger.all()]

    @app.post("/registry-webhook")
    def hear() -> ResponseReturnValue:
        try:
            message = Webhook(secret).verify(request.get_data(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return {"refused": "The registry did not sign this, or not lately."}, 400
        with one_at_a_time(file) as ledger:
            if ledger.hear(request.headers["webhook-id"]):
                check_again(registry, ledger, ledger.concerned_by(message["data"]))
        return "", 204

    @app.errorhandler(RegistryError)
    def no_answer(error: RegistryError) -> ResponseReturnValue:
        return {"refused": f"No answer is no yes: {error}"}, 503  # what was delivered is delivered again

    return app


def check_again(registry: Registry, ledger: Ledger, bookings: list[Booking]) -> None:
    """Ask about bookings again, and flag each whose day is not covered any more."""
    for booking, answer in zip(bookings, registry.verify_many(map(question, bookings)), strict=True):
        ledger.flag(booking, None if answer.authorized else "not authorized on that day")


def question(booking: Booking) -> Question:
    """Whether the day of a booking is covered."""
    on = date.fromisoformat(booking.day)
    return Question(body=booking.body, number=booking.number, technique="dry_needling", on=on)
