"""Whatever stands in an address or a header: found, not found or refused; no failure, and never obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.conftest import Keys
from tests.http.hostile.conftest import Operation
from tests.support.attempts import Attempts
from tests.support.effort import IS_LONG
from tests.support.hostile import TEXTS

TRICKS = (
    *(
        "..",
        ".",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "..%5c..%5cx",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "%00",
        "a%00b",
    ),
    *(
        "%0d%0aSet-Cookie:%20a=b",
        "%0aX: y",
        "%e5%98%8d%e5%98%8aX:%20y",
        "%c0%ae%c0%ae",
        "%ff",
        "%ed%a0%80",
        "%",
    ),
    *(
        ";a=b",
        "a;b",
        "%3b",
        "%23",
        "%3f",
        "*",
        "~",
        "%7e",
        "%25",
        "%2525",
        "con",
        "file:%2f%2f%2f",
        "%e2%80%ae",
    ),
)
HEADERS = {
    "If-Match": (
        '"',
        '""',
        "*",
        '"1"',
        'W/"1-0000000000000000"',
        '"-1-0000000000000000"',
        '"9' + "9" * 99 + '-0"',
    ),
    "If-None-Match": ("*", '"a", W/"b"', '"', ",,,", "W/"),
    "If-Modified-Since": ("0", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 50),
    "Idempotency-Key": ("", '""', '"', "\xff", "a" * 300, "a\tb", "\\"),
    "X-Request-Id": ("", "a b", "\xff", "x" * 500, "a\tb", "<script>"),
    "traceparent": ("00-0-0-0", "ff" * 100, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"),
    "Accept": ("*", "*/*;q=", "a/b;q=1e400", "text/html;q=9,application/json;q=-1", "\xff", "," * 1000),
    "Accept-Language": ("*", "xx-" * 100, "fr;q=NaN", "ar;q=1e400", ";;;", "\xff"),
    "Authorization": (
        "Bearer",
        "Bearer ",
        "Bearer \xff",
        "Basic YTpi",
        "Bearer a.b.c",
        "Bearer " + "a" * 5000,
        "Negotiate",
    ),
    "Content-Type": (
        "",
        "application",
        "application/json; charset=utf-16",
        "application/json; charset=\xff",
        "a/b; " * 99,
    ),
    "Content-Length": ("-1", "+1", "1e3", "\xb2", "9" * 30),
    "Cookie": ("language=\xff", "language=../../x", "a=b; " * 500, "="),
    "Host": ("", "a b", "x" * 300, "[::", "evil.example"),
    "Range": ("bytes=0-", "bytes=9-1", "a=b"),
    "X-Forwarded-For": ("\xff", "1.2.3.4, " * 99, "[::1", "unknown"),
    "Last-Event-ID": ("\xff", "-1", "9" * 400),
}
"""Values of headers, as they come over the line: in Latin-1."""


def not_obeyed(response: TestResponse) -> TestResponse:
    """Nothing that was sent has become a header, or a way to somewhere else."""
    assert "Set-Cookie" not in response.headers or "a=b" not in response.headers["Set-Cookie"]
    assert not {"X", "x"} & {name for name, _ in response.headers}
    assert all("\r" not in value and "\n" not in value for _, value in response.headers)
    assert not response.headers.get("Location", "/").startswith(("//", "http://evil", "https://evil"))
    return response


def addresses(operation: Operation, parts: dict[str, str], turn: int) -> Iterator[str]:
    """The address of an operation with something else in each of its variable places."""
    segments, kept = operation.path.split("/"), {*parts.values(), "staff"}
    encoded = [quote(text.encode("utf-8", "surrogatepass"), safe="") for text in TEXTS if len(text) < 2000]
    wrong = [*TRICKS, *encoded]
    for place, segment in enumerate(segments):
        if segment in kept:
            for instead in wrong if IS_LONG else wrong[turn % 40 :: 40]:
                yield "/".join([*segments[:place], instead, *segments[place + 1 :]])


def test_addresses_that_nobody_expects_lead_nowhere_and_break_nothing(
    client: FlaskClient, keys: Keys, operations: list[Operation], parts: dict[str, str], attempts: Attempts
) -> None:
    for turn, operation in enumerate(operations):
        for path in addresses(operation, parts, turn):
            response = client.open(
                path,
                method=operation.method,
                json=operation.example,
                headers={"Authorization": f"Bearer {keys.operator}", "If-Match": '"1-0000000000000000"'},
            )
            not_obeyed(attempts.of(response, (operation.name, path)))


def test_headers_that_nobody_expects_break_nothing(
    client: FlaskClient, keys: Keys, operations: list[Operation], attempts: Attempts
) -> None:
    tried = [(name, value) for name, values in HEADERS.items() for value in values]
    for turn, operation in enumerate(operations):
        for name, value in tried if IS_LONG else tried[turn % 20 :: 20]:
            response = operation.send(client, keys.operator, json=operation.example, headers={name: value})
            not_obeyed(attempts.of(response, (operation.name, name, value)))


def test_headers_of_pages_break_nothing(
    client: FlaskClient, parts: dict[str, str], attempts: Attempts
) -> None:
    paths = ("/", "/find?city=x", f"/check/{parts['body']}/{parts['number']}", "/nowhere")
    for turn, path in enumerate(paths):
        for name, values in HEADERS.items():
            for value in values if IS_LONG else values[turn::4]:
                response = client.get(path, headers={name: value})
                not_obeyed(attempts.of(response, (path, name, value)))
