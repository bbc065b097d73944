"""`relogin probe --discover`: from a Bearer challenge to what a client would have to do.

It follows the resource's metadata (RFC 9728) and that of its authorization servers (RFC 8414), one
GET each, without credentials and without redirects. It registers nothing and opens no browser.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from relogin.cli.metadata import (
    AuthorizationServer,
    Disbelieved,
    ProtectedResource,
    authorization_server,
    metadata_urls,
    protected_resource,
    resource_metadata_url,
)
from relogin.cli.terminal import show
from relogin.schemes.bearer import BearerChallenge
from relogin.schemes.choose import best
from relogin.wire.field import parse

__all__ = ["Discovery", "Fetch", "Fetched", "discover", "show_discovery"]

MOST_OCTETS = 64 * 1024
_MOST_SERVERS = 3

Fetched = tuple[int, bytes]
"""The status of a response, and the beginning of its content."""
Fetch = Callable[[str], Fetched]


@dataclass(slots=True)
class Discovery:
    """What was found, where, and what stood in the way."""

    fetched: list[tuple[str, int]] = field(default_factory=list)
    resource: ProtectedResource | None = None
    servers: list[AuthorizationServer] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Build what `--json` prints."""
        return asdict(self)


def discover(url: str, lines: Sequence[str], fetch: Fetch) -> Discovery:
    """Follow the metadata that the challenges of `url` name, as far as it can be trusted."""
    found = Discovery()
    challenge = best(parse(lines, lenient=True), BearerChallenge) or BearerChallenge()
    try:
        place = resource_metadata_url(url, challenge.resource_metadata)
        document = _document(found, [place], fetch)
        found.resource = protected_resource(url, document)
    except Disbelieved as error:
        found.faults.append(str(error))
        return found
    if not found.resource.authorization_servers:
        found.faults.append("the metadata names no authorization server")
    for issuer in found.resource.authorization_servers[:_MOST_SERVERS]:
        _ask_issuer(found, found.resource, issuer, challenge, fetch)
    return found


def _ask_issuer(
    found: Discovery,
    resource: ProtectedResource,
    issuer: str,
    challenge: BearerChallenge,
    fetch: Fetch,
) -> None:
    try:
        document = _document(found, metadata_urls(issuer), fetch)
        server = authorization_server(issuer, document)
    except Disbelieved as error:
        found.faults.append(f"{issuer}: {error}")
        return
    found.servers.append(server)
    if not found.steps:  # the first that answers will do
        found.steps = list(server.steps(resource, challenge.scope))


def _document(found: Discovery, places: Sequence[str], fetch: Fetch) -> dict[str, Any]:
    """Get the JSON object at the first of these places that has one.

    Many sites answer 200 with their front page if they have nothing there.
    """
    said = []
    for place in places:
        status, content = fetch(place)
        found.fetched.append((place, status))
        document = _read(content) if status == 200 else None
        if document is not None:
            return document
        said.append(f"{place} answered {status}" + " without a JSON object" * (status == 200))
    raise Disbelieved(f"no metadata found: {' and '.join(said)}")


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def show_discovery(found: Discovery) -> None:
    """Print what was found."""
    show("")
    show("Discovery", "heading")
    for place, status in found.fetched:
        show(f"  GET {place} -> {status}", "request")
    for line in _facts(found):
        show(f"  {line}")
    for fault in found.faults:
        show(f"  Not used: {fault}.", "bad")
    if found.steps:
        show("")
        show("A client would have to", "heading")
        for number, step in enumerate(found.steps, 1):
            show(f"  {number}. {step}")


def _facts(found: Discovery) -> Iterator[str]:
    if found.resource is not None:
        yield f"resource: {found.resource.resource}"
        if found.resource.scopes_supported:
            yield f"scopes: {' '.join(found.resource.scopes_supported)}"
    for server in found.servers:
        yield f"authorization server: {server.issuer}"
        yield f"grants: {' '.join(server.grant_types_supported)}"
