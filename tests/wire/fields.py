"""What the properties of the wire are tried on: challenges, fields as they may be sent, and worse.

`EXAMPLES` is how many of them a property that compares two readers gets; the environment variable
RELOGIN_EXAMPLES changes it.
"""

import os

from hypothesis import strategies as st

from relogin import Challenge

EXAMPLES = int(os.environ.get("RELOGIN_EXAMPLES", "400"))

TCHARS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
OCTETS = "\t" + "".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)]))

tokens = st.text(TCHARS, min_size=1, max_size=8)
values = st.text(OCTETS, max_size=16)
token68s = st.from_regex(r"[A-Za-z0-9\-._~+/]{1,12}={0,3}", fullmatch=True)


def _unlike(pairs: list[tuple[str, str]]) -> bool:
    return len({name.lower() for name, _ in pairs}) == len(pairs)


params = st.lists(st.tuples(tokens, values), max_size=4).filter(_unlike)
challenges: st.SearchStrategy[Challenge] = st.one_of(
    st.builds(Challenge, tokens, params),
    st.builds(lambda scheme, token68: Challenge(scheme, token68=token68), tokens, token68s),
)

# A field as RFC 9110 §11.6.1 lets it be sent, and not only as `serialize` writes it.
_spaces = st.sampled_from(["", "", " ", "\t", " \t "])
_commas = st.sampled_from([",", ", ", " ,", ",,", " , ,\t,"])


def _quoted(text: str, escaped: list[bool]) -> str:
    pairs = zip(text, escaped + [False] * len(text), strict=False)
    return '"' + "".join("\\" + c if escape or c in '"\\' else c for c, escape in pairs) + '"'


_quoted_strings = st.builds(_quoted, values, st.lists(st.booleans(), max_size=6))


@st.composite
def wellformed(draw: st.DrawFn) -> str:
    field = draw(st.sampled_from(["", "", ",", " \t", " ,"]))
    for number in range(draw(st.integers(0, 3))):
        field += draw(_commas) if number else ""
        field += draw(tokens)
        kind = draw(st.sampled_from(["alone", "token68", "params", "params", "params"]))
        if kind == "token68":
            field += " " + draw(token68s)
        elif kind == "params":
            for index, name in enumerate(draw(st.lists(tokens, max_size=4, unique_by=str.lower))):
                value = draw(tokens | _quoted_strings)
                field += draw(_commas) if index else draw(st.sampled_from([" ", "   ", " , "]))
                field += name + draw(_spaces) + "=" + draw(_spaces) + value
    return field + draw(st.sampled_from(["", "", ",", " \t", " ,, "]))


# What real servers get wrong, and what nobody sends.
_SPOILT = [
    *"\"'\\,; =:/{}<>[]().",
    "\t",
    "\r\n",
    "\n",
    "\r\n ",
    "\x00",
    "\x7f",
    "\x80",
    "Ā",
    "😀",
    "\ud800",
]
_pieces = st.sampled_from(
    [
        *_SPOILT,
        "a",
        "A=",
        "Basic ",
        'realm="x"',
        "='",
        "x y",
        "=https://a.example/b?c=d",
        "=?",
        '=""',
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    field = draw(wellformed())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(field)))
        field = field[:at] + draw(_pieces | st.just("")) + field[at + draw(st.integers(0, 3)) :]
    return field


scrambled = st.lists(_pieces, max_size=12).map("".join)
anything = st.one_of(wellformed(), mutated(), scrambled, st.text(max_size=40))
