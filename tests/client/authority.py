"""A private authority, made with openssl: certificates for a server on loopback and for clients."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Authority"]


@dataclass(frozen=True)
class Authority:
    """Its own certificate, and those that it has signed: `server`, for loopback, and `client`."""

    folder: Path

    @classmethod
    def begun(cls, folder: Path) -> Authority:
        """Make all certificates in a folder."""
        (folder / "server.names").write_text("subjectAltName=IP:127.0.0.1\n")
        (folder / "client.names").write_text("extendedKeyUsage=clientAuth\n")
        new = ["-newkey", "rsa:2048", "-nodes"]
        use = ["-addext", "keyUsage=critical,keyCertSign"]
        files = ["-out", "authority.pem", "-keyout", "authority.key"]
        named = ["-subj", "/CN=A private authority"]
        made = cls(folder)
        made._run("req", "-x509", *new, "-days", "2", *named, *use, *files)
        for name, subject in (("server", "/CN=loopback"), ("client", "/CN=orders-job")):
            with (folder / f"{name}.names").open("a") as names:
                names.write("basicConstraints=CA:FALSE\n")
            asked = ["-out", f"{name}.asked", "-keyout", f"{name}.key"]
            made._run("req", *new, "-subj", subject, *asked)
            sign = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"]
            files = ["-in", f"{name}.asked", "-extfile", f"{name}.names", "-out", f"{name}.pem"]
            made._run("x509", "-req", *sign, *files)
        return made

    def _run(self, *command: str) -> None:
        subprocess.run(
            ["openssl", *command], cwd=self.folder, check=True, capture_output=True, timeout=30
        )

    @property
    def path(self) -> str:
        return str(self.folder / "authority.pem")

    @property
    def client(self) -> tuple[str, str]:
        """The files of a client's certificate and its key."""
        return str(self.folder / "client.pem"), str(self.folder / "client.key")

    @property
    def trusted(self) -> ssl.SSLContext:
        """For a client that trusts this authority."""
        return ssl.create_default_context(cafile=self.path)

    @property
    def certified(self) -> ssl.SSLContext:
        """For a client that has a certificate too."""
        tls = self.trusted
        tls.load_cert_chain(*self.client)
        return tls

    @property
    def shown(self) -> ssl.SSLContext:
        """For a server."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return tls

    @property
    def demanding(self) -> ssl.SSLContext:
        """For a server that wants a certificate of each client."""
        tls = self.shown
        tls.load_verify_locations(self.path)
        tls.verify_mode = ssl.CERT_REQUIRED
        return tls
