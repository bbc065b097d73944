"""One request, from its signing to its answer, without I/O.

`Exchange.steps` yields the requests to be sent, and what else is to be done meanwhile; the two
drivers beside it do it, each in its own way.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any, NoReturn, TypeAlias

from relogin import errors
from relogin.client.driver.content import has_body, is_precious, of_a_body
from relogin.client.driver.cookie_text import with_cookies
from relogin.client.driver.credentials import (
    extend,
    for_request,
    roll,
    sent_with,
    sign,
    unsign,
)
from relogin.client.driver.drive import Stepping
from relogin.client.driver.failures import raisable
from relogin.client.driver.passes import AsyncChunks, Chunks
from relogin.client.httpx_family.body import pieces, watch
from relogin.client.httpx_family.bound import OriginBound
from relogin.client.httpx_family.cookies import cookies_of, setting
from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.httpx_family.steps import Begin, Drain, Look, Small, Step
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import (
    Check,
    Command,
    Final,
    Flow,
    Replay,
)
from relogin.client.renewal.flow import answer, before
from relogin.client.renewal.log_out import give_back_replaced
from relogin.client.renewal.policy import UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.renewal.shared import share
from relogin.client.renewal.unanswered import UNANSWERED, unanswered
from relogin.client.signals import Error, Signal
from relogin.client.terms.answer import Answer
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import mark
from relogin.client.terms.signer import Outgoing

__all__ = ["EXTENSION", "Exchange", "put", "told"]


EXTENSION = "relogin"
"""Where a signed request has its exchange, for a transport of ours that it may go through."""
_CHALLENGE = "WWW-Authenticate"
SWITCHING_PROTOCOLS = 101
# A response, and the error that it signals if no challenge says one.
Arrived: TypeAlias = tuple[Response, Error | None]


class Exchange:
    """What became of one request so far: what was sent last, and what came back."""

    def __init__(
        self, library: Library, cache: CredentialCache, request: Request, auth: Any = None
    ) -> None:
        self.auth = auth
        self.is_out: bool = False
        """Whether a request is on its way, and nobody waits for anything else."""
        self._library = library
        self._cache = cache
        # The user's own is never changed: it may be sent again, and by several threads at once.
        self._request = self._copy(request)
        self._rewind = watch(library, self._request, self._spent)
        self._body = self._request.stream
        self._credential: Credential | None = None
        self._past: list[Response] = []
        self._sent = 0
        self._began = 0.0

    def steps(self) -> Generator[Step, Any, None]:
        """Do all that comes of the request; then give back what no request carries any more."""
        departures = self._cache.departures
        try:
            yield from self._steps()
        finally:
            departures.answered(self)
        if departures.waiting:
            yield from give_back_replaced(self._cache)

    def _steps(self) -> Generator[Step, Any, None]:
        """Sign and send the request, and do what its response asks for."""
        cache, request, url = self._cache, self._request, str(self._request.url)
        origin = sent_to(url)
        credential = cache.for_request(origin, url)
        precious = is_precious(request.headers, self._rewind)
        if not cache.ready(origin, credential, precious=precious):
            flow: Generator[Any, Any, Credential | None] = before(
                cache, credential, origin, request.method, url, precious=precious
            )
            credential = yield from flow
        response, signal = yield from self._send(request, credential)
        if self._is_lost(response):
            response, signal = yield from self._answer_after_all(response, signal)
        if signal or response.status_code == UNAUTHORIZED or _CHALLENGE in response.headers:
            yield from self._answer(self._info(response, signal))
        if self._credential is not None and cache.policy.fresh == "always":
            yield from share(cache, self._credential)

    def _answer_after_all(
        self, response: Response, signal: Error | None
    ) -> Generator[Step, Any, Arrived]:
        """Find out why a proxy says that the server has not answered an upload."""
        info = self._info(response, signal)
        final = yield from self._done(unanswered(self._cache, info, self._began))
        mark(final.info.response, final.outcome, final.detail)
        return final.info.response, final.info.signal

    def _is_lost(self, response: Response) -> bool:
        return response.status_code in UNANSWERED and has_body(response.request.headers)

    def _small(self, request: Request, command: Check) -> Request:
        """Make a request without a body that goes where another one went."""
        small = self._library.Request(command.method, command.url, extensions=request.extensions)
        small.extensions.pop(EXTENSION, None)
        small.headers = self._library.Headers(
            [pair for pair in request.headers.multi_items() if not of_a_body(pair[0])]
        )
        small.headers.encoding = "latin-1"
        put_url(small, unsign(small.headers, str(small.url), command.credential))
        self._signed(small, self._cache.current(command.credential))
        return small

    def _answer(self, info: ResponseInfo) -> Generator[Step, Any, None]:
        final = yield from self._done(answer(self._cache, info))
        mark(final.info.response, final.outcome, final.detail)
        if final.failure is not None:
            yield from self._fail(final.failure, final.info.response)

    def _done(self, flow: Flow) -> Generator[Step, Any, Final]:
        """Run the flow to its end; its replays are requests."""
        with closing(flow):
            steps = Stepping(flow)
            for command in steps:
                with steps:
                    steps.done = yield from self._do(command)
            return steps.result

    def _do(self, command: Command) -> Generator[Step, Any, object]:
        if not isinstance(command, Replay):
            last = self._past[-1]
            yield Drain(last, last.status_code == UNAUTHORIZED)
            if isinstance(command, Check):
                return (yield Small(self._small(last.request, command), command))
            return (yield command)
        again = self._again(command.info.response)
        if isinstance(again.stream, Chunks | AsyncChunks):
            yield Begin(again.stream)
        yield Drain(self._past[-1], over=True)
        return self._info(*(yield from self._send(again, command.credential)))

    # Sending

    def _send(
        self, request: Request, credential: Credential | None
    ) -> Generator[Step, Any, Arrived]:
        """Send a request; return what came, or the redirect that led there if that says more."""
        self._credential = credential
        while True:
            if credential is not None:
                self._credential = self._signed(request, self._cache.current(credential))
                self._cache.departures.carries(self, self._credential)
                self._began = self._cache.clock()
                request.extensions[EXTENSION] = self
            self.is_out = True
            try:
                response: Response = yield request
            finally:  # or they would hold each other, and the body
                request.extensions.pop(EXTENSION, None)
            self.is_out = False
            found = yield from self._followed(self._credential, self._record(response))
            if isinstance(found, tuple):
                return found
            yield Drain(response, over=True)
            request, url = self._copy(found), str(found.url)
            credential = self._cache.for_request(sent_to(url), url) or credential

    def _signed(self, request: Request, credential: Credential) -> Credential | None:
        """Put a grant on a request; return it as it goes out, if it can be signed."""
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
        """Keep the history true; return the responses that this sending brought.

        httpx forgets the redirects that led to a response which is sent again for.
        """
        hops = [*response.history[self._sent :], response]
        response.history = [*self._past, *hops[:-1]]
        self._past += hops
        self._sent += 1
        return hops

    def _followed(
        self, credential: Credential | None, hops: Sequence[Response]
    ) -> Generator[Step, Any, Arrived | Request]:
        """Go along the redirects, and learn from all that the grant was sent with.

        httpx makes the Cookie field of a redirect of nothing but its client's own jar. A request
        within the origin that lost the grant so is returned, to be sent again if that is safe.
        """
        signed = credential is not None
        for number, hop in enumerate(hops):
            request = hop.request
            if credential is not None and signed and number:
                within = _origin(request) == credential.key.origin
                signed = within and self._sent_with(request) is not None
                if within and not signed and request.method in {"GET", "HEAD"}:
                    return request
            signals = self._signals_for(hop)
            if signals:
                signal: Error | None = yield Look(hop, signals)
                if signal is not None:
                    return hop, signal
            if credential is not None and signed:
                yield from self._learn(credential, hop)
        return hops[-1], None

    def _signals_for(self, response: Response) -> Sequence[Signal]:
        policy = self._cache.policy
        signals = policy.signals_for(response.status_code)
        if not signals or response.status_code == SWITCHING_PROTOCOLS:
            return ()  # what follows there are the frames of a WebSocket
        return signals if _origin(response.request) in policy.origins else ()

    def _learn(self, credential: Credential, response: Response) -> Generator[Step, Any, None]:
        if response.status_code == UNAUTHORIZED:
            return
        # From 500 on it may be a proxy's own answer.
        if response.status_code < 500 and self._cache.seen(credential):
            self._cache.admits(credential, response.request.method, str(response.request.url))
        sets = "Set-Cookie" in response.headers
        if self._cache.policy.rolls or (sets and credential.cookies):
            roll(self._cache, credential, _answer(self._library, response, sets=sets))
        if credential.signer is None and "Authentication-Info" not in response.headers:
            return  # as of most answers: what follows would cost a few µs
        request = response.request
        try:
            extend(self._cache, credential, request.headers, str(request.url), response.headers)
        except errors.LoginUnavailable as failure:
            yield from self._fail(failure, response)

    # Seeing, and sending again

    def _info(self, response: Response, signal: Error | None = None) -> ResponseInfo:
        request, url = response.request, str(response.request.url)
        dead = response.status_code == UNAUTHORIZED or signal is not None
        dead = dead or self._is_lost(response)
        return ResponseInfo(
            response=response,
            status=response.status_code,
            method=request.method,
            url=url,
            origin=sent_to(url),
            sent_with=self._sent_with(request),
            challenges=challenge_lines(response),
            # httpx retries connecting, and never what it has begun to send.
            once=True,
            replayable=not dead or self._is_replayable(request),
            signal=signal,
        )

    def _sent_with(self, request: Request) -> Credential | None:
        return sent_with(self._cache, self._credential, request.headers, str(request.url))

    def _is_replayable(self, request: Request) -> bool:
        if isinstance(request.stream, self._library.ByteStream):
            return True  # a redirect may have taken the body away
        return request.stream is self._body and self._rewind()

    def _again(self, refused: Response) -> Request:
        """Copy what was refused, with the cookies that the 401 set and without the dead grant.

        It is the request that met the 401, which need not be the first: redirects run below auth.
        """
        request, dead = self._copy(refused.request), self._credential
        set_now, gone = cookies_of(self._library, refused)
        if dead is not None:
            gone |= dead.cookies.keys()
            put_url(request, unsign(request.headers, str(request.url), dead))
        cookies = with_cookies(request.headers.pop("Cookie", None), set_now, without=gone)
        if cookies:
            request.headers["Cookie"] = cookies
        return request

    # Failing

    def _fail(
        self, failure: errors.ReloginError, response: Response
    ) -> Generator[Step, Any, NoReturn]:
        """Raise a failure with a response that can be read, although httpx is about to close it."""
        yield Drain(response, over=True)
        with suppress(self._library.StreamError):  # a hook has streamed it away
            response.read()
        raise raisable(failure, self._library.kinds, response) from failure.__cause__

    def _spent(self) -> errors.ReloginError:
        text = "the body cannot be read a second time: it is not sent short"
        refused = self._past[-1] if self._past else None
        return raisable(errors.BodyNotReplayable(text), self._library.kinds, refused)

    def _copy(self, request: Request) -> Request:
        # Not by `copy`, which would do as pickling does and leave the body behind.
        copied = object.__new__(type(request))
        copied.__dict__.update(request.__dict__)
        copied.headers = self._library.Headers(request.headers)
        # Each octet is a character in it: of itself it takes ASCII, and fails on other cookies.
        copied.headers.encoding = "latin-1"
        copied.extensions = dict(request.extensions)
        return copied

    def warn_of_hook(self, failed: BaseException | None) -> None:
        """Warn where an event hook raised on a 401 that could have been answered."""
        if not isinstance(failed, self._library.HTTPStatusError):
            return
        if self._cache.policy.decision(self._info(failed.response)) is not None:
            warnings.warn(
                f"an event hook of the {self._library.name} client raised on a 401, so the session "
                "was not renewed: hooks run below auth; call raise_for_status() on the response",
                stacklevel=2,
            )


def told(step: Small, response: Response, signal: Error | None) -> ResponseInfo:
    """Say what a small request was answered."""
    return ResponseInfo(
        response=response,
        status=response.status_code,
        method=step.command.method,
        url=step.command.url,
        origin=sent_to(step.command.url),
        sent_with=step.command.credential,
        challenges=challenge_lines(response),
        signal=signal,
    )


def challenge_lines(response: Response) -> list[str]:
    """Read challenges as octets: httpx guesses an encoding for all fields together."""
    return [
        line.decode("latin-1")
        for name, line in response.headers.raw
        if name.lower() == b"www-authenticate"
    ]


def put(request: Request, credential: Credential) -> None:
    """Put a grant on a request."""
    url = str(request.url)  # it is put together each time
    signed = sign(request.headers, url, credential)
    if signed != url:
        put_url(request, signed)
    # httpx itself takes Authorization away where a redirect leads to another origin. A signature is
    # for this request only.
    kept = () if credential.signer is not None else ("authorization",)
    bound = [name for name in credential.headers if name.lower() not in kept]
    if bound:
        request.headers = OriginBound(request.headers, bound)  # type: ignore[assignment]


def put_url(request: Request, url: str) -> None:
    if url != str(request.url):
        request.url = type(request.url)(url)


def _origin(request: Request) -> str:
    return sent_to(str(request.url))


def _answer(library: Library, response: Response, *, sets: bool) -> Answer:
    jar = setting(library, response).cookies.jar if sets else ()
    cookies = {cookie.name: cookie.value or "" for cookie in jar}
    return Answer(response.status_code, response.headers, str(response.url), cookies=cookies)
