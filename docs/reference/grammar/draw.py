"""Draw the grammar of `relogin.wire.grammar` as railroad diagrams, one SVG file a rule.

    python docs/reference/grammar/draw.py

writes them beside this file. They are what pyparsing draws of the rules that run; needs the
packages `railroad-diagrams` and `jinja2`, as pyparsing's extra `diagrams` does.
"""  # noqa: INP001 - a script, in no package

import re
from io import StringIO
from pathlib import Path

import railroad
from pyparsing.diagram import to_railroad

from relogin.wire import grammar

railroad.Stack = railroad.Sequence  # alternatives below each other, but not what follows

HERE = Path(__file__).parent
FIELDS = {
    "challenges": "WWW-Authenticate",
    "credentials": "Authorization",
    "authentication-info": "Authentication-Info",
}
# What an error says was expected is no rule: in a diagram such a place has no name, or a mark's.
PLAIN = {
    grammar.SCHEME: None, grammar.ELEMENT: None, grammar.ARGUMENTS: None, grammar.ARGUMENT: None,
    grammar.ONE_ARGUMENT: None, grammar.VALUE: None, grammar.CLOSING: "DQUOTE",
}  # fmt: skip
SHOWN = [
    *FIELDS.values(), "challenge", "credentials", "auth-params", "auth-param", "quoted-string",
]  # fmt: skip


def draw() -> dict[str, str]:
    """The text of each file, by its name."""
    drawn: dict[str, str] = {}
    for rule, field in FIELDS.items():
        root = grammar.RULES[rule].set_name(field)
        for part in root.visit_all():
            if part.customName in PLAIN:
                part.customName = PLAIN[part.customName]
            elif part.customName in {grammar.NEXT, grammar.PARAM}:
                part.customName = None if hasattr(part, "exprs") else "end"
        for diagram in to_railroad(root, vertical=2):
            if diagram.name in SHOWN:
                drawn.setdefault(f"{diagram.name}.svg", _svg(diagram.diagram))
    return drawn


def _svg(diagram) -> str:
    text = StringIO()
    diagram.writeStandalone(text.write)
    # Each file stands alone, so that a link to another rule would lead nowhere.
    return re.sub(r"</?a[^>]*>", "", text.getvalue()) + "\n"


if __name__ == "__main__":
    for name, text in draw().items():
        (HERE / name).write_text(text, encoding="utf-8")
