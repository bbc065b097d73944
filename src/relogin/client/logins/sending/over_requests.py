"""One request of a login over requests."""

from __future__ import annotations

from typing import Any

from relogin.client.logins.sending.request import MOST_OCTETS, Request
from relogin.client.terms.answer import Answer

__all__ = ["sent"]


def sent(http: Any, request: Request, left: float) -> Answer:
    """Send a request and read its response, within bounds."""
    from relogin.client.drain import drain

    ended = True

    def read(response: Any, **_: Any) -> None:
        # In a hook, because requests reads a redirect without a bound even if it stays there.
        nonlocal ended
        ended = drain(response, MOST_OCTETS, left)

    if hasattr(http, "sends_again"):  # our own, made for this login alone
        http.sends_again = not request.once
    response = http.request(
        request.method,
        request.url,
        headers=request.headers,
        data=request.content,
        auth=_unsigned,
        hooks={"response": read},
        stream=True,
        allow_redirects=False,
        timeout=left,
    )
    cookies = {cookie.name: cookie.value or "" for cookie in response.cookies}
    return Answer(
        response.status_code, response.headers, response.url, response.content, not ended, cookies
    )


def _unsigned(prepared: Any) -> Any:
    """Keep netrc and the session's own auth away: requests uses them only without an auth."""
    return prepared
