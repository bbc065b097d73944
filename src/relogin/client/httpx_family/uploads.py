"""Uploads that end in an error: checking the session, and sending them again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

from relogin.client import renewal
from relogin.client.driver.bodies import AsyncChunks, Chunks
from relogin.client.driver.content import has_body
from relogin.client.driver.credentials import unsign
from relogin.client.driver.drive import Stepping
from relogin.client.httpx_family.exchange import Exchange
from relogin.client.httpx_family.library import Request, Response
from relogin.client.httpx_family.signing import put_url
from relogin.client.httpx_family.steps import Begin, Meanwhile, Small, Step
from relogin.client.renewal.commands import Check, Final, Replay
from relogin.client.renewal.policy import UNAUTHORIZED, ResponseInfo
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import mark

__all__ = ["UploadExchange"]


class UploadExchange(Exchange):
    """An exchange that handles an upload that ended in an error."""

    _looked_at: BaseException | None = None

    def lost(
        self, error: Exception, request: Request, *, again: bool
    ) -> Generator[Step, Any, Response | None]:
        """Find the response of an upload that ended in an error; return `None` if there is none.

        `again` allows sending it again, as the same request object: httpx knows no other.
        """
        self._looked_at, url = error, str(request.url)
        info = ResponseInfo(
            response=None,
            status=0,
            method=request.method,
            url=url,
            origin=sent_to(url),
            sent_with=self._sent_with(request),
            replayable=again and self._is_replayable(request),
        )
        with closing(
            renewal.unanswered.unanswered(self._cache, info, self._began, refused=self._was_refused)
        ) as flow:
            steps: Stepping[Any, Final] = Stepping(flow)
            for command in steps:
                with steps:
                    if isinstance(command, Replay):
                        steps.done = yield from self._sent_again(request, command)
                    elif isinstance(command, Check):
                        steps.done = yield Small(self._small(request, command), command)
                    else:
                        steps.done = yield command
        final = steps.result
        mark(final.info.response or error, final.outcome, final.detail)
        return final.info.response  # type: ignore[no-any-return]

    def given_up(self, error: BaseException | None) -> Generator[Meanwhile, Any, None]:
        """If an upload failed because of a dead session, renew it for the next try.

        The upload itself cannot be sent again: httpx is about to raise the error.
        """
        request = getattr(error, "_request", None) or self._request
        if isinstance(error, self.unanswered) and self.is_upload(error, request):
            lost: Generator[Any, Any, Response | None] = self.lost(error, request, again=False)
            yield from lost

    @property
    def _was_refused(self) -> bool:
        """Whether the request was sent again after a refusal."""
        return bool(self._past) and self._past[-1].status_code == UNAUTHORIZED

    @property
    def unanswered(self) -> tuple[type[Exception], ...]:
        """Errors after which a request may have reached its server."""
        return self._library.unanswered

    def is_upload(self, error: Exception, request: Request) -> bool:
        """Tell whether an error ended an upload and was not handled yet."""
        new = self._uploads and error is not self._looked_at
        return new and has_body(request.headers)

    def _sent_again(self, request: Request, command: Replay) -> Generator[Step, Any, ResponseInfo]:
        dead: Any = self._credential  # only a request with a session is checked
        url = str(request.url)
        put_url(request, unsign(request.headers, url, dead), url)
        self._credential = self._signed(request, self._cache.current(command.credential))
        if isinstance(request.stream, Chunks | AsyncChunks):
            yield Begin(request.stream)
        response: Response = yield request
        return replace(command.info, response=response, status=response.status_code)
