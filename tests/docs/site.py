"""The documentation site, built as `make docs` builds it and served on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.threads import in_thread

ROOT = Path(__file__).parents[2]


def build(target: Path) -> str:
    """Build the site; returns what was complained about."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fresh-env"]
    built = subprocess.run(
        [*command, "--conf-dir", "docs", "--doctree-dir", str(target / "trees"), ".", str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return built.stderr


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serve a folder; yields its address, without a slash at the end."""
    handler = partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - http.server calls it so
        pass
