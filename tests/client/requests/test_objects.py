"""Rule 12: sessions, requests and responses are pickled, copied, sent twice, elsewhere, at once."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from relogin import Grant
from relogin.client.requests import LoginRefused, SessionAuth
from relogin.client.requests import fields as header_fields
from relogin.client.requests.fields import copied, found, has, tells_more
from relogin.client.terms.grant import Context
from tests.client.server import PASSWORD, Server
from tests.programs import exit_with
from tests.threads import in_threads


class Login:
    """A login that can be pickled: it knows where to ask, and holds no password."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, context: Context) -> Grant:
        return Grant(token=context.http.post(f"{self.url}/login").text)


def test_a_pickled_session_logs_in_for_itself(server: Server, session: requests.Session) -> None:
    session.auth = SessionAuth(Login(server.url))
    session.get(f"{server.url}/orders")
    stored = pickle.dumps(session)
    assert b"s3cret" not in stored
    with pickle.loads(stored) as loaded:
        assert loaded.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 2


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_auth_keeps_what_it_was_told(server: Server, protocol: int) -> None:
    auth = SessionAuth(Login(server.url), realm="api", strict=True, budget=(3, 4.0))
    loaded = pickle.loads(pickle.dumps(auth, protocol))
    assert loaded._cache.policy == auth._cache.policy
    assert type(loaded) is SessionAuth


def test_a_copied_auth_has_a_session_of_its_own(server: Server, session: requests.Session) -> None:
    auth = SessionAuth(Login(server.url))
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


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_renews_though_a_thread_of_its_parent_was_logging_in(
    server: Server, session: requests.Session
) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    session.auth = SessionAuth(server.login, server.url)
    leader = threading.Thread(target=lambda: session.get(f"{server.url}/orders"))
    leader.start()
    assert server.login_began.acquire(timeout=10)
    auth = session.auth
    with auth._cache._lock:  # taken by a thread that the child does not have
        child = os.fork()
        if child == 0:
            exit_with(lambda: requests.get(f"{server.url}/orders", auth=auth).status_code == 200)
    assert os.waitpid(child, 0) == (child, 0)
    gate.set()
    leader.join(10)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_logs_in_over_no_connection_of_its_parent_s(
    server: Server, session: requests.Session
) -> None:
    """Or the parent would take the answer to the login for that to its own next request."""
    auth = SessionAuth(lambda login: replace(server.login(login), expires_in=0.001), server.url)
    session.auth = auth
    assert session.get(f"{server.url}/orders").status_code == 200
    parent_s = {request.connection for request in server.requests}
    child = os.fork()
    if child == 0:  # the session is due, so the child logs in before its request
        exit_with(lambda: requests.get(f"{server.url}/orders", auth=auth).status_code == 200)
    assert os.waitpid(child, 0) == (child, 0)
    _, again = server.seen("/login")
    assert again.connection not in parent_s


# In a process without threads: another one may hold a lock of Python's own.
FORK_WITHOUT_HOOKS = """
import ctypes, os, sys
import requests, relogin
from relogin.client.requests import SessionAuth

def login(context):
    token = context.http.post(url + "/login", data=sys.argv[2]).text
    return relogin.Grant(token=token, expires_in=0.001)

url = sys.argv[1]
auth = SessionAuth(login, url)
with requests.Session() as session:
    session.get(url + "/orders", auth=auth)
    child = ctypes.PyDLL(None).fork()
    if child == 0:  # the session is due
        os._exit(requests.get(url + "/orders", auth=auth).status_code != 200)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_neither_does_a_child_of_a_fork_without_hooks_such_as_a_worker_of_uwsgi(
    server: Server,
) -> None:
    run = [sys.executable, "-c", FORK_WITHOUT_HOOKS, server.url, PASSWORD]
    subprocess.run(run, check=True, timeout=20)
    first, again = server.seen("/login")
    assert first.connection == server.seen("/orders")[0].connection
    assert again.connection != first.connection


LOCKED_BY_THE_PARENT = """
import ctypes, os, sys
import requests
from relogin.client.requests import SessionAuth
from tests.client.requests.test_objects import Login

url = sys.argv[1]
auth = SessionAuth(Login(url), logout=print)
with requests.Session() as session:
    session.get(url + "/orders", auth=auth)
auth._cache.logouts._lock.acquire()  # as another thread does, for some microseconds
child = ctypes.PyDLL(None).fork()
if child == 0:
    os._exit(requests.get(url + "/orders", auth=auth).status_code != 200)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_of_such_a_fork_waits_for_no_lock_that_its_parent_held(server: Server) -> None:
    run = [sys.executable, "-c", LOCKED_BY_THE_PARENT, server.url]
    subprocess.run(run, check=True, timeout=20)


def test_an_auth_says_nothing_of_its_login(server: Server) -> None:
    assert PASSWORD not in repr(SessionAuth(server.login, server.url))


def test_a_refused_response_keeps_its_request_as_it_was_sent(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(Login(server.url))
    session.get(f"{server.url}/orders")
    server.kill()
    answer = session.get(f"{server.url}/orders")
    (refused,) = answer.history
    sent = refused.request.headers["Authorization"], answer.request.headers["Authorization"]
    tokens = [request.token for request in server.seen("/orders")[-2:]]
    assert [f'Session token="{token}"' for token in tokens] == list(sent)
    assert refused.request is not answer.request


def test_header_fields_in_a_plain_dict_are_told_apart_without_case_and_copied() -> None:
    fields = {"Cookie": "a=1"}
    assert (has(fields, "cookie"), has(fields, "set-cookie")) == (True, False)
    assert (found(fields, "cookie"), found(fields, "set-cookie")) == ("a=1", None)
    assert copied(fields) == fields
    assert copied(fields) is not fields


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({}, False),
        ({"Content-Type": "text/plain"}, False),
        ({"Content-Type": "text/event-stream;charset=utf-8"}, True),
        ({"Location": "/"}, True),
        ({"WWW-AUTHENTICATE": "Session"}, True),
        ({"authentication-info": "expires_in=9"}, True),
        ({"Set-Cookie": "a=1"}, True),
    ],
)
def test_a_few_fields_may_say_more_than_that_the_session_lives(
    field: dict[str, str], told: bool
) -> None:
    fields = {"Date": "Sun, 29 Nov 2026 18:00:00 GMT", **field, "Server": "tea"}
    assert tells_more(requests.structures.CaseInsensitiveDict(fields)) is told
    assert tells_more(fields)  # a plain dict is not looked into


def test_header_fields_are_found_and_copied_however_requests_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = {"Cookie": "a=1"}
    monkeypatch.setattr(header_fields, "_IS_KNOWN", False)
    monkeypatch.setattr(header_fields, "CaseInsensitiveDict", dict)  # it has nothing inside
    assert (has(fields, "cookie"), has(fields, "set-cookie")) == (True, False)
    assert (found(fields, "cookie"), found(fields, "set-cookie")) == ("a=1", None)
    assert tells_more(fields)
    assert copied(fields) == fields
    assert copied(fields) is not fields
