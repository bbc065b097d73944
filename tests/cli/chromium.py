"""A real Chromium without a window, told what to do over its DevTools protocol."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.cli.processes import running

START_SECONDS = 30
# In seconds: a page that loads Python says nothing meanwhile, for half a minute on a busy machine.
_PATIENCE = 90


class Page:
    """One page; `events` are those that were met while waiting for answers."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._asked = 0
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; returns its result."""
        self._asked += 1
        asked = self._asked
        self._connection.send(json.dumps({"id": asked, "method": method, "params": params}))
        while True:
            message: dict[str, Any] = json.loads(self._connection.recv(_PATIENCE))
            if message.get("id") == asked:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def run(self, script: str) -> Any:
        """Run a script that may await, and return its value."""
        wrapped = f"(async () => {{ {script} }})()"
        done = self.ask(
            "Runtime.evaluate", expression=wrapped, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def open(self, url: str) -> None:
        """Go there, and wait until the page is loaded."""
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def until(self, condition: str) -> None:
        """Wait until a condition holds in the page."""
        self.run(
            "const deadline = Date.now() + 10000;"
            f"while (!({condition})) {{"
            "  if (Date.now() > deadline) throw new Error('waited in vain');"
            "  await new Promise(resolve => setTimeout(resolve, 20)) }"
        )

    def met(self, event: str) -> list[dict[str, Any]]:
        """The events of a kind that were met so far."""
        return [message["params"] for message in self.events if message.get("method") == event]

    def wait_for(self, event: str) -> dict[str, Any]:
        """Wait for an event of this kind, met or not yet."""
        while not self.met(event):
            self.events.append(json.loads(self._connection.recv(_PATIENCE)))
        return self.met(event)[0]

    def screenshot(self, path: Path) -> None:
        """Write a picture of what is seen."""
        picture = self.ask("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(picture))


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """Run Chromium with a profile in this folder; yields its first page."""
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-proxy-server"]
    command += ["--window-size=820,900", "--force-color-profile=srgb", "about:blank"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(command, **silent) as browser:
        with connect(_page_url(folder), proxy=None, max_size=None) as connection:
            page = Page(connection)
            page.ask("Page.enable")
            yield page
        browser.terminate()
        with suppress(subprocess.TimeoutExpired):
            browser.wait(10)


def _page_url(folder: Path) -> str:
    port_file = folder / "DevToolsActivePort"
    deadline = time.monotonic() + START_SECONDS
    while not port_file.exists() or not port_file.read_text().strip():
        assert time.monotonic() < deadline, "chromium did not start"
        time.sleep(0.05)
    port, path = port_file.read_text().split()
    with connect(f"ws://127.0.0.1:{port}{path}", proxy=None) as connection:
        targets = Page(connection).ask("Target.getTargets")["targetInfos"]
    target = next(one["targetId"] for one in targets if one["type"] == "page")
    return f"ws://127.0.0.1:{port}/devtools/page/{target}"
