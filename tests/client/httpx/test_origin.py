"""Where a request of httpx goes, read from the parts of its URL."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin.client.httpx_family.origin import origin_of
from relogin.client.terms.origins import sent_to

HOSTS = ("api.example.com", "API.Example.com", "bücher.example", "127.0.0.1", "[::1]", "[fe80::a]")
hosts = st.sampled_from(HOSTS) | st.from_regex(
    r"[a-z0-9_\-]{1,9}(\.[a-z0-9]{1,5}){0,2}", fullmatch=True
)
schemes = st.sampled_from(["http", "HTTPS", "ws", "wss"])
users = st.just("") | st.text("ab:%@\\ é", max_size=5).map(lambda text: f"{text}@")
ports = st.just("") | st.integers(1, 65535).map(lambda port: f":{port}")
paths = st.sampled_from(["", "/", "/a@b:1/c", "?x=//evil.example", "#f"])


@given(st.tuples(schemes, users, hosts, ports, paths))
def test_the_parts_of_a_url_name_the_origin_that_its_text_names(
    parts: tuple[str, str, str, str, str],
) -> None:
    scheme, user, host, port, path = parts
    try:
        request: Any = httpx.Request("GET", f"{scheme}://{user}{host}{port}{path}")
    except httpx.InvalidURL:
        return
    assert origin_of(request) == sent_to(str(request.url))


@pytest.mark.parametrize("url", ["", "/orders", "mailto:a@example.com", "file:///etc/hosts"])
def test_a_url_without_a_host_has_no_origin(url: str) -> None:
    request: Any = httpx.Request("GET", url)
    assert origin_of(request) == ""
