"""How a token travels where it is not in `Authorization` as its challenge has it.

`SessionAuth(login, url, carry=Header("X-Auth-Token"))` sends the token that the login returns in
that field. Without `carry=` the challenge decides: `Session` or `Bearer`.
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
    """Sends the token in `Authorization`, after a scheme that is neither Session nor Bearer.

    A challenge of that scheme is answered too. Raises `ValueError` for what is no scheme
    (RFC 9110 §11.1).

    >>> Authorization("Token").carried("9944b09199c6").headers
    {'Authorization': 'Token 9944b09199c6'}
    """

    scheme: str

    def __post_init__(self) -> None:
        if not is_token(_text(self.scheme)):
            raise ValueError('Authorization() takes a scheme, such as Authorization("Token")')

    def write(self, token: str) -> str:
        """Write the value of the field; raise `InvalidGrant` where a token cannot be sent in it."""
        return f"{self.scheme} {_sendable(token)}"

    def carried(self, token: str) -> Carried:
        """Write the field; raise `InvalidGrant` where a token cannot be sent in it."""
        return Carried({"Authorization": self.write(token)})


@dataclass(frozen=True, slots=True)
class Header:
    """Sends the token in a header field of its own: OpenStack, Redfish, GitLab, Vault.

    Any 401 of the origin is answered, whatever it challenges for. Raises `ValueError` for a name
    that no field can have, and for one that says how the message is read.

    >>> Header("X-Auth-Token").carried("9944b09199c6").headers
    {'X-Auth-Token': '9944b09199c6'}
    """

    name: str

    def __post_init__(self) -> None:
        check_field_name("Header()", self.name)

    def carried(self, token: str) -> Carried:
        """Write the field; raise `InvalidGrant` where a token cannot be sent in it."""
        return Carried({self.name: _sendable(token)})


@dataclass(frozen=True, slots=True)
class Query:
    """Sends the token in the query of each URL: Synology, ArcGIS.

    URLs are logged, by servers, by proxies and by httpx itself, and `response.url` shows them: use
    a header where the server takes one. Any 401 of the origin is answered, whatever it challenges
    for. Raises `ValueError` for an empty name.

    >>> Query("_sid").carried("9944b09199c6").query
    ('_sid', '9944b09199c6')
    """

    name: str

    def __post_init__(self) -> None:
        if not _is_parameter(_text(self.name)):
            raise ValueError('Query() takes the name of a parameter, such as Query("token")')

    def carried(self, token: str) -> Carried:
        """Name the parameter and its value, which can be any text."""
        return Carried({}, (self.name, token))


_is_parameter = re.compile(r"[!-~]++").fullmatch


def _sendable(token: str) -> str:
    if not is_field_value(token):
        raise InvalidGrant("the token that the login returned cannot be sent in a header field")
    return token


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""
