"""A form of a page: what it sends, and where, once it is filled in and a button is pressed."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["SPACES", "Button", "Form", "line_end", "typed"]

SPACES = " \t\n\f\r"
line_end: re.Pattern[str] = re.compile(r"\r\n?|\n")
# The values of all others have no line ends.
_OF_LINES = frozenset({"textarea", "hidden", "select", "checkbox", "radio"})
# Spaces around the values of these are no part of them.
_STRIPPED = frozenset({"email", "url"})


@dataclass(slots=True, repr=False)
class Button:
    """A button that sends its form: what it sends, and what replaces the form's own target."""

    name: str
    is_disabled: bool
    sent: list[tuple[str, str]]
    action: str | None
    method: str | None
    enctype: str | None


@dataclass(slots=True, repr=False)
class Form:
    """A form: its target, the types of its controls, and what it sends by default, in order.

    `base` is what its target is relative to, if the page says so. `charsets` are those that its
    server asks for.
    """

    action: str
    method: str
    enctype: str = ""
    base: str = ""
    charsets: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    asks_password: bool = False

    @property
    def names(self) -> AbstractSet[str]:
        """The names of its controls, also of those that send nothing."""
        return self.kinds.keys()

    @property
    def values(self) -> dict[str, str]:
        """What is sent for each name; the last value if there are several."""
        return dict(self.sent)

    def pressed(self, names: Container[str] = ()) -> Form:
        """Return the form as a button sends it: one of these names, or the default button.

        That is the first one, which the Enter key presses. If it is disabled, none is pressed.
        """
        named = (button for button in self.buttons if button.name in names)
        first = (button for button in self.buttons[:1] if not button.is_disabled)
        button = next(named, next(first, None))
        if button is None:
            return self
        action = self.action if button.action is None else button.action
        method = self.method if button.method is None else button.method
        enctype = self.enctype if button.enctype is None else button.enctype
        sent = [*self.sent, *button.sent]
        return replace(self, action=action, method=method, enctype=enctype, sent=sent)

    def filled(self, values: Mapping[str, Any], charset: str) -> list[tuple[str, Any]]:
        """Return what it sends with these values in place of its own, in the order of the page."""
        sent = [
            (name, charset if self._tells_charset(name) else value)
            for name, value in self.sent
            if name not in values
        ]
        sent += [(name, self._typed(name, value)) for name, value in values.items()]
        place = {name: number for number, name in enumerate(self.kinds)}
        return sorted(sent, key=lambda pair: place.get(pair[0], len(place)))

    def _tells_charset(self, name: str) -> bool:
        return name.lower() == "_charset_" and self.kinds[name] == "hidden"

    def _typed(self, name: str, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._typed(name, one) for one in value]
        return typed(self.kinds.get(name, ""), value) if isinstance(value, str) else value


def typed(kind: str, value: str) -> str:
    """Return a value as a browser sends it for this type of control.

    It has no line ends, or those of CRLF.
    """
    value = line_end.sub("\r\n" if kind in _OF_LINES else "", value)
    return value.strip(SPACES) if kind in _STRIPPED else value
