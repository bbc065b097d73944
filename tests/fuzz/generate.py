"""Fields from a seed: what may be sent, what is sent, and the pieces of both in any order."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

PIECES = [
    *"ABab012 \t,;=\"'\\/:+-.~{}[]<>()!%#&*", "\r\n", "\n", "\r\n ", "\x00", "\x7f", "\x80", "\xff",
    "\u0100", "\U0001f600", "\ud800", "\u201c", "\u201d", "\u2018", "\xe2\x80\x9c", "\x93", "\xab",
    "Basic ", "Bearer ", "Negotiate", "Digest ", 'realm="x"', "realm=x", 'error="a b"', ", ", " = ",
    '""', '\\"', "b=", "c==", "https://a.example/b?c=d", "qop=auth,auth-int", "&quot;", "=>", ": ",
    "WWW-Authenticate: ", "{token}", '{"a":"b"}', "no, Basic realm=x", "please log in",
]  # fmt: skip
VECTORS = Path(__file__).parents[1] / "vectors"


def seeds() -> list[str]:
    """The fields of the vectors, joined to one line each."""
    rows = [
        row
        for name in ("wild", "challenges", "recovered", "credentials", "authentication-info")
        for row in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    ]
    return [", ".join(row["field"]) for row in rows]


def fields(seed: int, count: int) -> Iterator[str]:
    """Half of them out of pieces, half out of the vectors with some places changed."""
    chance = random.Random(seed)
    known = seeds()
    for _ in range(count):
        if chance.random() < 0.5:
            yield "".join(chance.choices(PIECES, k=chance.randrange(12)))
        else:
            yield _changed(chance.choice(known), chance)


def _changed(field: str, chance: random.Random) -> str:
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(field) + 1)
        end = start + chance.choice([0, 0, 1, 1, 2, 8])
        field = field[:start] + chance.choice([*PIECES, "", ""]) + field[end:]
    return field
