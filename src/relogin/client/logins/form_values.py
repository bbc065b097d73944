"""What a control sends if nobody touches it: a browser corrects what the page gave it.

See "Value sanitization algorithm" of HTML, for the types of input that have one. It is not meant
for what you fill in: that is sent as it is.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from math import isfinite

__all__ = ["untouched"]

_number = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?").fullmatch
_date = re.compile(r"([0-9]{4,6})-([0-9]{2})-([0-9]{2})").fullmatch
_month = re.compile(r"([0-9]{4,6})-(?:0[1-9]|1[0-2])").fullmatch
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
    corrected = _CORRECTED.get(kind)
    return value if corrected is None else corrected(value)


def _numbers(text: str) -> str:
    return text if _is_number(text) else ""


def _is_number(text: str) -> bool:
    return _number(text) is not None and isfinite(float(text))


def _dates(text: str) -> str:
    found = _date(text)
    if found is None:
        return ""
    year, month, day = map(int, found.groups())
    is_valid = year and 1 <= month <= 12 and 1 <= day <= monthrange(_alike(year), month)[1]
    return text if is_valid else ""


def _alike(year: int) -> int:
    """Return a year with the same calendar that `datetime` knows."""
    return 2000 + year % 400


def _months(text: str) -> str:
    found = _month(text)
    return text if found is not None and int(found[1]) else ""


def _weeks(text: str) -> str:
    found = _week(text)
    if found is None or not int(found[1]):
        return ""
    latest = date(_alike(int(found[1])), 12, 28).isocalendar().week  # which is in the last week
    return text if 1 <= int(found[2]) <= latest else ""


def _times(text: str) -> str:
    return text if _time(text) else ""


def _dates_and_times(text: str) -> str:
    """Write it as short as possible, with a T."""
    found = _date_and_time(text)
    if found is None or not _dates(found[1]):
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


_CORRECTED: Mapping[str, Callable[[str], str]] = {
    "color": _colors,
    "date": _dates,
    "datetime-local": _dates_and_times,
    "month": _months,
    "number": _numbers,
    "time": _times,
    "week": _weeks,
}


def _range(value: str, attributes: Mapping[str, str]) -> str:
    """Return the value within the bounds and on a step; without one, the middle."""
    least, most = _decimal(attributes, "min", "0"), _decimal(attributes, "max", "100")
    most = max(least, most)
    wanted = Decimal(value) if _is_number(value) else least + (most - least) / 2
    inside = min(max(wanted, least), most)
    if attributes.get("step", "").lower() == "any":
        placed = inside
    else:
        base = (
            least if _is_number(attributes.get("min", "")) else _decimal(attributes, "value", "0")
        )
        placed = _on_a_step(inside, base, _decimal(attributes, "step", "1"), least, most)
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


def _decimal(attributes: Mapping[str, str], name: str, default: str) -> Decimal:
    given = attributes.get(name, "")
    return Decimal(given if _is_number(given) else default)
