"""An adapter for uploads: it reads a response that came before the whole request was sent."""

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
    """An `HTTPAdapter` that reads an early response over TLS too.

    A server may refuse an upload before it has read it, and close the connection. urllib3 then
    stops sending and reads the response. But over TLS it raises `SSLError`, and the response is
    lost. Mount this adapter instead of the default one:

    >>> import requests
    >>> session = requests.Session()
    >>> session.mount("https://", UploadAdapter())

    If the connection of an upload breaks without a response, the adapter asks the `SessionAuth` to
    check whether the session died, and to send the request again if that is safe. An auth alone
    sees no exceptions. For this, mount it for ``http://`` too.

    It takes the parameters of `HTTPAdapter`, and changes nothing outside itself.
    """

    def send(self, request: PreparedRequest, *args: Any, **sending: Any) -> Response:
        """Send a request as `HTTPAdapter` does; if an upload breaks off, ask the auth."""
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
            del failed  # its traceback holds this frame

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager, with pools that read early responses."""
        super().init_poolmanager(*args, **options)
        _read_early(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make the pool manager of a proxy, with pools that read early responses."""
        manager = super().proxy_manager_for(proxy, **options)
        _read_early(manager)
        return manager


def _read_early(manager: Any) -> None:
    # Each manager of urllib3 has this attribute, so that it can be changed for that one only.
    classes = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {**classes, "https": _reading_early(classes["https"])}


@cache
def _reading_early(pool: type[HTTPSConnectionPool]) -> type[HTTPSConnectionPool]:
    """Derive a pool class whose connections read early responses."""
    kind: Any = pool.ConnectionCls
    if issubclass(kind, _ReadsEarly):
        return pool
    connection = type(kind.__name__, (_ReadsEarly, kind), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _ReadsEarly:
    """Raises `BrokenPipeError` if the server closes a TLS connection during sending, as TCP does.

    `HTTPConnectionPool` ignores a `BrokenPipeError` and reads the response.
    """

    def request(self, *args: Any, **options: Any) -> None:
        parent: Any = super()
        try:
            parent.request(*args, **options)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise BrokenPipeError(errno.EPIPE, "the server closed the connection") from error
