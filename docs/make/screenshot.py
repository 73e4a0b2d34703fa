"""Picture the report for the README: `.venv/bin/python docs/make/screenshot.py build/report/index.html`.

Needs the Debian package chromium, or another Chromium on the path.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

OUT = Path(__file__).parents[1] / "images" / "report.png"


def main(page_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 1080})
        page.goto(page_path.resolve().as_uri())
        page.screenshot(path=str(OUT))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
