"""Where to send the token, if not in `Authorization` with the scheme of the challenge.

`SessionAuth(login, url, carry=Header("X-Auth-Token"))` sends the token that your login returns in
that header. Without `carry=` the challenge decides the scheme: `Session` or `Bearer`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from relogin.client.terms.fields import check_field_name, is_field_value, is_token
from relogin.client.terms.responder import Carried
from relogin.errors import InvalidGrant

__all__ = ["Authorization", "Header", "Query"]


@dataclass(frozen=True, slots=True)
class Authorization:
    """Sends the token in `Authorization` with a scheme of your own, such as ``Token``.

    The client also answers challenges of that scheme. Raises `ValueError` if it is not a valid
    scheme name (RFC 9110 §11.1).

    >>> Authorization("Token").carried("9944b09199c6").headers
    {'Authorization': 'Token 9944b09199c6'}
    """

    scheme: str

    def __post_init__(self) -> None:
        if not is_token(_text(self.scheme)):
            raise ValueError(
                'Authorization() takes a scheme, one word such as Authorization("Token"); '
                "the token comes from the login"
            )

    def write(self, token: str) -> str:
        """Write the value of the header; raise `InvalidGrant` if the token cannot be sent in it."""
        return f"{self.scheme} {_sendable(token)}"

    def carried(self, token: str) -> Carried:
        """Write the field; raise `InvalidGrant` if the token cannot be sent in it."""
        return Carried({"Authorization": self.write(token)})


@dataclass(frozen=True, slots=True)
class Header:
    """Sends the token in a header of its own, as for OpenStack, Redfish, GitLab and Vault.

    The client answers any 401 of the origin, whatever scheme it offers. Raises `ValueError` if
    `name` is not a header name, or is one such as ``Host`` that cannot carry a session.

    >>> Header("X-Auth-Token").carried("9944b09199c6").headers
    {'X-Auth-Token': '9944b09199c6'}
    """

    name: str

    def __post_init__(self) -> None:
        check_field_name("Header()", self.name)

    def carried(self, token: str) -> Carried:
        """Write the field; raise `InvalidGrant` if the token cannot be sent in it."""
        return Carried({self.name: _sendable(token)})


@dataclass(frozen=True, slots=True)
class Query:
    """Sends the token in the query of each URL, as for Synology and ArcGIS.

    Servers, proxies and httpx itself log URLs, and `response.url` shows them: use a header if the
    server accepts one. The client answers any 401 of the origin, whatever scheme it offers. Raises
    `ValueError` if the name is empty or has spaces.

    >>> Query("_sid").carried("9944b09199c6").query
    ('_sid', '9944b09199c6')
    """

    name: str

    def __post_init__(self) -> None:
        if not _is_parameter(_text(self.name)):
            raise ValueError(
                'Query() takes the name of a parameter, one word such as Query("token")'
            )

    def carried(self, token: str) -> Carried:
        """Return the parameter and its value, which can be any text."""
        return Carried({}, (self.name, token))


_is_parameter = re.compile(r"[!-~]++").fullmatch


def _sendable(token: str) -> str:
    if not is_field_value(token):
        raise InvalidGrant("the token that the login returned cannot be sent in a header field")
    return token


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""
