"""What an operator adds to a challenge and to a refusal: parameters and fields of his own.

A mapping is checked when the gate is made. What a callable returns is checked each time: it may
depend on a Host that a stranger chose. Where it cannot be sent, the refusal goes without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from relogin.server.facts import Request
from relogin.server.fields import sets_cookie
from relogin.server.logs import report
from relogin.session import SessionChallenge
from relogin.wire.abnf import TOKEN

__all__ = ["Custom", "Fields", "Params", "own_fields", "own_params"]

Params: TypeAlias = Mapping[str, str] | Callable[[Request], Mapping[str, str]]
Fields: TypeAlias = Mapping[str, str] | Callable[[SessionChallenge], Mapping[str, str]]
AskedT = TypeVar("AskedT")

_token = re.compile(TOKEN).fullmatch
# As SPEC.md has it for texts: a comma makes some clients read a scheme out of a quoted one.
_param = re.compile(r"[ !#-+\--\[\]-~]*+").fullmatch
_field = re.compile(r"[!-~](?:[ -~]*+(?<! ))?").fullmatch
_OUR_PARAMS = frozenset(
    {"realm", "error", "error_description", "max_age", "acr_values", "token", "expires_in"}
)
_OUR_FIELDS = frozenset(
    {
        *("www-authenticate", "authentication-info", "cache-control", "vary", "connection"),
        *("access-control-expose-headers", "transfer-encoding", "content-encoding"),
        *("content-length", "content-type"),
    }
)


class Custom(Generic[AskedT]):
    """What is added: `fixed` where it is always the same."""

    __slots__ = ("_check", "_make", "_word", "fixed")

    def __init__(
        self,
        word: str,
        given: Mapping[str, str] | Callable[[AskedT], Mapping[str, str]] | None,
        check: Callable[[Any], dict[str, str]],
    ) -> None:
        self._word = word
        self._make = given if callable(given) else None
        self._check = check
        self.fixed: dict[str, str] | None = (
            None if callable(given) else check({} if given is None else given)
        )

    def __call__(self, asked: AskedT) -> dict[str, str]:
        """Return what is added for this."""
        if self._make is None:
            return self.fixed or {}
        try:
            return self._check(self._make(asked))
        except Exception as raised:  # noqa: BLE001  a refusal that is not sent would open a door
            report(f"the callable given as {self._word} has failed", raised)
            return {}


def own_params(given: Any) -> dict[str, str]:
    """Return parameters, their names in lower case; raises for what a challenge cannot carry."""
    _expect_texts("params", given, '{"resource_metadata": "https://..."}')
    for name, value in given.items():
        if not _token(name) or name.lower() in _OUR_PARAMS:
            raise ValueError(
                f"params: {name!r} is not a valid name, or one that the gate writes itself"
            )
        if not _param(value):
            raise ValueError(
                f"params: {name} must be printable ASCII without quote, backslash and comma"
            )
    return {name.lower(): value for name, value in given.items()}


def own_fields(given: Any, cookie: str | None) -> dict[str, str]:
    """Return fields; raises for what cannot be sent, or would undo what the gate says."""
    _expect_texts("headers", given, '{"HX-Redirect": "/login"}')
    for name, value in given.items():
        if not _token(name) or name.lower() in _OUR_FIELDS:
            raise ValueError(
                f"headers: {name!r} is not a valid name, or one that the gate writes itself"
            )
        if not _field(value):
            raise ValueError(f"headers: {name} must be printable ASCII and not empty")
        if sets_cookie((name, value), cookie):
            raise ValueError(
                "headers: a gate must not set the session cookie because its session died"
            )
    return dict(given)


def _expect_texts(word: str, given: object, such_as: str) -> None:
    fits = isinstance(given, Mapping) and all(
        isinstance(text, str) for pair in given.items() for text in pair
    )
    if not fits:
        kind = type(given).__name__
        raise TypeError(f"{word} is a mapping of texts, such as {such_as}, or a callable that "
                        f"returns one, not {kind}")  # fmt: skip
