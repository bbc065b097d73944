"""Renewal for niquests: `session.auth = SessionAuth(login)`, for `Session` and `AsyncSession`.

`relogin.client.renewal.flow` decides what to do; this module sends, waits and logs in, in threads
and in tasks. Needs the extra ``relogin[niquests]``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

try:
    import anyio as _anyio  # noqa: F401 - tasks of several loops wait with it
    import niquests
    from niquests import AsyncResponse, PreparedRequest
    from niquests.auth import AuthBase
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.client.niquests needs niquests: pip install 'relogin[niquests]'",
        name=_missing.name,
    ) from _missing

from relogin import errors
from relogin.client.drain import drain
from relogin.client.driver import tasks
from relogin.client.driver.async_principal import AsyncPrincipal, of_kind
from relogin.client.driver.content import is_precious
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.failures import by_base
from relogin.client.driver.login_settings import Sent, settings_for_check
from relogin.client.driver.reentry import ending, inside
from relogin.client.niquests.adapters import AsyncUploadAdapter, UploadAdapter
from relogin.client.niquests.body import rewind, watch
from relogin.client.niquests.hooks import Ahead, Hook
from relogin.client.niquests.login_session import AsyncLoginSession, LoginSession
from relogin.client.niquests.reading import drain_async, look, look_async
from relogin.client.niquests.steps import Begin, Drain, Look, Send, Step
from relogin.client.niquests.unanswered import ask, doer
from relogin.client.renewal.commands import Check, Command, Login, LogOut
from relogin.client.renewal.policy import Policy, ResponseInfo
from relogin.client.requests.retries import RetriesUnauthorized
from relogin.client.requests.signing import sign_within, write_url
from relogin.client.requests.unanswered import Upload
from relogin.client.terms.grant import Context
from relogin.client.terms.libraries import mixed_up
from relogin.client.terms.origins import sent_to

__all__ = [
    "AsyncUploadAdapter",
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "RetriesUnauthorized",
    "SessionAuth",
    "UploadAdapter",
]


class LoginRefused(errors.LoginRefused, niquests.RequestException):
    """The login was refused; `response` is the 401 that asked for it, if any."""


class LoginUnavailable(errors.LoginUnavailable, niquests.RequestException):
    """The login could not be done now; `response` is the 401 that asked for it, if any."""


class InvalidGrant(errors.InvalidGrant, niquests.RequestException):
    """The login returned no valid grant; `response` is the 401 that asked for it, if any."""


class LoginTimeout(errors.LoginTimeout, niquests.Timeout):
    """The renewal took too long; `response` is the 401 that asked for it, if any."""


class BodyNotReplayable(errors.BodyNotReplayable, niquests.RequestException):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, niquests.RequestException):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


_KINDS = by_base(
    LoginRefused,
    LoginUnavailable,
    InvalidGrant,
    LoginTimeout,
    BodyNotReplayable,
    MethodNotReplayable,
)


class SessionAuth(AsyncPrincipal[niquests.Session], AuthBase):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    Use it with `niquests.Session` and `niquests.AsyncSession`; one object can serve both at once.
    All parameters are as for `relogin.client.httpx.SessionAuth`. `context.http` is a
    `niquests.AsyncSession` for a login that is a coroutine function, and a `niquests.Session` for
    any other. It has the proxies and certificates of the refused request, and its own connections;
    ``verify=False`` applies only at the origin of that request.

    With ``multiplexed=True`` the login takes place when you gather the response or first access it.
    Signals see only the status and the headers of a streamed response.

    Raises `ValueError` for a function without `origins`, and for an origin that is neither https
    nor loopback.
    """

    _kinds = _KINDS

    def _begin(
        self,
        login: Callable[[Context], object],
        policy: Policy,
        http: niquests.Session | None = None,
    ) -> None:
        super()._begin(login, policy, http)
        # By origin: the proxies and certificates of its last 401, for what no response asks for.
        self._ways: dict[str, Sent] = {}
        # By thread or task: its last upload, which may have ended in an error.
        self._uploads: WeakKeyDictionary[object, Upload] = WeakKeyDictionary()
        self._multiplexes = False

    def __call__(self, prepared: PreparedRequest, *_: object) -> PreparedRequest:
        """Sign a request that is being prepared, and register a hook for its response."""
        if not isinstance(prepared, PreparedRequest):
            raise mixed_up("niquests", prepared)
        signed: Any = prepared  # what relogin shares with requests is typed for its objects
        write_url(signed)
        url = prepared.url or ""
        if inside(self._cache):
            own = ending(self._cache, url)
            return prepared if own is None else cast("PreparedRequest", sign_within(signed, own))
        origin = sent_to(url)
        credential = self._cache.for_request(origin, url)
        watch(prepared)
        precious = is_precious(signed.headers, partial(rewind, prepared))
        lost = self._lost() if prepared.body else None
        hook = Hook(self)
        if lost is not None or not self._cache.ready(origin, credential, precious=precious):
            prepared.register_hook("pre_request", Ahead(self, hook, origin, precious, lost))
        elif credential is not None:
            hook.sign(prepared, credential)
        prepared.register_hook("response", hook)
        return prepared

    # Uploads, the last one of each thread or task

    def _began(self, upload: Upload) -> Upload:
        if not self._multiplexes:  # many are on their way, and none of them is lost
            self._uploads[doer()] = upload
        return upload

    def _lost(self) -> Upload | None:
        """Return the last upload of this thread or task, if it got no response."""
        last = self._uploads.pop(doer(), None)
        return None if last is None or last.answered else last

    def _keep_way(self, origin: str, sent: Sent) -> None:
        """Keep how a refused request was sent: the proxies and certificates."""
        if origin in self._policy.origins:
            way = ("proxies", "verify", "cert")
            kept = {name: sent.options[name] for name in way if name in sent.options}
            self._ways[origin] = sent._replace(options=kept)

    def _way_of(self, command: LogOut) -> Sent | None:
        return self._ways.get(command.credential.key.origin)

    # In a thread, and in a task

    def _do(self, step: Step, sent: Sent | None) -> object:
        if isinstance(step, Send):
            return step.adapter.send(step.prepared, **step.sending)
        if isinstance(step, Look):
            return look(step.signals, step.response, whole=step.whole)
        if isinstance(step, Drain):
            response: Any = step.response
            return drain(response) if step.bounded else response.content
        if isinstance(step, Login):
            return self._log_in(step, sent)
        if isinstance(step, LogOut):
            return self._log_out_here(step, self._way_of(step))
        if isinstance(step, Check):
            with ExitStack() as opened:
                steps = self._asking(self._open_http(opened, sent), step)
                return drive(steps, partial(self._do, sent=sent))
        # Not `Begin`: no `Session` sends an asynchronous body.
        return stand_by(self._cache, cast("Command", step))

    async def _do_async(self, step: Step, sent: Sent | None) -> object:
        if isinstance(step, Send):
            adapter: Any = step.adapter
            return await adapter.send(step.prepared, **step.sending)
        if isinstance(step, Look):
            looked_at = cast("AsyncResponse", step.response)
            return await look_async(step.signals, looked_at, whole=step.whole)
        if isinstance(step, Drain):
            response: Any = step.response
            return await (drain_async(response) if step.bounded else response.content)
        if isinstance(step, Begin):
            await step.body.begin()
            return None
        if isinstance(step, Login):
            return await self._log_in_async(step, sent)
        if isinstance(step, LogOut):
            return await self._log_out_async(step, self._way_of(step))
        if isinstance(step, Check):
            if not (self._http is None or self._is_awaited(self._http)):
                return await tasks.elsewhere(self._do, step, sent)
            async with AsyncExitStack() as opened:
                steps = self._asking(self._open_http_async(opened, sent), step)
                return await tasks.drive(steps, partial(self._do_async, sent=sent))
        return await tasks.stand_by(self._cache, step)

    def _asking(self, http: niquests.Session, command: Check) -> Generator[Step, Any, ResponseInfo]:
        """Ask over a session of its own: no response came that shows the way."""
        way = settings_for_check(http, command)
        return ask(self._cache, http.get_adapter(command.url), way, command)

    # What a login gets

    def _is_awaited(self, http: object) -> bool:
        return isinstance(http, niquests.AsyncSession)

    def _do_here(self, command: Command) -> object:
        return self._do(cast("Step", command), None)  # without a request, nothing is sent again

    async def _do_in_task(self, command: Command) -> object:
        return await self._do_async(cast("Step", command), None)

    def _open_http(
        self, opened: ExitStack, sent: Sent | None, auth: SessionAuth | None = None
    ) -> niquests.Session:
        if self._is_awaited(self._http):  # AsyncSession is derived from Session
            raise TypeError("http= is of niquests.AsyncSession; this login needs Session")
        if self._http is not None:
            return of_kind(niquests.Session, self._http)
        http = LoginSession(sent, self._cache.policy.login_timeout)
        http.auth = auth
        opened.callback(http.close)
        return http

    def _open_http_async(
        self, opened: AsyncExitStack, sent: Sent | None, auth: SessionAuth | None = None
    ) -> niquests.AsyncSession:
        if self._http is not None:
            return of_kind(niquests.AsyncSession, self._http)
        http = AsyncLoginSession(sent, self._cache.policy.login_timeout)
        http.auth = auth
        opened.push_async_callback(http.close)
        return http
