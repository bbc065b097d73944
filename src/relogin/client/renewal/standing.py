"""What the `repr` of a client tells: for which servers it is, and how its sessions stand."""

from __future__ import annotations

from relogin.client.renewal.cache import CredentialCache

__all__ = ["servers", "standing"]


def servers(cache: CredentialCache) -> str:
    """Name the servers that the user named, each as short as it can be written."""
    return ", ".join(sorted(map(_short, cache.policy.origins)))


def _short(origin: str) -> str:
    return origin.removesuffix(":443" if origin.startswith("https:") else ":80")


def standing(cache: CredentialCache) -> str:
    """Say whether there is a session: a glance, and no promise that the server thinks the same."""
    if cache._refused:
        return "the login was refused"
    if cache._flights:
        return "logging in"
    return "logged in" if any(list(cache._credentials.values())) else "no session yet"
