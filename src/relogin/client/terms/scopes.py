"""The scopes of an access token (RFC 6749 §3.3): a set of words, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["scope_tokens"]

_is_scope_token = re.compile(r"[!#-\[\]-~]++").fullmatch


def scope_tokens(scope: object) -> tuple[str, ...]:
    """Read scopes in order, each once, from a str with spaces between them or from a list of str.

    Raises `ValueError` for a scope with a quote, a backslash or a blank in it, and `TypeError` for
    anything that is not text.

    >>> scope_tokens("read write read")
    ('read', 'write')
    """
    found: object = scope.split(" ") if isinstance(scope, str) else scope
    if not isinstance(found, Collection):
        raise TypeError(f"scopes must be a str or a list of str, not {type(scope).__name__}")
    tokens = tuple(dict.fromkeys(token for token in found if token != ""))
    if all(isinstance(token, str) and _is_scope_token(token) for token in tokens):
        return tokens
    raise ValueError(
        "scopes must be visible ASCII without quotes and backslashes, with one space between them "
        "(RFC 6749 §3.3)"
    )
