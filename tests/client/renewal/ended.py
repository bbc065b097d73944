"""What the flow is told of a request that ended without an answer, and to what end it comes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final
from relogin.client.renewal.credential import Key
from relogin.client.renewal.policy import Credential, Policy, ResponseInfo
from relogin.client.responders import BEARER, SESSION

ORIGIN = "https://a.example:443"
URL = "https://a.example/upload"


def a_cache(**options: Any) -> CredentialCache:
    return CredentialCache(Policy(frozenset([ORIGIN]), (SESSION, BEARER), **options))


def held(cache: CredentialCache, realm: str = "") -> Credential:
    credential = cache.made(Key(ORIGIN, realm), SESSION, Grant(token="t"))
    cache.hold(credential, None)
    return credential


def info(sent: Credential | None, status: int = 0, **more: Any) -> ResponseInfo:
    return ResponseInfo("an error", status, "PUT", URL, ORIGIN, sent, **more)


def end(flow: Generator[Any, Any, Final], done: Any) -> Final:
    with pytest.raises(StopIteration) as ended:
        flow.send(done)
    final: Final = ended.value.value
    return final
