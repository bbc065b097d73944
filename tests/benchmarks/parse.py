"""How fast `relogin.parse` is: `python -m tests.benchmarks.parse`.

Seven probes, against two peers and against the least that any reader must do: one `findall` pass
that builds tuples and checks nothing. Then hostile fields, for the shape of the growth.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import www_authenticate
from werkzeug.datastructures import WWWAuthenticate

import relogin
from tests.benchmarks.timing import interleaved, ratio

PROBES = {
    "Basic": 'Basic realm="WallyWorld"',
    "Bearer (RFC 6750)": (
        'Bearer realm="example", error="invalid_token", '
        'error_description="The access token expired"'
    ),
    "Digest (RFC 7616)": (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    ),
    "four challenges": (
        'Negotiate, Bearer realm="api", error="invalid_token", '
        'Digest realm="api", nonce="7ypf/xlj9XXwfDPEoM4URrv", qop="auth", Basic realm="api"'
    ),
    "Session": (
        'Session realm="orders", error="session_expired", error_description="Idle for 15 minutes"'
    ),
    "resource_metadata": (
        'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"'
    ),
    "4 KiB, 60 parameters": (
        "Example " + ", ".join(f'parameter{n:02d}="{"v" * 50}"' for n in range(60))
    ),
}
HOSTILE = {
    "commas": "," * 1024,
    "quotes": '"' * 1024,
    "backslashes": 'A b="' + "\\" * 1019,
    "a=": "a=" * 512,
    "open quotes": 'a="' * 341,
    "bare schemes": "a, " * 341,
    "malformed too": "a, " * 339 + "a=b c, ",
}
SIZES = (8, 16, 32, 64)

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_bare = re.compile(
    rf"(?:({_TOKEN})(?!\s*=)\s*+)?+"
    rf'(?:({_TOKEN})\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"|({_TOKEN})))?+,?+ *+'
).findall


def bare_pass(field: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Build tuples from one `findall`: right on these probes, and wrong on much else."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    params: list[tuple[str, str]] = []
    for scheme, name, quoted, token in _bare(field):
        if scheme:
            params = []
            found.append((scheme, params))
        if name:
            params.append((name, quoted or token))
    return found


def probes() -> None:
    """Print the probes' times and ratios."""
    print(f"{'µs per field':24}{'relogin':>9}{'bare':>9}{'werkzeug':>10}{'wwwauth':>9}", end="")
    print(f"{'relogin/bare':>13}{'werkzeug/relogin':>17}{'wwwauth/relogin':>16}")
    beside, werkzeug, wwwauth = [], [], []
    for name, field in PROBES.items():
        times = interleaved(
            {
                "relogin": partial(relogin.parse, field),
                "bare": partial(bare_pass, field),
                "werkzeug": partial(WWWAuthenticate.from_header, field),
                "wwwauth": partial(www_authenticate.parse, field),
            }
        )
        ours = times["relogin"]
        beside.append(ratio(ours, times["bare"]))
        werkzeug.append(ratio(times["werkzeug"], ours))
        wwwauth.append(ratio(times["wwwauth"], ours))
        figures = [median(times[peer]) for peer in ("relogin", "bare", "werkzeug", "wwwauth")]
        print(
            f"{name:24}{figures[0]:9.2f}{figures[1]:9.2f}{figures[2]:10.2f}{figures[3]:9.2f}",
            end="",
        )
        print(f"{beside[-1]:13.2f}{werkzeug[-1]:17.2f}{wwwauth[-1]:16.2f}")
    means = [geometric_mean(column) for column in (beside, werkzeug, wwwauth)]
    print(f"{'geometric mean':61}{means[0]:13.2f}{means[1]:17.2f}{means[2]:16.2f}")


def hostile(*, lenient: bool) -> None:
    """Print how long hostile fields take, in ms, at doubling sizes."""
    print(f"\nhostile fields, {'lenient' if lenient else 'strict'}, ms")
    print(f"{'':16}" + "".join(f"{size:>7} KiB" for size in SIZES))
    for name, unit in HOSTILE.items():
        row = [_once(unit * size, lenient=lenient) for size in SIZES]
        print(f"{name:16}" + "".join(f"{ms:11.2f}" for ms in row))


def recovering() -> None:
    """Print how long the malformed rows of the vectors take, and how many bare passes that is."""
    fields = [", ".join(row["field"]) for row in _malformed()]
    rounds: list[dict[str, float]] = [
        {name: _least(partial(read, field)) for name, read in READERS.items()} for field in fields
    ]
    lenient = sorted(one["lenient"] for one in rounds)
    passes = median(one["lenient"] / one["bare"] for one in rounds)
    print(f"\n{len(fields)} malformed fields, lenient, µs: median {median(lenient):.0f}", end="")
    print(f", nine of ten within {lenient[len(lenient) * 9 // 10]:.0f}", end="")
    print(f", the longest {lenient[-1]:.0f}; {passes:.0f} bare passes")


READERS: dict[str, Callable[[str], object]] = {
    "lenient": partial(relogin.parse, lenient=True),
    "bare": bare_pass,
}


def _malformed() -> list[dict[str, Any]]:
    vectors = Path(__file__).parents[1] / "vectors"
    files = ("challenges", "recovered", "wild")
    rows = [
        row for file in files for row in json.loads((vectors / f"{file}.json").read_text("utf-8"))
    ]
    # But for the one that shows where a reader stops: it has a hundred faults, not one or two.
    return [row for row in rows if len(row.get("faults", [])) in range(1, 100)]


def _least(piece: Callable[[], object]) -> float:
    return min(_taken(piece) for _ in range(7))


def _taken(piece: Callable[[], object]) -> float:
    started = time.perf_counter()
    piece()
    return (time.perf_counter() - started) * 1e6


def _once(field: str, *, lenient: bool) -> float:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        with suppress(relogin.ChallengeSyntaxError):
            relogin.parse(field, lenient=lenient, max_length=1 << 20)
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


if __name__ == "__main__":
    probes()
    hostile(lenient=False)
    hostile(lenient=True)
    recovering()
