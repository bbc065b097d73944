"""The `repr` of a client: its servers, and the state of its sessions."""

from __future__ import annotations

from relogin.client.renewal.cache import CredentialCache

__all__ = ["servers", "state"]


def servers(cache: CredentialCache) -> str:
    """List the servers that the user passed, each in its shortest form."""
    return ", ".join(sorted(map(_short, cache.policy.origins)))


def _short(origin: str) -> str:
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def state(cache: CredentialCache) -> str:
    """Tell whether there is a session; the server may know better."""
    if cache._refused:
        return "the login was refused"
    if cache._flights:
        return "logging in"
    held = [held for realms in list(cache._credentials.values()) for held in list(realms.values())]
    if any(credential.life.seen >= credential.life.over for credential in held):
        return "logged in"
    return "the session has ended" if held else "no session yet"
