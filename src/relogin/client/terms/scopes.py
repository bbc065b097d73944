"""The scopes of an access token (RFC 6749 §3.3): a set of words, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["scope_tokens"]

_is_scope_token = re.compile(r"[!#-\[\]-~]++").fullmatch


def scope_tokens(scope: object) -> tuple[str, ...]:
    """Read scopes in their order, each once: of a str with spaces between them, or of several str.

    Raises `ValueError` for what no scope can be, such as one with a quote, a backslash or a blank
    in it, and `TypeError` for what is no text.

    >>> scope_tokens("read write read")
    ('read', 'write')
    """
    found: object = scope.split(" ") if isinstance(scope, str) else scope
    if not isinstance(found, Collection):
        raise TypeError(f"scopes are a str or several, not {type(scope).__name__}")
    tokens = tuple(dict.fromkeys(token for token in found if token != ""))
    if all(isinstance(token, str) and _is_scope_token(token) for token in tokens):
        return tokens
    raise ValueError(
        "a scope is visible ASCII without quote and backslash, one space apart from the next "
        "(RFC 6749 §3.3)"
    )
