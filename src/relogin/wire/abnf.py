"""The terminals of RFC 9110 as regex strings, each under its ABNF rule name.

The readers and writers of well-formed fields define no character class of their own. Every
repetition is possessive: if the text does not fit, the engine gives up at once and never tries a
shorter piece, so that no field can make it slow.

A possessive group ends in `|(?!)`, an alternative that never matches, unless it can only fail where
it begins. Python 3.11.0 to 3.11.4 need it: there a round that fails goes on from where it stopped
and not from where it began (CPython's issue 106052). `(?:...|)` is the same for an optional group.
No such group captures: up to Python 3.13 that may raise SystemError (issue 101955).
"""

from __future__ import annotations

# RFC 9110 §5.6.3: OWS = *( SP / HTAB ); BWS = OWS
OWS = r"[ \t]*+"
BWS = OWS

# RFC 9110 §5.6.2: tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_"
#                        / "`" / "|" / "~" / DIGIT / ALPHA
TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
# RFC 9110 §5.6.2: token = 1*tchar
TOKEN = rf"{TCHAR}++"

# RFC 9110 §11.2: token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
TOKEN68 = r"[A-Za-z0-9\-._~+/]++=*+"

# RFC 9110 §5.6.4: qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
# obs-text (RFC 9110 §5.5) is an octet 80-FF; a field here is text, its octets read as latin-1.
QDTEXT = r"[\t !#-\[\]-~\x80-\xff]"
# RFC 9110 §5.6.4: quoted-pair = "\" ( HTAB / SP / VCHAR / obs-text )
QUOTABLE = r"[\t -~\x80-\xff]"
QUOTED_PAIR = rf"\\{QUOTABLE}"
# RFC 9110 §5.6.4: what is inside quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE
QUOTED_TEXT = rf"(?:{QDTEXT}++|{QUOTED_PAIR})*+"

# What surrounds and separates the elements of a list: RFC 9110 §5.6.1.2 asks a recipient to read
# empty ones, and §5.5 makes the whitespace around a field no part of it.
LIST_SPACE = " \t,"
