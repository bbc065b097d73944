"""Shared code for httpx and httpx2; the library is a parameter.

httpx2 continues httpx and has nearly the same API. So everything here is written, and checked by
mypy, for httpx, but imports neither: `relogin.client.httpx` and `relogin.client.httpx2` pass their
`Library` and define the public classes. `mypy --always-true HTTPX2` checks it against httpx2.
"""
