"""Where httpx is one that cannot work, the import says what to install."""

import subprocess
import sys


def test_where_httpx_has_no_place_for_an_auth_as_1_0_the_import_says_so() -> None:
    script = (
        "import sys, types; sys.modules['httpx'] = types.ModuleType('httpx');"
        " import relogin.client.httpx"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=20
    )
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: relogin.client.httpx needs an httpx before 1.0, which has no place for an"
        " auth: pip install 'httpx<1'"
    )
