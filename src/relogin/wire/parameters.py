"""The parameters of a malformed field: their names, and their values, quoted or not.

The rules are written like those of `relogin.wire.malformed`.
"""

from __future__ import annotations

import pyparsing as pp

from relogin.wire.abnf import BWS, OWS, TCHAR, TOKEN, TOKEN68
from relogin.wire.rules import between, rules
from relogin.wire.shapes import (
    CHALLENGE,
    CLOSED,
    CLOSED_OTHERWISE,
    CLOSES_NOTHING,
    CODE,
    CODED68,
    DOUBLE,
    END,
    EQUALS,
    ESCAPE,
    ESCAPED,
    ESCAPED_SINGLE,
    JSON,
    KNOWN,
    MORE,
    NAMED,
    NEVER_OPENED,
    NEXT_OPENS,
    NEXT_VALUE_WORD,
    PARAM,
    PARAMS,
    QUOTE,
    SENTENCE,
    SINGLE,
    STOP,
    STOP_OR_PARAM,
    TEXT,
    THEN_PARAM,
    URL,
    WORD,
)
from relogin.wire.sound import QOP, SCOPES

__all__ = ["auth_param", "quoted"]

# Parameters.
name: pp.ParserElement = rules(
    "name",
    ("name", rf"(?P<name>(?!['`]){TOKEN})(?={BWS}[=:])"),
    # Bearer "realm"="a"
    ("quoted-name", rf"\"(?P<name>{TOKEN})\"(?={BWS}[=:])"),
    # Bearer error\_description="a", as Markdown escapes it
    (
        "name",
        rf"(?P<name>(?!['`]){TOKEN}(?P<stray_character>{ESCAPE})(?:{TCHAR}|{ESCAPE}|(?!))++)(?={BWS}[=:])",
    ),
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
    # Basic realm="a"'
    ("stray-character", rf"(?<=\")'(?={END})"),
    # Digest realm='a",nonce="b"
    ("single-quotes", rf"'{CLOSED_OTHERWISE}"),
    # Keystone uri='http://a realm="b"
    ("single-quotes", rf"'{CLOSES_NOTHING}"),
    # Digest realm=\u201ca, nonce="b"
    ("smart-quotes", rf"(?:{DOUBLE}|{SINGLE}|`(?![^`]*+`)){CLOSED_OTHERWISE}"),
    # Basic realm=''a''
    (
        "single-quotes",
        rf"''(?!{THEN_PARAM}|[ \t]++{PARAM})(?P<value>(?:(?!''{STOP})[\s\S]|(?!))++)''",
    ),
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
    # Basic realm=`a b`, and GNU's `a b'
    ("smart-quotes", between("`{1,2}+", "[`']{1,2}+")),
    # Basic realm=“a
    (
        "smart-quotes",
        rf"(?P<unterminated_quote>(?:{DOUBLE}|{SINGLE}|`{{1,2}}+(?=[^`]))(?P<cut>[\s\S]*+))",
    ),
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
            rf"(?P<value>[^\s\",;='](?:[^\s\",;=]++|(?![\r\n])\s(?!{TOKEN}=\")|(?!))*+(?<=\S)"
            rf"={{0,2}}+)(?P<at>\"){STOP_OR_PARAM}"
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
    ("empty-value", rf"(?P<name>(?!['`]){TOKEN}){BWS}=(?P<value>(?P<at>))(?=[ \t]++{PARAM})"),
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
