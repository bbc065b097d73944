"""Auths for devices with few seats."""

from __future__ import annotations

from typing import Any

from relogin import Grant
from relogin.client.logins import Logout
from tests.client.either import Either
from tests.client.seats import CARRY, Device


def attach(either: Either, device: Device, **options: Any) -> Any:
    given = {"login": device.sit_down, "logout": Logout(), "carry": CARRY} | options
    return either.auth(given.pop("login"), device.url, **given)


def brief(device: Device) -> Any:
    """A login whose sessions are renewed before each request."""
    return lambda _: Grant(
        (grant := device.sit_down()).token, expires_in=1e-6, location=grant.location
    )
