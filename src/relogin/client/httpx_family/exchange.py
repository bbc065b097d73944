"""One request, from its signing to its final response, without I/O.

`Exchange.steps` yields the requests to send, and other steps; the two drivers in `auth` execute
them.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from typing import Any

from relogin import client, errors
from relogin.client import renewal
from relogin.client.driver.bodies import AsyncChunks, Chunks
from relogin.client.driver.content import is_precious, of_a_body
from relogin.client.driver.cookie_text import with_cookies
from relogin.client.driver.credentials import resign, unsign
from relogin.client.driver.failures import raisable
from relogin.client.httpx_family.body import is_drained
from relogin.client.httpx_family.cookies import cookies_of
from relogin.client.httpx_family.fields import challenge_lines, fields_of
from relogin.client.httpx_family.library import Request, Response
from relogin.client.httpx_family.sending import Arrived, Sending
from relogin.client.httpx_family.signing import put_url
from relogin.client.httpx_family.steps import Begin, Drain, Meanwhile, Small, Step
from relogin.client.renewal.commands import Check, Final, Flow, Replay
from relogin.client.renewal.policy import UNANSWERED, UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.renewal.scopes import FORBIDDEN
from relogin.client.signals import Error
from relogin.client.terms.outcomes import mark

__all__ = ["Exchange", "told"]

_CHALLENGE = "WWW-Authenticate"
_DOUBTFUL = UNANSWERED | {UNAUTHORIZED, FORBIDDEN}
_ITERATED = (Chunks, AsyncChunks)


class Exchange(Sending):
    """From the signing of a request to the response that the user gets."""

    # Most requests: sent at once, with a living session

    def signed(self) -> Request | None:
        """Sign the request, to be sent at once; `None` if something is to be done before."""
        chosen = self._chosen
        ends = self._uploads and chosen is not None and chosen.grant.expires_in is not None
        precious = ends and self._is_precious()
        if not self._cache.ready(self._origin, chosen, precious=precious):
            return None
        return self._on_its_way(self._request, chosen)

    def _is_precious(self) -> bool:
        return self._uploads and is_precious(self._request.headers, self._rewind)

    def ends_with(self, response: Response) -> bool:
        """Tell whether nothing is left to do after a response; if so, update the grant from it."""
        self._is_back()
        logouts = self._cache.logouts
        return self._is_plain(response) and not (logouts.wanted and logouts.answered(self))

    def _is_plain(self, response: Response) -> bool:
        """Tell whether a response came straight, and at most says that its session lives.

        If so, remember that.
        """
        if (
            response.status_code in _DOUBTFUL
            or self._cache.policy.reads_all
            or not len(response.history) == len(self._past) == self._sent
            or self._tells_more(fields_of(response))
        ):
            return False
        if self._credential is not None:
            self._seen(self._credential, response)
        return True

    # All others

    def steps(self, response: Response | None = None) -> Generator[Step, Any, None]:
        """Handle the request; then log out replaced sessions that no request uses any more.

        `response` is its response, if it was sent already.
        """
        cache = self._cache
        try:
            if response is None:
                response = yield from self._sent_when_ready()
            response, signal = yield from self._arrived(response)
            if self._is_lost(response):
                response, signal = yield from self._answer_after_all(response, signal)
            if signal or response.status_code == UNAUTHORIZED or self._is_news(response):
                final = yield from self._done(
                    renewal.flow.answer(cache, self._info(response, signal))
                )
                if final.failure is not None:
                    yield from self._fail(final.failure, final.info.response)
            if self._credential is not None and cache.policy.fresh == "always":
                yield from renewal.shared.share(cache, self._credential)
        finally:
            leaving = cache.logouts.answered(self)
        if leaving:
            yield from renewal.log_out.log_out_replaced(cache)

    def _sent_when_ready(self) -> Generator[Step, Any, Response]:
        """Send the request after what is to be done before: ask the store, or renew ahead."""
        request, precious = self._request, self._is_precious()
        method, url = request.method, str(request.url)
        flow: Generator[Any, Any, Credential | None] = renewal.ahead.before(
            self._cache, self._chosen, self._origin, method, url, precious=precious
        )
        try:
            credential = yield from flow
        except errors.ReloginError as failure:
            raise raisable(failure, self._library.kinds, None, request) from failure.__cause__
        return (yield from self._send(request, credential))

    def _is_news(self, response: Response) -> bool:
        # With any other status, a challenge only causes an event.
        return _CHALLENGE in response.headers and client.events.heard(self._cache.policy.listener)

    def _answer_after_all(
        self, response: Response, signal: Error | None
    ) -> Generator[Step, Any, Arrived]:
        """Find out why a proxy reports that the server did not answer an upload."""
        info = self._info(response, signal)
        final = yield from self._done(renewal.unanswered.unanswered(self._cache, info, self._began))
        return final.info.response, final.info.signal

    def _done(self, flow: Flow) -> Generator[Step, Any, Final]:
        """Run a flow to its end, and mark the response; yield its replays as requests."""
        done: object = None
        failed: BaseException | None = None
        try:  # as `drive` does
            while True:
                command = flow.send(done) if failed is None else flow.throw(failed)
                try:
                    if isinstance(command, Replay):
                        done = yield from self._replayed(command)
                    else:
                        last = self._past[-1]
                        if not is_drained(self._library, last):
                            yield Drain(last, over=last.status_code == UNAUTHORIZED)
                        done = yield self._step(command)
                    failed = None
                except BaseException as error:  # noqa: BLE001 - the flow decides
                    failed = error
        except StopIteration as end:
            final: Final = end.value
            mark(final.info.response, final.outcome, final.detail)
            return final
        finally:
            failed = None
            flow.close()

    def _replayed(self, command: Replay) -> Generator[Step, Any, ResponseInfo]:
        refused = command.info
        again = self._again(refused, command.credential)
        if isinstance(again.stream, _ITERATED):
            yield Begin(again.stream)
        if not is_drained(self._library, self._past[-1]):
            yield Drain(self._past[-1], over=True)
        response: Response = yield self._on_its_way(again, command.credential)
        self._is_back()
        if not self._is_plain(response):
            return self._info(*(yield from self._arrived(response)))
        status = response.status_code
        return ResponseInfo(response, status, refused.method, refused.url, refused.origin)

    def _step(self, command: Any) -> Meanwhile:
        if isinstance(command, Check):
            return Small(self._small(self._past[-1].request, command), command)
        return command  # type: ignore[no-any-return]

    # Seeing, and sending again

    def _again(self, refused: ResponseInfo, credential: Credential) -> Request:
        """Copy the refused request, with the cookies that the 401 set and without the dead grant.

        After redirects, that is not the first request: httpx follows them without asking the auth.
        """
        request, dead = self._copy(refused.response.request), self._credential
        set_now, gone = cookies_of(self._library, refused.response)
        if dead is not None and (dead.authorization is None or credential.authorization is None):
            gone |= dead.cookies.keys()
            url = refused.url
            put_url(request, resign(request.headers, url, dead, credential), url)
        if set_now or gone:
            cookies = with_cookies(request.headers.pop("Cookie", None), set_now, without=gone)
            if cookies:
                request.headers["Cookie"] = cookies
        return request

    def gave_up(self, failed: BaseException | None) -> None:
        """Note that httpx gave up; warn if a hook raised on a 401 that could be answered."""
        self._is_back()
        self._cache.logouts.answered(self)
        if not isinstance(failed, self._library.HTTPStatusError):
            return
        if self._cache.policy.decision(self._info(failed.response)) is not None:
            warnings.warn(
                f"an event hook of the {self._library.name} client raised on a 401, so the session "
                "was not renewed. Hooks run below auth: call raise_for_status() on the response",
                stacklevel=2,
            )

    def _small(self, request: Request, command: Check) -> Request:
        """Make a request without a body, to the server of another one."""
        small = self._library.Request(
            command.method, command.url, extensions=dict(request.extensions)
        )
        most = self._cache.policy.login_timeout
        given = request.extensions.get("timeout", {})
        kinds = ("connect", "read", "write", "pool")
        small.extensions["timeout"] = {k: min(given.get(k) or most, most) for k in kinds}
        small.headers = self._library.Headers(
            [pair for pair in request.headers.multi_items() if not of_a_body(pair[0])]
        )
        small.headers.encoding = "latin-1"
        url = str(small.url)
        put_url(small, unsign(small.headers, url, command.credential), url)
        self._signed(small, self._cache.current(command.credential))
        return small


def told(step: Small, response: Response, signal: Error | None) -> ResponseInfo:
    """Return the response to a small request, for the flow."""
    lines = challenge_lines(response)
    return step.command.answered(response, response.status_code, lines, signal)
