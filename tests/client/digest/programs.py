"""Digest servers that others have written in Python, on a free loopback port of cheroot.

    python -m tests.client.digest.programs cherrypy|httpbin|wsgidav

It prints its port and serves until it is killed; the account is ada's.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from typing import Any

from cheroot.wsgi import Server

from tests.client.digest_site import PASSWORD, USER

__all__ = ["PROGRAMS"]


def cherrypy() -> Any:
    """CherryPy's tool, at every path."""
    import cherrypy as library
    from cherrypy.lib import auth_digest

    class Root:
        def default(self, *path: str, **query: str) -> bytes:
            return b"content"

        default.exposed = True  # type: ignore[attr-defined]

    library.config.update({"log.screen": False})
    options = {
        "tools.auth_digest.on": True,
        "tools.auth_digest.realm": "dig",
        "tools.auth_digest.get_ha1": auth_digest.get_ha1_dict_plain({USER: PASSWORD}),
        "tools.auth_digest.key": "a565c27146791cfb",
    }
    return library.Application(Root(), "", {"/": options})


def httpbin() -> Any:
    """httpbin, at /digest-auth/{qop}/{user}/{password}/{algorithm}/{stale_after}."""
    import httpbin as library

    return library.app


def wsgidav() -> Any:
    """WsgiDAV, at every path of an empty folder."""
    from wsgidav.wsgidav_app import WsgiDAVApp

    accounts = {"*": {USER: {"password": PASSWORD}}}
    digest = {"accept_basic": False, "accept_digest": True, "default_to_digest": True}
    return WsgiDAVApp(
        {
            "provider_mapping": {"/": tempfile.mkdtemp()},
            "simple_dc": {"user_mapping": accounts},
            "http_authenticator": digest,
            "verbose": 0,
            "logging": {"enable": False},
        }
    )


PROGRAMS = {"cherrypy": cherrypy, "httpbin": httpbin, "wsgidav": wsgidav}


def main() -> None:
    """Serve one of them."""
    warnings.simplefilter("ignore")
    app = PROGRAMS[sys.argv[1]]()
    server = Server(("127.0.0.1", 0), app, numthreads=25, request_queue_size=200)
    server.prepare()
    print(server.bind_addr[1], flush=True)
    server.serve()


if __name__ == "__main__":
    main()
