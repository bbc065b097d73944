"""An adapter for uploads: it reads an answer that came before the whole request was sent."""

from __future__ import annotations

import errno
import ssl
from functools import cache
from typing import Any

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool

from relogin.client.requests.exchange import Hook, Way

__all__ = ["UploadAdapter"]


class UploadAdapter(HTTPAdapter):
    """An `HTTPAdapter` that reads an early answer over TLS too.

    A server may refuse an upload before it has read it, and close the connection. urllib3 then
    stops sending and reads the answer, but over TLS it raises `SSLError` instead and the answer is
    lost. Mount this adapter in the place of the one that requests has:

    >>> import requests
    >>> session = requests.Session()
    >>> session.mount("https://", UploadAdapter())

    And where a connection breaks all the same, it lets the `SessionAuth` of a request with a body
    find out whether that request's session has died, and send it again if that is safe. An auth
    alone sees no exceptions. To that end mount it for ``http://`` too.

    It takes the parameters of `HTTPAdapter`. It changes nothing outside itself.
    """

    def send(self, request: PreparedRequest, *args: Any, **sending: Any) -> Response:
        """Send a request, as `HTTPAdapter` does; of an upload that breaks off ask the auth."""
        try:
            return super().send(request, *args, **sending)
        except RequestException as error:
            hooks = [hook for hook in request.hooks["response"] if isinstance(hook, Hook)]
            if not hooks:
                raise
            failed = error
        way = Way(self, super().send)
        try:
            return hooks[0].instead(failed, request, way, sending)
        finally:
            del failed  # whose traceback holds this very frame

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager, as `HTTPAdapter` does, with pools that read early answers."""
        super().init_poolmanager(*args, **options)
        _read_early(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make the manager of a proxy's pools, as `HTTPAdapter` does."""
        manager = super().proxy_manager_for(proxy, **options)
        _read_early(manager)
        return manager


def _read_early(manager: Any) -> None:
    # urllib3 gives each manager this attribute so that it can be changed for that manager alone.
    classes = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {**classes, "https": _reading_early(classes["https"])}


@cache
def _reading_early(pool: type[HTTPSConnectionPool]) -> type[HTTPSConnectionPool]:
    """Derive a class of pools whose connections read early answers, from urllib3's or PySocks'."""
    kind: Any = pool.ConnectionCls
    if issubclass(kind, _ReadsEarly):
        return pool
    connection = type(kind.__name__, (_ReadsEarly, kind), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _ReadsEarly:
    """A connection that says of a TLS connection closed while it sends what TCP says of one.

    `HTTPConnectionPool` forgives a `BrokenPipeError` and reads the answer.
    """

    def request(self, *args: Any, **options: Any) -> None:
        parent: Any = super()
        try:
            parent.request(*args, **options)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise BrokenPipeError(errno.EPIPE, "the server closed the connection") from error
