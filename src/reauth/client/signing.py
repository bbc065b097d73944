"""The grant on a request of requests: put there, recognised, and kept current by the answers."""

from __future__ import annotations

import copy
from urllib.parse import urljoin

from requests import PreparedRequest, Response

from reauth.client.book import Book
from reauth.client.cookies import carry_over_redirect, rebuild
from reauth.client.credentials import extend, roll, sign
from reauth.client.origins import sent_to
from reauth.client.policy import UNAUTHORIZED, Held

__all__ = ["keep_record", "learn", "sign_again"]


def keep_record(refused: Response) -> None:
    """Leave with the 401 what was sent for it: the request itself is signed and sent once more."""
    refused.request = copy.copy(refused.request)
    refused.request.headers = refused.request.headers.copy()


def sign_again(prepared: PreparedRequest, refused: Response, dead: Held | None, held: Held) -> None:
    """Put a newer grant on a request that was refused, in place of the dead one."""
    if dead is not None and prepared.headers.get("Authorization") == dead.authorization:
        prepared.headers.pop("Authorization", None)
    rebuild(prepared, refused, held.cookies)
    sign(prepared.headers, held)


def learn(book: Book, held: Held, response: Response) -> None:
    """Take over what a response says of the session: a rolled cookie, how long it still lives."""
    request = response.request
    if sent_to(request.url) != held.key.origin:
        return
    if response.status_code != UNAUTHORIZED:  # that says nothing of a session that lives
        if len(response.cookies):
            roll(book, held, response.cookies)
        extend(book, held, request.headers, response.headers)
    if response.is_redirect:
        _prepare_redirect(book.current(held), response)


def _prepare_redirect(held: Held, response: Response) -> None:
    """Let the next hop carry the grant if it stays within the origin, and only then.

    requests itself keeps Authorization from http to https on one host, which is another origin.
    """
    if held.cookies:
        carry_over_redirect(response.request, held.cookies)
    target = urljoin(response.url, response.headers["location"])
    if held.authorization is not None and sent_to(target) != held.key.origin:
        sent = response.request
        keep_record(response)
        if sent.headers.get("Authorization") == held.authorization:
            del sent.headers["Authorization"]
