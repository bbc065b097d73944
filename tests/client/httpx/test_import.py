"""With an httpx that cannot work, the import says what to install."""

import subprocess
import sys


def test_with_an_httpx_that_takes_no_auth_as_1_0_the_import_says_what_to_install() -> None:
    script = (
        "import sys, types; sys.modules['httpx'] = types.ModuleType('httpx');"
        " import relogin.client.httpx"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=20
    )
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: relogin.client.httpx needs httpx below 1.0, because httpx 1.0 takes no auth:"
        " pip install 'httpx<1'"
    )
