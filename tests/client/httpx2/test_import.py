"""Where httpx2 is missing, the import says what to install."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["httpx2", "anyio"])
def test_where_httpx2_is_missing_the_import_says_what_to_install(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; import relogin.client.httpx2"
    ran = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=20
    )
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: relogin.client.httpx2 needs httpx2: pip install 'relogin[httpx2]'"
    )
