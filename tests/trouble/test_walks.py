"""The flow in random orders of events, with a store and without; and what walks are good for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.flight import Flight, Status
from relogin.client.stores.record import Record
from tests.trouble.bounds import Bounds
from tests.trouble.explorer import nothing_random
from tests.trouble.walks import walk
from tests.trouble.world import LawBroken

ALONE = Bounds(processes=1, requests=8, deaths=2, stored=False)
TOGETHER = Bounds(processes=3, requests=3, deaths=1)
TROUBLE: dict[str, Any] = dict.fromkeys(
    ("crashes", "expiries", "failures", "losses", "resets", "reverts", "setbacks"), 1
)
BOUNDS = {
    "without a store": ALONE,
    "without a store, and some are cancelled": replace(ALONE, cancels=2),
    "without a store, and a login takes too long": replace(ALONE, requests=6, expiries=1),
    "with a store": TOGETHER,
    "with a store, and some are cancelled": replace(TOGETHER, cancels=2),
    "with all kinds of trouble": replace(TOGETHER, cancels=1, **TROUBLE),
}
SEEDS = range(40)


def walk_with_each_seed(bounds: Bounds) -> None:
    with nothing_random():
        for seed in SEEDS:
            walk(bounds, seed)


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
def test_no_law_is_broken_in_random_orders_of_events(bounds: Bounds) -> None:
    walk_with_each_seed(bounds)


# Each of these takes one rule away; some walk must show it.


def let_every_request_lead(*_: object) -> None:
    return None


def abandon_nothing(
    cache: CredentialCache, flight: Flight, status: Status, end: Any = CredentialCache.end
) -> None:
    if status is not Status.ABANDONED:
        end(cache, flight, status)


def take_the_dead_session_for_a_new_one(cache: CredentialCache, key: Any, _: Any) -> Any:
    return cache._credentials.get(key.origin, {}).get(key)


def give_the_lease_to_everybody(
    record: Record, *given: Any, acquire: Any = Record.acquire, **more: Any
) -> Any:
    return acquire(replace(record, lease=None), *given, **more)


@pytest.mark.parametrize(
    ("owner", "rule", "broken", "bounds"),
    [
        (CredentialCache, "_under_way", let_every_request_lead, "without a store"),
        (CredentialCache, "end", abandon_nothing, "without a store, and some are cancelled"),
        (CredentialCache, "newer", take_the_dead_session_for_a_new_one, "without a store"),
        (Record, "acquire", give_the_lease_to_everybody, "with a store"),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_a_rule_that_is_broken_on_purpose_is_found(
    monkeypatch: pytest.MonkeyPatch, owner: Any, rule: str, broken: Any, bounds: str
) -> None:
    monkeypatch.setattr(owner, rule, broken)
    with pytest.raises(LawBroken):
        walk_with_each_seed(BOUNDS[bounds])
