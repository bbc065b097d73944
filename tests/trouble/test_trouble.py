"""A few seconds of trouble, and that the judge sees each law that is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trouble.__main__ import trouble
from tests.trouble.judge import judge


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "store",
    [
        "sqlite",
        pytest.param("redis", marks=pytest.mark.needs("redis-server")),
        pytest.param("postgres", marks=pytest.mark.needs("initdb")),
    ],
)
def test_no_law_is_broken_in_a_few_seconds_of_trouble(store: str) -> None:
    judgement, faults, _ = trouble(3.0, 1, store, processes=2, recovery=6.0)
    assert judgement.broken == {}, str(judgement)
    assert judgement.requests > 50
    assert faults.count.total() > 5


DIGEST = "d" * 64


def a_request(number: str, **end: Any) -> list[dict[str, Any]]:
    ends = {"ends": number, "seconds": 0.1, "status": 200, "echo": DIGEST, "outcome": "untouched"}
    begins = {"begins": number, "at": 1.0, "digest": DIGEST, "path": "orders"}
    return [begins, ends | end]


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


@pytest.mark.parametrize("wrong", [{"server": "other"}, {"echo": "other"}])
def test_a_body_that_is_another_one_is_seen(tmp_path: Path, wrong: dict[str, str]) -> None:
    request = a_request("1", echo=wrong.get("echo", DIGEST))
    found = laws(tmp_path, caller_p0=request, server=[applied("1", wrong.get("server", DIGEST))])
    assert found == ["a 200 to another body than the one sent"]


def test_an_answer_out_of_nowhere_is_seen(tmp_path: Path) -> None:
    assert laws(tmp_path, caller_p0=a_request("1")) == ["a 200 that the server knows nothing of"]


def test_a_credential_at_another_origin_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, stranger=[{"path": "/orders/1", "credentials": True}])
    assert found == ["a credential reached another origin"]


def test_a_refresh_token_that_is_used_twice_is_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[{"what": "refresh token used twice"}])
    assert found == ["a refresh token was used twice"]


def test_logins_that_no_fault_explains_are_seen(tmp_path: Path) -> None:
    found = laws(tmp_path, server=[{"what": "login"}] * 2)
    assert found == ["more logins than the faults explain"]


def test_a_refusal_after_all_have_recovered_is_seen(tmp_path: Path) -> None:
    refused = a_request("1", status=401)
    assert laws(tmp_path, caller_p0=refused) == []
    found = laws(tmp_path, 0.5, caller_p0=refused)
    assert found == ["a request was not served after all had recovered"]
