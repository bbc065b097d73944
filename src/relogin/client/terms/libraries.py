"""The HTTP libraries, told apart by the objects they hand over.

A client that gets the auth object of another library calls it with a request of its own library. So
an error can say which import is right.
"""

from __future__ import annotations

__all__ = ["library_of", "mixed_up"]

LIBRARIES = frozenset({"requests", "httpx", "httpx2", "aiohttp", "niquests"})
# httpxyz puts itself in the place of httpx wherever it is imported first.
_STAND_INS = {"httpxyz": "httpx"}


def library_of(thing: object) -> str | None:
    """Name the library that an object comes from, also one of a derived class.

    >>> import requests
    >>> library_of(requests.Request())
    'requests'
    """
    packages = (kind.__module__.partition(".")[0] for kind in type(thing).__mro__)
    named = (_STAND_INS.get(package, package) for package in packages)
    return next((package for package in named if package in LIBRARIES), None)


def mixed_up(mine: str, request: object) -> TypeError:
    """Build the error for a `SessionAuth` of the library `mine` that was called with `request`."""
    theirs = library_of(request)
    if theirs is None:
        return TypeError(
            f"this SessionAuth is for {mine}, and this {type(request).__name__} is not"
        )
    return TypeError(
        f"this SessionAuth is for {mine}: for {theirs}, import it from relogin.client.{theirs}"
    )
