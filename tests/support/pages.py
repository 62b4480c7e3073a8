"""A real browser for the tests of the pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from registry.domain.vocabulary import Outcome

REQUIRED = "REGISTRY_TEST_REQUIRE_BROWSER"
MISSING = "no Chromium: "
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Chromium refuses to run as root with its sandbox; without the others it calls home."""


def chromium() -> str | None:
    """Where it is installed; ``None`` where it is not."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def running_browser(path: str) -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser
        browser.close()


@contextmanager
def browser_for_tests() -> Iterator[Browser]:
    """The same; where there is none, what needs it is skipped, or fails if it is required."""
    path = chromium()
    if path is None:
        reason = f"{MISSING}apt-get install chromium"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with running_browser(path) as browser:
        yield browser


FIRST_WORDS: dict[str, str] = {
    Outcome.AUTHORIZED: "Yes.",
    Outcome.AUTHORIZED_WITH_CONDITIONS: "Yes, with conditions.",
    Outcome.SUPERVISED_ONLY: "Only under supervision.",
    Outcome.UNKNOWN: "We cannot tell.",
}
"""Any other outcome is a no. Written down here once more, so that the pages are not their own witness."""

SAYS = {
    "authorized": r"Yes\. Today .* is authorized to use needles on their own for: ",
    "authorized_with_conditions": r"Yes, with conditions\. Today .* is authorized to use needles"
    " on their own for: ",
    "supervised_only": r"Only under supervision\. Today .* may use needles only while someone"
    " authorized supervises",
    "unknown": r"We cannot tell\. The register does not say whether .* is authorized to use needles today",
}
NO = r"No\. Today .* is not authorized to use needles"


def sentence(page: Page) -> str:
    answer = page.locator(".answer").first
    word = answer.locator(".answer__word").inner_text().split("\n")[-1]
    return f"{word} {answer.locator('.answer__sentence').inner_text()}"


class Visitor:
    """A browser window that notes what it asks of whom, and what goes wrong in it."""

    def __init__(self, context: BrowserContext, server: str) -> None:
        self.page: Page = context.new_page()
        self.server = server
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, request: Request) -> None:
        if not request.url.startswith(self.server):
            self.elsewhere.append(request.url)

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text:  # a 404 page is one
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        self.page.goto(self.server + path)
        return self.page

    def compares_with_the_api(self, body: str, number: str) -> None:
        """The first word and the sentence about dry needling are those of the API's answer."""
        api = f"{self.server}/v1/bodies/{body}/registrations/{number}/verification"
        answer = self.page.request.get(api, params={"technique": "dry_needling"}).json()
        [verdict] = answer["verdicts"]
        page = self.go(f"/check/{body}/{number}?technique=dry_needling")
        assert re.match(SAYS.get(verdict["outcome"], NO), sentence(page))
        assert page.locator(".answer").count() == 1
