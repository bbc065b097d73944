"""A stream of events is asked for by a request: a 401 there is renewed for, each time."""

from __future__ import annotations

import httpx2

from relogin.client.httpx2 import SessionAuth
from tests.client.server import Answer, Request, Server


def test_a_refused_stream_is_renewed_for_each_time_it_is_opened(server: Server) -> None:
    def events(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        stream = iter([b"data: one\n\n", b"data: two\n\n"])
        return Answer(200, (("Content-Type", "text/event-stream"),), stream)

    server.routes["/events"] = events
    auth = SessionAuth(server.login, server.url)
    with httpx2.Client(auth=auth, trust_env=False) as client:
        for _ in range(2):
            with client.sse(f"{server.url}/events") as stream:
                assert [event.data for event in stream] == ["one", "two"]
            server.kill()  # which ends the stream; a client opens it again
    assert server.logins == 2
