"""Draw the pictures of the documentation: `python docs/pictures/draw.py`.

`renewal.svg` and `decision.svg` are made from the words below; `demo.svg` is what `relogin demo`
prints, and needs the extra `cli`. They are written beside this file.
"""  # noqa: INP001 - a script, in no package

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1d2a26}.small{font-size:12.5px;fill:#4b5a55}"
    ".head{font-weight:600}.code{font:12.5px ui-monospace,Menlo,Consolas,monospace}"
    ".good{fill:#0b6b57}.bad{fill:#b02a2a}.light{fill:#fff}"
)
GREEN, RED, GREY = "#0b6b57", "#b02a2a", "#8a9a94"

COLUMNS = {"1": 90, "2": 270, "3": 450, "S": 690}
HEADS = {"1": "thread 1", "2": "thread 2", "3": "thread 3", "S": "server"}
# What travels: from, to, what is written above the arrow, and its kind. Or what a thread does.
STEPS: list[tuple[str, str, str, str]] = [
    ("1", "S", "GET /orders, old token", "code"),
    ("2", "S", "GET /orders, old token", "code"),
    ("3", "S", "GET /orders, old token", "code"),
    ("S", "1", "401 session_expired", "bad"),
    ("S", "2", "401 session_expired", "bad"),
    ("1", "", "logs in", ""),
    ("2", "", "waits", ""),
    ("1", "S", "POST /login", "code"),
    ("S", "1", "200, a new token", "good"),
    ("1", "S", "GET /orders, new token", "code"),
    ("S", "1", "200", "good"),
    ("2", "S", "GET /orders, new token", "code"),
    ("S", "2", "200", "good"),
    ("S", "3", "401 session_expired, late", "bad"),
    ("3", "", "a newer token is here: no login", ""),
    ("3", "S", "GET /orders, new token", "code"),
    ("S", "3", "200", "good"),
]

# The order of the decisions: a question, the answer that ends it, and what you get then.
QUESTIONS: list[tuple[str, str, str, str]] = [
    ("Is it a 401, or a signal that you named?", "no", "the answer, as it is", "good"),
    ("Does it come from a server that you named?", "no", "the 401 (foreign)", "bad"),
    ("Can the client answer the challenge?", "no", "the 401 (untouched)", "bad"),
    ("Is there a newer token already?", "yes", "send again, no login", "good"),
    ("Was the session revoked on purpose?", "yes", "the 401 (untouched)", "bad"),
    ("Is another request logging in?", "yes", "wait, then send again", "good"),
    ("Were there too many logins?", "yes", "the 401 (over_budget)", "bad"),
    ("Log in. Did it work?", "no", "an exception (refused, unavailable)", "bad"),
    ("Can the body be sent again?", "no", "the 401 (renewed_not_replayed)", "bad"),
]


def renewal() -> str:
    """Three threads, one dead session, one login."""
    step, top = 34, 84
    height = top + step * len(STEPS) + 16
    parts = [
        f'<line x1="{x}" y1="58" x2="{x}" y2="{height - 18}" stroke="{GREY}" '
        f'stroke-dasharray="3 4"/>'
        f'<rect x="{x - 55}" y="26" width="110" height="32" rx="6" fill="#e4efeb"/>'
        f"{_text(x, 47, HEADS[name], 'head')}"
        for name, x in COLUMNS.items()
    ]
    for number, (source, target, words, kind) in enumerate(STEPS):
        y = top + step * number
        parts.append(_arrow(source, target, words, kind, y) if target else _note(source, words, y))
    return _svg(800, height, parts, "Three threads meet a dead session; one of them logs in")


def _arrow(source: str, target: str, words: str, kind: str, y: int) -> str:
    begin, end = COLUMNS[source], COLUMNS[target]
    tip = end - 7 if end > begin else end + 7
    colour = {"good": GREEN, "bad": RED}.get(kind, "#1d2a26")
    # Written beside the server's line, where no arrow of another thread is crossed.
    middle = COLUMNS["S"] - 118
    return (
        f'<line x1="{begin}" y1="{y}" x2="{tip}" y2="{y}" stroke="{colour}" stroke-width="1.5"/>'
        f'<path d="M{end} {y}L{tip} {y - 4}V{y + 4}Z" fill="{colour}"/>'
        f'<circle cx="{begin}" cy="{y}" r="2.5" fill="{colour}"/>'
        f"{_text(middle, y - 6, words, f'code {kind}')}"
    )


def _note(source: str, words: str, y: int) -> str:
    x, width = COLUMNS[source], 26 + 7.2 * len(words)
    return (
        f'<rect x="{x - width / 2:g}" y="{y - 16}" width="{width:g}" height="24" rx="12" '
        f'fill="#fff6dc" stroke="#d9b54a"/>{_text(x, y + 1, words, "small")}'
    )


def decision() -> str:
    """What is asked about a response, in order, and where each question may end."""
    step, top, box = 62, 74, 330
    height = top + step * len(QUESTIONS) + 60
    parts = [_text(195, 44, "An answer arrives", "head")]
    for number, (question, way, end, kind) in enumerate(QUESTIONS):
        y = top + step * number
        other = "yes" if way == "no" else "no"
        parts += [
            f'<path d="M195 {y - 20}V{y - 3}" stroke="{GREY}" stroke-width="1.5"/>',
            f'<path d="M195 {y}L191 {y - 7}H199Z" fill="{GREY}"/>',
            f'<rect x="30" y="{y}" width="{box}" height="38" rx="8" fill="#e4efeb"/>',
            _text(195, y + 24, question),
            f'<path d="M{30 + box} {y + 19}H428" stroke="{GREY}" stroke-width="1.5"/>',
            f'<path d="M435 {y + 19}L428 {y + 15}V{y + 23}Z" fill="{GREY}"/>',
            _text(396, y + 13, way, "small"),
            _text(448, y + 24, end, kind, "start"),
            _text(212, y + 53, other, "small"),
        ]
    y = top + step * len(QUESTIONS)
    parts += [
        f'<path d="M195 {y - 20}V{y - 3}" stroke="{GREY}" stroke-width="1.5"/>',
        f'<path d="M195 {y}L191 {y - 7}H199Z" fill="{GREY}"/>',
        f'<rect x="30" y="{y}" width="{box}" height="38" rx="8" fill="{GREEN}"/>',
        _text(195, y + 24, "Send the request again (replayed)", "head light"),
    ]
    return _svg(720, height, parts, "What SessionAuth asks about an answer, in order")


def demo() -> str:
    """What `relogin demo` prints in a terminal."""
    from rich.console import Console
    from rich.text import Text

    ran = subprocess.run(  # our own command
        [sys.executable, "-c", "from relogin.cli import main; main(['demo'])"],
        env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": "82"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    # The port is another one each time; the picture need not be.
    shown = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", ran.stdout)
    console = Console(record=True, width=82, file=io.StringIO())
    console.print(Text.from_ansi("$ relogin demo\n" + shown.rstrip()))
    drawn = console.export_svg(title="relogin demo", unique_id="demo")
    # rich names a font of another host; the reader's own will do.
    return re.sub(r"@font-face\s*\{.*?\}", "", drawn, flags=re.DOTALL).rstrip() + "\n"


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f'<rect width="{width}" height="{height}" rx="10" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    for name, draw in {"renewal": renewal, "decision": decision, "demo": demo}.items():
        (HERE / f"{name}.svg").write_text(draw(), encoding="utf-8")
