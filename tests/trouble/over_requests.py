"""Threads of requests."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import requests

from relogin import Grant
from relogin.client import outcome
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.trouble.caller import TIMEOUT, Caller, Sending
from tests.trouble.opened import open_store, survives_a_fork

__all__ = ["Threads"]


class Threads(Caller):
    """One session, that all threads share."""

    errors: tuple[type[Exception], ...] = (requests.RequestException,)

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts)
        self.auth = self.open_auth()
        self.session = self.open_session()

    def open_auth(self) -> requests.auth.AuthBase | None:
        options = self.options(open_store(self.store))
        return SessionAuth(self.log_in, self.urls.values(), **options)

    def open_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = self.auth
        session.trust_env = False
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self.many))
        return session

    def log_in(self, context: Context) -> Grant | None:
        (url, number, forms), lost = self.asks(context), False
        for form in forms:
            self.posts(number, form)
            try:
                answer = context.http.post(url, data=form)
                answer.raise_for_status()
                return self.granted(number, answer.text)
            except (requests.RequestException, ValueError) as error:  # an answer may be cut
                lost = lost or self.lost(form, error)
                if form is forms[-1]:
                    error.refresh_spent = lost  # type: ignore[union-attr]
                    raise
        raise AssertionError("there is no form")

    def run(self) -> None:
        threads = [threading.Thread(target=self._many, args=(n,)) for n in range(self.many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.session.close()
        # The auth keeps the error of a last login that failed, which holds connections.
        del self.session, self.auth

    def run_after_fork(self) -> None:
        if not survives_a_fork(self.store):
            self.auth = self.open_auth()
        self.session = self.open_session()  # the connections are the parent's
        for number in self.numbers(0):
            self._one(self.draw(number))

    def _many(self, thread: int) -> None:
        count = 0
        while not self.stopped.is_set():
            self._one(self.draw(f"{self.name}.{thread}.{count}"))
            count += 1
            time.sleep(self.pause)

    def _one(self, sending: Sending) -> None:
        began = self.begins(sending)
        try:
            body = sending.content(io.BytesIO(sending.body), iter(sending.pieces()))
            response = self.session.request(
                sending.method, self.url(sending), data=body, timeout=TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 - what it is, the judge is told
            self.fails(sending, began, error)
        else:
            self.ends(
                sending,
                began,
                status=response.status_code,
                echo=response.text[:64],
                outcome=outcome(response).value,
            )
