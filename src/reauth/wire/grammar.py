"""The grammar of RFC 9110 §11 in pyparsing: it says where a field goes wrong, and what fits there.

Rule by rule, under the names of `grammar/http-auth.abnf`. It takes exactly what
`reauth.wire.scan` takes, and runs only on what that refused. Each repetition is one regular
expression or one flat loop, so time is linear and nothing recurses.

pyparsing's defaults are made for languages, not for protocols: here whitespace is a rule, tabs stay
tabs, the end is the end, and every parse action has the full signature (finding out a shorter one
on first use is a race between threads). Its process-wide switches stay untouched.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias, cast

import pyparsing as pp

from reauth.errors import ChallengeSyntaxError
from reauth.wire.abnf import (
    BWS,
    LIST_SPACE,
    OWS,
    QUOTED_PAIR,
    QUOTED_TEXT,
    TOKEN,
    TOKEN68,
)
from reauth.wire.faults import KINDS, excerpt

__all__ = ["RULES", "explain", "read"]

Read: TypeAlias = tuple[str, str | None, dict[str, str]]

# What could have stood where a field goes wrong: said in the error, and the key to the fault.
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


def _any(name: str, *rules: pp.ParserElement) -> pp.ParserElement:
    return pp.MatchFirst(rules).leave_whitespace().set_name(name)


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


def _read(rule: pp.ParserElement) -> pp.ParserElement:
    return rule.add_parse_action(_scheme_value)


# A minus sign stands where no other reading is left: what fails behind it is the fault.
ows = _regex("OWS", OWS).suppress()
sp = _regex(ARGUMENTS, " ++").suppress()
equals = _regex("=", rf"{BWS}={BWS}").suppress()
comma = _regex("comma", _comma).suppress()
commas = _regex("commas", rf"[{LIST_SPACE}]*+").suppress()
dquote = _regex("DQUOTE", '"').suppress()
quoted_text = _regex("quoted-text", QUOTED_TEXT).add_parse_action(_unescaped)
nothing = _regex("nothing", _followed).suppress()
end = _regex(NEXT, rf"{OWS}\Z").suppress()

token = _regex("token", TOKEN)
quoted_string = dquote - quoted_text - dquote.copy().set_name(CLOSING)
name = _regex("token", rf"{TOKEN}(?={BWS}=)")
auth_param = (name + equals - _any(VALUE, token, quoted_string)).add_parse_action(_pair)
auth_params = ((auth_param | nothing) + pp.ZeroOrMore(comma + auth_param)).add_parse_action(_once)

auth_scheme = _regex("auth-scheme", rf"{TOKEN}(?!{BWS}=)")
token68 = _regex("token68", rf"{TOKEN68}{_followed}{_closed}")
lone_scheme = _regex("auth-scheme", rf"{TOKEN}(?= *+{_followed}{_closed})")
arguments = auth_scheme - sp - _any(ARGUMENT, token68, auth_params)
challenge = _read(lone_scheme) | _read(arguments)

# Credentials are no list: a comma is of their parameters, or it is none of theirs.
only_scheme = _regex("auth-scheme", rf"{TOKEN}(?={OWS}\Z)")
only_token68 = _regex("token68", rf"{TOKEN68}(?={OWS}\Z)")
credentials = _read(only_scheme | auth_scheme - sp - _any(ONE_ARGUMENT, only_token68, auth_params))

more_challenges = pp.ZeroOrMore(comma - _any(ELEMENT, challenge, end))
list_end = _any(NEXT, comma - _regex(PARAM, r"\Z").suppress(), end)

RULES: Final = {
    "challenges": commas - _any(SCHEME, challenge, end) - more_challenges - end,
    "credentials": ows - _any(SCHEME, credentials) - list_end,
    "authentication-info": commas - _any(PARAM, auth_params) - list_end,
}
"""The start rules, by the names that `explain` and `read` know them under."""

for rule in RULES.values():
    rule.leave_whitespace().parse_with_tabs().streamline()


def read(rule: str, text: str) -> list[Read]:
    """Read a whole field; Authentication-Info is one element whose scheme is the empty one.

    Raises `ChallengeSyntaxError` where the field is not what the rule allows.
    """
    found = _parsed(rule, text)
    if isinstance(found, ChallengeSyntaxError):
        raise found
    return found


def explain(rule: str, text: str) -> ChallengeSyntaxError:
    """Build the error for a field that `reauth.wire.scan` refused: where, what, and what to do.

    `rule` is ``"challenges"``, ``"credentials"`` or ``"authentication-info"``. The last two hold
    secrets, so their error holds nothing of the field.
    """
    return cast("ChallengeSyntaxError", _parsed(rule, text))  # the two readers agree


def _parsed(rule: str, text: str) -> list[Read] | ChallengeSyntaxError:
    try:
        found = RULES[rule].parse_string(text)
    except pp.ParseBaseException as error:
        at, expected = error.loc, error.msg.removeprefix("Expected ")
    else:
        return [("", None, one) if isinstance(one, dict) else one for one in found]
    # Here pyparsing's exception is gone, and with it the field that it holds.
    return _refusal(text, at, expected, secret=rule != "challenges")


def _refusal(text: str, at: int, expected: str, *, secret: bool) -> ChallengeSyntaxError:
    kind, start, end = _fault(text, at, expected)
    section, sentence = KINDS[kind]
    drawn = "" if secret else "\n  {}\n  {}".format(*excerpt(text, start, end))
    return ChallengeSyntaxError(
        f"{kind}: expected {expected} at character {at}{drawn}\n{sentence} ({section})",
        source="" if secret else text,
        start=start,
        end=end,
        expected=expected,
        fault=kind,
    )


# What the fault is, by what was expected where something else is found: the first that fits. The
# span is the last group's, or all that fits; where something is missing it is empty.
_URL = r"[A-Za-z][A-Za-z0-9+.\-]*+://"
_NO_DELIMITER = r'[^\s,;"]'
_NEXT_TO_TOKEN = "behind a token"
_FINDINGS: Final = {
    SCHEME: (
        ("bad-token68", rf"{TOKEN} ++(=++){_followed}"),
        ("missing-scheme", rf"{_param}|\Z"),
        ("positional-quoted", r'"[^"]*+"?+'),
        ("html-payload", r"<[!/A-Za-z][^>]*+>?+"),
        ("json-payload", r"[\[{][\s\S]*+"),
    ),
    ARGUMENTS: (
        ("comma-after-scheme", rf"{OWS},"),
        ("url-only", r"://[^\s,]*+"),
        ("colon-after-scheme", ":"),
        ("missing-space", '(?=")'),
    ),
    ARGUMENT: (
        ("prose", rf"{TOKEN}(?:[ \t]++{TOKEN})++(?={OWS}\Z)"),
        ("url-payload", rf"{_URL}[^\s,]*+"),
        ("placeholder-braces", r"\{[\w.\- ]*+\}|<[\w.\- ]*+>"),
        ("json-payload", r"[\[{][\s\S]*+"),
    ),
    ONE_ARGUMENT: (
        ("positional-quoted", r'"[^"]*+"?+'),
        ("bad-token68", "=++"),
        ("bad-equals", rf"{TOKEN}{BWS}(:)"),
        ("stray-word", TOKEN),
    ),
    VALUE: (
        ("empty-value", rf"(?={OWS}(?:[,;]|\Z))"),
        ("smart-quotes", "[\u2018-\u201f\xab]|\xe2\x80[\x98-\x9f]|[\x91-\x94]"),
        ("escaped-quotes", r'\\"'),
        ("bad-equals", "[=:>]++"),
        ("unquoted-value", rf"(?![\x00-\x1f\x7f\u0100-\U0010ffff]){_NO_DELIMITER}++"),
    ),
    CLOSING: (("unterminated-quote", rf'"{QUOTED_TEXT}\\?+\Z'),),
    NEW_NAME: (("duplicate-parameter", TOKEN),),
    # Behind a quoted-string.
    NEXT: (
        ("missing-comma", rf"(?=[ \t]*+{_param}|[ \t]++{TOKEN} ++{_param})"),
        ("positional-quoted", r'[ \t]++("[^"]*+"?+)'),
        ("doubled-quotes", rf'(?<="")(?={_NO_DELIMITER})'),
        ("unescaped-quote", rf'"|(?<="){_NO_DELIMITER}'),
        ("stray-word", rf"[ \t]++({TOKEN})"),
    ),
    # Behind a token: matched from where it begins.
    _NEXT_TO_TOKEN: (
        ("single-quotes", "'[^']*+'?+"),
        ("missing-comma", rf"{TOKEN}()(?=[ \t]++{_param})"),
        ("unquoted-url", rf"{_URL}[^\s,]*+"),
        ("unquoted-base64", rf"{TOKEN68}(?<==)(?=[\s,;]|\Z)"),
        ("unopened-quote", rf'{TOKEN}(")'),
        ("unquoted-spaces", rf"{TOKEN}(?:[ \t]++(?!{_param}){_NO_DELIMITER}++)++"),
        ("unquoted-value", rf"{TOKEN}(?![\x00-\x1f\x7f\u0100-\U0010ffff]){_NO_DELIMITER}++"),
    ),
}
_ANYWHERE: Final = (
    ("semicolon", r"[ \t]*+;"),
    ("obs-fold", r"[ \t]*+\r?\n[ \t]++"),
    ("line-break", r"[ \t]*+[\r\n]++"),
    ("bad-space", r"[\t\xa0]++"),
    ("control-character", r"[\x00-\x1f\x7f]"),
    ("non-latin-1", "[\u0100-\U0010ffff]++"),
    ("stray-character", r"[\s\S]"),
)
_findings = {
    place: [(kind, re.compile(pattern).match) for kind, pattern in found]
    for place, found in _FINDINGS.items()
}
_findings[ARGUMENT] += _findings[ONE_ARGUMENT]
_findings |= {ELEMENT: _findings[SCHEME], PARAM: _findings[ONE_ARGUMENT]}
# The last of these behind an opening quote is that quote: in the text each has its backslash.
_opened = re.compile(r'(?<!\\)"').finditer
_anywhere = [(kind, re.compile(pattern).match) for kind, pattern in _ANYWHERE]


def _fault(text: str, at: int, expected: str) -> tuple[str, int, int]:
    place, start = expected, at
    if expected == NEXT and text[at - 1] != '"':
        place = _NEXT_TO_TOKEN
        start = at - len(text[text.rindex("=", 0, at) + 1 : at].lstrip(" \t"))
    if expected == CLOSING:
        *_, opened = _opened(text, 0, at)
        start = opened.start()
    tried = [(kind, match(text, start)) for kind, match in _findings[place]]
    tried += [(kind, match(text, at)) for kind, match in _anywhere]
    return next((kind, *found.span(len(found.groups()))) for kind, found in tried if found)
