"""Read what was meant by a field that breaks the rules, and name each rule that it breaks.

The grammar below describes what servers send. Each rule has a name and a pattern. The name is the
kind of the fault, or what was read if that is no fault; the groups of the pattern say what was
found. The comment above a rule shows a field that it reads. A new class of faults needs one rule.

It recovers too little rather than too much. It reads a scheme only where a challenge may begin,
never from a quoted text, closed or not, and makes none up for parameters that have none.
"""

# ruff: noqa: ERA001 - the comments above the rules are fields, not code

from __future__ import annotations

from collections.abc import Iterator

import pyparsing as pp

from relogin.wire.abnf import BWS, LIST_SPACE, OWS, TCHAR, TOKEN, TOKEN68
from relogin.wire.parameters import auth_param, quoted
from relogin.wire.rules import rules
from relogin.wire.shapes import (
    BAD_SPACE,
    CODED68,
    COLON_PARAMS,
    END,
    EQUALS,
    FIRST_TOKEN68,
    FLAGS,
    HAS_APOSTROPHE,
    KNOWN,
    LIKELY,
    LINE_END,
    LONE_WORD,
    MISSES_EQUALS,
    MISSES_EQUALS_SINGLY,
    NEXT_WORD,
    NO_SCHEME,
    NO_WORD,
    OR,
    PARAM,
    PIECE,
    STOP,
    TEXT,
    THEN_PARAM,
    TOKEN68_ONLY,
    TOLD,
    TOLD_IN_TWO,
    URL,
)
from relogin.wire.sound import SOUND_ELEMENTS, Event, sound_elements

__all__ = ["elements"]

# Every repetition is possessive and no lookahead goes further than the next delimiter or quote,
# so that no rule takes more than linear time. What reads on to the end of the line does so once, or
# once for each fault, and these are bounded.


# A run of sound elements is one step for pyparsing, because there may be thousands.
_SOUND = "sound"
sound: pp.ParserElement = pp.Regex(SOUND_ELEMENTS).set_parse_action(pp.replace_with(_SOUND))

# What separates: commas do, whitespace does not.
separator: pp.ParserElement = rules(
    "separator",
    ("comma", rf"{OWS}(?P<separator>,)[{LIST_SPACE}]*+"),
    # Basic realm="a"; charset="UTF-8"
    ("semicolon", rf"{OWS}(?P<at>(?P<separator>;))[{LIST_SPACE};]*+{LONE_WORD}"),
    # Session realm="a"⏎Basic realm="b"
    ("line-break", rf"{OWS}(?P<at>(?P<separator>\r?+\n|\r))[{LIST_SPACE};\r\n]*+"),
    # WWW-Authenticate: Basic realm="a"
    ("header-name", rf"(?P<at>(?P<separator>(?i:(?:WWW|Proxy)-Authenticate){OWS}:)){OWS}"),
)
gap: pp.ParserElement = rules(
    "gap",
    # Basic realm="a" Negotiate
    ("scheme", rf"(?<=[\"=])[ \t]++(?P<scheme>{KNOWN})(?={END})"),
    ("space", r"[ \t]++"),
)

# At the start of a line there is no challenge yet that a parameter could belong to.
first: pp.ParserElement = rules(
    "first",
    # apikey, realm="a"
    ("comma-after-scheme", rf"(?P<scheme>{TOKEN})(?P<at> *+,)[{LIST_SPACE}]*+(?={PARAM})"),
    # form; realm="a"
    ("semicolon", rf"(?P<scheme>{TOKEN})(?P<at> *+;)[{LIST_SPACE};]*+(?={PARAM})"),
    # https://login.example.com/
    ("url-only", rf"{URL}(?={END})"),
)


def _first(scheme: str, joint: str, end: str) -> str:
    """Write the pattern of the first of several schemes, one of them known, up to this end."""
    return (
        rf"(?=(?:(?!{KNOWN}){scheme}{joint}|(?!))*+{KNOWN})(?P<scheme>{scheme})"
        rf"(?=(?:{joint}{scheme}|(?!))++{end})"
    )


# Several schemes that are listed as in a sentence, or with a sign between them.
several: pp.ParserElement = rules(
    "first of several",
    # Basic or ApiKey
    ("scheme", _first(NO_WORD, rf"[ \t]++{OR}[ \t]++", rf"(?:{END}|[ \t]++{PARAM})")),
    # Basic | Token
    ("scheme", _first(LIKELY, r"[ \t]++[|+][ \t]++", rf"(?:{END}|[ \t]++{PARAM})")),
    # Basic/Token
    ("scheme", _first(LIKELY, rf"{OWS}/{OWS}", END)),
) + pp.OneOrMore(
    rules(
        "next of several",
        ("stray-word", rf"[ \t]++(?P<at>{OR})[ \t]++(?P<scheme>{NO_WORD})"),
        ("stray-character", rf"{OWS}(?P<at>[|+/]){OWS}(?P<scheme>{LIKELY})"),
    )
)
# Where a challenge may begin: what RFC 9110 allows, then what was meant as a challenge.
opening: pp.ParserElement = rules(
    "opening",
    ("token68", rf"(?P<scheme>{TOKEN}) ++(?P<token68>{TOKEN68})(?={END})(?!{THEN_PARAM})"),
    # Negotiate YWJj, realm="a"
    (
        "token68",
        (
            rf"(?P<scheme>{TOKEN68_ONLY}) ++(?!{NO_SCHEME}|{KNOWN})"
            rf"(?P<token68>{TOKEN68})(?:{STOP}|(?=[ \t]++{KNOWN}{END}))"
        ),
    ),
    # Token YWJj== realm="a", Bearer eyJhbGciOiJIUzI1NiJ9 expired, Negotiate YWJj= expired
    ("token68", rf"(?={FIRST_TOKEN68})(?P<scheme>{TOKEN}) ++(?P<token68>{TOKEN68})"),
    ("scheme", rf"(?P<scheme>(?!['`]){TOKEN}) ++(?={PARAM})"),
    ("scheme", rf"(?!{FLAGS})(?P<scheme>{TOKEN})(?= *+{END})(?!{THEN_PARAM})"),
    # Negotiate, Bearer, realm="a"
    ("comma-after-scheme", rf"(?P<scheme>{LIKELY})(?P<at> *+,)[{LIST_SPACE}]*+"),
    # Negotiate, Basic; realm="a"
    ("semicolon", rf"(?P<scheme>{LIKELY})(?P<at> *+;)[{LIST_SPACE};]*+"),
    # Passport1.4 ts=-3,prompt,ver=1
    ("valueless-param", rf"(?P<flag>{TOKEN})(?={OWS}[,;])"),
    # Negotiate: YII=
    (
        "colon-after-scheme",
        (
            rf"(?P<scheme>{TOKEN68_ONLY})(?P<at>:)[ \t]*+(?!{NO_SCHEME})"
            rf"(?P<token68>{CODED68}|{TOKEN68}(?<==)){STOP}"
        ),
    ),
    # Negotiate⇥YII=
    (
        "bad-space",
        (
            rf"(?P<scheme>{TOKEN68_ONLY})(?P<at>{BAD_SPACE})(?!{NO_SCHEME})"
            rf"(?P<token68>{CODED68}|{TOKEN68}(?<==)){STOP}"
        ),
    ),
    # ApiKey: realm="a"
    ("colon-after-scheme", rf"(?!{NO_SCHEME})(?P<scheme>{TOKEN})(?P<at>:)[ \t]*+(?={PARAM}|\Z)"),
    # Bearer: "a"
    ("colon-after-scheme", rf"(?P<scheme>{KNOWN})(?P<at>:)(?!//)[ \t]*+"),
    # Basic⇥realm="a"
    (
        "bad-space",
        rf"(?P<scheme>{TOKEN})(?P<at>{BAD_SPACE})(?={PARAM})",
    ),
    # Basic realm="a", Negotiate"
    ("stray-character", rf"(?P<scheme>{KNOWN})(?P<at>\")(?={END})"),
    # Basic"a"
    ("missing-space", rf"(?P<scheme>{KNOWN})(?P<at>)(?=[\"{{<])"),
    # Bearer Bearer realm="a"
    ("duplicate-scheme", rf"(?P<scheme>{TOKEN}) ++(?P<at>(?i:(?P=scheme))) ++(?={PARAM})"),
    # SSO https://a, Bearer {token}, Bearer <token>, Bearer [realm="a"]
    ("scheme", rf"(?P<scheme>{TOKEN}) ++(?={URL}{END}|[\[{{]|\({PARAM}|<\w)"),
    # OAuth "Facebook Platform" "invalid_token"
    (
        "scheme",
        rf"(?!{NO_SCHEME})(?P<scheme>{TOKEN}) ++(?=\"{TEXT}(?:\"{OWS}(?:[\",;=:]|\Z|{PARAM})|\Z))",
    ),
    # Bearer token;error="a", Token 'a'
    (
        "scheme",
        rf"(?P<scheme>{LIKELY}) ++(?={TOKEN}{THEN_PARAM}|(?!{KNOWN}){TOKEN}[ \t]++{PARAM}|')",
    ),
    # Token realm: "a", Token realm => "a", and not Access denied: "a"
    ("scheme", rf"(?P<scheme>{LIKELY}) ++(?=(?:{TOKEN}{BWS}{EQUALS}|(?i:realm){BWS}:){BWS}[\"'])"),
    # Digest qop: "auth", nonce: "a"
    ("scheme", rf"(?P<scheme>{LIKELY}) ++(?={COLON_PARAMS})"),
    # Negotiate =, Bearer token is missing
    ("scheme", rf"(?P<scheme>{KNOWN})[ \t]++"),
    where=(rf"(?!{PARAM}|(?!{KNOWN} ++{COLON_PARAMS})(?:{TOLD})|{TOLD_IN_TWO}|{HAS_APOSTROPHE})"),
)

# What is neither a challenge nor a parameter.
rest: pp.ParserElement = rules(
    "rest",
    # Negotiate NTLM Basic realm="a"
    ("scheme", rf"(?<![\w/\\@])(?P<scheme>{KNOWN}) ++(?=(?:{KNOWN} ++|(?!))*+{PARAM})"),
    # HTTP Basic realm="a", or Bearer realm="b"
    (
        "stray-word",
        rf"(?!{KNOWN})(?=[A-Z]|(?:or|and)(?!{TCHAR})){TOKEN}(?=[ \t]++{KNOWN} ++{PARAM})",
    ),
    # Basic realm="a" | Bearer realm="b"
    ("stray-character", rf"[|/&](?=[ \t]++{KNOWN} ++{PARAM})"),
    # SSO https://a
    ("url-payload", rf"{URL}(?={END}|[ \t])"),
    # <html>401
    ("html-payload", r"<(?i:!doctype|html|head|body|title|script|style|div|h\d|p)\b[\s\S]*+"),
    # Bearer {token}
    ("placeholder-braces", r"\$?+\{++[^{}\",;=]*+\}++|<[^<>\"]*+>"),
    # Bearer {"code":401}
    (
        "json-payload",
        r"\{(?:[^{}\"]++|\"(?:[^\"\\]++|\\.)*+\"|(?!))*+\}|[{\[](?=\s*+[{\[\"])[\s\S]*+",
    ),
    # Negotiate =
    ("bad-token68", rf"{TOKEN68}(?<==)[^\s,;\"]*+|=++"),
    # Bearer error"a"
    ("missing-equals", MISSES_EQUALS),
    # Bearer error'a'
    ("missing-equals", MISSES_EQUALS_SINGLY),
    # Login to get the requested data
    ("prose", rf"{PIECE}{{1,50}}+(?:{NEXT_WORD}|(?!))++"),
    # Bearer realm="a"\r\n
    ("stray-character", LINE_END),
    # Bearer token;error="a"
    ("stray-word", rf"(?=[^\w\s]*+\w){TOKEN}"),
    ("stray-character", r"(?P<_one>[\s\S])(?P=_one)*+"),
)

inside: pp.ParserElement = auth_param | quoted | rest
element: pp.ParserElement = (
    sound
    | (separator[1, 4] + pp.Opt(several | opening | inside))
    | (pp.Regex(r"(?<![\s\S])").suppress() + (first | several | opening))
    | gap
    | inside
)
element.leave_whitespace().parse_with_tabs().streamline()
# No fork happens during this import. Later, one could meet the lock that `cached_property` has in
# Python 3.11 while a pattern is compiled, and its child would wait for it forever.
for _part in element.visit_all():  # type: ignore[no-untyped-call]
    getattr(_part, "re_match", None)


def elements(line: str) -> Iterator[tuple[list[Event], int, int]]:
    """Read a line piece by piece: what was found, and from which character to which.

    Lazily, so that the caller can stop: the pieces of a hostile line are many.
    """
    for found, start, end in element.scan_string(line, always_skip_whitespace=False):
        if found and found[0] == _SOUND:
            yield from sound_elements(line, start, end)
        else:
            yield found.as_list(), start, end
