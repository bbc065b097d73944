"""Read, set or remove one parameter of a URL's query; the rest stays as it is."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

__all__ = ["parameter", "with_parameter", "without_parameter"]


def with_parameter(url: str, name: str, value: str) -> str:
    """Set a parameter: in its present place, once, or else at the end.

    >>> with_parameter("https://nas.example/webapi?api=a%20b&_sid=old&v=1", "_sid", "new")
    'https://nas.example/webapi?api=a%20b&_sid=new&v=1'
    """
    start, pairs, end = _split(url)
    pair, places = f"{quote(name, safe='')}={quote(value, safe='')}", _places(pairs, name)
    if not places:
        return start + "?" + "&".join([*pairs, pair]) + end
    kept = [p for place, p in enumerate(pairs) if place not in places[1:]]
    kept[places[0]] = pair
    return start + "?" + "&".join(kept) + end


def without_parameter(url: str, name: str) -> str:
    """Remove a parameter, wherever it is.

    >>> without_parameter("https://nas.example/webapi?_sid=old&v=1", "_sid")
    'https://nas.example/webapi?v=1'
    """
    start, pairs, end = _split(url)
    places = _places(pairs, name)
    if not places:
        return url
    kept = [p for place, p in enumerate(pairs) if place not in places]
    return start + ("?" + "&".join(kept) if kept else "") + end


def parameter(url: str, name: str) -> str | None:
    """Read a parameter; if it is there twice, the first.

    >>> parameter("https://nas.example/webapi?_sid=a%20b", "_sid")
    'a b'
    """
    _, pairs, _ = _split(url)
    places = _places(pairs, name)
    return unquote_plus(pairs[places[0]].partition("=")[2]) if places else None


def _split(url: str) -> tuple[str, list[str], str]:
    """Split a URL into what is before its query, the query's pairs, and its fragment."""
    whole, mark, fragment = url.partition("#")
    start, _, query = whole.partition("?")
    return start, query.split("&") if query else [], mark + fragment


def _places(pairs: list[str], name: str) -> list[int]:
    names = (unquote_plus(pair.partition("=")[0]) for pair in pairs)
    return [place for place, found in enumerate(names) if found == name]
