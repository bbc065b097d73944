"""Take `docs/pictures/playground.png` again: `python -m tests.docs.screenshot`."""

import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.cli.chromium import browsing
from tests.docs.site import ROOT, build, serving_files

PICTURE = ROOT / "docs" / "pictures" / "playground.png"
FIELD = "Bearer realm='Orders API' error=invalid_token"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        if complaints := build(site):
            sys.exit(complaints)
        with serving_files(site) as url, browsing(Path(folder, "profile")) as page:
            page.ask(
                "Emulation.setDeviceMetricsOverride",
                width=780, height=1000, deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
            page.open(f"{url}/docs/playground.html#field={quote(FIELD)}")
            page.until("document.querySelector('#result')?.dataset.ready")
            page.run("document.querySelector('#playground').scrollIntoView(); scrollBy(0, -60)")
            page.run("await new Promise(resolve => setTimeout(resolve, 300))")
            page.screenshot(PICTURE)
