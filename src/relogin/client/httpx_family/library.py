"""The library that an exchange uses, as a parameter."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from functools import cache, cached_property
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, TypeAlias

from relogin.client.driver.failures import Kinds

__all__ = ["Headers", "Library", "Request", "Response"]

HTTPX2 = False
_BROKEN = ("ReadError", "WriteError", "CloseError", "RemoteProtocolError")
# Over HTTP/2, sending after the server has ended the stream is a local error.
_UNANSWERED = (*_BROKEN, "LocalProtocolError", "ReadTimeout", "WriteTimeout")

if TYPE_CHECKING:
    if HTTPX2:
        import httpx2 as httpx
    else:
        import httpx  # type: ignore[no-redef, unused-ignore]

    Headers: TypeAlias = httpx.Headers
    Request: TypeAlias = httpx.Request
    Response: TypeAlias = httpx.Response
else:
    Headers = Request = Response = Any


class Library:
    """httpx or httpx2: the classes that we need, and its exceptions for our failures."""

    def __init__(self, module: Any, kinds: Kinds) -> None:
        self.name: str = module.__name__
        self.kinds = kinds
        self.Client: type[httpx.Client] = module.Client
        self.AsyncClient: type[httpx.AsyncClient] = module.AsyncClient
        self.Request: type[httpx.Request] = module.Request
        self.Response: type[httpx.Response] = module.Response
        self.Headers: type[httpx.Headers] = module.Headers
        self.Cookies: type[httpx.Cookies] = module.Cookies
        self.ByteStream: type[httpx.ByteStream] = module.ByteStream
        self.SyncByteStream: type[httpx.SyncByteStream] = module.SyncByteStream
        self.AsyncByteStream: type[httpx.AsyncByteStream] = module.AsyncByteStream
        self.HTTPError: type[httpx.HTTPError] = module.HTTPError
        self.HTTPStatusError: type[httpx.HTTPStatusError] = module.HTTPStatusError
        self.StreamError: type[httpx.StreamError] = module.StreamError
        self.DecodingError: type[httpx.DecodingError] = module.DecodingError
        self.HTTPTransport: type[httpx.HTTPTransport] = module.HTTPTransport
        self.AsyncHTTPTransport: type[httpx.AsyncHTTPTransport] = module.AsyncHTTPTransport
        self.RemoteProtocolError: type[httpx.RemoteProtocolError] = module.RemoteProtocolError
        # An established connection broke.
        self.broken: tuple[type[Exception], ...] = _kinds(module, _BROKEN)
        # A request may have reached its server without getting a response.
        self.unanswered: tuple[type[Exception], ...] = _kinds(module, _UNANSWERED)
        self._create_ssl_context = module.create_ssl_context
        self.streaming: Callable[..., type[Any]] = cache(self._streaming)

    def _streaming(self, kind: type[Any]) -> type[Any]:
        """Derive a stream class of this library: it accepts no other iterables."""
        asynchronous = issubclass(kind, AsyncIterable)
        base = self.AsyncByteStream if asynchronous else self.SyncByteStream
        return type(kind.__name__, (kind, base), {"__module__": kind.__module__})

    @cached_property
    def multipart(self) -> type[Any]:
        """The class of its multipart bodies, which has no public name."""
        return type(self.Request("POST", "https://multipart/", files={"file": b""}).stream)

    @cached_property
    def certificates(self) -> SSLContext:
        """The TLS context. Making it takes some 20 ms, so all logins share it."""
        context: SSLContext = self._create_ssl_context(trust_env=False)
        return context


def _kinds(module: Any, names: tuple[str, ...]) -> tuple[type[Exception], ...]:
    return tuple(getattr(module, name) for name in names)
