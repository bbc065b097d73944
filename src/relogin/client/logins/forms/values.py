"""What a control sends if nobody touches it: a browser corrects what the page gave it.

See "Value sanitization algorithm" of HTML, for the types of input that have one. It is not meant
for what you fill in: that is sent as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from math import isfinite

__all__ = ["untouched"]

_number = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?").fullmatch
_date = re.compile(r"([0-9]{4,6})-([0-9]{2})-([0-9]{2})").fullmatch
_week = re.compile(r"([0-9]{4,6})-W([0-9]{2})").fullmatch
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,3})?)?"
_time = re.compile(_CLOCK).fullmatch
_date_and_time = re.compile(rf"([0-9-]{{10,12}})[T ]({_CLOCK})").fullmatch
_color = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})(?:[0-9a-f]{2})?").fullmatch
_BLACK = "#000000"


def untouched(kind: str, attributes: Mapping[str, str]) -> str:
    """Return the value that an input of this type has from the beginning."""
    value = attributes.get("value", "")
    if kind == "range":
        return _range(value, attributes)
    if kind in _VALID:
        return value if _VALID[kind](value) else ""
    return _CORRECTED[kind](value) if kind in _CORRECTED else value


def _is_number(text: str) -> bool:
    return _number(text) is not None and isfinite(float(text))


def _is_date(text: str) -> bool:
    return _exists(_date(text), date)


def _is_month(text: str) -> bool:
    return _is_date(f"{text}-01")


def _is_week(text: str) -> bool:
    return _exists(_week(text), lambda year, week: date.fromisocalendar(year, week, 1))


def _exists(found: re.Match[str] | None, make: Callable[..., date]) -> bool:
    if found is None:
        return False
    year, *others = map(int, found.groups())
    try:
        make(2000 + year % 400, *others)  # a year that `date` knows, with the same calendar
    except ValueError:
        return False
    return year > 0


def _dates_and_times(text: str) -> str:
    """Write it as short as possible, with a T."""
    found = _date_and_time(text)
    if found is None or not _is_date(found[1]):
        return ""
    clock, _, fraction = found[2].partition(".")
    fraction = fraction.rstrip("0")
    clock = clock if fraction else clock[:5] + clock[5:].removesuffix(":00")
    return f"{found[1]}T{clock}{'.' if fraction else ''}{fraction}"


def _colors(text: str) -> str:
    """Return six digits; names and functions of CSS count as black."""
    found = _color(text.strip(" \t\n\f\r").lower())
    if found is None:
        return _BLACK
    digits = found[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


_VALID: Mapping[str, Callable[[str], object]] = {
    "date": _is_date,
    "month": _is_month,
    "number": _is_number,
    "time": _time,
    "week": _is_week,
}
_CORRECTED: Mapping[str, Callable[[str], str]] = {
    "color": _colors,
    "datetime-local": _dates_and_times,
}


def _range(value: str, attributes: Mapping[str, str]) -> str:
    """Return the value within the bounds and on a step; without one, the middle."""
    low, high, step = (attributes.get(name, "") for name in ("min", "max", "step"))
    least = _first(low, "0")
    most = max(least, _first(high, "100"))
    wanted = Decimal(value) if _is_number(value) else (least + most) / 2
    placed = min(max(wanted, least), most)
    if step.lower() != "any":
        placed = _on_a_step(placed, _first(low, value, "0"), _first(step, "1"), least, most)
    return value if _is_number(value) and placed == wanted else f"{placed.normalize():f}"


def _on_a_step(
    inside: Decimal, base: Decimal, step: Decimal, least: Decimal, most: Decimal
) -> Decimal:
    """Return the nearest step, of two the greater one; the value itself if none is within."""
    step = step if step > 0 else Decimal(1)
    for rounding in (ROUND_HALF_UP, ROUND_FLOOR, ROUND_CEILING):
        placed = base + ((inside - base) / step).to_integral_value(rounding) * step
        if least <= placed <= most:
            return placed
    return inside


def _first(*texts: str) -> Decimal:
    """Return the first of these texts that is a number; the last one is."""
    return next(Decimal(text) for text in texts if _is_number(text))
