"""Typed views of the challenges of other schemes, and the choice among them.

A view says what a challenge means: sets are sets, flags are flags, defaults are filled in. It reads
whatever a server has sent, and writes only what the scheme's specification allows. No view says
where a secret goes: you decide whose realm or metadata to believe.
"""

from __future__ import annotations

from relogin.schemes.bearer import BearerChallenge
from relogin.schemes.choose import best
from relogin.schemes.digest import DigestChallenge
from relogin.schemes.registry import Access, RegistryChallenge

__all__ = ["Access", "BearerChallenge", "DigestChallenge", "RegistryChallenge", "best"]
