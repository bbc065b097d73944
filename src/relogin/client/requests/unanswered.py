"""Uploads without a response in requests, and the small request that asks why."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from requests import ConnectTimeout, PreparedRequest, RequestException, Response, Timeout
from requests.adapters import BaseAdapter
from urllib3.exceptions import NewConnectionError

from relogin.client.drain import drain
from relogin.client.driver.content import of_a_body
from relogin.client.driver.credentials import unsign
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Check
from relogin.client.renewal.policy import Credential, ResponseInfo
from relogin.client.requests.broken import has_stalled, is_broken, pool_that_keeps_one
from relogin.client.requests.fields import challenge_lines
from relogin.client.requests.route import Route
from relogin.client.requests.signing import sign_prepared
from relogin.lazy import importing

if TYPE_CHECKING:
    from relogin.client.signals import Error

__all__ = ["Upload", "ask", "in_place_of_a_response", "is_unanswered", "small_request"]


class Upload:
    """A signed request with a body; `answered` says that its end was seen."""

    answered: bool = False

    def __init__(self, credential: Credential, began: float) -> None:
        self.credential = credential
        self.began = began


def is_unanswered(error: RequestException) -> bool:
    """Tell whether a request may have reached its server without getting a response."""
    if isinstance(error, Timeout):
        return not isinstance(error, ConnectTimeout)
    return is_broken(error) or has_stalled(error, NewConnectionError)


def in_place_of_a_response(prepared: PreparedRequest, adapter: BaseAdapter | None) -> Response:
    """Make an internal stand-in for a response that never came."""
    nothing: Any = Response()
    nothing.request, nothing.connection, nothing.url = prepared, adapter, prepared.url
    nothing.status_code, nothing._content, nothing._content_consumed = 0, b"", True
    return nothing  # type: ignore[no-any-return]


def ask(
    cache: CredentialCache,
    route: Route,
    command: Check,
    signal: Callable[[Response, dict[str, Any]], Error | None],
) -> ResponseInfo:
    """Send a small request over the route of an upload, and return its response."""
    prepared = small_request(cache, command)
    timeout = route.sending.get("timeout") or cache.policy.login_timeout
    sending = {**route.sending, "stream": True, "timeout": timeout}
    response = _sent(route.adapter, prepared, sending)
    found = signal(response, sending)
    drain(response)
    return command.answered(response, response.status_code, challenge_lines(response), found)


def small_request(cache: CredentialCache, command: Check) -> PreparedRequest:
    """Copy a request without its body and the fields that describe it; sign the copy."""
    prepared: PreparedRequest = copy.copy(command.info.response.request)
    prepared.method, prepared.url = command.method, command.url
    prepared.body, prepared.hooks = None, {"response": []}
    prepared.headers = prepared.headers.copy()
    for name in list(prepared.headers):
        if of_a_body(name):
            del prepared.headers[name]
    prepared.url = unsign(prepared.headers, command.url, command.credential)
    sign_prepared(prepared, cache.current(command.credential))
    return prepared


def _sent(adapter: BaseAdapter, prepared: PreparedRequest, sending: dict[str, Any]) -> Response:
    pool = pool_that_keeps_one(adapter, prepared, sending)
    try:
        return adapter.send(prepared, **sending)
    except RequestException as error:
        if pool is None or not is_broken(error):
            raise
    with importing:
        from relogin.client.logins.sending.connections import close_idle  # few connections break
    close_idle(pool)
    return adapter.send(prepared, **sending)
