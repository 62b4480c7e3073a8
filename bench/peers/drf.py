"""Django REST Framework: models of the tables, a serializer, an API view, JSON alone."""

from __future__ import annotations

import os
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

DATABASE = urlsplit(os.environ["PEER_DATABASE_URL"])


def _database() -> dict[str, Any]:
    if DATABASE.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE.path[1:], "CONN_MAX_AGE": None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE.path[1:],
        "USER": DATABASE.username,
        "HOST": parse_qs(DATABASE.query)["host"][0],
        "CONN_MAX_AGE": None,
    }


settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": _database()},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
django.setup()

# What follows needs the settings.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from bench.peers.eligibility import TECHNIQUE, Known, Standing, answer  # noqa: E402


class Practitioner(models.Model):
    name = models.TextField(null=True)

    class Meta:
        app_label = "peers"
        db_table = "practitioners"
        managed = False


class Rule(models.Model):
    body = models.TextField()
    register_class = models.TextField()
    first_day = models.DateField()
    last_day = models.DateField()
    may_needle = models.BooleanField()

    class Meta:
        app_label = "peers"
        db_table = "rules"
        managed = False


class Registration(models.Model):
    practitioner = models.ForeignKey(Practitioner, models.PROTECT)
    body = models.TextField()
    number = models.TextField()

    class Meta:
        app_label = "peers"
        db_table = "registrations"
        managed = False


class RegistrationSpan(models.Model):
    registration = models.ForeignKey(Registration, models.PROTECT, related_name="spans")
    first_day = models.DateField()
    last_day = models.DateField()
    standing = models.TextField()
    also = models.TextField(null=True)
    register_class = models.TextField()
    conditions = models.TextField(null=True)

    class Meta:
        app_label = "peers"
        db_table = "registration_spans"
        managed = False


class Authorization(models.Model):
    registration = models.ForeignKey(Registration, models.PROTECT, related_name="authorizations")
    technique = models.TextField()

    class Meta:
        app_label = "peers"
        db_table = "authorizations"
        managed = False


class AuthorizationSpan(models.Model):
    authorization = models.ForeignKey(Authorization, models.PROTECT, related_name="spans")
    first_day = models.DateField()
    last_day = models.DateField()
    standing = models.TextField()
    also = models.TextField(null=True)

    class Meta:
        app_label = "peers"
        db_table = "authorization_spans"
        managed = False


class VerificationSerializer(serializers.Serializer):
    body = serializers.CharField()
    number = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    on = serializers.DateField()
    authorized = serializers.BooleanField()
    outcome = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    valid_through = serializers.DateField(allow_null=True)


class QuestionSerializer(serializers.Serializer):
    on = serializers.DateField()


class VerificationView(APIView):
    def get(self, request: Request, body: str, number: str) -> Response:
        question = QuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        on = question.validated_data["on"]
        span = (
            RegistrationSpan.objects.select_related("registration__practitioner")
            .filter(registration__body=body, registration__number=number, **_holds_on(on))
            .first()
        )
        found = answer(body, number, on, None if span is None else _known(span, body, on))
        return Response(VerificationSerializer(found).data)


def _known(span: RegistrationSpan, body: str, on: date) -> Known:
    rule = Rule.objects.filter(body=body, register_class=span.register_class, **_holds_on(on)).first()
    held = AuthorizationSpan.objects.filter(
        authorization__registration_id=span.registration_id,
        authorization__technique=TECHNIQUE,
        **_holds_on(on),
    ).first()
    return Known(
        span.registration.practitioner.name,
        Standing(span.standing, span.also, span.last_day),
        span.conditions,
        None if rule is None else rule.may_needle,
        None if rule is None else rule.last_day,
        None if held is None else Standing(held.standing, held.also, held.last_day),
    )


def _holds_on(on: date) -> dict[str, Any]:
    return {"first_day__lte": on, "last_day__gte": on}


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("healthz", healthz),
    path("bodies/<str:body>/registrations/<str:number>/verification", VerificationView.as_view()),
]
application = get_wsgi_application()
