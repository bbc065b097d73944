"""The grammar of RFC 9110 §11 in pyparsing: it says where a field goes wrong, and what fits there.

Rule by rule, under the names of `grammar/http-auth.abnf`. It takes exactly what
`relogin.wire.scan` takes, and runs only on what that refused. Each repetition is one regular
expression or one flat loop, so that time is linear and nothing recurses.

pyparsing's defaults are made for languages, not for protocols: here whitespace is a rule, tabs stay
tabs, the end is the end, and every parse action has the full signature (finding out a shorter one
on first use is a race between threads). Its process-wide switches stay untouched.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

import pyparsing as pp

from relogin.wire.abnf import BWS, LIST_SPACE, OWS, QUOTED_PAIR, QUOTED_TEXT, TOKEN, TOKEN68

__all__ = ["NEW_NAME", "RULES", "Read", "Stop", "read"]

Read: TypeAlias = tuple[str, str | None, dict[str, str]]
"""A challenge, or credentials: the scheme, the token68 or none, the parameters."""


class Stop(NamedTuple):
    """Where a field stops being what the rule allows, and what could have stood there."""

    at: int
    expected: str


# What an error says was expected.
SCHEME: Final = "an auth-scheme"
ELEMENT: Final = "an auth-scheme or an auth-param"
ARGUMENTS: Final = "a space and a token68 or auth-params, or a comma and the next challenge"
ARGUMENT: Final = "a token68 or an auth-param"
ONE_ARGUMENT: Final = "a token68 and the end of the field, or an auth-param"
PARAM: Final = "an auth-param"
VALUE: Final = "a token or a quoted-string"
CLOSING: Final = "the double quote that closes the quoted-string"
NEXT: Final = "a comma or the end of the field"
NEW_NAME: Final = "a parameter that is not there yet"

_comma = rf"{OWS},[{LIST_SPACE}]*+"
_param = rf"{TOKEN}{BWS}="
_followed = rf"(?={OWS}(?:,|\Z))"
# No parameter can follow a scheme without a space (`Basic, realm=x`) or a token68.
_closed = rf"(?!{_comma}{_param})"


def _regex(name: str, pattern: str) -> pp.ParserElement:
    return pp.Regex(pattern).leave_whitespace().set_name(name)


def _mark(name: str, pattern: str) -> pp.ParserElement:
    return _regex(name, pattern).add_parse_action(_nothing)


def _any(name: str, *rules: pp.ParserElement) -> pp.ParserElement:
    return pp.MatchFirst(rules).leave_whitespace().set_name(name)


def _nothing(_text: str, _at: int, _found: pp.ParseResults) -> list[str]:
    return []


def _unescaped(_text: str, _at: int, found: pp.ParseResults) -> str:
    return re.sub(rf"(?s:(?={QUOTED_PAIR}).(.))", r"\1", found[0])


def _pair(_text: str, at: int, found: pp.ParseResults) -> list[tuple[str, str, int]]:
    name, value = found
    return [(name.lower(), value, at)]


def _once(text: str, _at: int, found: pp.ParseResults) -> list[dict[str, str]]:
    params: dict[str, str] = {}
    for name, value, at in found:
        if name in params:
            raise pp.ParseFatalException(text, at, NEW_NAME)
        params[name] = value
    return [params]


def _scheme_value(_text: str, _at: int, found: pp.ParseResults) -> list[Read]:
    scheme, *rest = found
    if not rest:
        return [(scheme, None, {})]
    return [(scheme, rest[0], {}) if isinstance(rest[0], str) else (scheme, None, rest[0])]


# A minus sign means that no other reading is left: what fails after it is the fault.
ows: pp.ParserElement = _mark("OWS", OWS)
sp: pp.ParserElement = _mark("1*SP", " ++")
equals: pp.ParserElement = _mark("BWS = BWS", rf"{BWS}={BWS}")
comma: pp.ParserElement = _mark("OWS ,", _comma)
commas: pp.ParserElement = _mark("empty elements", rf"[{LIST_SPACE}]*+")
dquote: pp.ParserElement = _mark("DQUOTE", '"')
no_param: pp.ParserElement = _mark("no parameter", _followed)
alone: pp.ParserElement = _mark("no parameter at all", rf"{_followed}{_closed}")
end: pp.ParserElement = _mark(NEXT, rf"{OWS}\Z")

token: pp.ParserElement = _regex("token", TOKEN)
quoted_text: pp.ParserElement = _regex("*( qdtext / quoted-pair )", QUOTED_TEXT).add_parse_action(
    _unescaped
)
quoted_string: pp.ParserElement = (dquote - quoted_text - dquote.copy().set_name(CLOSING)).set_name(
    "quoted-string"
)

name: pp.ParserElement = _regex("token", rf"{TOKEN}(?={BWS}=)")
auth_param: pp.ParserElement = name + equals - _any(VALUE, token, quoted_string)
auth_param.set_name("auth-param").add_parse_action(_pair)
auth_params: pp.ParserElement = (auth_param | no_param) + pp.ZeroOrMore(comma + auth_param)
auth_params.set_name("auth-params").add_parse_action(_once)

auth_scheme: pp.ParserElement = _regex("auth-scheme", rf"{TOKEN}(?!{BWS}=)")
token68: pp.ParserElement = _regex("token68", rf"{TOKEN68}{_followed}{_closed}")
challenge: pp.ParserElement = auth_scheme - _any(
    ARGUMENTS, sp - _any(ARGUMENT, token68, auth_params), alone
)
challenge.set_name("challenge").add_parse_action(_scheme_value)

# Credentials are not a list: a comma is part of their parameters, or a fault.
only_token68: pp.ParserElement = _regex("token68", rf"{TOKEN68}(?={OWS}\Z)")
only: pp.ParserElement = _mark("the end", rf"(?={OWS}\Z)")
credentials: pp.ParserElement = auth_scheme - _any(
    ARGUMENTS, sp - _any(ONE_ARGUMENT, only_token68, auth_params), only
)
credentials.set_name("credentials").add_parse_action(_scheme_value)

more_challenges: pp.ParserElement = pp.ZeroOrMore(comma - _any(ELEMENT, challenge, end))
list_end: pp.ParserElement = _any(NEXT, comma - _mark(PARAM, r"\Z"), end)

RULES: Final = {
    "challenges": commas - _any(SCHEME, challenge, end) - more_challenges - end,
    "credentials": ows - _any(SCHEME, credentials) - list_end,
    "authentication-info": commas - _any(PARAM, auth_params) - list_end,
}
"""The start rules, by the name to pass to `read`."""

for _rule in RULES.values():
    _rule.leave_whitespace().parse_with_tabs().streamline()


def read(rule: str, text: str) -> list[Read] | Stop:
    """Read a whole field, or say where it stops being one.

    Authentication-Info is read as one element whose scheme is empty.

    >>> read("challenges", "Basic realm=a, Negotiate")
    [('Basic', None, {'realm': 'a'}), ('Negotiate', None, {})]
    >>> read("challenges", "Basic realm=a charset=b")
    Stop(at=13, expected='a comma or the end of the field')
    """
    try:
        found = RULES[rule].parse_string(text)
    except pp.ParseBaseException as error:
        return Stop(error.loc, error.msg.removeprefix("Expected "))
    return [("", None, one) if isinstance(one, dict) else one for one in found]
