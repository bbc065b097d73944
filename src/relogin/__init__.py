"""Say why an HTTP session died, and renew it.

HTTP has no status code for "your session timed out". The right answer is a 401 whose challenge
says why:

    WWW-Authenticate: Session realm="orders", error="session_expired"

Here is what is needed on both sides of the wire: `parse` and `serialize` for challenge fields
(RFC 9110 §11), `SessionChallenge` for the Session scheme (SPEC.md), views of the Bearer, Digest and
registry challenges with `best` to choose among them, and what logins and verifiers speak in. The
adapters live where their libraries are: `relogin.client.requests`, `relogin.server.wsgi` and their
neighbours.
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
