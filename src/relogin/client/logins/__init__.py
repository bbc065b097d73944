"""Ready-made logins: which requests get a session, and what the responses mean, without I/O.

A login follows no redirect to another origin. It raises `LoginRefused` if the server says that the
password is wrong, and `LoginUnavailable` if it fails in another way. It shows, logs and pickles no
password, and takes none from netrc.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.client.logins.digest import DigestLogin
    from relogin.client.logins.forms.login import FormLogin
    from relogin.client.logins.json_logins import BasicLogin, JSONLogin
    from relogin.client.logins.logout import Logout
    from relogin.client.logins.oauth2.login import OAuth2Login
    from relogin.client.logins.one_time import OneTime
    from relogin.client.logins.registry import RegistryLogin
    from relogin.client.terms.sources import from_cookie, from_header, from_json

__all__ = [
    "BasicLogin",
    "DigestLogin",
    "FormLogin",
    "JSONLogin",
    "Logout",
    "OAuth2Login",
    "OneTime",
    "RegistryLogin",
    "from_cookie",
    "from_header",
    "from_json",
]

# A program uses one of them, if any: each is imported when it is first asked for (PEP 562).
_WHERE = {
    "BasicLogin": "logins.json_logins",
    "DigestLogin": "logins.digest",
    "FormLogin": "logins.forms.login",
    "JSONLogin": "logins.json_logins",
    "Logout": "logins.logout",
    "OAuth2Login": "logins.oauth2.login",
    "OneTime": "logins.one_time",
    "RegistryLogin": "logins.registry",
    "from_cookie": "terms.sources",
    "from_header": "terms.sources",
    "from_json": "terms.sources",
}


if not TYPE_CHECKING:  # pragma: no branch - a type checker knows the names, and tells the others

    def __getattr__(name: str) -> object:
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"relogin.client.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
