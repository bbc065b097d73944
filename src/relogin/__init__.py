"""Log in again when an HTTP session dies, and say why it died.

This module has what both sides need: `parse`, `diagnose` and `serialize` for WWW-Authenticate
headers (RFC 9110 §11), `SessionChallenge` for the Session scheme (SPEC.md), `BearerChallenge` and
other typed challenges with `best` to choose among them, and the types that logins and `verify`
functions use. `SessionAuth` is in the module of your HTTP library, such as
`relogin.client.requests`; `SessionGate` is in that of your framework, such as
`relogin.server.flask`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.client.terms.grant import Grant
from relogin.errors import (
    BodyNotReplayable,
    ChallengeSyntaxError,
    InvalidGrant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
    MethodNotReplayable,
    ReloginError,
)
from relogin.server.verdicts import Admitted, Refused
from relogin.session import SessionChallenge, SessionError
from relogin.wire.diagnose import Diagnosis, Repeated
from relogin.wire.faults import Fault
from relogin.wire.field import diagnose, parse, serialize
from relogin.wire.model import AuthInfo, Challenge, Credentials
from relogin.wire.remarks import Remark

if TYPE_CHECKING:
    from relogin.schemes import BearerChallenge, DigestChallenge, RegistryChallenge, best

ReauthError = ReloginError  # the name that tests outside this repository know it by

__all__ = [
    "Admitted",
    "AuthInfo",
    "BearerChallenge",
    "BodyNotReplayable",
    "Challenge",
    "ChallengeSyntaxError",
    "Credentials",
    "Diagnosis",
    "DigestChallenge",
    "Fault",
    "Grant",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "Refused",
    "RegistryChallenge",
    "ReloginError",
    "Remark",
    "Repeated",
    "SessionChallenge",
    "SessionError",
    "best",
    "diagnose",
    "parse",
    "serialize",
]


def __getattr__(name: str) -> object:
    # The other schemes make `import relogin` a fifth slower, and few programs read them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from relogin import schemes

    return getattr(schemes, name)
