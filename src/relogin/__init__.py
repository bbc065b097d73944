"""Say why an HTTP session died, and renew it.

HTTP has no status code for "your session timed out". The right answer is a 401 whose challenge
says why:

    WWW-Authenticate: Session realm="orders", error="session_expired"

Here is what is needed on both sides of the wire: `parse` and `serialize` for challenge fields
(RFC 9110 §11), `SessionChallenge` for the Session scheme (SPEC.md), and what logins and verifiers
speak in. The adapters live where their libraries are: `relogin.client.requests`,
`relogin.server.wsgi` and their neighbours.
"""

from __future__ import annotations

from relogin.client.terms.grant import Grant
from relogin.errors import (
    BodyNotReplayable,
    ChallengeSyntaxError,
    InvalidGrant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
    ReloginError,
)
from relogin.server.verdicts import Admitted, Refused
from relogin.session import SessionChallenge, SessionError
from relogin.wire.field import diagnose, parse, serialize
from relogin.wire.model import AuthInfo, Challenge, Credentials

ReauthError = ReloginError  # the name that tests outside this repository know it by

__all__ = [
    "Admitted",
    "AuthInfo",
    "BodyNotReplayable",
    "Challenge",
    "ChallengeSyntaxError",
    "Credentials",
    "Grant",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "Refused",
    "ReloginError",
    "SessionChallenge",
    "SessionError",
    "diagnose",
    "parse",
    "serialize",
]
