"""Rule 12: sessions, requests and responses are pickled, copied, sent twice or by other threads."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from relogin import Grant
from relogin.client.requests import LoginRefused, SessionAuth
from relogin.client.terms.grant import Context
from tests.client.picklable import PicklableLogin
from tests.client.server import PASSWORD, Server
from tests.threads import in_threads


def test_a_pickled_session_logs_in_for_itself(server: Server, session: requests.Session) -> None:
    session.auth = SessionAuth(PicklableLogin(server.url))
    session.get(f"{server.url}/orders")
    stored = pickle.dumps(session)
    assert b"s3cret" not in stored
    with pickle.loads(stored) as loaded:
        assert loaded.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 2


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_auth_keeps_what_it_was_told(server: Server, protocol: int) -> None:
    auth = SessionAuth(PicklableLogin(server.url), realm="api", strict=True, budget=(3, 4.0))
    loaded = pickle.loads(pickle.dumps(auth, protocol))
    assert loaded._cache.policy == auth._cache.policy
    assert type(loaded) is SessionAuth


def test_a_copied_auth_has_a_session_of_its_own(server: Server, session: requests.Session) -> None:
    auth = SessionAuth(PicklableLogin(server.url))
    session.auth = auth
    session.get(f"{server.url}/orders")
    session.auth = copy.copy(auth)
    session.get(f"{server.url}/orders")
    assert server.logins == 2


def test_a_pickled_response_keeps_its_history_and_has_an_idle_hook(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    loaded = pickle.loads(pickle.dumps(answer))
    assert (loaded.content, [r.status_code for r in loaded.history]) == (b"content", [401])
    (hook,) = loaded.request.hooks["response"]
    assert hook(loaded) is None


def test_a_pickled_response_holds_no_credential_but_what_was_on_the_wire(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(
        lambda context: Grant(
            token=context.http.post(f"{server.url}/login").text, refresh="r3fresh"
        ),
        server.url,
    )
    answer = session.get(f"{server.url}/orders")
    del answer.request.headers["Authorization"]
    stored = pickle.dumps(answer)
    assert b"s3cret" not in stored
    assert b"r3fresh" not in stored


def test_errors_can_be_pickled(server: Server, session: requests.Session) -> None:
    def login(_: Context) -> None:
        raise LoginRefused("locked")

    session.auth = SessionAuth(login, server.url)
    with pytest.raises(LoginRefused) as caught:
        session.get(f"{server.url}/orders")
    loaded = pickle.loads(pickle.dumps(caught.value))
    assert (type(loaded), str(loaded)) == (LoginRefused, str(caught.value))
    assert loaded.response.status_code == 401


def test_a_request_prepared_in_one_thread_is_sent_by_another(
    server: Server, dead: requests.Session
) -> None:
    prepared = dead.prepare_request(requests.Request("GET", f"{server.url}/orders"))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(dead.send, prepared).result(10).status_code == 200


def test_a_request_sent_twice_is_fresh_the_second_time(
    server: Server, dead: requests.Session
) -> None:
    prepared = dead.prepare_request(requests.Request("POST", f"{server.url}/orders", data=b"x"))
    for _ in range(2):
        assert dead.send(prepared).status_code == 200
    assert len(server.seen("/orders")) == 3


def test_a_copied_request_is_renewed_like_the_original(
    server: Server, dead: requests.Session
) -> None:
    prepared = dead.prepare_request(requests.Request("POST", f"{server.url}/orders", data=b"x"))
    copied = prepared.copy()
    assert [dead.send(each).status_code for each in (prepared, copied)] == [200, 200]
    assert server.logins == 2


def test_a_request_prepared_before_anybody_logged_in_may_be_sent_much_later(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    early = session.prepare_request(requests.Request("GET", f"{server.url}/orders"))
    session.get(f"{server.url}/first")
    assert session.send(early).status_code == 200
    assert server.logins == 1


def test_one_prepared_request_sent_by_many_threads_is_renewed_once(
    server: Server, dead: requests.Session
) -> None:
    server.late_paths = frozenset({"/orders"})
    prepared = dead.prepare_request(requests.Request("GET", f"{server.url}/orders"))
    begun = threading.Thread(target=lambda: dead.get(f"{server.url}/renew"))
    begun.start()
    answers = in_threads(20, lambda _: dead.send(prepared))
    begun.join(10)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert server.logins == 2


def test_an_auth_says_nothing_of_its_login(server: Server) -> None:
    assert PASSWORD not in repr(SessionAuth(server.login, server.url))


def test_a_refused_response_keeps_its_request_as_it_was_sent(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(PicklableLogin(server.url))
    session.get(f"{server.url}/orders")
    server.kill()
    answer = session.get(f"{server.url}/orders")
    (refused,) = answer.history
    sent = refused.request.headers["Authorization"], answer.request.headers["Authorization"]
    tokens = [request.token for request in server.seen("/orders")[-2:]]
    assert [f'Session token="{token}"' for token in tokens] == list(sent)
    assert refused.request is not answer.request
