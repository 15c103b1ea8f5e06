"""A browser for tests of the report: Debian's Chromium, offline, with everything it says kept."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium, or a failure that says how to get it: without it nothing here would be tested."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("No Chromium: `apt-get install chromium`, or name one in CHROMIUM.")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, which containers run as.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page with what it said and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, path: Path, fragment: str = "") -> "Opened":
        """Open a file and wait until everything on it is drawn."""
        # A new fragment alone would not load the page again.
        self.page.goto("about:blank")
        self.page.goto(f"{path.as_uri()}{fragment}")
        return self.drawn()

    def drawn(self) -> "Opened":
        """Wait until the page is drawn."""
        self.page.wait_for_selector("body[data-ready]", timeout=60_000)
        return self

    def choose(self, **choice: str) -> "Opened":
        """Set controls of the filter as a user does."""
        for name, value in choice.items():
            self.page.locator(f"form.filter [name={name}]").select_option(value)
            self.drawn()
        return self

    def total(self, figure: str, position: int = 0) -> float | None:
        """A number above a figure."""
        text = self.page.locator(f"#{figure} dd").nth(position).get_attribute("data-value")
        return float(text) if text else None

    def too_wide(self) -> list[str]:
        """What sticks out of the page, of its figure or of its chart, which a chart that scrolls is."""
        found: list[str] = self.page.evaluate(
            """() => {
              const out = [];
              if (document.documentElement.scrollWidth > innerWidth) out.push("page");
              for (const one of document.querySelectorAll("section.figure, .card"))
                if (one.scrollWidth > one.clientWidth + 1) out.push(one.id || one.textContent);
              for (const chart of document.querySelectorAll(".chart svg")) {
                const { left, right } = chart.getBoundingClientRect();
                for (const text of chart.querySelectorAll("text")) {
                  const box = text.getBoundingClientRect();
                  if (box.width && (box.left < left - 1 || box.right > right + 1))
                    out.push(`${chart.closest("section").id}: ${text.textContent}`);
                }
              }
              return out;
            }"""
        )
        return found

    def scrolling(self) -> list[str]:
        """Charts wider than their place: no screen of a desk needs that for the sample."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll(".chart")]
              .filter((one) => one.scrollWidth > one.clientWidth + 1)
              .map((one) => one.closest("section").id)"""
        )
        return found

    def barriers(self) -> list[str]:
        """Violations of WCAG 2.1 AA that axe-core finds."""
        self.page.evaluate(AXE_SCRIPT)
        found: Sequence[dict[str, Any]] = self.page.evaluate(
            """async (rules) => {
              const found = await axe.run(document, {
                runOnly: { type: "tag", values: rules }, preload: false, resultTypes: ["violations"] });
              return found.violations.map((one) => ({ id: one.id, at: one.nodes.map((node) => node.html.slice(0, 120)) }));
            }""",
            RULES,
        )
        return [f"{one['id']}: {one['at'][0]} ({len(one['at'])} places)" for one in found]


@contextmanager
def opened(
    browser: Browser, *, width: int = 1280, height: int = 900, scheme: str = "light"
) -> Iterator[Opened]:
    """A new page of its own context that can reach nothing but files."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        offline=True,
        accept_downloads=True,
    )
    page = context.new_page()
    result = Opened(page)
    page.on("console", lambda one: result.complaints.append(f"{one.type}: {one.text}"))
    page.on("pageerror", lambda error: result.complaints.append(str(error)))
    page.on("request", lambda request: result.requests.append(request.url))
    yield result
    context.close()
