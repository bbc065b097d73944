"""The forms of an HTML page: enough to fill in a login form, or to see that one was served.

One pattern without backtracking finds the tags, so that no page takes more than linear time;
`html.parser` needs ten seconds for 32 KB of ``<a <a <a``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from relogin.client.logins.forms.form import SPACES, Button, Form, line_end, typed
from relogin.client.logins.forms.values import untouched

__all__ = ["form_with", "forms"]


def _attribute(group: str) -> str:
    """Write the pattern of an attribute: a quote means something only after an equals sign."""
    value = rf"""'{group}[^']*+)'?+|"{group}[^"]*+)"?+|{group}[^\s>]*+)"""
    return rf"{group}[^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:{value})|)"


# What is unclosed runs to the end of the page, as it does in a browser. What looks like a tag
# within an element of the first group is text.
_parts = re.compile(
    rf"""
    <!--(?:-?>|.*?(?:--!?>|\Z))
    | <(?:(?P<text>script|style|title|textarea|iframe|noembed|noframes|xmp)
        | (?P<tag>/?(?:form|fieldset|legend|select|optgroup|option|template)|base|input|button))
      (?=[\s/>])
      (?P<attributes>(?:[\s/]++|{_attribute("(?:")}|(?!))*+)
      (?(text)>?(?P<content>.*?)(?:</(?P=text)(?=[\s/>])|\Z))
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL | re.ASCII,
).finditer

_attributes = re.compile(_attribute("("), re.ASCII).findall

_markup = re.compile(r"<!--.*?(?:-->|\Z)|<[a-z/!?][^>]*+>?", re.IGNORECASE | re.DOTALL)
_spaces = re.compile(f"[{SPACES}]+")

_NEVER_SENT = frozenset({"button", "reset"})
_SUBMITS = frozenset({"submit", "image"})


@dataclass(slots=True, repr=False)
class _Control:
    """A control, the form around it, and the ID of another form if it belongs to that."""

    name: str
    around: Form | None
    form_id: str | None
    is_disabled: bool
    kind: str = "select"
    values: list[str] = field(default_factory=list)
    button: Button | None = None


@dataclass(slots=True, repr=False)
class _Option:
    value: str | None
    is_selected: bool
    is_disabled: bool
    start: int


@dataclass(slots=True, repr=False)
class _Menu:
    """A select element that is being read."""

    control: _Control
    is_multiple: bool
    is_list: bool
    options: list[_Option] = field(default_factory=list)
    group_is_disabled: bool = False

    def choose(self) -> None:
        """Choose as a browser does; it sends nothing for a disabled option."""
        chosen = [option for option in self.options if option.is_selected]
        if not self.is_multiple:
            enabled = [option for option in self.options if not option.is_disabled]
            chosen = chosen[-1:] or ([] if self.is_list else enabled[:1])
        values = (option.value for option in chosen if not option.is_disabled)
        self.control.values = [value or "" for value in values]


@dataclass(slots=True, repr=False)
class _Fieldset:
    """A fieldset that is open; what is in its first legend is never disabled."""

    outer_bars: bool
    is_disabled: bool
    legends: int = 0
    in_legend: bool = False

    @property
    def bars(self) -> bool:
        """Whether a control that is here now is disabled."""
        return self.outer_bars or (self.is_disabled and not self.in_legend)


def forms(page: str) -> list[Form]:
    """Find the forms of a page, in their order.

    >>> [form] = forms('<form action="/in"><input name=csrf value="a&amp;b" type=hidden></form>')
    >>> form.action, form.method, form.values
    ('/in', 'get', {'csrf': 'a&b'})
    """
    reading = _Reading(page)
    for part in _parts(page):
        tag = (part["tag"] or part["text"] or "").lower()
        if tag:
            reading.read(tag, part)
    return reading.end()


def form_with(page: str, names: Iterable[str]) -> Form | None:
    """Find the first form that has all of these controls; without names, one for a password."""
    wanted = set(names)
    for form in forms(page):
        if wanted <= form.names and (wanted or form.asks_password):
            return form
    return None


class _Reading:
    """Where we are in a page, and what has been found so far."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.base: str | None = None
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.controls: list[_Control] = []
        self.form: Form | None = None
        self.menu: _Menu | None = None
        self.fieldsets: list[_Fieldset] = []
        self.templates = 0
        self.ticked: dict[tuple[object, ...], _Control] = {}

    def read(self, tag: str, part: re.Match[str]) -> None:
        """Read a tag; what is in a template is not in the page."""
        self._end_option(part.start())
        if tag in {"template", "/template"}:
            self.templates = max(self.templates + (1 if tag == "template" else -1), 0)
        elif not self.templates:
            attributes = _read(part["attributes"])
            if tag in {"input", "button", "textarea"}:
                self._add(tag, attributes, part["content"] or "")
            elif tag in {"option", "optgroup", "/optgroup"}:
                self._read_option(tag, attributes, part.end() + 1)
            else:
                self._read_other(tag, attributes)

    def _read_other(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "form" and self.form is None:  # there are no forms within forms
            self._begin_form(attributes)
        elif tag == "/form":
            self.form = None
        elif tag == "base" and "href" in attributes and self.base is None:
            self.base = attributes["href"]
        elif tag in {"select", "/select"}:
            self._end_menu()
            if tag == "select":
                self._begin_menu(attributes)
        else:
            self._read_fieldset(tag, attributes)

    def _begin_form(self, attributes: dict[str, str]) -> None:
        self.form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
        self.form.enctype = attributes.get("enctype", "").lower()
        self.form.charsets = attributes.get("accept-charset", "").replace(",", " ").split()
        self.forms.append(self.form)
        if attributes.get("id"):
            self.by_id.setdefault(attributes["id"], self.form)

    def _begin_menu(self, attributes: dict[str, str]) -> None:
        size = attributes.get("size", "")
        is_list = size.isdecimal() and size.lstrip("0") not in {"", "1"}
        self.menu = _Menu(self._control(attributes), "multiple" in attributes, is_list)

    def _read_fieldset(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "fieldset":
            self.fieldsets.append(_Fieldset(self._bars(), "disabled" in attributes))
        elif self.fieldsets and tag == "/fieldset":
            self.fieldsets.pop()
        elif self.fieldsets and tag in {"legend", "/legend"}:
            fieldset = self.fieldsets[-1]
            fieldset.legends += tag == "legend"
            fieldset.in_legend = tag == "legend" and fieldset.legends == 1

    def _read_option(self, tag: str, attributes: dict[str, str], start: int) -> None:
        menu, is_disabled = self.menu, "disabled" in attributes
        if menu is None:
            return
        if tag == "option":
            is_disabled |= menu.group_is_disabled
            value, is_selected = attributes.get("value"), "selected" in attributes
            menu.options.append(_Option(value, is_selected, is_disabled, start))
        else:
            menu.group_is_disabled = is_disabled

    def _end_option(self, end: int) -> None:
        """Give an option that has no value its text."""
        option = self.menu.options[-1] if self.menu is not None and self.menu.options else None
        if option is not None and option.value is None:
            text = _unescaped(_markup.sub("", self.page[option.start : end]))
            option.value = _spaces.sub(" ", text).strip(" ")

    def _end_menu(self) -> None:
        if self.menu is not None:
            self.menu.choose()
        self.menu = None

    def _bars(self) -> bool:
        return bool(self.fieldsets) and self.fieldsets[-1].bars

    def _control(self, attributes: dict[str, str]) -> _Control:
        is_disabled = self._bars() or "disabled" in attributes
        name, form_id = attributes.get("name", ""), attributes.get("form")
        self.controls.append(_Control(name, self.form, form_id, is_disabled))
        return self.controls[-1]

    def _add(self, tag: str, attributes: dict[str, str], content: str) -> None:
        """Add a control, and its value if it is one that is sent without being touched."""
        self._end_menu()
        control = self._control(attributes)
        kind = control.kind = _kind(tag, attributes)
        ticked = kind in {"checkbox", "radio"}
        if kind in _SUBMITS:
            control.button = _button(tag, control, attributes)
        elif kind == "textarea":
            begun = line_end.match(content)  # a first line that is empty does not count
            control.values = [_unescaped(content[begun.end() if begun else 0 :])]
        elif kind not in _NEVER_SENT and (not ticked or "checked" in attributes):
            by_itself = attributes.get("value", "on") if ticked else untouched(kind, attributes)
            control.values = ["" if kind == "file" else by_itself]
            if kind == "radio":
                self._tick(control)

    def _tick(self, control: _Control) -> None:
        """Untick the radio button of the same name that was checked before."""
        key = id(control.around), control.form_id, control.name
        if key in self.ticked:
            self.ticked[key].values = []
        self.ticked[key] = control

    def end(self) -> list[Form]:
        """Return the forms, each with its controls."""
        self._end_option(len(self.page))
        self._end_menu()
        for form in self.forms:
            form.base = self.base or ""
        for control in self.controls:
            by_id = control.form_id is not None
            owner = self.by_id.get(control.form_id or "") if by_id else control.around
            if owner is not None:
                _give(owner, control)
        return self.forms


def _kind(tag: str, attributes: dict[str, str]) -> str:
    """Return the type of an input or a button, or "textarea"."""
    kind = attributes.get("type", "").lower()
    if tag == "button":
        return kind if kind in {"button", "reset"} else "submit"
    return (kind or "text") if tag == "input" else tag


def _button(tag: str, control: _Control, attributes: dict[str, str]) -> Button:
    name, by_default = control.name, "Submit" if tag == "input" else ""
    sent = [(name, attributes.get("value", by_default))] if name else []
    if control.kind == "image":  # it sends where it was pressed
        sent = [(f"{name}.{axis}" if name else axis, "0") for axis in "xy"]
    method, enctype = (_lower(attributes.get(name)) for name in ("formmethod", "formenctype"))
    return Button(name, control.is_disabled, sent, attributes.get("formaction"), method, enctype)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _give(form: Form, control: _Control) -> None:
    name = control.name
    if form.kinds.get(name) in {None, "hidden"}:  # a hidden one beside another is its default
        form.kinds[name] = control.kind
    form.asks_password |= control.kind == "password"
    if control.button is not None:
        form.buttons.append(control.button)
    if name and not control.is_disabled:
        form.sent += [(name, typed(control.kind, value)) for value in control.values]


def _read(attributes: str) -> dict[str, str]:
    read: dict[str, str] = {}
    for name, *values in _attributes(attributes):
        read.setdefault(name.lower(), _unescaped("".join(values)))
    return read


def _unescaped(text: str) -> str:
    with suppress(ValueError):  # a character number of thousands of digits
        return html.unescape(text)
    return text
