"""Read what was meant by a field that breaks the rules, and name each rule that it breaks.

The grammar below is of what servers send. A rule is a name and a pattern: the name is the fault it
stands for, or what it reads where that is no fault, and the groups of the pattern say what was
found. Above each rule stands what it reads. One more class of faults is one rule more.

It is made to recover less rather than more. A scheme is read only where a challenge may begin,
never out of a quoted text, closed or not, and never made up for parameters that have none.
"""

# ruff: noqa: ERA001 - what stands above the rules are fields, not code

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import pyparsing as pp

from relogin.wire.abnf import BWS, LIST_SPACE, OWS, QUOTED_TEXT, TCHAR, TOKEN, TOKEN68
from relogin.wire.faults import KINDS

__all__ = ["Event", "elements"]

Event: TypeAlias = tuple[str, str, int, int]
"""What was found, its text, and where: from a character up to, but not including, another.

It is the kind of a fault, or what the text is: a separator, scheme, token68, name, flag (a name
without a value), value, quoted (a value with escapes) or cut (one that is never closed).
"""

# Every repetition is possessive and no lookahead goes further than the next delimiter or quote,
# so that no rule takes more than linear time. What reads on to the end of the line does so once, or
# once for each fault, and these are bounded.

# The schemes that servers send: what such a name begins is a challenge even if the rest is none.
_KNOWN = (
    r"(?i:Basic|Bearer|Concealed|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|PrivateToken"
    rf"|SCRAM-SHA-1|SCRAM-SHA-256|Session|vapid)(?!{TCHAR})"
)
_TOKEN68_ONLY = r"(?i:Negotiate|NTLM)"
# What looks like a scheme, and what never is one.
_LIKELY = rf"(?:{_KNOWN}|[A-Z][A-Za-z0-9._\-]*+(?!{TCHAR}))"
_NO_SCHEME = rf"(?i:realm|error|error_description|error_uri|scope|nonce|charset)(?!{TCHAR})"

# What begins next, and where a value ends.
_END = rf"{OWS}(?:[,;\r\n]|\Z)"
_PARAM = rf"(?!'|{_KNOWN} ++=++{_END}){TOKEN}{BWS}=(?!=)"
_CHALLENGE = rf"{TOKEN} ++{_PARAM}"
_LONE_CHALLENGE = rf"{_LIKELY}(?: ++{TOKEN68})?+{_END}"
_THEN_PARAM = rf"{OWS}[,;][{LIST_SPACE};]*+{_PARAM}"
_STOP = rf"(?={_END}|[ \t]++{_PARAM})"
_STOP_OR_PARAM = rf"(?={_END}|[ \t]++{_PARAM}|{_PARAM}\")"
# Of the double quotes that follow, the first one opens a value, or there is none.
_NEXT_OPENS = r"(?:[^\"=]++|=(?!\"))*+(?:=\"|\Z)"
# A double quote closes only where what follows cannot be more of the text.
_CLOSED = (
    rf"(?={_END}|[.)\]}}>]++{_END}|[ \t]++\"|[ \t]++{_PARAM}|[ \t]++{_KNOWN} ++{_PARAM}"
    rf"|{_PARAM}(?:\"|{TOKEN}{_END}{_NEXT_OPENS})"
    rf"|[ \t]++[^\",;\r\n]*+(?:\Z|[,;\r\n]{_NEXT_OPENS}))"
)

# More parameters, all sound: what stands behind a text and up to the end of the line is none of it.
_PARAMS = rf"(?:{OWS},{OWS}{TOKEN}{BWS}={BWS}(?:\"[^\"\\]*+\"|{TOKEN}))++{OWS}"

# What may stand between double quotes when nobody looks at the characters.
_TEXT = r"[^\"\\]*+(?:\\[\s\S][^\"\\]*+)*+"
# Other quotes: as characters, as the octets of their UTF-8, as those of windows-1252.
_DOUBLE = "(?:[\u201c-\u201f\u2033\xab\xbb\x84\x93\x94]|\xe2\x80[\x9c-\x9f])"
_SINGLE = "(?:[\u2018-\u201b\u2032\x82\x91\x92]|\xe2\x80[\x98-\x9b])"
_ESCAPED = r"(?:\\\"|&quot;|&#34;)"
# What stands for an equals sign.
_EQUALS = rf"=>|:=|={{2,}}+(?={BWS}[\"'])"
# A comma or a semicolon is of the URL if more of it follows.
_URL = (
    r"[A-Za-z][A-Za-z0-9+.\-]*+://(?:[^\s,;\"'<>]++|<[^<>\",;]*+>"
    rf"|,(?=[^\s,;])(?!{_PARAM}|{_CHALLENGE})|;(?:(?i:jsessionid=)|(?=[^\s,;])(?!{_PARAM})))*+"
)
# A word holds the quoted texts in it whole: what stands in them is never read.
_QUOTES = "|".join(
    rf"{open_}(?:(?!{close})[\s\S])*+(?:{close}|\Z)"
    for open_, close in [
        ('"', '"'), (_DOUBLE, _DOUBLE), (_ESCAPED, _ESCAPED), (r"(?<!\S)'", "'"),
        (rf"(?<!\S){_SINGLE}", _SINGLE),
    ]
)  # fmt: skip
# First what begins nothing, for speed: it is most of what is read.
_PLAIN = "[^\\s,;\"'\\\\&\u2018-\u201f\u2032\u2033\xab\xbb\x82\x84\x91-\x94\xe2]"
_PIECE = rf"(?:{_PLAIN}++|{_QUOTES}|[^\s,;\"])"
_WORD = rf"{_PIECE}++"
_NEXT_WORD = rf"[ \t]++(?!{_PARAM}){_WORD}"
# A comma in a sentence: what follows it can begin neither a parameter nor a challenge.
_MORE = rf",[ \t]++(?!{_PARAM}|{_CHALLENGE}|{_LONE_CHALLENGE})"
# More of a sentence whose first word could stand alone.
_SENTENCE = rf"(?:{_MORE}(?=[a-z]){_WORD}(?:{_NEXT_WORD}){{2,}}+)"


def _events(kind: str, _text: str, _at: int, found: pp.ParseResults) -> list[Event]:
    match: re.Match[str] = found[0]
    groups = match.re.groupindex
    events = [(kind, "", *match.span("at" if "at" in groups else 0))] if kind in KINDS else []
    return events + [
        (group.replace("_", "-"), match[group], *match.span(group))
        for group in groups
        if group != "at" and match[group] is not None
    ]


def _rule(kind: str, pattern: str) -> pp.ParserElement:
    rule = pp.Regex(pattern, as_match=True).leave_whitespace().set_name(kind)
    return rule.add_parse_action(partial(_events, kind))


def _rules(name: str, *rules: tuple[str, str], where: str = "") -> pp.ParserElement:
    """Make one rule of several, the first that matches; none is tried but `where` one can."""
    found = pp.MatchFirst([_rule(*rule) for rule in rules]).leave_whitespace().set_name(name)
    return pp.Regex(where).leave_whitespace().suppress() + found if where else found


def _between(opening: str, closing: str) -> str:
    value = rf"(?:(?!{closing}{_STOP_OR_PARAM})[\s\S])*+"
    return rf"{opening}(?P<value>{value}){closing}"


# One element of a list as RFC 9110 has it, in one step: most elements of most fields are sound.
_IN_LIST = rf"(?={OWS}(?:,|\Z))"
_NO_PARAM_NEXT = rf"(?!{OWS},[{LIST_SPACE}]*+{TOKEN}{BWS}=)"
# Well-formed so far, but what follows the comma is no challenge.
_QOP = r"(?i:qop)=auth(?:-int)?,auth"
_SCOPE_TOKEN = r"[^\s,;=\"']++"
_SCOPES = rf"{_SCOPE_TOKEN}(?:,{OWS}(?!{_KNOWN})(?=[a-z*]){_SCOPE_TOKEN}(?={_END}))++"
_LIST = rf"(?:{_QOP}|(?i:scope)={_SCOPES})"
_ELEMENT = (
    rf"(?:(?<![\s\S])|{OWS}(?P<separator>,)[{LIST_SPACE}]*+)"
    rf"(?:(?P<scheme>{TOKEN})(?!{BWS}=)"
    rf"(?: ++(?:(?P<token68>{TOKEN68}){_IN_LIST}{_NO_PARAM_NEXT})?+|{_NO_PARAM_NEXT}))?+"
    rf"(?:(?!{_LIST})(?P<name>{TOKEN}){BWS}={BWS}(?:\"(?P<quoted>{QUOTED_TEXT})\"|(?P<value>(?!'){TOKEN})(?!{_SENTENCE})))?+"
)
sound = _rules("sound", ("element", _ELEMENT + _IN_LIST))

# What separates: commas do, whitespace does not.
separator = _rules(
    "separator",
    ("comma", rf"{OWS}(?P<separator>,)[{LIST_SPACE}]*+"),
    # Basic realm="a"; charset="UTF-8"
    ("semicolon", rf"{OWS}(?P<at>(?P<separator>;))[{LIST_SPACE};]*+"),
    # Session realm="a"⏎Basic realm="b"
    ("line-break", rf"{OWS}(?P<at>(?P<separator>\r?+\n|\r(?!\n)))(?![ \t])[{LIST_SPACE};\r\n]*+"),
    # WWW-Authenticate: Basic realm="a"
    ("header-name", rf"(?P<at>(?P<separator>(?i:(?:WWW|Proxy)-Authenticate){OWS}:)){OWS}"),
)
gap = _rules(
    "gap",
    # Basic realm="a",⏎ charset="UTF-8"
    ("obs-fold", rf"{OWS}(?P<at>\r?\n[ \t]++)(?:\r?\n[ \t]++)*+"),
    ("space", r"[ \t]++"),
)

# What begins a line: there is nothing yet that a name could be a parameter of.
first = _rules(
    "first",
    # apikey, realm="a"
    ("comma-after-scheme", rf"(?P<scheme>{TOKEN})(?P<at> *+,)[{LIST_SPACE}]*+(?={_PARAM})"),
    # form; realm="a"
    ("semicolon", rf"(?P<scheme>{TOKEN})(?P<at> *+;)[{LIST_SPACE};]*+(?={_PARAM})"),
    # https://login.example.com/
    ("url-only", rf"{_URL}(?={_END})"),
)
# Where a challenge may begin: what RFC 9110 allows, then what is meant by a challenge.
opening = _rules(
    "opening",
    ("token68", rf"(?P<scheme>{TOKEN}) ++(?P<token68>{TOKEN68})(?={_END})(?!{_THEN_PARAM})"),
    # Negotiate YWJj, realm="a"
    (
        "token68",
        rf"(?P<scheme>{_TOKEN68_ONLY}) ++(?!{_NO_SCHEME}|{_KNOWN})(?P<token68>{TOKEN68}){_STOP}",
    ),
    ("scheme", rf"(?P<scheme>(?!['`]){TOKEN}) ++(?={_PARAM})"),
    ("scheme", rf"(?P<scheme>{TOKEN})(?= *+{_END})(?!{_THEN_PARAM})"),
    # Negotiate, Bearer, realm="a"
    ("comma-after-scheme", rf"(?P<scheme>{_LIKELY})(?P<at> *+,)[{LIST_SPACE}]*+"),
    # Negotiate, Basic; realm="a"
    ("semicolon", rf"(?P<scheme>{_LIKELY})(?P<at> *+;)[{LIST_SPACE};]*+"),
    # Passport1.4 ts=-3,prompt,ver=1
    ("valueless-param", rf"(?P<flag>{TOKEN})(?={OWS}[,;])"),
    # ApiKey: realm="a"
    ("colon-after-scheme", rf"(?!{_NO_SCHEME})(?P<scheme>{TOKEN})(?P<at>:)[ \t]*+(?={_PARAM}|\Z)"),
    # Bearer: "a"
    ("colon-after-scheme", rf"(?P<scheme>{_KNOWN})(?P<at>:)(?!//)[ \t]*+"),
    # Basic⇥realm="a"
    ("bad-space", rf"(?P<scheme>{TOKEN})(?P<at> *+[\t\xa0][ \t\xa0]*+)(?={_PARAM})"),
    # Basic"a"
    ("missing-space", rf"(?P<scheme>{_KNOWN})(?P<at>)(?=[\"{{<])"),
    # Bearer Bearer realm="a"
    ("duplicate-scheme", rf"(?P<scheme>{TOKEN}) ++(?P<at>(?i:(?P=scheme))) ++(?={_PARAM})"),
    # SSO https://a, Bearer {token}, Bearer <token>, Bearer [realm="a"]
    ("scheme", rf"(?P<scheme>{TOKEN}) ++(?={_URL}{_END}|[\[{{(]|<\w)"),
    # OAuth "Facebook Platform" "invalid_token"
    ("scheme", rf"(?P<scheme>{TOKEN}) ++(?=\"{_TEXT}(?:\"{OWS}(?:[\",;=:]|\Z|{_PARAM})|\Z))"),
    # Bearer token;error="a", Token 'a'
    ("scheme", rf"(?P<scheme>{_LIKELY}) ++(?={TOKEN}(?:{_THEN_PARAM}|[ \t]++{_PARAM})|')"),
    # Token realm: "a", Token realm => "a"
    ("scheme", rf"(?P<scheme>{_LIKELY}) ++(?={TOKEN}{BWS}(?:{_EQUALS}|:[ \t]))"),
    # Negotiate =, Bearer token is missing
    ("scheme", rf"(?P<scheme>{_KNOWN})[ \t]++"),
    where=rf"(?!{_PARAM})",
)

# Parameters.
name = _rules(
    "name",
    ("name", rf"(?P<name>(?!'){TOKEN})(?={BWS}[=:])"),
    # Bearer "realm"="a"
    ("quoted-name", rf"\"(?P<name>{TOKEN})\"(?={BWS}[=:])"),
)
equals = _rules(
    "equals",
    ("equals", rf"{BWS}=(?![=>]){BWS}"),
    # Basic realm => "a"
    ("bad-equals", rf"{BWS}(?P<at>{_EQUALS}){BWS}"),
    # Basic realm: "a"
    ("colon-for-equals", rf"{BWS}(?P<at>:)(?:[ \t]++|(?=[\"']))"),
)
quoted = _rules(
    "quoted",
    ("quoted-string", rf"\"(?P<quoted>{_TEXT})\"{_CLOSED}"),
    # Basic realm="C:\", charset="UTF-8"
    ("unescaped-backslash", rf"\"(?P<value>[^\"]*+(?P<at>(?<=\\)))\"(?={_PARAMS}\Z)"),
    # Bearer realm="a, error="b"
    (
        "unterminated-quote",
        rf"\"(?P<value>[^\",\\]*+(?:,(?!{OWS}{_PARAM})[^\",\\]*+)*+)(?={_PARAMS}\Z)",
    ),
    # Basic realm=""a""
    ("doubled-quotes", rf"\"\"(?P<value>[^\"]++)\"\"{_STOP_OR_PARAM}"),
    # Basic realm="a""
    ("doubled-quotes", rf"\"(?P<quoted>{_TEXT})(?P<at>\"\")(?={_END})"),
    # Basic realm="C:\"
    ("unescaped-backslash", r"(?P<unterminated_quote>\"(?P<value>[^\"]*+(?P<at>(?<=\\)))\"\Z)"),
    # Bearer error_description="the "aud" claim"
    (
        "unescaped-quote",
        rf"\"(?P<quoted>{_TEXT}(?P<at>\"){_TEXT}\"{_TEXT}(?:\"{_TEXT}\"{_TEXT})*?)\"{_CLOSED}",
    ),
    # Basic realm="3" disk"
    (
        "unescaped-quote",
        rf"\"(?P<quoted>{_TEXT}(?P<at>\")(?:[^\"]++|\"(?!{OWS}\Z))*+)\"(?={OWS}\Z)",
    ),
    # Basic realm="a
    ("unterminated-quote", r"\"(?P<cut>[\s\S]*+)"),
    # Basic realm=''a''
    ("single-quotes", rf"''(?P<value>(?:(?!''{_STOP})[\s\S])++)''"),
    # Keystone uri='http://a'
    ("single-quotes", rf"'(?P<value>(?P<unquoted_url>{_URL}))'{_STOP}"),
    # Basic realm='Bob's place'
    ("single-quotes", rf"'(?P<value>(?:[^']++|'(?!{_STOP}))*+)'"),
    # Basic realm='a
    ("single-quotes", r"(?P<unterminated_quote>'(?P<cut>[\s\S]*+))"),
    # Basic realm=“a”
    ("smart-quotes", _between(_DOUBLE, rf"(?:{_DOUBLE}|\")")),
    # Basic realm=\u2018a\u2019
    ("smart-quotes", _between(_SINGLE, rf"(?:{_SINGLE}|')")),
    # Basic realm=“a
    ("smart-quotes", rf"(?P<unterminated_quote>(?:{_DOUBLE}|{_SINGLE})(?P<cut>[\s\S]*+))"),
    # Basic realm=`a b`
    ("smart-quotes", rf"`(?P<value>[^`]*+)`{_STOP}"),
    # Basic realm=\"a\"
    ("escaped-quotes", _between(_ESCAPED, rf"(?:{_ESCAPED}|\")")),
    # Basic realm=\"a
    ("escaped-quotes", rf"(?P<unterminated_quote>{_ESCAPED}(?P<cut>[\s\S]*+))"),
    where=rf"(?=[\"'`]|{_DOUBLE}|{_SINGLE}|{_ESCAPED})",
)
unquoted = _rules(
    "unquoted",
    # Token realm="a", created=
    ("empty-value", rf"(?P<value>)(?={_END})"),
    # Basic realm=a b"
    (
        "unopened-quote",
        rf"(?P<value>[^\s\",;='][^\",;=\r\n]*+(?<=\S))(?P<at>\"){_STOP_OR_PARAM}(?={_NEXT_OPENS})",
    ),
    # Bearer realm=https://a
    ("unquoted-url", rf"(?P<value>{_URL})"),
    # Bearer realm=<https://a>
    ("unquoted-url", rf"<(?P<value>{_URL})>"),
    # Digest realm="a", nonce=YWJj==
    ("unquoted-base64", rf"(?P<value>{TOKEN68}(?<==)|(?=[^\s,;]*/)[A-Za-z0-9+/]{{20,}}+){_STOP}"),
    # Bearer error_description=Sorry, the token expired
    ("unquoted-spaces", rf"(?P<value>{_WORD}{_SENTENCE}++)"),
    # AWS4-HMAC-SHA256 SignedHeaders=host;range
    (
        "unquoted-value",
        rf"(?P<value>{_WORD}(?:;(?=[^\s,;])(?!{_PARAM}|{_CHALLENGE}|{_KNOWN}){_WORD})++)",
    ),
    # Basic realm=a\x00b
    ("token", rf"(?P<value>(?:{TCHAR}|[\x00-\x08\x0e-\x1f\x7f]|[^\x00-\xff])++){_STOP}"),
    # Bearer realm=My Realm
    (
        "unquoted-spaces",
        rf"(?P<value>{_WORD}(?:{_NEXT_WORD})++(?:{_MORE}{_WORD}(?:{_NEXT_WORD})*+)*+)",
    ),
    # Bearer scope=orders:read
    ("unquoted-value", rf"(?P<value>{_WORD})"),
)
special_param = _rules(
    "special parameter",
    # Bearer realm= error="a"
    ("empty-value", rf"(?P<name>{TOKEN}){BWS}=(?P<value>(?P<at>))(?=[ \t]++{_PARAM})"),
    # Digest qop=auth,auth-int, nonce="a"
    (
        "unquoted-comma",
        rf"(?={_QOP})(?P<name>{TOKEN})=(?P<at>(?P<value>auth(?:-int)?(?:,auth(?:-int)?)++)){_STOP}",
    ),
    # Bearer realm=https://a, scope=repository:a/b:pull,push
    ("unquoted-comma", rf"(?P<name>(?i:scope))=(?P<at>(?P<value>{_SCOPES})){_STOP}"),
)
auth_param = special_param | (name + equals + (quoted | unquoted))

# What is neither a challenge nor a parameter.
rest = _rules(
    "rest",
    # Negotiate NTLM Basic realm="a"
    ("scheme", rf"(?P<scheme>{_KNOWN}) ++(?=(?:{_KNOWN} ++)*+{_PARAM})"),
    # SSO https://a
    ("url-payload", rf"{_URL}(?={_END}|[ \t])"),
    # <html>401
    ("html-payload", r"<(?i:!doctype|html|head|body|title|script|style|div|h\d|p)\b[\s\S]*+"),
    # Bearer {token}
    ("placeholder-braces", r"\$?+\{++[^{}\",;=]*+\}++|<[^<>\"]*+>"),
    # Bearer {"code":401}
    ("json-payload", r"\{(?:[^{}\"]++|\"(?:[^\"\\]++|\\.)*+\")*+\}|[{\[](?=\s*+[{\[\"])[\s\S]*+"),
    # Negotiate =
    ("bad-token68", rf"{TOKEN68}(?<==)[^\s,;]*+|=++"),
    # Login to get the requested data
    ("prose", rf"{_PIECE}{{1,50}}+(?:{_NEXT_WORD})++"),
    # Bearer token;error="a"
    ("stray-word", rf"(?=[^\w\s]*+\w){TOKEN}"),
    ("stray-character", r"([\s\S])\1*+"),
)

inside = auth_param | quoted | rest
element = (
    sound
    | (separator + (separator | gap)[0, 3] + pp.Opt(opening | inside))
    | (pp.Regex(r"(?<![\s\S])").suppress() + (first | opening))
    | gap
    | inside
)
element.leave_whitespace().parse_with_tabs().streamline()


def elements(line: str) -> Iterator[tuple[list[Event], int, int]]:
    """Read a line piece by piece: what was found in it, and from where to where it stands.

    Lazily, so that the caller can stop: the pieces of a hostile line are many.
    """
    for found, start, end in element.scan_string(line, always_skip_whitespace=False):
        yield found.as_list(), start, end
