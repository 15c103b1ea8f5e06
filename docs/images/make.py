"""Take the documentation's screenshots from the current version: uv run python docs/images/make.py"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from warehouse.home import Home

HERE = Path(__file__).parent
PICTURES = {"scorecard": "index.html", "budget": "budget.html", "returns": "returns.html"}


def main() -> None:
    """One picture per page, as wide as the text of the README."""
    pages = Home.from_environment().published / "current"
    chromium = shutil.which("chromium") or sys.exit("No chromium on PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        for name, file in PICTURES.items():
            page.goto((pages / file).as_uri())
            page.wait_for_selector("body[data-ready]")
            page.screenshot(path=HERE / f"report-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
