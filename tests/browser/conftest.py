"""A real browser, and a page in it that may talk to Jointo alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.stack import Stack

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 1000.0  # playwright counts in milliseconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for the tests of one file."""
    with pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread, in which Django's database refuses to work. Nothing of ours
        # runs in that loop, so there is nothing that could be blocked.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=30 * SECONDS)  # five is less than a busy machine needs to pass a message on
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            yield chromium
            chromium.close()


@pytest.fixture(scope="session")
def static_files() -> None:
    """The style sheet, scripts and libraries where the web server looks for them."""
    call_command("collectstatic", interactive=False, verbosity=0)


@dataclass
class Visit:
    """One person's browser, signed in; remembers what a page must not do."""

    address: str
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.address}/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill("secret")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_text("Drop videos here").wait_for()

    def check(self) -> None:
        """Nothing was asked of anybody else, and nothing went wrong in a script."""
        inside = (f"{self.address}/", f"blob:{self.address}/", "data:")
        assert [url for url in self.requests if not url.startswith(inside)] == []
        assert self.errors == []


@pytest.fixture
def address(stack: Stack) -> str:
    """The address of a web server that runs."""
    # The processes under test keep Django's guard.
    _, address = stack.web(DJANGO_ALLOW_ASYNC_UNSAFE="")
    return address


@pytest.fixture
def visit(address: str, static_files: None, browser: Browser) -> Iterator[Callable[[str], Visit]]:
    """Opens pages of the web server for the user of a given name."""
    visits: list[Visit] = []

    def begin(name: str) -> Visit:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        context.set_default_timeout(20 * SECONDS)
        made = Visit(address, context, context.new_page())
        visits.append(made)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                made.errors.append(f"{message.text} {message.location}")

        context.on("request", lambda request: made.requests.append(request.url))
        context.on("console", on_console)
        context.on("weberror", lambda error: made.errors.append(str(error.error)))
        made.sign_in(name)
        return made

    yield begin
    for each in visits:
        each.context.close()


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[[Page, str], None]:
    """Takes a picture of a whole page; kept in the folder that JOINTO_TEST_SCREENSHOTS names, if it names one."""
    folder = Path(os.environ.get("JOINTO_TEST_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True, animations="disabled")

    return take
