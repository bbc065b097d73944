"""Rule 13: `Retry(status_forcelist=[401])` works below any auth; it is warned of, once."""

import io
import warnings

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from relogin.client import Outcome, outcome
from relogin.client.requests import RetriesUnauthorized, SessionAuth
from tests.client.server import Answer, Request, Server


def retrying(**how: object) -> HTTPAdapter:
    return HTTPAdapter(max_retries=Retry(total=1, **{"status_forcelist": [401]} | how))  # type: ignore[arg-type]


def test_an_adapter_that_retries_401_is_warned_of_once(
    server: Server, session: requests.Session
) -> None:
    session.mount("http://", retrying())
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/open"] = lambda _: Answer()
    with pytest.warns(RetriesUnauthorized, match="take 401 out of the list") as caught:
        session.get(f"{server.url}/open")
    session.get(f"{server.url}/open")  # a second warning would be an error here
    assert len(caught) == 1


def test_each_such_adapter_is_warned_of_once(server: Server, session: requests.Session) -> None:
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/open"] = lambda _: Answer()
    adapters = [retrying(), retrying()]
    for adapter in adapters:
        session.mount("http://", adapter)
        with pytest.warns(RetriesUnauthorized):
            session.get(f"{server.url}/open")
    for adapter in adapters:
        session.mount("http://", adapter)
        session.get(f"{server.url}/open")


@pytest.mark.parametrize("adapter", [retrying(status_forcelist=[503]), HTTPAdapter(max_retries=3)])
def test_no_other_adapter_is_warned_of(
    server: Server, session: requests.Session, adapter: HTTPAdapter
) -> None:
    session.mount("http://", adapter)
    session.auth = SessionAuth(server.login, server.url)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert session.get(f"{server.url}/orders").status_code == 200


@pytest.mark.requirement("C-24")
def test_what_the_transport_has_sent_twice_is_not_replayed_unless_idempotent(
    server: Server, session: requests.Session
) -> None:
    session.mount("http://", retrying(raise_on_status=False, allowed_methods=None))
    session.auth = SessionAuth(server.login, server.url)
    with pytest.warns(RetriesUnauthorized):
        answer = session.post(f"{server.url}/orders", data=b"x")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.seen("/orders")) == 2
    answer = session.get(f"{server.url}/orders")
    assert answer.status_code == 200


def test_retries_of_503_and_a_dead_session_cost_one_login_and_each_upload_is_whole(
    server: Server, session: requests.Session
) -> None:
    session.mount("http://", retrying(status_forcelist=[503], backoff_factor=0))
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/orders")
    server.kill()
    busy = [Answer(503)]

    def upload(request: Request) -> Answer:
        admitted = server.protected(request)
        return busy.pop() if busy and admitted.status == 200 else admitted

    server.routes["/upload"] = upload
    answer = session.put(f"{server.url}/upload", data=io.BytesIO(b"content"))
    assert (answer.status_code, server.logins) == (200, 2)
    assert [request.body for request in server.seen("/upload")] == [b"content"] * 3
