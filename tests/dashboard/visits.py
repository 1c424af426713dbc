"""A person at a browser, and what of a visit is an error: a console message, a request elsewhere, a failed one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.dashboard_world import World
from playwright.sync_api import Browser, Page

AUDIT = (Path(__file__).parent / "audits.js").read_text(encoding="utf-8")
"""What is wrong with a page, as a list."""
NARROW = {"width": 320, "height": 800}
WIDE = {"width": 1280, "height": 860}


@dataclass
class Visit:
    page: Page
    world: World
    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.world.url + path)
        return self.page

    def login(self, token: str) -> None:
        page = self.go("/login")
        page.get_by_label("Token").fill(token.strip())
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/dashboard/")

    def check(self) -> None:
        assert self.console == []
        assert self.elsewhere == []


@contextmanager
def visiting(browser: Browser, world: World, token: str = "", **options: object) -> Iterator[Visit]:
    """A visit in a browser of its own; with a token, logged in."""
    context = browser.new_context(**{"viewport": WIDE, **options})  # type: ignore[arg-type] # Playwright's own names
    visit = Visit(page=context.new_page(), world=world)
    host = urlsplit(world.url).netloc
    visit.page.on("console", lambda said: visit.console.append(f"{said.type}: {said.text}"))
    visit.page.on("pageerror", lambda error: visit.console.append(f"error: {error}"))
    context.on(
        "request", lambda asked: visit.elsewhere.append(asked.url) if urlsplit(asked.url).netloc != host else None
    )
    try:
        if token:
            visit.login(token)
        yield visit
    finally:
        context.close()
