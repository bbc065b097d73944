"""The rules of `grammar/`, executed by the independent PyPI package `abnf`.

It returns one parse tree, the longest first, so whether a rule takes a text is asked of
`parse_all`. It takes milliseconds a field and grows fast: short texts only.
"""

from collections.abc import Iterator
from pathlib import Path

import abnf

GRAMMAR = Path(__file__).parents[2] / "grammar"


class HTTPAuth(abnf.Rule):
    """grammar/http-auth.abnf."""


class Session(abnf.Rule):
    """grammar/session.abnf."""


HTTPAuth.from_file(GRAMMAR / "http-auth.abnf")
Session.from_file(GRAMMAR / "session.abnf")


def tree(rule: abnf.Rule, text: str) -> abnf.Node | None:
    try:
        return rule.parse_all(text)
    except abnf.ParseError:
        return None


def takes(rule: abnf.Rule, text: str) -> bool:
    return tree(rule, text) is not None


def find(node: abnf.Node, *names: str) -> Iterator[abnf.Node]:
    """The outermost nodes of these names, in the order of the text."""
    for child in node.children:
        if child.name in names:
            yield child
        elif isinstance(child, abnf.Node):
            yield from find(child, *names)
