"""One response of niquests, from its arrival to the response that replaces it, without I/O."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from datetime import timedelta
from typing import Any, NoReturn

from niquests import PreparedRequest, RequestException, Response

from relogin import client, errors
from relogin.client.driver.content import has_body
from relogin.client.driver.credentials import sent_with
from relogin.client.driver.drive import Stepping
from relogin.client.driver.failures import Kinds, raisable
from relogin.client.driver.login_settings import Sent
from relogin.client.niquests.body import repeated, rewind
from relogin.client.niquests.steps import (
    Begin,
    Drain,
    Send,
    Sending,
    Step,
    adapter_of,
)
from relogin.client.niquests.unanswered import ask, signalled
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Check, Command, Final, Flow, Replay
from relogin.client.renewal.flow import answer
from relogin.client.renewal.log_out import log_out_replaced
from relogin.client.renewal.policy import OK, UNANSWERED, UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.renewal.shared import share
from relogin.client.renewal.streams import stream_ended
from relogin.client.renewal.unanswered import unanswered
from relogin.client.requests.fields import CHALLENGE, challenge_lines
from relogin.client.requests.signing import learn, sign_again
from relogin.client.requests.unanswered import Upload
from relogin.client.signals import Error
from relogin.client.terms.fields import is_event_stream
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import Outcome, mark

__all__ = ["Exchange", "Lost", "Signed", "put_in_place"]


class Signed:
    """What is known of one request: the grant that last signed it, and its upload."""

    credential: Credential | None = None
    upload: Upload | None = None
    """The request, if it has a body: it may end in an error, which no hook sees."""


class Exchange:
    """One request: the grant that it was sent with, and its latest response."""

    def __init__(
        self,
        cache: CredentialCache,
        kinds: Kinds,
        signed: Signed,
        response: Response,
        sending: Sending,
    ) -> None:
        self.credential: Credential | None = signed.credential
        self._signed = signed
        self.response: Response = response
        self._signal: Error | None = None
        self._cache = cache
        self._kinds = kinds
        self._sending = sending
        url = _request_of(response).url or ""
        self.sent: Sent = Sent(url, sending)
        self.origin: str = sent_to(url)

    def steps(self) -> Generator[Step, Any, Response]:
        """Handle the response; return the final one."""
        logouts = self._cache.logouts
        try:
            yield from self._handle()
        finally:
            logouts.answered(self._signed)
        if logouts.waiting:
            yield from log_out_replaced(self._cache)
        return self.response

    def _handle(self) -> Generator[Step, Any, None]:
        policy, first = self._cache.policy, self.response
        yield from self._look()
        if self._is_lost() and self._signed.upload is not None:
            flow = unanswered(self._cache, self._info(), self._signed.upload.began)
            yield from self._ended(flow)
        if self._is_dead() or (CHALLENGE in first.headers and client.events.heard(policy.listener)):
            yield from self._ended(answer(self._cache, self._info()))
        if self.credential is not None:
            yield from self._learn(self.credential)
            if policy.fresh == "always":
                yield from share(self._cache, self.credential)
            if self.response.is_redirect:  # the next request carries the latest values
                self.credential = self._cache.current(self.credential)

    def _look(self) -> Generator[Step, Any, None]:
        whole = not self._is_streamed()
        self._signal = yield from signalled(self._cache, self.response, whole=whole)

    def _ended(self, flow: Flow) -> Generator[Step, Any, None]:
        started, first = time.monotonic(), self.response
        final = yield from self._run(flow)
        self.response = final.info.response
        if self.response is not first:
            self.response.elapsed = first.elapsed + timedelta(seconds=time.monotonic() - started)
        mark(self.response, final.outcome, final.detail)
        if final.failure is not None:
            yield from self._fail(final.failure)

    def _run(self, flow: Flow) -> Generator[Step, Any, Final]:
        with closing(flow):
            steps = Stepping(flow)
            for command in steps:
                with steps:
                    yield from self._free()
                    steps.done = yield from self._do(command)
        return steps.result

    def _free(self) -> Generator[Step, Any, None]:
        """Read the rest of the response: what follows may need its connection."""
        dead = self.response.status_code == UNAUTHORIZED
        if dead or not self._is_streamed():
            yield Drain(self.response, bounded=dead)

    def _do(self, command: Command) -> Generator[Step, Any, object]:
        if isinstance(command, Check):
            asked = ask(self._cache, adapter_of(self.response), self._sending, command)
            return (yield from asked)
        if isinstance(command, Replay):
            return (yield from self._replay(command.credential))
        return (yield command)

    def _replay(self, credential: Credential) -> Generator[Step, Any, ResponseInfo]:
        refused, before = self.response, _request_of(self.response)
        body = repeated(before)
        if body is not None:
            yield Begin(body)
        rewind(before)
        answered: Any = refused
        prepared: Any
        prepared, self.credential = sign_again(answered, self.credential, credential)
        self._cache.logouts.carries(self._signed, self.credential)
        sending = {**self._sending, "multiplexed": False}
        self.response = yield Send(adapter_of(refused), prepared, sending)
        if refused.status_code:  # there is none after an error
            self.response.history = [*refused.history, refused]
        self.response.request = prepared
        yield from self._look()
        return self._info()

    def _learn(self, credential: Credential) -> Generator[Step, Any, None]:
        response: Any = self.response
        try:
            dead = self._signal is not None
            learn(self._cache, credential, response, self.origin, dead=dead)
        except errors.LoginUnavailable as failure:
            yield from self._fail(failure)

    def _fail(self, failure: errors.ReloginError) -> Generator[Step, Any, NoReturn]:
        yield Drain(self.response, bounded=True)  # you get it in the exception only
        raise raisable(failure, self._kinds, self.response) from failure.__cause__

    def _info(self) -> ResponseInfo:
        response: Any = self.response
        request: Any = response.request
        url = request.url or ""
        return ResponseInfo(
            response=response,
            status=response.status_code,
            method=(request.method or "").upper(),
            url=url,
            origin=self.origin,
            sent_with=sent_with(self._cache, self.credential, request.headers, url),
            challenges=challenge_lines(response),
            once=not getattr(getattr(response.raw, "retries", None), "history", ()),
            replayable=not (self._is_dead() or self._is_lost()) or rewind(request),
            signal=self._signal,
        )

    def _is_streamed(self) -> bool:
        # An extension reads the frames of a WebSocket, or the events of a stream.
        return bool(self._sending.get("stream")) or self.response.extension is not None

    def _is_lost(self) -> bool:
        # A proxy reports that the server did not answer an upload.
        lost = self.response.status_code in UNANSWERED and self.credential is not None
        headers: Any = _request_of(self.response).headers
        return lost and has_body(headers)

    def _is_dead(self) -> bool:
        return self.response.status_code == UNAUTHORIZED or self._signal is not None

    # A stream of events

    def is_event_stream(self) -> bool:
        """Tell whether the response is an event stream of a session, opened by a GET."""
        response, credential = self.response, self.credential
        if response.status_code != OK or credential is None:
            return False
        opened = _request_of(response).method == "GET" and self.origin == credential.key.origin
        return opened and is_event_stream(response.headers.get("content-type"))

    def after_stream(self) -> Generator[Step, Any, None]:
        """Find out why the stream has ended, and mark its response."""
        flow = stream_ended(self._cache, self._info(), self._cache.clock())
        with closing(flow):
            steps = Stepping(flow)
            for command in steps:
                with steps:
                    steps.done = yield from self._do(command)
        if steps.result.outcome is Outcome.STREAM_ENDED:
            mark(self.response, Outcome.STREAM_ENDED)


class Lost(Exchange):
    """An upload that ended in an error, from there to its response, if it gets one."""

    def __init__(
        self,
        cache: CredentialCache,
        kinds: Kinds,
        signed: Signed,
        error: RequestException,
        nothing: Response,
        sending: Sending,
    ) -> None:
        super().__init__(cache, kinds, signed, nothing, sending)
        self._error = error

    def steps(self) -> Generator[Step, Any, Response]:
        """Return the response of what was sent again, or raise the error."""
        final = yield from self._asked(self._info())
        if final.info.status == 0:
            raise self._error
        mark(self.response, final.outcome, final.detail)
        self._signed.credential = self.credential
        return self.response

    def given_up(self) -> Generator[Step, Any, None]:
        """Renew a dead session for the next try: the upload itself is not sent again."""
        info = self._info()
        info.replayable = False
        yield from self._asked(info)

    def _asked(self, info: ResponseInfo) -> Generator[Step, Any, Final]:
        upload: Any = self._signed.upload
        final = yield from self._run(unanswered(self._cache, info, upload.began))
        if final.info.status == 0:
            mark(self._error, final.outcome, final.detail)
        return final

    def _free(self) -> Generator[Step, Any, None]:
        yield from ()  # no response holds a connection

    def _is_lost(self) -> bool:
        return not self.response.status_code


def _request_of(response: Response) -> PreparedRequest:
    request: Any = response.request
    prepared: PreparedRequest = request
    return prepared


def put_in_place(first: Response, response: Response) -> Response:
    """Turn the first response object into the final response: the user has that object already.

    With multiplexed connections, niquests returns a response object before the response arrives.
    """
    if response is first:
        return first
    refused = object.__new__(type(first))  # not `copy`, which works like pickling
    vars(refused).update(vars(first))
    response.history = [refused if past is first else past for past in response.history]
    vars(first).clear()
    vars(first).update(vars(response))
    return first
