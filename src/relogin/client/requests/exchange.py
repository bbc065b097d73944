"""One request of requests: its hook, and the handling of its response, or its missing response."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from requests import PreparedRequest, RequestException, Response
from requests.adapters import BaseAdapter

from relogin.client import renewal
from relogin.client.drain import drain
from relogin.client.driver.credentials import sent_with
from relogin.client.driver.drive import drive
from relogin.client.driver.failures import raisable
from relogin.client.driver.reentry import inside
from relogin.client.renewal.commands import Command, Flow, Replay
from relogin.client.renewal.policy import UNANSWERED, UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.requests.body import rewind
from relogin.client.requests.fields import CHALLENGE, challenge_lines, has
from relogin.client.requests.route import Route
from relogin.client.requests.signing import sign_again
from relogin.client.requests.unanswered import Upload, in_place_of_a_response, is_unanswered
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import mark

if TYPE_CHECKING:
    from relogin.client.requests import SessionAuth
    from relogin.client.signals import Error

__all__ = ["Exchange", "Hook", "Way"]


class Way:
    """An adapter, and a function that sends a request over it without error handling."""

    def __init__(self, adapter: BaseAdapter, send: Callable[..., Response]) -> None:
        self.adapter = adapter
        self.send = send


class Hook:
    """The response hook of one request, with the grant that last signed it.

    requests copies it to redirects and copies of the request, and pickles it with every response.
    After pickling, it does nothing.
    """

    __slots__ = ("__weakref__", "auth", "credential", "origin", "signed_again", "upload", "url")

    def __init__(
        self, auth: SessionAuth, credential: Credential | None, url: str | None, origin: str
    ) -> None:
        self.auth: SessionAuth = auth
        self.credential = credential
        self.url: str | None = url
        self.origin: str = origin
        self.signed_again: float = 0.0
        self.upload: Upload | None = None
        """The request, if it has a body: it may end in an error, which no hook sees."""

    def __call__(self, response: Response, **sending: Any) -> Response:
        """Handle a response, as `SessionAuth` decides."""
        auth = self.auth
        handle = auth._answered if auth._policy.logout is None else auth._handle
        return handle(self, response, sending)

    def origin_of(self, request: PreparedRequest) -> str:
        """Return the origin that a request with this hook went to; a redirect may leave its own."""
        return self.origin if request.url == self.url else sent_to(request.url)

    def sent_with(self, response: Response) -> Credential | None:
        """Return the grant that signed the request, or `None` if it was signed again meanwhile.

        That happens if several threads send one prepared request.
        """
        began = time.perf_counter() - response.elapsed.total_seconds()
        return None if began < self.signed_again else self.credential

    def sign_again(
        self, refused: Response, dead: Credential | None, credential: Credential
    ) -> PreparedRequest:
        """Sign the request with a newer grant, and remember which and when."""
        prepared, self.credential = sign_again(refused, dead, credential)
        self.signed_again = time.perf_counter()
        if self.auth._policy.logout is not None:
            self.auth._cache.logouts.carries(self, self.credential)
        return prepared

    def instead(
        self, error: RequestException, prepared: PreparedRequest, way: Way, sending: dict[str, Any]
    ) -> Response:
        """Find the response of an upload that ended in an error, or raise that error."""
        upload = None if inside(self.auth._cache) else self.upload
        if upload is not None:
            upload.answered = True
        if upload is None or not is_unanswered(error):
            raise error
        return Lost(self, error, prepared, way, sending).answered_after_all()

    def __reduce__(self) -> tuple[Any, ...]:
        return _idle, ()


def _idle() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(response: Response, **sending: Any) -> None:
    """Take the place of a hook whose request was pickled."""


class Exchange:
    """One response, from its arrival to the response that replaces it."""

    def __init__(
        self,
        auth: SessionAuth,
        hook: Hook,
        credential: Credential | None,
        response: Response,
        sending: dict[str, Any],
        signal: Error | None,
    ) -> None:
        self.auth = auth
        self.hook = hook
        self.credential = credential
        self.response: Response = response
        self.sending = sending
        self.signal = signal
        self.origin: str = hook.origin_of(response.request)

    def answered(self) -> Response:
        """Run the flow; return its response, or raise its failure as a requests exception."""
        return self._ended(renewal.flow.answer(self.auth._cache, self._info()))

    def answered_after_all(self) -> Response:
        """Do the same if a proxy reports that the server did not answer an upload."""
        upload: Any = self.hook.upload
        return self._ended(
            renewal.unanswered.unanswered(self.auth._cache, self._info(), upload.began)
        )

    def _ended(self, flow: Flow) -> Response:
        started, first = time.monotonic(), self.response
        self._keep_route()
        final = drive(flow, self._do)
        response: Response = final.info.response
        if response is not first:
            response.elapsed = first.elapsed + timedelta(0, time.monotonic() - started)
        mark(response, final.outcome, final.detail)
        if final.failure is not None:
            self._free_connection()  # nobody else does: you get it in the exception only
            raise raisable(final.failure, self.auth._kinds, response) from final.failure.__cause__
        return response

    def _keep_route(self) -> None:
        cache, response = self.auth._cache, self.response
        if self.origin in cache.policy.origins:
            url = response.request.url or ""
            route = Route(response.connection, url, self.sending, cache.process)
            self.auth._routes[self.origin] = route

    def _do(self, command: Command) -> object:
        if not self.response._content_consumed:  # type: ignore[attr-defined]
            self._free_connection()
        if isinstance(command, Replay):
            self._replay(command.credential)
            return self._info()
        return self.auth._stand_by_or_log_in(command, self.origin)

    def _free_connection(self) -> None:
        """Read the rest of the response: a login may need its connection, if there is no other.

        After the refusal of a request with a body, the connection is closed: a server that has not
        read the body closes it too, even if it promised not to. You may still get a response with a
        signal, so you can read or stream the whole of it.
        """
        blocks = getattr(self.response.connection, "_pool_block", False)
        if self.response.status_code == UNAUTHORIZED:
            drain(self.response, keep=not self.response.request.body)
        elif blocks or not self.sending.get("stream"):
            _ = self.response.content

    def _replay(self, credential: Credential) -> None:
        refused = self.response
        if not refused._content_consumed:  # type: ignore[attr-defined]
            refused.close()
        rewind(refused.request)
        prepared = self.hook.sign_again(refused, self.credential, credential)
        self.credential = self.hook.credential
        self.response = refused.connection.send(prepared, **self.sending)
        self.response.history = [*refused.history, refused]
        self.response.request = prepared
        self.signal = None
        if self.auth._policy.has_signals:
            self.signal = self.auth._signal(self.response, self.sending)

    def _info(self) -> ResponseInfo:
        response, request = self.response, self.response.request
        status, url = response.status_code, request.url or ""
        info = ResponseInfo(response, status, (request.method or "").upper(), url, self.origin)
        if has(response.headers, CHALLENGE):
            info.challenges = challenge_lines(response)
        if status == UNAUTHORIZED or self.signal is not None or self.is_lost():
            cache, retries = self.auth._cache, getattr(response.raw, "retries", None)
            info.sent_with = sent_with(cache, self.credential, request.headers, url)
            info.once = not getattr(retries, "history", ())
            info.replayable = rewind(request)
            info.signal = self.signal
        return info

    def is_lost(self) -> bool:
        """Tell whether a proxy reports that the server did not answer an upload."""
        return self.response.status_code in UNANSWERED and self.hook.upload is not None


class Lost(Exchange):
    """An upload that ended in an error, from there to its response, if it gets one."""

    response: Response

    def __init__(
        self,
        hook: Hook,
        error: RequestException,
        prepared: PreparedRequest,
        way: Way,
        sending: dict[str, Any],
    ) -> None:
        nothing = in_place_of_a_response(prepared, way.adapter)
        super().__init__(hook.auth, hook, hook.credential, nothing, sending, None)
        self.error = error
        self.way = way

    def answered_after_all(self) -> Response:
        """Run the flow; return the response of what was sent again, or raise the error."""
        upload: Any = self.hook.upload
        self._keep_route()
        final = drive(
            renewal.unanswered.unanswered(self.auth._cache, self._info(), upload.began), self._do
        )
        if final.info.status == 0:
            mark(self.error, final.outcome, final.detail)
            raise self.error
        mark(self.response, final.outcome, final.detail)
        return self.response

    def is_lost(self) -> bool:
        """Tell that there was no response."""
        return self.response.status_code == 0

    def _replay(self, credential: Credential) -> None:
        rewind(self.response.request)
        prepared = self.hook.sign_again(self.response, self.credential, credential)
        self.response = self.way.send(prepared, **self.sending)
