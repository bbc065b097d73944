"""Typed views of the challenges of other schemes, and the choice between them.

A view shows what a challenge means: sets are `frozenset`, flags are `bool`, defaults are filled in.
It reads whatever a server sent, and writes only what the scheme's specification allows. A view does
not decide where a secret goes: you decide which realm or metadata to trust.
"""

from __future__ import annotations

from relogin.schemes.bearer import BearerChallenge
from relogin.schemes.choose import best
from relogin.schemes.digest import DigestChallenge
from relogin.schemes.registry import Access, RegistryChallenge

__all__ = ["Access", "BearerChallenge", "DigestChallenge", "RegistryChallenge", "best"]
