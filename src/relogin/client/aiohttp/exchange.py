"""One request of aiohttp, from its signing to its final response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from aiohttp import ClientError, ClientRequest, ClientResponse
from yarl import URL

from relogin.client.aiohttp.body import Repeated, pieces, watch
from relogin.client.aiohttp.cookies import set_by, take_in
from relogin.client.aiohttp.lookahead import drain, free, look
from relogin.client.aiohttp.refusable import end_if_refused
from relogin.client.aiohttp.unanswered import challenge_lines
from relogin.client.driver.bodies import spent
from relogin.client.driver.content import has_body, is_precious
from relogin.client.driver.cookie_text import with_cookies
from relogin.client.driver.credentials import (
    extend,
    for_request,
    roll,
    sent_with,
    sign,
    unsign,
)
from relogin.client.driver.failures import Kinds, raisable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import UNANSWERED, UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.signals import Error
from relogin.client.terms.answer import Answer
from relogin.client.terms.origins import sent_to
from relogin.client.terms.signer import Outgoing
from relogin.errors import BodyNotReplayable, LoginUnavailable

__all__ = ["Exchange", "Handler", "put"]

Handler: TypeAlias = Callable[[ClientRequest], Awaitable[ClientResponse]]

SWITCHING_PROTOCOLS = 101


class Exchange:
    """One request: the grant that it was sent with, and its latest response."""

    def __init__(
        self, cache: CredentialCache, kinds: Kinds, request: ClientRequest, handler: Handler
    ) -> None:
        self.response: ClientResponse
        """The latest response."""
        self.credential: Credential | None = None
        self.signal: Error | None = None
        self._cache = cache
        self._kinds = kinds
        self.request = request
        self._handler = handler
        self._origin = sent_to(str(request.url))
        self._rewind = watch(request)
        # Ask now: during the sending, a thread of aiohttp reads the file.
        self._repeats = self._rewind()
        end_if_refused(request)
        self.began: float = 0.0

    async def send(self, credential: Credential | None) -> None:
        """Sign the request, send it, and update the grant from the response."""
        self.credential = credential
        if credential is not None:
            self.credential = self._signed(self._cache.current(credential))
            self._cache.logouts.carries(self, self.credential)
            self.began = self._cache.clock()
        self.response = await self._handler(self.request)
        self.signal = await self._look()
        if self.credential is not None and not self.is_dead:
            self._learn(self.credential)

    def _signed(self, credential: Credential) -> Credential | None:
        """Sign the request; return the grant as sent, or `None` if it cannot be signed."""
        request, url = self.request, str(self.request.url)
        read = partial(pieces, request.body, self._rewind)
        signed = for_request(credential, Outgoing(request.method, url, request.headers, read))
        if signed is not None:
            put(request, signed)
        elif self.is_sent:
            raise spent()
        return signed

    def _learn(self, credential: Credential) -> None:
        request, response = self.request, self.response
        # A 5xx may come from a proxy.
        if response.status < 500 and self._cache.seen(credential):
            self._cache.note_accepted(credential, request.method, str(request.url))
        if credential.cookies or self._cache.policy.rolls:
            answer = Answer(response.status, response.headers, "", cookies=set_by(response))
            roll(self._cache, credential, answer)
        try:
            extend(self._cache, credential, request.headers, str(request.url), response.headers)
        except LoginUnavailable as failure:
            response.close()
            raise raisable(failure, self._kinds, response) from None

    async def _look(self) -> Error | None:
        policy = self._cache.policy
        signals = policy.signals_for(self.response.status)
        looked_at = signals and self._origin in policy.origins
        if not looked_at or self.response.status == SWITCHING_PROTOCOLS:  # WebSocket frames follow
            return None
        return await look(signals, self.response)

    @property
    def is_sent(self) -> bool:
        """Whether the request was sent and has a response."""
        return hasattr(self, "response")

    @property
    def is_dead(self) -> bool:
        """Whether the response says that the session is dead."""
        return self.response.status == UNAUTHORIZED or self.signal is not None

    @property
    def is_upload(self) -> bool:
        """Whether the request has a body, and carries a session."""
        return self.credential is not None and has_body(self.request.headers)

    @property
    def is_precious(self) -> bool:
        """Whether the request is long, or cannot be sent twice."""
        return is_precious(self.request.headers, lambda: self._repeats)

    @property
    def is_lost(self) -> bool:
        """Whether a proxy reports that the server did not answer an upload."""
        return self.is_upload and self.response.status in UNANSWERED

    async def free_connection(self) -> None:
        """Read the rest of the response: a login may need its connection."""
        if not self.is_sent:
            return
        if self.response.status == UNAUTHORIZED:
            await drain(self.response)
        else:
            await free(self.response)

    async def send_again(self, credential: Credential) -> ResponseInfo:
        """Send the request again, with a newer grant and the cookies that the 401 set."""
        request, dead = self.request, self.credential
        if isinstance(request._body, Repeated):
            await request._body.chunks.begin()
        await self._end()
        set_now, gone = take_in(request, self.response) if self.is_sent else ({}, set())
        if dead is not None:
            gone |= dead.cookies.keys()
            _put_url(request, unsign(request.headers, str(request.url), dead))
        cookies = with_cookies(request.headers.pop("Cookie", None), set_now, without=gone)
        if cookies:
            request.headers["Cookie"] = cookies
        request.update_expect_continue()
        try:
            await self.send(credential)
        except ClientError as error:
            if isinstance(error.__cause__, BodyNotReplayable):
                raise error.__cause__ from None
            raise
        return self.info()

    async def _end(self) -> None:
        """End a refused request: after an early 401, the body may still be in transit."""
        if self.is_sent:
            await drain(self.response)  # at its end, aiohttp cancels the writing
        await self.request.close()  # waits for that
        if not self._rewind():
            raise spent()

    def info(self) -> ResponseInfo:
        """Return what the flow needs to know about the response."""
        info = self._info(self.response, self.response.status)
        info.challenges, info.signal = challenge_lines(self.response), self.signal
        return info

    def info_of_none(self, error: Exception) -> ResponseInfo:
        """Return what the flow needs to know about an error without a response."""
        return self._info(error, 0)

    def _info(self, response: object, status: int) -> ResponseInfo:
        # It was sent once: aiohttp retries only idempotent requests, and through here.
        request, url = self.request, str(self.request.url)
        sent = sent_with(self._cache, self.credential, request.headers, url)
        info = ResponseInfo(response, status, request.method, url, self._origin, sent)
        info.replayable = self._repeats
        return info


def put(request: ClientRequest, credential: Credential) -> None:
    """Put a grant on a request."""
    _put_url(request, sign(request.headers, str(request.url), credential))


def _put_url(request: ClientRequest, url: str) -> None:
    if url != str(request.url):
        request.url = URL(url, encoded=True)
