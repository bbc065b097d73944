"""What an operator adds to a challenge and to a refusal: parameters, header fields, a page.

A value is checked when the gate is made. What a function returns is checked each time: it may
depend on a Host that a stranger chose. If it cannot be sent, the refusal goes without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from relogin.server.fields import sets_cookie
from relogin.server.logs import report
from relogin.server.request import Request
from relogin.server.signatures import check_call, check_plain, takes_request
from relogin.wire.abnf import TOKEN

__all__ = [
    "Fields",
    "Page",
    "Params",
    "PerRefusal",
    "checked_fields",
    "checked_page",
    "checked_params",
]

Params: TypeAlias = Mapping[str, str] | Callable[[Request], Mapping[str, str]]
Fields: TypeAlias = Mapping[str, str] | Callable[..., Mapping[str, str]]
"""A mapping, or a function that gets the `SessionChallenge` and, if it takes it, the `Request`."""
Page: TypeAlias = str | Callable[..., str]
"""HTML, or a function that gets the `SessionChallenge` and, if it takes it, the `Request`."""
ValueT = TypeVar("ValueT")

_token = re.compile(TOKEN).fullmatch
# As SPEC.md has it for texts: a comma makes some clients read a scheme out of a quoted one.
_param = re.compile(r"[ !#-+\--\[\]-~]*+").fullmatch
_field = re.compile(r"[!-~](?:[ -~]*+(?<! ))?").fullmatch
_is_file_name = re.compile(r"[\w./\\:-]+\.(?:html?|jinja2?|j2)", re.IGNORECASE).fullmatch
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


class PerRefusal(Generic[ValueT]):
    """What an option adds to each refusal: a fixed value, or what a function returns for it.

    `argument` names what the function is called with; it may take the request after that.
    """

    __slots__ = ("_check", "_count", "_make", "_option", "fixed", "is_fixed")

    def __init__(
        self,
        option: str,
        given: Any,
        check: Callable[[Any], ValueT],
        nothing: ValueT,
        argument: Literal["challenge", "request"] = "challenge",
    ) -> None:
        self._option = option
        self._check = check
        self._make = given if callable(given) else None
        self._count = 1  # of the arguments that the function takes
        self.is_fixed: bool = self._make is None
        self.fixed: ValueT = nothing if given is None or callable(given) else check(given)
        if callable(given):
            check_plain(option, given)
            if argument == "request":
                check_call(option, given, (argument,))
            else:
                self._count += takes_request(option, given, (argument,))

    def __call__(self, *arguments: object) -> ValueT:
        """Return what to add to this refusal; nothing if the function fails."""
        if self._make is None:
            return self.fixed
        try:
            return self._check(self._make(*arguments[: self._count]))
        except Exception as raised:  # noqa: BLE001  whatever it raises, the refusal must be sent
            report(f"the callable given as {self._option} has failed", raised)
            return self.fixed


def checked_page(given: Any) -> str:
    """Return HTML; raise `TypeError` for anything else."""
    if not isinstance(given, str):
        raise TypeError(
            f"login_page must be HTML, or a function that returns it, not {type(given).__name__}"
        )
    if _is_file_name(given):
        raise ValueError(
            f"login_page is the page itself, not the name of its file: read {given!r} and pass the "
            "text, or a function that returns it"
        )
    return given


def checked_params(given: Any) -> dict[str, str]:
    """Return parameters, names in lower case; raise an error for what a challenge cannot carry."""
    _expect_texts("params", given, '{"resource_metadata": "https://..."}')
    for name, value in given.items():
        _check_name("params", name, _OUR_PARAMS)
        if not _param(value):
            raise ValueError(
                f"params: {name} must be printable ASCII without quotes, backslashes and commas"
            )
    return {name.lower(): value for name, value in given.items()}


def checked_fields(given: Any, cookie: str | None) -> dict[str, str]:
    """Return fields; raise an error for what cannot be sent, or contradicts the gate."""
    _expect_texts("headers", given, '{"HX-Redirect": "/login"}')
    for name, value in given.items():
        _check_name("headers", name, _OUR_FIELDS)
        if not _field(value):
            raise ValueError(f"headers: {name} must be printable ASCII and not empty")
        if sets_cookie((name, value), cookie):
            raise ValueError(
                "headers: a gate must not set the session cookie because its session died"
            )
    return dict(given)


def _check_name(option: str, name: str, ours: Container[str]) -> None:
    if not _token(name) or name.lower() in ours:
        raise ValueError(
            f"{option}: {name!r} is not a valid name, or one that the gate writes itself"
        )


def _expect_texts(option: str, given: object, such_as: str) -> None:
    fits = isinstance(given, Mapping) and all(
        isinstance(text, str) for pair in given.items() for text in pair
    )
    if not fits:
        raise TypeError(
            f"{option} must be a mapping of strings, such as {such_as}, or a function that returns "
            f"one, not {type(given).__name__}"
        )
