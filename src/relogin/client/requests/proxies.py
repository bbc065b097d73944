"""An adapter for a proxy that asks for Digest: it answers the 407 (RFC 9110 §11.7).

A `SessionAuth` cannot: it is for one account, and the proxy has another. The same flow decides as
for a 401. This module reports a 407 as a 401, and signs in Proxy-Authorization.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pickle import PicklingError
from typing import Any, NoReturn
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from requests.utils import urldefragauth

from relogin import errors
from relogin.client.drain import drain
from relogin.client.driver.credentials import for_request
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.failures import raisable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Login, Replay
from relogin.client.renewal.from_challenge import answer_itself
from relogin.client.renewal.policy import UNAUTHORIZED, Credential, Policy, ResponseInfo
from relogin.client.requests import _KINDS
from relogin.client.requests.body import pieces, rewind, watch
from relogin.client.terms.grant import Context
from relogin.client.terms.origins import check_secure, named
from relogin.client.terms.signer import Outgoing

__all__ = ["ProxyAdapter"]

PROXY_AUTHENTICATION_REQUIRED = 407


class _ThroughProxy(Outgoing):
    """A request on its way to a proxy."""

    @property
    def target(self) -> str:
        """The request-target as sent: the whole URL (RFC 9112 §3.2.2)."""
        return str(urldefragauth(self.url))


class ProxyAdapter(HTTPAdapter):
    """Sends requests for http URLs through a proxy that asks for Digest, and answers its 407.

    `login` is a `DigestLogin` with the account at the proxy, and `proxy` is the URL of the proxy.
    Mount it for ``http://``. A `SessionAuth` of the session still works for the servers behind the
    proxy. You can pass the parameters of `HTTPAdapter` too. It cannot work for https: there a proxy
    refuses the tunnel, and http.client does not show its challenge.

    Raises `TypeError` for any other login, and `ValueError` for a proxy without TLS, unless you
    pass `insecure=True`. Requests raise `LoginRefused` and its relatives, as with a `SessionAuth`.

    >>> import requests
    >>> from relogin.client.logins import DigestLogin
    >>> session = requests.Session()
    >>> login = DigestLogin("ada", "secret")
    >>> adapter = ProxyAdapter(login, "http://proxy.example.com:3128", insecure=True)
    >>> session.mount("http://", adapter)
    """

    def __init__(
        self,
        login: Callable[[Context], object],
        proxy: str,
        *,
        insecure: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        responders = tuple(getattr(login, "responders", ()))
        if not any(one.grant_from is not None for one in responders):
            raise TypeError(
                "ProxyAdapter: the login is a DigestLogin; for Basic put user and password into "
                "the proxy's URL"
            )
        origin = named(proxy, "ProxyAdapter: proxy=")
        check_secure(origin, insecure=insecure)
        self._login = login
        self._proxy = proxy
        self._cache = CredentialCache(Policy(origins=frozenset({origin}), responders=responders))

    def reset(self) -> None:
        """Forget the account and its refusal; the next 407 asks the login again."""
        self._cache.reset()

    def __getstate__(self) -> NoReturn:
        raise PicklingError("a ProxyAdapter cannot be pickled: mount a new one")

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """Send a request through the proxy, signed for it; again after a challenge."""
        del proxies  # there is one proxy
        if urlsplit(request.url or "").scheme.lower() != "http":  # no 407 of a tunnel comes here
            raise InvalidSchema(f"a ProxyAdapter sends http URLs only, not {request.url!r}")
        options = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert}
        way = partial(super().send, **options, proxies={"http": self._proxy})
        return _Exchange(self._cache, self._login, self._proxy, request, way).answered()


class _Exchange:
    """One request through a proxy: what was sent last, and what came back."""

    response: Response
    info: ResponseInfo

    def __init__(
        self,
        cache: CredentialCache,
        login: Callable[[Context], object],
        proxy: str,
        request: PreparedRequest,
        way: Callable[[PreparedRequest], Response],
    ) -> None:
        self._cache = cache
        self._login = login
        self._proxy = proxy
        (self._origin,) = cache.policy.origins
        self._request = request
        self._way = way
        self._past: list[Response] = []

    def answered(self) -> Response:
        """Send the request and return its response, or raise the failure of the account."""
        watch(self._request)
        try:
            self._send(self._cache.for_request(self._origin, self._proxy))
        except errors.BodyNotReplayable as failure:
            raise raisable(failure, _KINDS, None) from None
        decision = self._cache.policy.decision(self.info)
        if decision is not None and decision.answers_itself:
            final = drive(answer_itself(self._cache, self.info, decision), self._do)
            if final.failure is not None:
                self._fail(final.failure)
        return self.response

    def _do(self, command: Command) -> object:
        if isinstance(command, Login):
            return self._login(command.context)
        if not isinstance(command, Replay):
            return stand_by(self._cache, command)
        drain(self.response)
        self._past.append(self.response)
        self._send(command.credential)
        return self.info

    def _send(self, credential: Credential | None) -> None:
        request, signed = self._request.copy(), None
        if credential is not None:
            read = partial(pieces, request)
            url, method = request.url or "", request.method or ""
            outgoing = _ThroughProxy(method, url, request.headers, read)
            signed = for_request(credential, outgoing)
            if signed is not None:
                request.headers["Proxy-Authorization"] = signed.headers["Authorization"]
            elif self._past:
                raise errors.BodyNotReplayable(
                    "the request can only be signed with its body, and that is used up"
                )
        self.response = self._way(request)
        self.response.history = [*self._past]
        self.info = self._told(signed)
        if signed is not None and self.info.status != UNAUTHORIZED:
            self._learn(signed)

    def _told(self, signed: Credential | None) -> ResponseInfo:
        """Report a 407 as a 401 from the proxy."""
        asks = self.response.status_code == PROXY_AUTHENTICATION_REQUIRED
        return ResponseInfo(
            response=self.response,
            status=UNAUTHORIZED if asks else 0,
            method=self._request.method or "",
            url=self._proxy,
            origin=self._origin,
            sent_with=signed,
            challenges=self.response.raw.headers.getlist("Proxy-Authenticate") if asks else (),
            replayable=not asks or rewind(self._request),
        )

    def _learn(self, signed: Credential) -> None:
        self._cache.accepted(signed)
        info = self.response.headers.get("Proxy-Authentication-Info")  # RFC 7615
        if info is not None and signed.signer is not None:
            try:
                signed.signer.learn(signed.headers, {"Authentication-Info": info})
            except errors.LoginUnavailable as failure:
                self._fail(failure)

    def _fail(self, failure: errors.ReloginError) -> NoReturn:
        drain(self.response)
        raise raisable(failure, _KINDS, self.response) from failure.__cause__
