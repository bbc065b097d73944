"""Sending one request, and updating the grant from its response, without I/O."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, TypeAlias

from relogin import client, errors
from relogin.client.driver.bodies import spent
from relogin.client.driver.content import has_body
from relogin.client.driver.credentials import extend, for_request, roll, sent_with
from relogin.client.driver.failures import raisable
from relogin.client.httpx_family.body import Rewind, always, pieces, watch
from relogin.client.httpx_family.cookies import setting
from relogin.client.httpx_family.fields import challenge_lines, has_events
from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.httpx_family.origin import origin_of
from relogin.client.httpx_family.signing import put
from relogin.client.httpx_family.steps import Drain, Look, Step
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import UNANSWERED, UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.signals import Error, Signal
from relogin.client.terms.answer import Answer
from relogin.client.terms.origins import sent_to
from relogin.client.terms.signer import Outgoing

__all__ = ["EXTENSION", "Arrived", "Sending"]

# A response, and the error of a signal, if one matched.
Arrived: TypeAlias = tuple[Response, Error | None]

EXTENSION = "relogin"
"""The request extension that holds its exchange, for our transports."""
_TELLING = frozenset({b"www-authenticate", b"authentication-info", b"set-cookie"})
SWITCHING_PROTOCOLS, _SERVER_ERRORS = 101, 500


class Sending:
    """One request: what was sent last, and its responses."""

    # Few requests change these. What each request reads is set below: it is found sooner there.
    _rewind: Rewind = staticmethod(always)
    _body: Any = None
    _began = 0.0

    def __init__(self, auth: Any, request: Any) -> None:
        self.auth = auth
        library: Library = auth._library
        cache: CredentialCache = auth._cache
        self._library = library
        self._cache = cache
        self._past: Sequence[Response] = ()
        self._sent = 0
        self.out: Request | None = None
        """The request that is being sent, with nothing else to wait for."""
        # Never change the user's request: several threads may send it, and again.
        self._request = copied = self._copy(request)
        stream = copied.stream
        self._uploads = type(stream) is not library.ByteStream or any(stream)
        """Whether the request has a body."""
        if self._uploads and not isinstance(stream, library.ByteStream):
            self._rewind = watch(library, copied, self._spent)
            self._body = copied.stream
        self._origin = origin_of(copied)
        self._chosen = cache.for_request(self._origin, copied.url)
        self._credential = self._chosen  # as sent

    def _send(
        self, request: Request, credential: Credential | None
    ) -> Generator[Step, Any, Response]:
        response: Response = yield self._on_its_way(request, credential)
        self._is_back()
        return response

    def _on_its_way(self, request: Request, credential: Credential | None) -> Request:
        self._chosen = self._credential = credential
        if credential is not None:
            if credential.signer is None:
                put(request, credential)
            else:
                self._credential = self._signed(request, credential)
            cache = self._cache
            if cache.logouts.counts:
                cache.logouts.carries(self, self._credential)
            if self._uploads:
                self._began = cache.clock()
                request.extensions[EXTENSION] = self
        self.out = request
        return request

    def _is_back(self) -> None:
        """Note that a request is no longer being sent."""
        sent, self.out = self.out, None
        if self._uploads and sent is not None:
            sent.extensions.pop(EXTENSION, None)  # or they would keep each other alive

    def _arrived(self, response: Response) -> Generator[Step, Any, Arrived]:
        """Return the final response, or the redirect before it that a signal matched."""
        while True:
            hops, status = self._record(response), response.status_code
            if status == UNAUTHORIZED and len(hops) == 1 and not self._signals_for(response):
                return response, None  # its challenges say all
            found = yield from self._followed(self._credential, hops)
            if isinstance(found, tuple):
                if found[1] is None:
                    self.watch_stream(response)
                return found
            yield Drain(response, over=True)
            again, origin = self._copy(found), origin_of(found)
            chosen = self._cache.for_request(origin, found.url) or self._chosen
            response = yield from self._send(again, chosen)

    def watch_stream(self, response: Response) -> None:
        """Watch a response that may be an event stream: see `StreamExchange`."""

    def _signed(self, request: Request, credential: Credential) -> Credential | None:
        """Sign a request; return the grant as sent, or `None` if it cannot be signed."""
        if credential.signer is None:
            put(request, credential)
            return credential
        read = partial(pieces, self._library, request.stream, self._rewind, self._spent)
        outgoing = Outgoing(request.method, str(request.url), request.headers, read)
        signed = for_request(credential, outgoing)
        if signed is not None:
            put(request, signed)
        elif self._past:
            raise self._spent()
        return signed

    def _record(self, response: Response) -> Sequence[Response]:
        """Complete the history; return the responses of this sending.

        httpx forgets the redirects before a response whose request is sent again.
        """
        hops = [*response.history[self._sent :], response]
        if len(self._past) != self._sent:
            response.history = [*self._past, *hops[:-1]]
        self._past = [*self._past, *hops]
        self._sent += 1
        return hops

    def _followed(
        self, credential: Credential | None, hops: Sequence[Response]
    ) -> Generator[Step, Any, Arrived | Request]:
        """Follow the redirects, and update the grant from each response to it.

        After a redirect, httpx sends only the cookies of the client's own jar. A request within the
        origin that lost the grant in this way is returned, to be sent again: a GET or HEAD at once,
        others only after a 401, because the server may have applied them.
        """
        signed = within = credential is not None
        for number, hop in enumerate(hops):
            request = hop.request
            if credential is not None and number:
                here = origin_of(request) == credential.key.origin
                within = within and here  # it does not come back from another origin
                signed = here and self._sent_with(request) is not None
                if within and not signed and self._may_go_again(hop):
                    return request
            signals = self._signals_for(hop)
            if signals:
                signal: Error | None = yield Look(hop, signals)
                if signal is not None:
                    return hop, signal
            if credential is not None and signed:
                failure = self._learn(credential, hop)
                if failure is not None:
                    yield from self._fail(failure, hop)
        return hops[-1], None

    def _may_go_again(self, response: Response) -> bool:
        """Tell whether a request that lost its grant in a redirect may be sent again with it."""
        if response.request.method in {"GET", "HEAD"}:
            return True
        refused = response.status_code == UNAUTHORIZED
        return refused and self._cache.policy.may_replay(self._info(response))

    def _signals_for(self, response: Response) -> Sequence[Signal]:
        policy = self._cache.policy
        signals = policy.signals_for(response.status_code)
        if not signals or response.status_code == SWITCHING_PROTOCOLS:
            return ()  # WebSocket frames follow
        return signals if origin_of(response.request) in policy.origins else ()

    def _tells_more(self, fields: Mapping[bytes, bytes]) -> bool:
        """Tell whether the fields of a response may say more than that its session lives."""
        credential = self._credential
        if credential is not None and (credential.signer is not None or has_events(fields)):
            return True
        if _TELLING.isdisjoint(fields):  # as with most
            return False
        if b"www-authenticate" in fields and client.events.heard(self._cache.policy.listener):
            return True  # with any status but 401, it only causes an event
        return credential is not None and (
            b"authentication-info" in fields
            or (b"set-cookie" in fields and bool(credential.cookies))
        )

    def _seen(self, credential: Credential, response: Response) -> None:
        # A 5xx may come from a proxy.
        if response.status_code < _SERVER_ERRORS and self._cache.seen(credential):
            self._cache.note_accepted(
                credential, response.request.method, str(response.request.url)
            )

    def _learn(self, credential: Credential, response: Response) -> errors.LoginUnavailable | None:
        """Update the session from a response; return the failure if the response is not genuine."""
        if response.status_code == UNAUTHORIZED:
            return None
        self._seen(credential, response)
        sets = "Set-Cookie" in response.headers
        if self._cache.policy.rolls or (sets and credential.cookies):
            roll(self._cache, credential, _answer(self._library, response, sets=sets))
        if credential.signer is None and "Authentication-Info" not in response.headers:
            return None  # most responses: what follows would cost a few µs
        request = response.request
        try:
            extend(self._cache, credential, request.headers, str(request.url), response.headers)
        except errors.LoginUnavailable as failure:
            return failure
        return None

    def _sent_with(self, request: Request, url: str | None = None) -> Credential | None:
        credential = self._credential
        alone = None if credential is None else credential.authorization
        # Asking httpx for a single field takes longer.
        if alone is not None and (b"Authorization", alone.encode("latin-1")) in request.headers.raw:
            return credential
        url = str(request.url) if url is None else url
        return sent_with(self._cache, credential, request.headers, url)

    # What the flow is told

    def _info(self, response: Response, signal: Error | None = None) -> ResponseInfo:
        request, status = response.request, response.status_code
        url = str(request.url)
        # No other response needs the rest.
        dead = status == UNAUTHORIZED or signal is not None or self._is_lost(response)
        return ResponseInfo(
            response=response,
            status=status,
            method=request.method,
            url=url,
            origin=sent_to(url),
            sent_with=self._sent_with(request, url) if dead else None,
            challenges=challenge_lines(response),
            # httpx retries connecting, but never a request that it has begun to send.
            once=True,
            replayable=not dead or self._is_replayable(request),
            signal=signal,
        )

    def _is_lost(self, response: Response) -> bool:
        """Tell whether a proxy reports that the server did not answer an upload."""
        lost = self._uploads and response.status_code in UNANSWERED
        return lost and has_body(response.request.headers)

    def _is_replayable(self, request: Request) -> bool:
        if isinstance(request.stream, self._library.ByteStream):
            return True  # a redirect may have taken the body away
        return request.stream is self._body and self._rewind()

    # Failing

    def _fail(
        self, failure: errors.ReloginError, response: Response
    ) -> Generator[Step, Any, NoReturn]:
        """Raise a failure; read its response first, because httpx is about to close it."""
        yield Drain(response, over=True)
        with suppress(self._library.StreamError):  # a hook has streamed it
            response.read()
        raise raisable(failure, self._library.kinds, response) from failure.__cause__

    def _spent(self) -> errors.ReloginError:
        refused = self._past[-1] if self._past else None
        return raisable(spent(), self._library.kinds, refused)

    def _copy(self, request: Request) -> Request:
        # Not with `copy`, which works like pickling and drops the body.
        copied = object.__new__(type(request))
        for name, value in vars(request).items():  # one by one, or Python makes a dict for each
            setattr(copied, name, value)
        # Each octet is one character. By default it is ASCII, and fails on other cookies.
        copied.headers = self._library.Headers(request.headers, encoding="latin-1")
        copied.extensions = dict(request.extensions)
        return copied


def _answer(library: Library, response: Response, *, sets: bool) -> Answer:
    jar = setting(library, response).cookies.jar if sets else ()
    cookies = {cookie.name: cookie.value or "" for cookie in jar}
    return Answer(response.status_code, response.headers, str(response.url), cookies=cookies)
