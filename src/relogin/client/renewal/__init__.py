"""Decides how to renew a session, without I/O. The drivers execute its commands.

`flow` leads from a 401 to the final response, `ahead` runs before a request, and `policy` holds the
user's options. A few terms:

- A *credential* is a grant in use: what a login returned, with its generation.
- A *decision* says what to do about a dead session, in which protection space, and why.
- A *flight* is one renewal, as in "single flight": one request leads it, all others wait.
- The *credential cache* is what all requests of one `SessionAuth` share.
- A *protection space* is an origin and a realm (RFC 9110 §11.5).
- A *shared* renewal is coordinated with other processes, through a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.lazy import lazy_modules

if TYPE_CHECKING:
    from relogin.client.renewal import (
        ahead,
        challenges,
        default_spaces,
        flow,
        log_out,
        shared,
        streams,
        unanswered,
    )
else:
    __getattr__ = lazy_modules(
        __name__,
        *("ahead", "challenges", "default_spaces", "flow"),
        *("log_out", "shared", "streams", "unanswered"),
    )

__all__ = [
    "ahead",
    "challenges",
    "default_spaces",
    "flow",
    "log_out",
    "shared",
    "streams",
    "unanswered",
]
