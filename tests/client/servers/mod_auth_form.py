"""Apache with mod_session and mod_auth_form: a session of two seconds, in a cookie."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import free_port, running

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
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)  # for the account that Apache runs as
        (folder / "pages/orders").mkdir(parents=True)
        (folder / "pages/orders/index.html").write_text("tea, ink")
        (folder / "pages/login.html").write_text(_PAGE)
        (folder / "accounts").write_text(_account())
        (folder / "conf").write_text(_configuration(folder, port))
        command = ["apache2", "-DFOREGROUND", "-f", str(folder / "conf")]
        with running(command, port, folder / "log"):
            yield f"http://127.0.0.1:{port}"


def _account() -> str:
    command = ["openssl", "passwd", "-apr1", "-salt", "relogin1", "s3cret"]
    return "alice:" + subprocess.run(command, capture_output=True, text=True, check=True).stdout
