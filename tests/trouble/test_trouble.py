"""A few seconds of trouble, and that the judge sees each law that is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trouble.__main__ import trouble
from tests.trouble.judge import judge

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
    return [{"ready": library}]


def logins(count: int, at: float = 1.0) -> list[dict[str, Any]]:
    return [{"logs_in": f"p0.{n}", "server": "gunicorn", "at": at} for n in range(count)]


def applied(number: str, digest: str = DIGEST) -> dict[str, Any]:
    return {"what": "applied", "number": number, "digest": digest}


def laws(folder: Path, calm_from: float = 2.0, **logs: list[dict[str, Any]]) -> list[str]:
    """Judge these logs, in which one login is explained."""
    for name, lines in logs.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name.replace('_', '-')}.jsonl").write_text(text)
    return list(judge(folder, {"killed"}, calm_from, 1).broken)


def test_what_went_well_breaks_no_law(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=a_request("1"), server=[applied("1"), {"what": "login"}]) == []


def test_a_killed_process_need_not_end_its_requests(tmp_path: Path) -> None:
    begun = a_request("1")[:1]
    assert laws(tmp_path, caller_killed=begun) == []
    assert laws(tmp_path, caller_p0=begun) == ["a request never ended"]


def test_a_request_that_takes_very_long_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("1", seconds=61.0), server=[applied("1")])
    assert found == ["a request took longer than 60 s"]


def test_a_request_that_is_applied_twice_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("1"), server=[applied("1")] * 2)
    assert found == ["a request was applied twice and its caller not told"]


def test_only_aiohttp_sends_again_by_itself_and_only_what_is_idempotent(tmp_path: Path) -> None:
    twice = [applied("1")] * 2
    request = by("aiohttp") + a_request("1")
    assert laws(tmp_path, caller_p0=request, server=twice) == []
    request[1]["method"] = "POST"
    found = laws(tmp_path, caller_p0=request, server=twice)
    assert found == ["a request was applied twice and its caller not told"]


def test_a_body_that_is_another_one_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, caller_p0=a_request("1", echo="other"), server=[applied("1")])
    assert found == ["a 200 to another body than the one sent"]
    found = laws(tmp_path, caller_p0=a_request("1"), server=[applied("1", "other")])
    assert found == ["a body was applied that is another one than was sent"]


def test_an_answer_that_is_cut_in_its_header_is_no_other_body_for_requests(tmp_path: Path) -> None:
    cut = a_request("1", echo="")
    assert laws(tmp_path, caller_p0=by("requests") + cut, server=[applied("1")]) == []
    found = laws(tmp_path, caller_p0=by("httpx2") + cut, server=[applied("1")])
    assert found == ["a 200 to another body than the one sent"]


def test_an_error_that_no_caller_expects_is_seen(tmp_path: Path) -> None:
    failed = a_request("1", status=None, error="KeyError", unexpected="'x'")
    found = laws(tmp_path, caller_p0=failed, server=[applied("1")])
    assert found == ["an error of no kind that its library raises"]


def test_an_answer_out_of_nowhere_is_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=a_request("1")) == ["a 200 that the server knows nothing of"]


def test_a_credential_at_another_origin_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, stranger=[{"path": "/orders/1", "credentials": True}])
    assert found == ["a credential reached another origin"]


def test_a_credential_at_the_other_server_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[{"what": "credential of another server", "number": "1"}])
    assert found == ["a credential reached a server that it is not for"]


def test_a_refresh_token_that_is_used_twice_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[{"what": "refresh token used twice"}])
    assert found == ["a refresh token was used twice"]


def test_logins_that_no_fault_explains_are_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[{"what": "login"}] * 2)
    assert found == ["more logins than the faults explain"]


def test_a_login_whose_answer_was_lost_explains_another(tmp_path: Path) -> None:
    posted = [{"posts": "p0.0"}, {"posts": "p0.1"}, {"logged_in": "p0.1"}]
    assert laws(tmp_path, caller_p0=posted, server=[{"what": "login"}] * 3) == []


def test_logins_beyond_the_budget_are_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=logins(60) + logins(60, at=32.0)) == []
    found = laws(tmp_path, caller_p0=logins(60) + logins(1, at=30.0))
    assert found == ["more than 60 logins in 30 s"]


def test_a_refusal_after_all_have_recovered_is_seen(tmp_path: Path) -> None:
    refused = a_request("1", status=401)
    assert laws(tmp_path, caller_p0=refused) == []
    found = laws(tmp_path, 0.5, caller_p0=refused)
    assert found == ["a request was not served after all had recovered"]
