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
from relogin.wire.rules import between, rules
from relogin.wire.shapes import (
    APOSTROPHE,
    CHALLENGE,
    CLOSED,
    CLOSED_OTHERWISE,
    CLOSES_NOTHING,
    CODE,
    CODED68,
    COLON_PARAMS,
    DOUBLE,
    END,
    EQUALS,
    ESCAPED,
    ESCAPED_SINGLE,
    FIRST_TOKEN68,
    FLAGS,
    HAS_APOSTROPHE,
    JSON,
    KNOWN,
    LIKELY,
    LINE_END,
    LONE_WORD,
    MISSES_EQUALS,
    MORE,
    NAMED,
    NEVER_OPENED,
    NEXT_OPENS,
    NEXT_VALUE_WORD,
    NEXT_WORD,
    NO_APOSTROPHE,
    NO_SCHEME,
    PARAM,
    PARAMS,
    PIECE,
    QUOTE,
    SENTENCE,
    SINGLE,
    STOP,
    STOP_OR_PARAM,
    TEXT,
    THEN_PARAM,
    TOKEN68_ONLY,
    TOLD,
    TOLD_IN_TWO,
    URL,
    WORD,
)
from relogin.wire.sound import QOP, SCOPES, SOUND_ELEMENTS, Event, sound_elements

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
# Where a challenge may begin: what RFC 9110 allows, then what was meant as a challenge.
opening: pp.ParserElement = rules(
    "opening",
    # Basic or Bearer
    (
        "stray-word",
        (
            rf"(?P<scheme>{KNOWN})[ \t]++(?P<at>or|and)[ \t]++(?P<scheme_>{KNOWN})"
            rf"(?={END}| ++{PARAM})"
        ),
    ),
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
    # ApiKey: realm="a"
    ("colon-after-scheme", rf"(?!{NO_SCHEME})(?P<scheme>{TOKEN})(?P<at>:)[ \t]*+(?={PARAM}|\Z)"),
    # Bearer: "a"
    ("colon-after-scheme", rf"(?P<scheme>{KNOWN})(?P<at>:)(?!//)[ \t]*+"),
    # Basic⇥realm="a"
    (
        "bad-space",
        rf"(?P<scheme>{TOKEN})(?P<at> *+(?:[\t\xa0]|\xc2\xa0)(?:[ \t\xa0]|\xc2\xa0)*+)(?={PARAM})",
    ),
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

# Parameters.
name: pp.ParserElement = rules(
    "name",
    ("name", rf"(?P<name>(?!'){TOKEN})(?={BWS}[=:])"),
    # Bearer "realm"="a"
    ("quoted-name", rf"\"(?P<name>{TOKEN})\"(?={BWS}[=:])"),
)
equals: pp.ParserElement = rules(
    "equals",
    ("equals", rf"{BWS}=(?![=>]){BWS}"),
    # Basic realm => "a"
    ("bad-equals", rf"{BWS}(?P<at>{EQUALS}){BWS}"),
    # Basic realm: "a"
    ("colon-for-equals", rf"{BWS}(?P<at>:)(?:[ \t]++|(?={QUOTE}))"),
)
quoted: pp.ParserElement = rules(
    "quoted",
    # Digest opaque=""""
    ("doubled-quotes", rf"\"\"(?P<value>)\"\"{STOP_OR_PARAM}"),
    # Hawk tsm=""6R4rV5iE=""
    ("doubled-quotes", rf"\"\"(?P<value>{CODED68}(?<==))\"\"{STOP_OR_PARAM}"),
    ("quoted-string", rf"\"(?P<quoted>{TEXT})\"{CLOSED}"),
    # Basic realm="C:\", charset="UTF-8"
    ("unescaped-backslash", rf"\"(?P<value>[^\"]*+(?P<at>(?<=\\)))\"(?={PARAMS}\Z)"),
    # Bearer realm="a, error="b"
    (
        "unterminated-quote",
        rf"\"(?P<value>[^\",\\]*+(?:,(?!{OWS}{PARAM})[^\",\\]*+|(?!))*+)(?={PARAMS}\Z)",
    ),
    # Basic realm=""a""
    ("doubled-quotes", rf"\"\"(?P<value>[^\"]++)\"\"{STOP_OR_PARAM}"),
    # Basic realm="a""
    ("doubled-quotes", rf"\"(?P<quoted>{TEXT})(?P<at>\"\")(?={END})"),
    # Basic realm="C:\"
    ("unescaped-backslash", r"(?P<unterminated_quote>\"(?P<value>[^\"]*+(?P<at>(?<=\\)))\"\Z)"),
    # Bearer error_description="the "aud" claim"
    (
        "unescaped-quote",
        rf"\"(?P<quoted>{TEXT}(?P<at>\"){TEXT}\"{TEXT}(?:\"{TEXT}\"{TEXT})*?)\"{CLOSED}",
    ),
    # Basic realm="3" disk"
    (
        "unescaped-quote",
        rf"\"(?P<quoted>{TEXT}(?P<at>\")(?:[^\"]++|\"(?!{OWS}\Z)|(?!))*+)\"(?={OWS}\Z)",
    ),
    # Basic realm="a
    ("unterminated-quote", r"\"(?P<cut>[\s\S]*+)"),
    # Digest realm='a",nonce="b"
    ("single-quotes", rf"'{CLOSED_OTHERWISE}"),
    # Keystone uri='http://a realm="b"
    ("single-quotes", rf"'{CLOSES_NOTHING}"),
    # Digest realm=\u201ca, nonce="b"
    ("smart-quotes", rf"(?:{DOUBLE}|{SINGLE}){CLOSED_OTHERWISE}"),
    # Basic realm=''a''
    ("single-quotes", rf"''(?P<value>(?:(?!''{STOP})[\s\S]|(?!))++)''"),
    # Keystone uri='http://a'
    ("single-quotes", rf"'(?P<value>(?P<unquoted_url>{URL}))'{STOP}"),
    # Basic realm='Bob's place'
    ("single-quotes", rf"'(?P<value>(?:[^']++|'(?!{STOP})|(?!))*+)'"),
    # Basic realm='a
    ("single-quotes", r"(?P<unterminated_quote>'(?P<cut>[\s\S]*+))"),
    # Basic realm=“a”
    ("smart-quotes", between(DOUBLE, rf"(?:{DOUBLE}|\")")),
    # Basic realm=\u2018a\u2019
    ("smart-quotes", between(SINGLE, rf"(?:{SINGLE}|')")),
    # Basic realm=“a
    ("smart-quotes", rf"(?P<unterminated_quote>(?:{DOUBLE}|{SINGLE})(?P<cut>[\s\S]*+))"),
    # Basic realm=`a b`
    ("smart-quotes", rf"`(?P<value>[^`]++)`{STOP}"),
    # Basic realm=\"a\"
    ("escaped-quotes", between(ESCAPED, rf"(?:{ESCAPED}|\")")),
    # Basic realm=\"a
    ("escaped-quotes", rf"(?P<unterminated_quote>{ESCAPED}(?P<cut>[\s\S]*+))"),
    # Basic realm=\'\'a b\'\'
    (
        "escaped-quotes",
        between(rf"{ESCAPED_SINGLE}(?:{ESCAPED_SINGLE}|')", rf"(?:{ESCAPED_SINGLE}|'){{2}}"),
    ),
    # Basic realm=\'a b\'
    ("escaped-quotes", between(ESCAPED_SINGLE, rf"(?:{ESCAPED_SINGLE}|['\"])")),
    # Basic realm=\'a b
    ("escaped-quotes", rf"(?P<unterminated_quote>{ESCAPED_SINGLE}(?P<cut>[\s\S]*+))"),
    where=rf"(?=[\"'`]|{DOUBLE}|{SINGLE}|{ESCAPED}|{ESCAPED_SINGLE})",
)
unquoted: pp.ParserElement = rules(
    "unquoted",
    # Token realm="a", created=
    ("empty-value", rf"(?P<value>)(?={END})"),
    # Basic realm=a b"
    (
        "unopened-quote",
        (
            rf"(?P<value>[^\s\",;='][^\",;=\r\n]*+(?<=\S)={{0,2}}+)(?P<at>\"){STOP_OR_PARAM}"
            rf"(?={NEXT_OPENS}|{NEVER_OPENED})"
        ),
    ),
    # Bearer scope=["a","b"]
    ("unquoted-value", rf"(?P<value>{JSON}){STOP}"),
    # Bearer scope=https://a https://b
    ("unquoted-spaces", rf"(?P<value>{URL}(?: ++{URL}|(?!))++)"),
    # Bearer realm=https://a
    ("unquoted-url", rf"(?P<value>{URL})"),
    # Bearer realm=<https://a>
    ("unquoted-url", rf"<(?P<value>{URL})>"),
    # Digest realm="a", nonce=YWJj==
    ("unquoted-base64", rf"(?P<value>{TOKEN68}(?<==)|(?=[^\s,;]*/)[A-Za-z0-9+/]{{20,}}+){STOP}"),
    # Bearer error_description=Sorry, the token expired
    ("unquoted-spaces", rf"(?P<value>(?!{CODE},){WORD}{SENTENCE}++)"),
    # AWS4-HMAC-SHA256 SignedHeaders=host;range
    (
        "unquoted-value",
        rf"(?P<value>{WORD}(?:;(?=[^\s,;])(?!{PARAM}|{CHALLENGE}|{KNOWN}){WORD}|(?!))++)",
    ),
    # Basic realm=a\x00b
    ("token", rf"(?P<value>(?:{TCHAR}|[\x00-\x08\x0e-\x1f\x7f]|[^\x00-\xff])++){STOP}"),
    # Bearer realm=My Realm
    (
        "unquoted-spaces",
        rf"(?P<value>{WORD}(?:{NEXT_VALUE_WORD}|(?!))++(?:{MORE}{WORD}(?:{NEXT_VALUE_WORD}|(?!))*+|(?!))*+)",
    ),
    # Bearer scope=orders:read
    ("unquoted-value", rf"(?P<value>{WORD})"),
)
special_param: pp.ParserElement = rules(
    "special parameter",
    # Bearer realm= error="a"
    ("empty-value", rf"(?P<name>(?!'){TOKEN}){BWS}=(?P<value>(?P<at>))(?=[ \t]++{PARAM})"),
    # Digest qop=auth,auth-int, nonce="a"
    (
        "unquoted-comma",
        (
            rf"(?={QOP})(?P<name>{TOKEN}){BWS}={BWS}"
            rf"(?P<at>(?P<value>auth(?:-int)?(?:,{OWS}auth(?:-int)?|(?!))++)){STOP}"
        ),
    ),
    # Bearer realm=https://a, scope=repository:a/b:pull,push
    ("unquoted-comma", rf"(?P<name>(?i:scope)){BWS}={BWS}(?P<at>(?P<value>{SCOPES})){STOP}"),
    # Bearer scope=https://a/.default openid
    (
        "unquoted-spaces",
        (
            rf"(?P<name>(?i:scope)){BWS}={BWS}"
            rf"(?P<at>(?P<value>{URL}(?:{NEXT_VALUE_WORD}|(?!))++))"
        ),
    ),
    # Bearer realm:https://a
    ("colon-for-equals", rf"(?P<name>{NAMED})(?P<at>:)(?P<value>(?P<unquoted_url>{URL})){STOP}"),
    # Bearer realm:api
    (
        "colon-for-equals",
        rf"(?P<name>{NAMED}|(?i:error))(?P<at>:)(?P<value>(?!{QUOTE}|`){TOKEN}){STOP}",
    ),
)
auth_param: pp.ParserElement = special_param | (name + equals + (quoted | unquoted))

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
    (
        "missing-equals",
        rf"(?:{NAMED}|(?i:error))(?P<at>){APOSTROPHE}{NO_APOSTROPHE}*+{APOSTROPHE}{STOP}",
    ),
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
    | (separator[1, 4] + pp.Opt(opening | inside))
    | (pp.Regex(r"(?<![\s\S])").suppress() + (first | opening))
    | gap
    | inside
)
element.leave_whitespace().parse_with_tabs().streamline()


def elements(line: str) -> Iterator[tuple[list[Event], int, int]]:
    """Read a line piece by piece: what was found, and from which character to which.

    Lazily, so that the caller can stop: the pieces of a hostile line are many.
    """
    for found, start, end in element.scan_string(line, always_skip_whitespace=False):
        if found and found[0] == _SOUND:
            yield from sound_elements(line, start, end)
        else:
            yield found.as_list(), start, end
