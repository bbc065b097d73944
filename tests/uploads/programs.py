"""The servers and the proxies: how each is started on a free port of loopback, and stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import free_port, running

__all__ = ["HTTP2", "PROXIES", "SERVERS", "served", "via"]

_APACHE_MODULES = Path("/usr/lib/apache2/modules")

Command = Callable[[int, list[str]], list[str]]
"""What starts a server on a port, with the files of a certificate and its key, or without."""


def _gunicorn(worker: str, *more: str) -> Command:
    def command(port: int, tls: list[str]) -> list[str]:
        secure = ["--certfile", tls[0], "--keyfile", tls[1]] if tls else []
        bound = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", worker]
        return ["gunicorn", *bound, *more, "--no-control-socket", *secure, "tests.uploads.app:wsgi"]

    return command


def _uvicorn(port: int, tls: list[str]) -> list[str]:
    secure = ["--ssl-certfile", tls[0], "--ssl-keyfile", tls[1]] if tls else []
    quiet = ["--lifespan", "off", "--no-access-log", "--log-level", "warning"]
    return ["uvicorn", "--port", str(port), *quiet, *secure, "tests.uploads.app:asgi"]


def _hypercorn(port: int, tls: list[str]) -> list[str]:
    secure = ["--certfile", tls[0], "--keyfile", tls[1]] if tls else []
    return ["hypercorn", "--bind", f"127.0.0.1:{port}", *secure, "tests.uploads.app:asgi"]


def _granian(port: int, tls: list[str]) -> list[str]:
    secure = ["--ssl-certificate", tls[0], "--ssl-keyfile", tls[1]] if tls else []
    bound = ["--host", "127.0.0.1", "--port", str(port), "--interface", "asgi"]
    return ["granian", *bound, "--no-access-log", *secure, "tests.uploads.app:asgi"]


def _waitress(port: int, tls: list[str]) -> list[str]:
    return ["waitress-serve", f"--listen=127.0.0.1:{port}", "tests.uploads.app:wsgi"]


def _cheroot(port: int, tls: list[str]) -> list[str]:
    return ["python", "-m", "tests.uploads.serve_cheroot", str(port), *tls]


SERVERS: dict[str, Command] = {
    "gunicorn-sync": _gunicorn("sync"),
    "gunicorn-gthread": _gunicorn("gthread", "--threads", "4"),
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
    "granian": _granian,
    "waitress": _waitress,
    "cheroot": _cheroot,
}
HTTP2 = frozenset({"hypercorn", "granian"})
PLAIN_ONLY = frozenset({"waitress"})


@contextmanager
def served(name: str, folder: Path, tls: list[str], *, drain: bool) -> Iterator[int]:
    """Run a server; yields its port."""
    port = free_port()
    command = SERVERS[name](port, tls)
    with running(command, port, folder / f"{name}.log", UPLOADS_DRAIN=str(int(drain))):
        yield port


# The proxies, in their defaults but for the size that a body may have


def _nginx(port: int, upstream: int, folder: Path, *, tls: bool) -> list[str]:
    places = "".join(
        f"{name}_temp_path {folder}/nginx-{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    secure = (
        f" ssl;\nssl_certificate {folder}/certificate.pem;\nssl_certificate_key {folder}/key.pem"
    )
    configuration = f"""
        daemon off;
        master_process off;
        pid {folder}/nginx.pid;
        error_log stderr;
        events {{}}
        http {{
            access_log off;
            client_max_body_size 1g;
            {places}
            server {{
                listen 127.0.0.1:{port}{secure if tls else ""};
                location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
            }}
        }}
    """
    (folder / "nginx.conf").write_text(configuration)
    return ["nginx", "-e", "stderr", "-c", f"{folder}/nginx.conf"]


def _haproxy(port: int, upstream: int, folder: Path, *, tls: bool) -> list[str]:
    secure = f" ssl crt {folder}/both.pem" if tls else ""
    configuration = f"""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend uploads
    bind 127.0.0.1:{port}{secure}
    default_backend application
backend application
    server one 127.0.0.1:{upstream}
"""
    (folder / "haproxy.cfg").write_text(configuration)
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


def _apache(port: int, upstream: int, folder: Path, *, tls: bool) -> list[str]:
    modules = ["mpm_event", "authz_core", "proxy", "proxy_http", *(["ssl"] if tls else [])]
    loads = "".join(f"LoadModule {m}_module {_APACHE_MODULES}/mod_{m}.so\n" for m in modules)
    secure = (
        f"SSLEngine on\nSSLCertificateFile {folder}/certificate.pem\n"
        f"SSLCertificateKeyFile {folder}/key.pem\n"
    )
    configuration = f"""{loads}
ServerRoot {folder}
ServerName 127.0.0.1
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
Listen 127.0.0.1:{port}
User www-data
{secure if tls else ""}ProxyPass / http://127.0.0.1:{upstream}/
"""
    (folder / "apache.conf").write_text(configuration)
    return ["apache2", "-X", "-f", f"{folder}/apache.conf"]


PROXIES = {"nginx": _nginx, "haproxy": _haproxy, "apache": _apache}


@contextmanager
def via(proxy: str, upstream: int, folder: Path, *, tls: bool) -> Iterator[int]:
    """Run a proxy before a server; yields its port."""
    port = free_port()
    command = PROXIES[proxy](port, upstream, folder, tls=tls)
    with running(command, port, folder / f"{proxy}.log"):
        yield port
