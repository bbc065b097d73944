"""A child of a fork uses no lock and no connection of its parent's."""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import requests

from relogin.client.requests import SessionAuth
from tests.client.server import PASSWORD, Server
from tests.programs import exit_with


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


def test_a_child_of_a_fork_without_hooks_as_of_uwsgi_logs_in_over_no_connection_of_its_parent_s(
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
from tests.client.picklable import PicklableLogin

url = sys.argv[1]
auth = SessionAuth(PicklableLogin(url), logout=print)
with requests.Session() as session:
    session.get(url + "/orders", auth=auth)
auth._cache.logouts._lock.acquire()  # as another thread does, for some microseconds
child = ctypes.PyDLL(None).fork()
if child == 0:
    os._exit(requests.get(url + "/orders", auth=auth).status_code != 200)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_of_a_fork_without_hooks_waits_for_no_lock_that_its_parent_held(
    server: Server,
) -> None:
    run = [sys.executable, "-c", LOCKED_BY_THE_PARENT, server.url]
    subprocess.run(run, check=True, timeout=20)
