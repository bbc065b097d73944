"""What a grant put on a request is taken off it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from relogin.client.carry import Header, Query
from relogin.client.driver.credentials import sign, unsign
from tests.client.steps import a_cache, log_in

URL = "https://api.example.com/orders?a=b"


@pytest.mark.parametrize("carry", [Header("X-Auth-Token"), Query("token")])
def test_what_a_grant_put_on_a_request_is_taken_off(carry: Any) -> None:
    credential = log_in(a_cache(carry=carry))
    headers = {"X-Tenant": "a"}
    signed = sign(headers, URL, credential)
    assert (headers, signed) != ({"X-Tenant": "a"}, URL)
    assert (unsign(headers, signed, credential), headers) == (URL, {"X-Tenant": "a"})


def test_a_field_that_has_another_value_by_now_stays() -> None:
    credential = log_in(a_cache(carry=Header("X-Auth-Token")))
    headers = {"X-Auth-Token": "mine"}
    unsign(headers, URL, credential)
    assert headers == {"X-Auth-Token": "mine"}


def test_a_parameter_that_has_another_value_by_now_stays() -> None:
    credential = log_in(a_cache(carry=Query("token")))
    assert unsign({}, f"{URL}&token=mine", credential) == f"{URL}&token=mine"
