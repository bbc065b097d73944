"""A few seconds of trouble, and that the judge sees each law that is broken.

`python -m tests.trouble.sabotage` breaks them in whole runs.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.trouble.__main__ import trouble
from tests.trouble.explained import HALF_REFUSAL, Strike
from tests.trouble.fleet import Fleet
from tests.trouble.judge import Judgement, judge, judge_left
from tests.trouble.sabotage import SABOTAGES

REDIS, POSTGRES = pytest.mark.needs("redis-server"), pytest.mark.needs("initdb")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("store", "at"),
    [
        ("sqlite", "gunicorn"),
        pytest.param("redis", "nginx", marks=[REDIS, pytest.mark.needs("nginx")]),
        pytest.param("postgres", "uvicorn", marks=POSTGRES),
    ],
)
def test_no_law_is_broken_in_a_few_seconds_of_trouble(store: str, at: str) -> None:
    ended = trouble(3.0, 1, store, at=(at,), recovery=6.0)
    assert ended.judgement.broken == {}, str(ended)
    assert ended.judgement.requests > 50
    assert ended.faults.total() > 5


DIGEST = "d" * 64


def a_request(number: str, **end: Any) -> list[dict[str, Any]]:
    ends = {"ends": number, "seconds": 0.1, "status": 200, "echo": DIGEST, "outcome": "untouched"}
    begins = {"begins": number, "at": 1.0, "digest": DIGEST, "path": "orders", "method": "GET"}
    return [begins, ends | end]


def by(library: str) -> list[dict[str, Any]]:
    return [{"ready": library, "at": 1.0}]


def logins(count: int, at: float = 1.0) -> list[dict[str, Any]]:
    space = {"server": "gunicorn", "realm": "orders"}
    return [{"logs_in": f"p0.{n}", "at": at} | space for n in range(count)]


def served(what: str, at: float = 1.0, **said: Any) -> dict[str, Any]:
    return {"what": what, "at": at, "server": "gunicorn"} | said


def applied(number: str, digest: str = DIGEST) -> dict[str, Any]:
    return served("applied", number=number, digest=digest)


def login(session: str, at: float = 1.0, lifetime: float = 0.0) -> dict[str, Any]:
    return served("login", at, session=session, lifetime=lifetime)


def death(at: float = 1.0) -> dict[str, Any]:
    return served("death", at, expired=False)


def posted(session: str, at: float = 1.0, took: float = 0.1) -> list[dict[str, Any]]:
    """A login that was answered."""
    return [*logins(1, at), {"logged_in": "p0.0", "session": session, "at": at + took}]


def laws(
    folder: Path, calm_from: float = 1.0, strikes: Iterable[Strike] = (), **logs: Any
) -> list[str]:
    """Judge these logs, of a fleet of three processes."""
    for name, lines in logs.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name.replace('_', '-')}.jsonl").write_text(text)
    return list(judge(folder, {"p9"}, calm_from, list(strikes), 3).broken)


def test_a_request_that_is_served_once_breaks_no_law(tmp_path: Path) -> None:
    well = laws(tmp_path, caller_p0=a_request("p0.1.1"), server=[applied("p0.1.1"), login("s1")])
    assert well == []


def test_a_killed_process_need_not_end_its_requests(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p9=a_request("p9.1.1")[:1]) == []


def test_a_request_that_never_ends_is_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=a_request("p0.1.1")[:1]) == ["a request never ended"]


def test_a_child_of_a_killed_process_must_end_its_requests(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p9=a_request("p9.f0.1.1")[:1]) == ["a request never ended"]


def test_a_process_that_no_longer_sends_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, 1.5, caller_p0=a_request("p0.1.1"), server=[applied("p0.1.1")])
    assert found == ["a process sent nothing after all had recovered"]


def test_a_process_that_never_sent_anything_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, 1.5, caller_p0=by("requests"))
    assert found == ["a process sent nothing after all had recovered"]


def test_a_request_that_takes_very_long_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("p0.1.1", seconds=41.0), server=[applied("p0.1.1")])
    assert found == ["a request took longer than 40 s"]


def test_a_request_that_is_applied_twice_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("p0.1.1"), server=[applied("p0.1.1")] * 2)
    assert found == ["a request was applied twice and its caller not told"]


def test_only_aiohttp_sends_again_by_itself_and_only_what_is_idempotent(tmp_path: Path) -> None:
    twice = [applied("p0.1.1")] * 2
    request = by("aiohttp") + a_request("p0.1.1")
    assert laws(tmp_path, caller_p0=request, server=twice) == []
    request[1]["method"] = "POST"
    found = laws(tmp_path, caller_p0=request, server=twice)
    assert found == ["a request was applied twice and its caller not told"]


def test_a_body_that_is_another_one_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("p0.1.1", echo="other"), server=[applied("p0.1.1")])
    assert found == ["a 200 to another body than the one sent"]
    found = laws(tmp_path, caller_p0=a_request("p0.1.1"), server=[applied("p0.1.1", "other")])
    assert found == ["a body was applied that is another one than was sent"]


def test_an_answer_that_is_cut_in_its_header_is_no_other_body_for_requests(tmp_path: Path) -> None:
    cut = a_request("p0.1.1", echo="")
    assert laws(tmp_path, caller_p0=by("requests") + cut, server=[applied("p0.1.1")]) == []
    found = laws(tmp_path, caller_p0=by("httpx2") + cut, server=[applied("p0.1.1")])
    assert found == ["a 200 to another body than the one sent"]


def test_an_error_that_no_caller_expects_is_seen(tmp_path: Path) -> None:
    failed = a_request("p0.1.1", status=None, error="KeyError", unexpected="'x'")
    found = laws(tmp_path, caller_p0=failed, server=[applied("p0.1.1")])
    assert found == ["an error of no kind that its library raises"]


def test_a_200_that_the_server_never_gave_is_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=a_request("p0.1.1")) == [
        "a 200 that the server knows nothing of"
    ]


def test_a_credential_at_another_origin_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, stranger=[{"path": "/orders/1", "credentials": True}])
    assert found == ["a credential reached another origin"]


def test_a_credential_at_the_other_server_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[served("credential of another server", number="p0.1.1")])
    assert found == ["a credential reached a server that it is not for"]


def test_a_refresh_token_that_is_used_twice_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[served("refresh token used twice")])
    assert found == ["a refresh token was used twice"]


UNEXPLAINED = ["a login that nothing explains"]


def test_a_second_login_without_a_reason_is_seen(tmp_path: Path) -> None:
    twice = [login("s1"), login("s2", at=2.0)]
    assert laws(tmp_path, caller_p0=posted("s1"), server=twice) == UNEXPLAINED


@pytest.mark.parametrize(
    ("answered", "events"),
    [
        (posted("s1"), [death(1.5)]),
        ([], []),  # the answer was lost
        (posted("s1", took=2.5), []),  # somebody else may have taken over
    ],
    ids=["death", "lost", "slow"],
)
def test_a_reason_explains_one_login(
    tmp_path: Path, answered: list[dict[str, Any]], events: list[dict[str, Any]]
) -> None:
    twice = [login("s1"), *events, login("s2", at=2.0)]
    answered += posted("s2", at=2.0)
    assert laws(tmp_path, caller_p0=answered, server=twice) == []
    thrice = [*twice, login("s3", at=3.0)]
    assert laws(tmp_path, caller_p0=answered, server=thrice) == UNEXPLAINED


def test_a_reason_is_forgotten_after_a_while(tmp_path: Path) -> None:
    late = [login("s1"), death(2.0), login("s2", at=17.5)]
    assert laws(tmp_path, caller_p0=posted("s1"), server=late) == UNEXPLAINED


def test_a_reason_counts_at_its_own_server(tmp_path: Path) -> None:
    elsewhere = [login("s1"), death() | {"server": "nginx"}, login("s2", at=2.0)]
    assert laws(tmp_path, caller_p0=posted("s1"), server=elsewhere) == UNEXPLAINED


def test_a_session_that_ends_by_itself_explains_one_login(tmp_path: Path) -> None:
    ended = [login("s1", lifetime=8.0), login("s2", at=7.0), served("death", 9.0, expired=True)]
    answered = posted("s1") + posted("s2", at=7.0)
    assert laws(tmp_path, caller_p0=answered, server=ended) == []
    assert laws(tmp_path, caller_p0=answered, server=[*ended, login("s3", at=9.5)]) == UNEXPLAINED


def test_a_killed_process_explains_a_login(tmp_path: Path) -> None:
    twice = [login("s1"), login("s2", at=2.0)]
    kill = Strike("kill", 1.5, 1.6)
    assert laws(tmp_path, strikes=[kill], caller_p0=posted("s1"), server=twice) == []


def test_a_login_for_no_realm_after_half_a_refusal_explains_one_more(tmp_path: Path) -> None:
    half = [login("s1"), served(HALF_REFUSAL, 1.5), login("s2", at=2.0)]
    named = posted("s1") + posted("s2", at=2.0)
    nameless = [line | {"realm": ""} if "realm" in line else line for line in named]
    assert laws(tmp_path, caller_p0=nameless, server=half) == []
    assert laws(tmp_path, caller_p0=named, server=half) == UNEXPLAINED
    assert laws(tmp_path, caller_p0=nameless, server=[half[0], half[2]]) == UNEXPLAINED


def test_without_the_store_each_process_logs_in(tmp_path: Path) -> None:
    each = [login("s1"), death(10.0), *(login(f"s{n}", at=11.0) for n in range(2, 5))]
    answered = [line for n in range(1, 5) for line in posted(f"s{n}")]
    away = Strike("restarted", 9.0, 12.0, away=True)
    assert laws(tmp_path, strikes=[away], caller_p0=answered, server=each) == []
    assert laws(tmp_path, caller_p0=answered, server=each) == UNEXPLAINED


def test_what_a_store_has_lost_earlier_explains_no_login(tmp_path: Path) -> None:
    twice = [login("s1"), death(60.0), *(login(f"s{n}", at=61.0) for n in range(2, 4))]
    answered = [line for n in range(1, 4) for line in posted(f"s{n}")]
    step, empty = Strike("step of the clock", 5.0, 5.0), Strike("restarted empty", 9.0, 12.0, True)
    assert laws(tmp_path, strikes=[step, empty], caller_p0=answered, server=twice) == UNEXPLAINED


def test_logins_beyond_the_budget_are_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=logins(10) + logins(10, at=32.0)) == []
    found = laws(tmp_path, caller_p0=logins(10) + logins(1, at=30.0))
    assert found == ["more than 10 logins in 30 s"]


@pytest.mark.parametrize(
    ("left", "law"),
    [
        ({"threads": 1, "tasks": 0, "connections": 0, "files": 12}, None),
        ({"threads": 2}, "threads were left"),
        ({"tasks": 1}, "tasks were left"),
        ({"connections": 1}, "connections were left"),
        ({"files": 25}, "files were left"),
        ({"code": None}, "a process never ended"),
        ({"code": 3}, "a process died that nobody had killed"),
        ({"children": True}, "a child of a fork never ended"),
    ],
    ids=str,
)
def test_what_is_left_is_seen(left: dict[str, Any], law: str | None) -> None:
    judgement = Judgement()
    judge_left([{"library": "requests", "code": 0, "children": False} | left], judgement)
    assert list(judgement.broken) == ([] if law is None else [law])


def test_a_process_that_had_died_before_it_was_killed_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, judgement, dead = Fleet({}, ("requests",), tmp_path), Judgement(), MagicMock()
    dead.kill.return_value = False
    dead.end.return_value = {"library": "requests", "code": 3, "children": False}
    monkeypatch.setattr(fleet, "start", lambda library: None)
    fleet._running["p0"] = dead
    fleet.kill(random.Random(1))
    fleet.end(0.0)
    judge_left(fleet.left, judgement)
    assert list(judgement.broken) == ["a process died that nobody had killed"]
    assert not fleet.killed


@pytest.mark.parametrize("name", SABOTAGES)
def test_each_sabotage_replaces_what_is_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    changed = []
    with monkeypatch.context() as patching:
        patching.setattr(os, "register_at_fork", lambda after_in_child: after_in_child())
        SABOTAGES[name].do(lambda owner, name, value: changed.append(getattr(owner, name)))
    assert changed


def test_a_refusal_after_all_have_recovered_is_seen(tmp_path: Path) -> None:
    refused = a_request("p0.1.1", status=401)
    assert laws(tmp_path, caller_p0=refused) == []
    found = laws(tmp_path, 0.5, caller_p0=refused)
    assert found == ["a request was not served after all had recovered"]
