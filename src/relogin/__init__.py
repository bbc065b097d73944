"""Log in again when an HTTP session dies, and say why it died.

- In a client: `SessionAuth` of `relogin.client.requests`, or of the module of your HTTP library.
- On a server: `SessionGate` of `relogin.server.flask`, or of the module of your framework.
- For a header: `parse`, `diagnose` and `serialize` read, explain and write WWW-Authenticate (RFC
  9110 §11). `best` chooses the challenge to answer. `BearerChallenge`, `DigestChallenge`,
  `RegistryChallenge` and `SessionChallenge` (SPEC.md) give its parameters types.

The other names are what logins and `verify` functions return and raise.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from relogin.reasons import SessionError
    from relogin.schemes import BearerChallenge, DigestChallenge, RegistryChallenge, best
    from relogin.server.verdicts import Admitted, Refused
    from relogin.session import SessionChallenge
    from relogin.wire.diagnose import Diagnosis, Repeated, diagnose
    from relogin.wire.faults import Fault
    from relogin.wire.field import parse, serialize
    from relogin.wire.model import AuthInfo, Challenge, Credentials
    from relogin.wire.remarks import Remark

    __version__: str
    ReauthError = ReloginError

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


# Each name is imported when it is first used (PEP 562): a server needs no client, and neither needs
# what explains a malformed header.
_MODULES = {
    "client.terms.grant": ("Grant",),
    "errors": (
        "BodyNotReplayable",
        "ChallengeSyntaxError",
        "InvalidGrant",
        "LoginRefused",
        "LoginTimeout",
        "LoginUnavailable",
        "MethodNotReplayable",
        "ReloginError",
    ),
    "schemes": ("BearerChallenge", "DigestChallenge", "RegistryChallenge", "best"),
    "server.verdicts": ("Admitted", "Refused"),
    "reasons": ("SessionError",),
    "session": ("SessionChallenge",),
    "wire.diagnose": ("Diagnosis", "Repeated", "diagnose"),
    "wire.faults": ("Fault",),
    "wire.field": ("parse", "serialize"),
    "wire.model": ("AuthInfo", "Challenge", "Credentials"),
    "wire.remarks": ("Remark",),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}
_PACKAGES = frozenset({"client", "errors", "schemes", "server", "session", "wire"})


if not TYPE_CHECKING:  # pragma: no branch - a type checker knows the names, and tells the others

    def __getattr__(name: str) -> object:
        if name in _PACKAGES:
            return import_module(f"relogin.{name}")
        if name == "__version__":
            return import_module("importlib.metadata").version("relogin")
        if name == "ReauthError":  # the name that tests outside this repository know it by
            name = "ReloginError"
        if name not in _WHERE:
            raise import_module("relogin.lazy").no_attribute(__name__, name)
        found: object = getattr(import_module(f"relogin.{_WHERE[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
