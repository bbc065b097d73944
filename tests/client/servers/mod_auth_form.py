"""Apache with mod_session and mod_auth_form: a session of two seconds, in a cookie."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

__all__ = ["an_apache"]

MODULES = Path("/usr/lib/apache2/modules")
_NEEDED = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user"),
    *("request", "session", "session_cookie", "auth_form", "dir"),
)
_FORM = """AuthType form
 AuthName "form area"
 AuthFormProvider file
 AuthUserFile {folder}/accounts
 Session On
 SessionMaxAge 2
 SessionCookieName sess path=/"""
_PAGE = """<form method="POST" action="/dologin">
<input name="httpd_username"><input type="password" name="httpd_password"></form>"""


def _configuration(folder: Path, port: int) -> str:
    form = _FORM.format(folder=folder)
    loads = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in _NEEDED)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    return f"""{loads}
{user}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
DefaultRuntimeDir {folder}
DocumentRoot {folder}/pages
<Directory {folder}/pages>
 Require all granted
</Directory>
<Location /orders>
 {form}
 Require valid-user
 ErrorDocument 401 /login.html
</Location>
<Location /dologin>
 SetHandler form-login-handler
 AuthFormLoginSuccessLocation http://127.0.0.1:{port}/orders/index.html
 {form}
</Location>
"""


@contextmanager
def an_apache() -> Iterator[str]:
    """Run it, with the account alice and s3cret; yields its origin."""
    if not MODULES.is_dir():
        pytest.skip(f"Apache's modules are not in {MODULES}")
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        folder = Path(name)
        folder.chmod(0o755)  # for the account that Apache runs as
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        probe.close()
        (folder / "pages/orders").mkdir(parents=True)
        (folder / "pages/orders/index.html").write_text("tea, ink")
        (folder / "pages/login.html").write_text(_PAGE)
        (folder / "accounts").write_text(_account())
        (folder / "conf").write_text(_configuration(folder, port))
        running = subprocess.Popen(["apache2", "-DFOREGROUND", "-f", str(folder / "conf")])
        try:
            _wait_for(port, running)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(20)


def _account() -> str:
    command = ["openssl", "passwd", "-apr1", "-salt", "relogin1", "s3cret"]
    return "alice:" + subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        assert running.poll() is None, "apache2 did not start"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise AssertionError("apache2 does not answer")
