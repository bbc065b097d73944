"""Header fields of a request, some of which stay within its origin.

httpx follows redirects without asking the auth. It copies all header fields to the next request,
and removes only Authorization if that goes to another origin. So the other fields of a grant are
never copied: a request within the origin that lost them is sent again, or gets a 401.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from relogin.client.httpx_family.library import Headers

__all__ = ["OriginBound"]


class OriginBound(MutableMapping[str, str]):
    """Fields that are sent and read like `Headers`, but copied without those `bound`."""

    def __init__(self, headers: Headers, bound: Iterable[str]) -> None:
        self._all = headers
        self._bound = {name.lower() for name in bound}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._all, name)

    def items(self) -> Any:
        """Return all pairs except the bound ones; httpx makes its copies from these.

        It accepts ASCII as text, and anything as octets.
        """
        return [
            (name.decode("ascii"), value.decode("ascii") if value.isascii() else value)
            for name, value in self._all.raw
            if name.decode("ascii").lower() not in self._bound
        ]

    def __getitem__(self, name: str) -> str:
        return self._all[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._all[name] = value

    def __delitem__(self, name: str) -> None:
        del self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return repr(type(self._all)(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self._all), (self.items(),)
