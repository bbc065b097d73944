"""Take `docs/pictures/browser.png` again: `python -m tests.cli.screenshot`."""

import tempfile
from pathlib import Path

from relogin.cli.demo_browser import BrowserDemo
from tests.cli.chromium import browsing

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "browser.png"


def draw() -> None:
    """Let a session die in the demo's page, and take a picture of what the user sees."""
    good = "document.querySelectorAll('#log .good').length"
    with (
        tempfile.TemporaryDirectory() as folder,
        BrowserDemo() as demo,
        browsing(Path(folder)) as page,
    ):
        page.open(demo.url)
        page.until("document.getElementById('user').textContent === 'nobody'")
        for name in ("load", "wait", "load"):
            page.run(f"document.getElementById('{name}').click()")
            if name == "load" and not page.run(f"return {good}"):
                page.until("!document.getElementById('login').hidden")
                page.run("document.querySelector('#login button').click()")
            page.until(f"{good} >= {4 if name == 'wait' else 3}")
        page.until("!document.getElementById('login').hidden")
        page.screenshot(PICTURE)


if __name__ == "__main__":
    draw()
