"""The flow in every order of events, within small bounds; and what the explorer is good for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relogin.client.stores.record import Record, Version
from tests.trouble.bounds import Bounds
from tests.trouble.explorer import explore, main
from tests.trouble.losing_store import LosingStore


@pytest.mark.timeout(300)  # they compute all the time: a busy machine takes many times as long
@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(processes=2, deaths=1),
        Bounds(processes=2, deaths=0, crashes=1),
        Bounds(processes=2, deaths=0, expiries=1),
        Bounds(processes=1, requests=2, deaths=1),
        Bounds(processes=2, deaths=0, cancels=1),
        Bounds(processes=2, deaths=0, failures=1),
        Bounds(processes=2, deaths=0, losses=1),
        Bounds(processes=2, deaths=0, resets=1),
        Bounds(processes=2, deaths=0, reverts=1),
    ],
    ids=str,
)
def test_no_law_is_broken_in_any_order_of_events(bounds: Bounds) -> None:
    explored = explore(bounds)
    assert explored.broken is None, explored
    assert explored.ends > 3


@pytest.mark.parametrize("stored", ["--stored", "--no-stored"])
def test_the_command_takes_every_bound(stored: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = [name for name, kind in Bounds.__annotations__.items() if kind == "int"]
    with pytest.raises(SystemExit) as ended:
        main([stored, "--most", "20", *(f"--{name}=1" for name in counts)])
    assert ended.value.code == 0
    assert "20 states, " in capsys.readouterr().out


# Each of these takes one rule away; the explorer must find an order of events that shows it.


def give_the_lease_to_everybody(
    record: Record, *given: Any, acquire: Any = Record.acquire, **more: Any
) -> Any:
    return acquire(replace(record, lease=None), *given, **more)


def hand_out_a_refresh_token_again(
    record: Record, *given: Any, acquire: Any = Record.acquire, **more: Any
) -> Any:
    return acquire(replace(record, spent=False), *given, **more)


def keep_a_token_that_may_be_used_up(
    record: Record, *given: Any, unused: bool, release: Any = Record.release, **more: Any
) -> Any:
    return release(record, *given, unused=True, **more)


def overlook_what_others_obtained(record: Record, than: Version | None, past: Any) -> bool:
    return False


def go_by_the_number(version: Version, than: Version | None, past: Any) -> bool:
    return version.number > (0 if than is None else than.number)


def take_back_what_is_past(version: Version, than: Version | None, past: Any) -> bool:
    return than is None or version.holder != than.holder


def put_by_the_number(
    record: Record, lease: Version, *given: Any, put: Any = Record.put, **more: Any
) -> Any:
    same = record.fence == lease.number
    return put(replace(record, holder=lease.holder) if same else record, lease, *given, **more)


def use_what_the_store_has_brought_back(record: Record, *given: Any) -> Record:
    return record


@pytest.mark.parametrize(
    ("rule", "broken", "bounds"),
    [
        ("acquire", give_the_lease_to_everybody, Bounds(deaths=1)),
        ("acquire", hand_out_a_refresh_token_again, Bounds(crashes=1, expiries=1)),
        ("release", keep_a_token_that_may_be_used_up, Bounds(losses=1)),
        ("release", keep_a_token_that_may_be_used_up, Bounds(cancels=1)),
        ("newer", overlook_what_others_obtained, Bounds(deaths=0)),
        ("is_new", go_by_the_number, Bounds(deaths=1, resets=1, setbacks=1)),
        ("is_new", go_by_the_number, Bounds(deaths=1, reverts=1, setbacks=1)),
        ("is_new", take_back_what_is_past, Bounds(deaths=1, reverts=1)),
        ("with_lost", use_what_the_store_has_brought_back, Bounds(deaths=1, reverts=1)),
        ("put", put_by_the_number, Bounds(deaths=0, resets=1, setbacks=1)),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_a_rule_that_is_broken_on_purpose_is_found(
    monkeypatch: pytest.MonkeyPatch, rule: str, broken: Any, bounds: Bounds
) -> None:
    monkeypatch.setattr(Version if rule == "is_new" else Record, rule, broken)
    assert explore(bounds, most=5_000).broken is not None


def test_a_store_that_goes_by_a_revision_which_comes_again_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LosingStore, "compares", False)
    assert explore(Bounds(deaths=0, resets=1), most=5_000).broken is not None
