"""Digest servers that others have written: Apache, lighttpd, CherryPy, httpbin, WsgiDAV.

Each is started when it is first needed; what a server prints goes to its own log.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.client.digest_site import PASSWORD, USER
from tests.programs import free_port, running, running_until_killed

__all__ = ["SERVERS", "apache", "httpbin_url", "lighttpd", "program"]

MODULES = Path("/usr/lib/apache2/modules")
_APACHE = """{loads}
{user}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
DefaultRuntimeDir {folder}
DocumentRoot {folder}/pages
KeepAlive On
MaxKeepAliveRequests 0
<Directory {folder}/pages>
 Require all granted
</Directory>
{proxying}
<{kind} {place}>
 AuthType Digest
 AuthName dig
 AuthUserFile {folder}/accounts
 AuthDigestNonceLifetime {lifetime}
 Require valid-user
</{kind}>
"""
_LIGHTTPD = """
server.document-root = "{folder}/pages"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ("mod_auth", "mod_authn_file", "mod_indexfile")
index-file.names = ("index.html")
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{folder}/accounts"
auth.require = ("/" => (
  "method" => "digest", "algorithm" => "{algorithm}", "realm" => "dig", "require" => "valid-user"
))
"""


@contextmanager
def apache(lifetime: int = 300, *, proxy: bool = False) -> Iterator[str]:
    """Run Apache with mod_auth_digest (MD5); a nonce lives for so many seconds.

    As a `proxy` it asks for the account of whoever sends requests through it.
    """
    needed = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_digest")
    needed = (*needed, "dir", *(("proxy", "proxy_http") if proxy else ()))
    loads = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in needed)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    kind, place = ("Proxy", "*") if proxy else ("Location", "/")
    with _folder("md5") as folder:
        port, conf = free_port(), folder / "conf"
        conf.write_text(
            _APACHE.format(
                loads=loads, user=user, port=port, folder=folder, lifetime=lifetime, kind=kind,
                place=place, proxying="ProxyRequests On" if proxy else "",
            )
        )  # fmt: skip
        with running(["apache2", "-DFOREGROUND", "-f", str(conf)], port, folder / "log"):
            yield f"http://127.0.0.1:{port}/"


@contextmanager
def lighttpd(algorithm: str = "SHA-256") -> Iterator[str]:
    """Run lighttpd with mod_auth."""
    with _folder({"SHA-256": "sha256", "MD5": "md5"}[algorithm]) as folder:
        port, conf = free_port(), folder / "conf"
        conf.write_text(_LIGHTTPD.format(port=port, folder=folder, algorithm=algorithm))
        with running(["lighttpd", "-D", "-f", str(conf)], port, folder / "log"):
            yield f"http://127.0.0.1:{port}/"


@contextmanager
def program(name: str) -> Iterator[str]:
    """Run one of `tests.client.digest.programs`."""
    command = [sys.executable, "-m", "tests.client.digest.programs", name]
    with running_until_killed(command) as port:
        yield f"http://127.0.0.1:{int(port)}/"


def httpbin_url(
    base: str, qop: str = "auth", algorithm: str = "MD5", stale_after: str = "never"
) -> str:
    """Name a resource of httpbin that takes this kind of Digest, from ada with s3cret.

    It computes with the decoded path, so a password in it that needs encoding fits no client.
    """
    return f"{base}digest-auth/{qop}/{USER}/s3cret/{algorithm}/{stale_after}"


SERVERS: dict[str, Callable[[], object]] = {
    "apache2": apache,
    "lighttpd": lighttpd,
    "cherrypy": lambda: program("cherrypy"),
    "wsgidav": lambda: program("wsgidav"),
}


@contextmanager
def _folder(function: str) -> Iterator[Path]:
    secret = hashlib.new(function, f"{USER}:dig:{PASSWORD}".encode()).hexdigest()
    name = tempfile.mkdtemp()
    folder = Path(name)
    folder.chmod(0o755)  # for the account that the server runs as
    (folder / "pages").mkdir()
    (folder / "pages/index.html").write_text("content")
    (folder / "accounts").write_text(f"{USER}:dig:{secret}\n")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
